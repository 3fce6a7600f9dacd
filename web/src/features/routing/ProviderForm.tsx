import type { ReactNode } from "react";

import { Dialect, dialectName } from "../../api/provider";
import { FormActions, NameField, TextField } from "../../ui/Form";
import { TimeoutFields } from "./BoundFields";
import { choices, hintsOf } from "./dialect";
import type { TimeoutsDraft } from "./draft";
import { Optional } from "./Optional";
import type { HeaderDraft } from "./sent";
import { headerMistake, modelsMistake } from "./sent";
import { HeaderFields, ModelsField } from "./SentFields";
import type { Problems } from "./TargetFields";

/** QueueDraft are the numbers of a queue as they are written. */
export interface QueueDraft {
  maxRequests: string;
  /** ms */
  maxWait: string;
}

export interface ProviderDraft {
  name: string;
  dialect: Dialect;
  baseUrl: string;
  apiVersion: string;
  credentialRef: string;
  region: string;
  priceList: string;
  /** undefined: nothing waits. */
  queue: QueueDraft | undefined;
  headers: HeaderDraft[];
  timeouts: TimeoutsDraft;
  /** One on each line; "": all. */
  models: string;
}

interface ProviderFormProps {
  draft: ProviderDraft;
  /** Whether it is there already: then its dialect stays. */
  exists: boolean;
  problems: Problems;
  pending: boolean;
  /** Whether it has to wait for something else. */
  blocked: boolean;
  onChange: (part: Partial<ProviderDraft>) => void;
  onSubmit: (draft: ProviderDraft) => void;
  onCancel: () => void;
  /** What is wrong with all of it. */
  children: ReactNode;
}

/** ProviderForm takes everything of a provider but sealed credentials. */
export function ProviderForm({ draft, exists, problems, pending, blocked, onChange: change, onSubmit, onCancel, children }: ProviderFormProps) {
  const hints = hintsOf(draft.dialect);
  const wrong = draft.headers.some((_, i) => headerMistake(draft.headers, i)) || modelsMistake(draft.models) !== undefined;
  const azure = draft.dialect === Dialect.AZURE_OPENAI;
  // What was written for Azure must not go along with another dialect.
  const submit = () => onSubmit(azure ? draft : { ...draft, apiVersion: "" });
  return (
    <form action={submit} className="form">
      <NameField placeholder="openai" problem={problems("name")} value={draft.name} onChange={(name) => change({ name })} />
      <DialectField value={draft.dialect} disabled={exists} onChange={(dialect) => change({ dialect })} />
      <TextField
        label="Base URL"
        required
        type="url"
        placeholder={hints.baseUrl}
        hint={hints.form}
        problem={problems("base_url")}
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
      <QueueFields queue={draft.queue} problems={problems} onChange={(queue) => change({ queue })} />
      <TimeoutFields timeouts={draft.timeouts} empty="the agent's own" problems={problems} onChange={(timeouts) => change({ timeouts })} />
      <HeaderFields headers={draft.headers} problems={problems} onChange={(headers) => change({ headers })} />
      <ModelsField models={draft.models} problems={problems} onChange={(models) => change({ models })} />
      {children}
      <FormActions
        pending={pending}
        blocked={blocked || wrong}
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

interface QueueFieldsProps {
  queue: QueueDraft | undefined;
  problems: Problems;
  onChange: (queue: QueueDraft | undefined) => void;
}

const firstQueue: QueueDraft = { maxRequests: "100", maxWait: "10000" };

// In each agent and for each of the provider's models apart, which is what the account's limits are.
function QueueFields({ queue, problems, onChange }: QueueFieldsProps) {
  return (
    <Optional
      label="Queue"
      about="Where the account has nothing left and no other target can take a request, it waits. Keys' priorities say who goes first, weights of keys and projects how much each gets."
      checked={queue !== undefined}
      problem={problems("queue")}
      onChange={(on) => onChange(on ? firstQueue : undefined)}
    >
      {queue && (
        <fieldset className="part">
          <legend>Queue</legend>
          <TextField
            label="Requests that wait, at most"
            required
            type="number"
            min={1}
            max={1_000}
            hint="In each agent, for each model. One more takes the place of one with less of a right to it, or is refused."
            problem={problems("queue.max_requests")}
            value={queue.maxRequests}
            onChange={(maxRequests) => onChange({ ...queue, maxRequests })}
          />
          <TextField
            label="Waits at most, ms"
            required
            type="number"
            min={1}
            max={60_000}
            hint="A request that would have to wait for longer is refused at once."
            problem={problems("queue.max_wait_ms")}
            value={queue.maxWait}
            onChange={(maxWait) => onChange({ ...queue, maxWait })}
          />
        </fieldset>
      )}
    </Optional>
  );
}
