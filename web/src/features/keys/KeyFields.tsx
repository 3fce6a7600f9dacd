import { useState } from "react";

import type { Project } from "../../api/project";
import type { Route } from "../../api/route";
import { FormActions, FormError, NameField } from "../../ui/Form";

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

export function KeyForm({ projects, routes, pending, error, onSubmit, onCancel }: KeyFormProps) {
  const [draft, setDraft] = useState<KeyDraft>({ name: "", projectId: "", routeIds: [], days: 0 });
  const change = (part: Partial<KeyDraft>) => setDraft((d) => ({ ...d, ...part }));
  const projectId = draft.projectId || (projects[0]?.id ?? "");
  return (
    <form action={() => onSubmit({ ...draft, projectId })} className="form">
      <NameField placeholder="checkout-service" value={draft.name} onChange={(name) => change({ name })} />
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
      <FormActions pending={pending} action="Create key" working="Creating…" onCancel={onCancel} />
    </form>
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
