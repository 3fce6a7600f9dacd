import "./changes.css";

import type { ResourceChange } from "../../api/history";
import { ChangeAction } from "../../api/history";
import { Fields } from "./Fields";
import type { LogNames } from "./words";
import { kindName, noNames, resourceName } from "./words";

const actions: Record<ChangeAction, string> = {
  [ChangeAction.UNSPECIFIED]: "differs",
  [ChangeAction.ADDED]: "is added",
  [ChangeAction.REMOVED]: "is removed",
  [ChangeAction.CHANGED]: "changes",
};

interface ChangesProps {
  changes: readonly ResourceChange[];
  label: string;
  /** What ids in values stand for. */
  names?: LogNames;
}

/** Changes says resource by resource how one configuration differs from another. */
export function Changes({ changes, label, names = noNames }: ChangesProps) {
  return (
    <ul className="changes" aria-label={label}>
      {changes.map((change) => (
        <li key={`${change.resource?.kind} ${change.resource?.id}`}>
          {kindName(change.resource?.kind ?? "")} <b title={change.resource?.id}>{resourceName(change.resource, names)}</b> {actions[change.action]}
          {change.action === ChangeAction.CHANGED && <Fields fields={change.fields} names={names} />}
        </li>
      ))}
    </ul>
  );
}
