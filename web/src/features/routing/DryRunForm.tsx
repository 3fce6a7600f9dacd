import { useState } from "react";

import type { Agent, Gateway } from "../../api/gateway";
import type { Key } from "../../api/key";
import type { Project } from "../../api/project";
import type { Route } from "../../api/route";
import type { DryRunSearch } from "../../routes/search";
import { TextField } from "../../ui/Form";
import { AgentChoice } from "./AgentChoice";
import { More } from "./More";

export interface Known {
  gateways: readonly Gateway[];
  agents: readonly Agent[];
  keys: readonly Key[];
  projects: readonly Project[];
  routes: readonly Route[];
}

interface DryRunFormProps {
  known: Known;
  /** From the URL. */
  asked: DryRunSearch;
  busy: boolean;
  onRun: (search: DryRunSearch) => void;
}

/** DryRunForm describes a request that is not sent. */
export function DryRunForm({ known, asked, busy, onRun }: DryRunFormProps) {
  const [draft, setDraft] = useState(asked);
  const change = (part: Partial<DryRunSearch>) => setDraft((d) => ({ ...d, ...part }));
  const full = { ...draft, gateway: draft.gateway ?? known.gateways[0]?.id, caller: draft.caller ?? firstCaller(known) };
  return (
    <form action={() => onRun(full)} className="form">
      <AgentChoice
        gateways={known.gateways}
        agents={known.agents}
        value={{ gatewayId: full.gateway ?? "", agentId: full.agent ?? "" }}
        onChange={({ gatewayId, agentId }) => change({ gateway: gatewayId, agent: agentId || undefined })}
      />
      <label>
        Caller
        <select required value={full.caller ?? ""} onChange={(event) => change({ caller: event.target.value })}>
          <Callers known={known} />
        </select>
      </label>
      <label>
        Model, as the request writes it
        <input required list="dry-run-routes" autoComplete="off" maxLength={200} value={draft.route ?? ""} onChange={(event) => change({ route: event.target.value })} />
      </label>
      <datalist id="dry-run-routes">
        {known.routes.map((route) => (
          <option key={route.id} value={route.name} />
        ))}
      </datalist>
      <TokenField label="Input tokens" value={draft.input ?? 1_000} onChange={(input) => change({ input })} />
      <TokenField label="Output tokens at most (0: the request has no cap)" value={draft.output ?? 0} onChange={(output) => change({ output })} />
      <Conditions draft={full} onChange={change} />
      <p className="muted">Nothing is sent to a provider, and nothing is recorded.</p>
      <div className="form-actions">
        <button type="submit" className="button button-primary" disabled={busy || known.gateways.length === 0}>
          {busy ? "Asking…" : "Run dry"}
        </button>
      </div>
    </form>
  );
}

interface ConditionsProps {
  draft: DryRunSearch;
  onChange: (part: Partial<DryRunSearch>) => void;
}

// Conditions are what those of targets look at, and sticky routes.
function Conditions({ draft, onChange }: ConditionsProps) {
  const { metadata, headers, stream, user, run } = draft;
  return (
    <More title="What conditions look at" said={Boolean(metadata ?? headers ?? stream ?? user ?? run)}>
      <TextField
        label="Metadata"
        placeholder="tier=gold; team=search"
        hint="name=value, with ; between them."
        value={metadata ?? ""}
        onChange={(value) => onChange({ metadata: value || undefined })}
      />
      <TextField
        label="Headers"
        placeholder="X-Session-Id=42"
        hint="As metadata. A condition sees none that carries a credential."
        value={headers ?? ""}
        onChange={(value) => onChange({ headers: value || undefined })}
      />
      <TextField label="End user" value={user ?? ""} onChange={(value) => onChange({ user: value || undefined })} />
      <TextField label="Run" value={run ?? ""} onChange={(value) => onChange({ run: value || undefined })} />
      <label className="choice">
        <input type="checkbox" checked={stream ?? false} onChange={(event) => onChange({ stream: event.target.checked || undefined })} />
        The answer is a stream
      </label>
    </More>
  );
}

function firstCaller({ keys, projects }: Known): string | undefined {
  const alive = keys.find((key) => !key.revokedAt);
  if (alive) return `key:${alive.id}`;
  return projects[0] && `project:${projects[0].id}`;
}

function Callers({ known: { keys, projects } }: { known: Known }) {
  return (
    <>
      <optgroup label="A key, as it is now">
        {keys.map((key) => (
          <option key={key.id} value={`key:${key.id}`}>
            {key.name}
            {key.revokedAt ? " (revoked)" : ""}
          </option>
        ))}
      </optgroup>
      <optgroup label="A new key of the project">
        {projects.map((project) => (
          <option key={project.id} value={`project:${project.id}`}>
            {project.displayName || project.name}
          </option>
        ))}
      </optgroup>
    </>
  );
}

interface TokenFieldProps {
  label: string;
  value: number;
  onChange: (value: number) => void;
}

function TokenField({ label, value, onChange }: TokenFieldProps) {
  return (
    <label>
      {label}
      <input type="number" required min={0} max={100_000_000} step={1} value={value} onChange={(event) => onChange(event.target.valueAsNumber || 0)} />
    </label>
  );
}
