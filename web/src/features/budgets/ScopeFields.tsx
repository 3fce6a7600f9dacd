import type { Names } from "../../api/names";
import type { QuotaScopeName } from "../../routes/search";
import { quotaScopes } from "../../routes/search";
import { SelectField, TextField } from "../../ui/Form";
import type { ScopeDraft } from "./draft";
import type { ScopeNames } from "./names";
import type { Problems } from "../../api/problems";

interface ScopeFieldsProps {
  scope: ScopeDraft;
  names: ScopeNames;
  problems: Problems;
  onChange: (scope: ScopeDraft) => void;
}

const labels: Record<QuotaScopeName, string> = {
  organization: "The whole organization",
  project: "A project",
  key: "A key",
  route: "A route",
  provider: "A provider",
  "end-user": "Each end user apart",
  label: "Keys with a label",
};

const about: Record<QuotaScopeName, string> = {
  organization: "All requests together.",
  project: "All requests with keys of the project together.",
  key: "All requests with the key. It ends with the key.",
  route: "All requests on the route together.",
  provider: "All attempts at the provider. Where it has nothing left, the next target of a route is tried.",
  "end-user": "Each end user that requests name has this much. Agents that hash end users with different keys count one of them once each.",
  label: "Labels are the key's, or what requests say in X-Weir-Metadata.",
};

/** ScopeFields choose what a new quota is about; it can't change afterwards. */
export function ScopeFields({ scope, names, problems, onChange }: ScopeFieldsProps) {
  const change = (part: Partial<ScopeDraft>) => onChange({ ...scope, ...part });
  return (
    <>
      <SelectField
        label="What it is about"
        hint={`${about[scope.on]} This can't change later.`}
        problem={problems("scope")}
        options={quotaScopes.map((value) => [value, labels[value]])}
        value={scope.on}
        onChange={(on) => change({ on, id: "" })}
      />
      {scope.on === "project" && <Thing what="Project" names={names.projects} field="project_id" {...{ scope, problems, change }} />}
      {scope.on === "key" && <Thing what="Key" names={names.keys} field="key_id" {...{ scope, problems, change }} />}
      {scope.on === "route" && <Thing what="Route" names={names.routes} field="route_id" {...{ scope, problems, change }} />}
      {scope.on === "provider" && <Thing what="Provider" names={names.providers} field="provider_id" {...{ scope, problems, change }} />}
      {scope.on === "label" && (
        <>
          <TextField
            label="Label"
            required
            maxLength={63}
            placeholder="team"
            problem={problems("scope.label.name")}
            value={scope.label}
            onChange={(label) => change({ label })}
          />
          <SelectField
            label="Counts"
            options={[
              ["one", "Keys with one value, together"],
              ["each", "Each value apart"],
            ]}
            value={scope.apart ? "each" : "one"}
            onChange={(counts) => change({ apart: counts === "each" })}
          />
          {!scope.apart && (
            <TextField
              label="Value"
              maxLength={63}
              placeholder="search"
              hint="Empty: keys whose label has no value."
              problem={problems("scope.label.value")}
              value={scope.value}
              onChange={(value) => change({ value })}
            />
          )}
        </>
      )}
    </>
  );
}

interface ThingProps {
  what: string;
  names: Names;
  field: string;
  scope: ScopeDraft;
  problems: Problems;
  change: (part: Partial<ScopeDraft>) => void;
}

function Thing({ what, names, field, scope, problems, change }: ThingProps) {
  const problem = problems(`scope.${field}`);
  if (!names) {
    return <TextField label={`Id of the ${what.toLowerCase()}`} required problem={problem} value={scope.id} onChange={(id) => change({ id })} />;
  }
  return (
    <SelectField
      label={what}
      required
      problem={problem}
      options={[["", `Choose a ${what.toLowerCase()}`], ...names]}
      value={scope.id}
      onChange={(id) => change({ id })}
    />
  );
}
