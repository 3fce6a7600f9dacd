import type { FieldChange, ResourceChange } from "../../api/history";
import { ChangeAction, jsonOf } from "../../api/history";

const actions: Record<ChangeAction, string> = {
  [ChangeAction.UNSPECIFIED]: "differs",
  [ChangeAction.ADDED]: "is added",
  [ChangeAction.REMOVED]: "is removed",
  [ChangeAction.CHANGED]: "changes",
};

/** Changes says resource by resource how one configuration differs from another. */
export function Changes({ changes, label }: { changes: readonly ResourceChange[]; label: string }) {
  return (
    <ul className="changes" aria-label={label}>
      {changes.map((change) => (
        <li key={`${change.resource?.kind} ${change.resource?.id}`}>
          {kindName(change.resource?.kind ?? "")} <b>{change.resource?.name || change.resource?.id}</b> {actions[change.action]}
          {change.action === ChangeAction.CHANGED && <Fields fields={change.fields} />}
        </li>
      ))}
    </ul>
  );
}

function Fields({ fields }: { fields: readonly FieldChange[] }) {
  return (
    <ul>
      {fields.map((field) => (
        <li key={field.path}>
          {field.path}
          <div>
            <span className="muted">from</span> <Side value={field.before} />
          </div>
          <div>
            <span className="muted">to</span> <Side value={field.after} />
          </div>
        </li>
      ))}
    </ul>
  );
}

function Side({ value }: { value: FieldChange["before"] }) {
  const json = jsonOf(value);
  return json === undefined ? <span className="muted">nothing</span> : <code>{JSON.stringify(json)}</code>;
}

function kindName(kind: string): string {
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
