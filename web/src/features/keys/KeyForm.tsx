import { useId, useState } from "react";

import type { Project } from "../../api/project";
import type { Route } from "../../api/route";
import { FormError } from "../../ui/Form";

export interface KeyDraft {
  name: string;
  projectId: string;
  /** Empty: every route. */
  routeIds: string[];
  /** Days until it expires; 0: never. */
  days: number;
}

interface KeyFormProps {
  projects: readonly Project[];
  routes: readonly Route[];
  pending: boolean;
  error: unknown;
  onSubmit: (draft: KeyDraft) => void;
  onCancel: () => void;
}

// As the contract has it, without the anchors that HTML adds by itself.
const namePattern = "[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?";
const nameRule = "1 to 63 lower-case letters, digits and dashes; no dash first or last.";

export function KeyForm({ projects, routes, pending, error, onSubmit, onCancel }: KeyFormProps) {
  const [draft, setDraft] = useState<KeyDraft>({ name: "", projectId: "", routeIds: [], days: 0 });
  const change = (part: Partial<KeyDraft>) => setDraft((d) => ({ ...d, ...part }));
  const projectId = draft.projectId || (projects[0]?.id ?? "");
  return (
    <form action={() => onSubmit({ ...draft, projectId })} className="form">
      <NameField value={draft.name} onChange={(name) => change({ name })} />
      <label>
        Project
        <select required value={projectId} onChange={(event) => change({ projectId: event.target.value })}>
          {projects.map((p) => (
            <option key={p.id} value={p.id}>
              {p.displayName || p.name}
            </option>
          ))}
        </select>
      </label>
      <RouteChoice routes={routes} chosen={draft.routeIds} onChange={(routeIds) => change({ routeIds })} />
      <label>
        Expires
        <select value={draft.days} onChange={(event) => change({ days: Number(event.target.value) })}>
          <option value={0}>Never</option>
          <option value={1}>In 1 day</option>
          <option value={30}>In 30 days</option>
          <option value={90}>In 90 days</option>
          <option value={365}>In 365 days</option>
        </select>
      </label>
      <FormError error={error} />
      <div className="form-actions">
        <button type="button" className="button" disabled={pending} onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="button button-primary" disabled={pending}>
          {pending ? "Creating…" : "Create key"}
        </button>
      </div>
    </form>
  );
}

interface NameFieldProps {
  value: string;
  onChange: (name: string) => void;
}

function NameField({ value, onChange }: NameFieldProps) {
  const rule = useId();
  return (
    <div className="field">
      <label>
        Name
        <input
          required
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          pattern={namePattern}
          title={nameRule}
          aria-describedby={rule}
          placeholder="checkout-service"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      </label>
      <p id={rule} className="muted">
        {nameRule}
      </p>
    </div>
  );
}

interface RouteChoiceProps {
  routes: readonly Route[];
  chosen: readonly string[];
  onChange: (routeIds: string[]) => void;
}

function RouteChoice({ routes, chosen, onChange }: RouteChoiceProps) {
  const toggle = (id: string) => onChange(chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id]);
  return (
    <fieldset>
      <legend>Routes</legend>
      <p className="muted">{chosen.length === 0 ? "None chosen: every route, also later ones." : "Only those chosen."}</p>
      <div className="choices">
        {routes.map((r) => (
          <label key={r.id} className="choice">
            <input type="checkbox" checked={chosen.includes(r.id)} onChange={() => toggle(r.id)} />
            {r.name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
