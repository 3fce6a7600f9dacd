import { useId } from "react";

import { mayCreateKey, Priority } from "../../api/key";
import type { Names } from "../../api/names";
import { viewerZone } from "../../format/time";
import { Problem, NameField, SelectField, TextField } from "../../ui/Form";
import type { Problems } from "../../api/problems";
import { SomeOrAll } from "../../ui/SomeOrAll";
import { More } from "../routing/More";
import { useMay } from "../session/permission";
import type { Expiry, KeyDraft, LabelDraft } from "./draft";
import { expiries, labelTwice } from "./draft";
import { priorityName, priorityWords } from "./priority";

interface KeyFieldsProps {
  draft: KeyDraft;
  /** undefined: the key is there, and its project can't change. */
  projects: Names | "fixed";
  /** By their ids; undefined: not known yet, or the role may not list them. */
  routes: Names;
  problems: Problems;
  onChange: (part: Partial<KeyDraft>) => void;
}

/** KeyFields take everything that people choose of a key. */
export function KeyFields({ draft, projects, routes, problems, onChange }: KeyFieldsProps) {
  return (
    <>
      <NameField placeholder="checkout-service" problem={problems("name")} value={draft.name} onChange={(name) => onChange({ name })} />
      {projects !== "fixed" && <ProjectField projects={projects} problem={problems("project_id")} value={draft.projectId} onChange={(projectId) => onChange({ projectId })} />}
      <SomeOrAll
        legend="Routes that it may use"
        everyLabel="Every route, also later ones"
        none="There is no route yet."
        names={routes}
        every={draft.everyRoute}
        chosen={draft.routeIds}
        problem={problems("route_ids")}
        onEvery={(everyRoute) => onChange({ everyRoute })}
        onChosen={(routeIds) => onChange({ routeIds })}
      />
      <ExpiryFields expires={draft.expires} expiresAt={draft.expiresAt} problem={problems("expires_at")} onChange={onChange} />
      <More title="Weight and priority" said={draft.weight !== "" || draft.priority !== Priority.NORMAL} wrong={Boolean(problems("weight") ?? problems("priority"))}>
        <TextField
          label="Weight (optional)"
          type="number"
          min={1}
          max={100}
          placeholder="1"
          hint="1 to 100: its part, beside the project's other keys, of a provider's account that has little left."
          problem={problems("weight")}
          value={draft.weight}
          onChange={(weight) => onChange({ weight })}
        />
        <SelectField
          label="Priority"
          hint={priorityWords(draft.priority)}
          problem={problems("priority")}
          options={[Priority.INTERACTIVE, Priority.NORMAL, Priority.BATCH].map((priority) => [priority, priorityName(priority)])}
          value={draft.priority}
          onChange={(priority) => onChange({ priority })}
        />
      </More>
      <LabelFields labels={draft.labels} problem={problems("labels")} onChange={(labels) => onChange({ labels })} />
    </>
  );
}

interface ProjectFieldProps {
  projects: Names;
  problem: string | undefined;
  value: string;
  onChange: (projectId: string) => void;
}

// Only those on which the viewer may make keys.
function ProjectField({ projects, problem, value, onChange }: ProjectFieldProps) {
  const may = useMay();
  const offered = [...(projects ?? [])].filter(([id]) => may(mayCreateKey, id));
  return <SelectField label="Project" required problem={problem} options={offered} value={value} onChange={onChange} />;
}

const expiryNames: Record<Expiry, string> = {
  never: "Never",
  "1": "In 1 day",
  "30": "In 30 days",
  "90": "In 90 days",
  "365": "In 365 days",
  at: "At a time",
};

interface ExpiryFieldsProps {
  expires: Expiry;
  expiresAt: string;
  problem: string | undefined;
  onChange: (part: Partial<KeyDraft>) => void;
}

function ExpiryFields({ expires, expiresAt, problem, onChange }: ExpiryFieldsProps) {
  return (
    <>
      <SelectField
        label="Expires"
        problem={expires === "at" ? undefined : problem}
        options={expiries.map((expiry) => [expiry, expiryNames[expiry]])}
        value={expires}
        onChange={(next) => onChange({ expires: next })}
      />
      {expires === "at" && (
        <TextField
          label={`Time, ${viewerZone()}`}
          required
          type="datetime-local"
          step={1}
          hint="From then on its requests are refused."
          problem={problem}
          value={expiresAt}
          onChange={(next) => onChange({ expiresAt: next })}
        />
      )}
    </>
  );
}

const maxLabels = 20;
const labelRule = "Lower-case letters, digits and inner . _ / -, at most 63.";

interface LabelFieldsProps {
  labels: readonly LabelDraft[];
  problem: string | undefined;
  onChange: (labels: LabelDraft[]) => void;
}

function LabelFields({ labels, problem, onChange }: LabelFieldsProps) {
  const wrong = useId();
  const twice = labelTwice(labels);
  const said = problem ?? (twice && `${twice} is written twice.`);
  const change = (at: number, part: Partial<LabelDraft>) => onChange(labels.map((label, i) => (i === at ? { ...label, ...part } : label)));
  return (
    <More title="Labels" said={labels.length > 0} wrong={Boolean(problem)}>
      <p className="muted">For people, reports and budgets: team = search. Budgets and limits can be on keys with a label.</p>
      <Problem id={wrong} problem={said} />
      {labels.map((label, i) => (
        <div key={i} className="pair" role="group" aria-label={label.name ? `Label ${label.name}` : "New label"} aria-describedby={said ? wrong : undefined}>
          <TextField label="Label" required pattern="[a-z0-9]([a-z0-9._\/\-]{0,61}[a-z0-9])?" title={labelRule} value={label.name} onChange={(name) => change(i, { name })} />
          <TextField label="Value" maxLength={63} value={label.value} onChange={(value) => change(i, { value })} />
          <button
            type="button"
            className="button"
            aria-label={`Remove label ${label.name || i + 1}`}
            onClick={() => onChange(labels.filter((_, other) => other !== i))}
          >
            Remove
          </button>
        </div>
      ))}
      {labels.length < maxLabels && (
        <div>
          <button type="button" className="button button-small" onClick={() => onChange([...labels, { name: "", value: "" }])}>
            Add label
          </button>
        </div>
      )}
    </More>
  );
}
