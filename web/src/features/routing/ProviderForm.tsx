import { useState } from "react";

import { Dialect, dialectName } from "../../api/provider";
import { FormActions, FormError, NameField, TextField } from "../../ui/Form";
import { choices, hintsOf } from "./dialect";

export interface ProviderDraft {
  name: string;
  dialect: Dialect;
  baseUrl: string;
  apiVersion: string;
  credentialRef: string;
  region: string;
  priceList: string;
}

interface ProviderFormProps {
  begin: ProviderDraft;
  /** Whether it is there already: then its dialect stays. */
  exists: boolean;
  pending: boolean;
  error: unknown;
  onSubmit: (draft: ProviderDraft) => void;
  onCancel: () => void;
}

export function ProviderForm({ begin, exists, pending, error, onSubmit, onCancel }: ProviderFormProps) {
  const [draft, setDraft] = useState(begin);
  const change = (part: Partial<ProviderDraft>) => setDraft((d) => ({ ...d, ...part }));
  const hints = hintsOf(draft.dialect);
  const azure = draft.dialect === Dialect.AZURE_OPENAI;
  // What was written for Azure must not go along with another dialect.
  const submit = () => onSubmit(azure ? draft : { ...draft, apiVersion: "" });
  return (
    <form action={submit} className="form">
      <NameField placeholder="openai" value={draft.name} onChange={(name) => change({ name })} />
      <DialectField value={draft.dialect} disabled={exists} onChange={(dialect) => change({ dialect })} />
      <TextField
        label="Base URL"
        required
        type="url"
        placeholder={hints.baseUrl}
        hint={hints.form}
        value={draft.baseUrl}
        onChange={(baseUrl) => change({ baseUrl })}
      />
      {azure && <APIVersionField value={draft.apiVersion} onChange={(apiVersion) => change({ apiVersion })} />}
      <TextField
        label="Credential"
        placeholder="env://WEIR_SECRET_NAME or file:///etc/weir/secrets/name"
        pattern={referencePattern}
        title="Where agents find it: env://NAME or file:///PATH. The credential itself never leaves your network."
        hint={`Where agents find it, not the value itself. ${hints.credential}`}
        value={draft.credentialRef}
        onChange={(credentialRef) => change({ credentialRef })}
      />
      <TextField
        label="Region (optional)"
        placeholder="eu"
        maxLength={63}
        value={draft.region}
        onChange={(region) => change({ region })}
      />
      <TextField
        label="Price list (optional)"
        placeholder={hints.prices || "none: unpriced"}
        maxLength={63}
        value={draft.priceList}
        onChange={(priceList) => change({ priceList })}
      />
      <FormError error={error} />
      <FormActions
        pending={pending}
        action={exists ? "Save provider" : "Create provider"}
        working={exists ? "Saving…" : "Creating…"}
        onCancel={onCancel}
      />
    </form>
  );
}

interface DialectFieldProps {
  value: Dialect;
  disabled: boolean;
  onChange: (dialect: Dialect) => void;
}

function DialectField({ value, disabled, onChange }: DialectFieldProps) {
  const shown = choices.includes(value) ? choices : [...choices, value];
  return (
    <label>
      Dialect
      <select value={value} disabled={disabled} onChange={(event) => onChange(shown[event.target.selectedIndex] ?? value)}>
        {shown.map((dialect) => (
          <option key={dialect} value={dialect}>
            {dialectName(dialect)}
          </option>
        ))}
      </select>
    </label>
  );
}

// As the contract has it: a credential that is pasted here stays in the browser.
const referencePattern = "env://[A-Za-z_][A-Za-z0-9_]*|file:///.+";

function APIVersionField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <TextField
      label="API version (optional)"
      placeholder="2024-10-21"
      pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?"
      title="A date, such as 2024-10-21 or 2025-04-01-preview"
      hint="With one, agents ask the deployment that a route's model names; without, the resource's /openai/v1."
      value={value}
      onChange={onChange}
    />
  );
}
