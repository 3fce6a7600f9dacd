import type { Names } from "../../api/names";
import type { BudgetsSearch, QuotaScopeName } from "../../routes/search";
import { quotaKinds, quotaModes, quotaScopes } from "../../routes/search";
import { Choice } from "../../ui/Choice";
import { Segmented } from "../../ui/Segmented";

interface FiltersProps {
  search: BudgetsSearch;
  /** undefined: the role may not list them. */
  projects: Names;
  onChange: (part: BudgetsSearch) => void;
}

const kindLabels = { all: "All", budgets: "Budgets", limits: "Limits" } as const;
const modeLabels = { hard: "Hard", soft: "Soft", shadow: "Shadow", off: "Off" } as const;
const scopeLabels: Record<QuotaScopeName, string> = {
  organization: "The organization",
  project: "A project",
  key: "A key",
  route: "A route",
  provider: "A provider",
  "end-user": "Each end user",
  label: "A label",
};

/** Filters choose which budgets and limits are listed. */
export function Filters({ search, projects, onChange }: FiltersProps) {
  return (
    <div className="filters" role="search" aria-label="Filter budgets and limits">
      <Segmented
        label="Kind"
        options={quotaKinds.map((value) => ({ value, label: kindLabels[value] }))}
        value={search.kind ?? "all"}
        onChange={(kind) => onChange({ kind: kind === "all" ? undefined : kind })}
      />
      <Choice label="Mode" any="Any mode" labels={modeLabels} known={quotaModes} value={search.mode} onChange={(mode) => onChange({ mode })} />
      <Choice label="On" any="On anything" labels={scopeLabels} known={quotaScopes} value={search.on} onChange={(on) => onChange({ on })} />
      {projects && (
        <select
          className="select-small"
          aria-label="Project"
          value={search.project ?? ""}
          onChange={(event) => onChange({ project: event.target.value || undefined })}
        >
          <option value="">Every project</option>
          {[...projects].map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
      <label className="choice">
        <input type="checkbox" checked={search.near ?? false} onChange={(event) => onChange({ near: event.target.checked || undefined })} />
        Near its end
      </label>
    </div>
  );
}
