import { Link } from "@tanstack/react-router";

import type { Key } from "../../api/key";
import { mayRevokeKey } from "../../api/key";
import type { Names } from "../../api/names";
import { dateOf } from "../../api/time";
import { formatUntil } from "../../format/duration";
import { shortId } from "../../format/id";
import { Badge } from "../../ui/Badge";
import { Scroller } from "../../ui/Scroller";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { oldSecretEnds } from "./OldSecret";
import { keyStatus } from "./status";

/** KeyNames say what the ids of a key stand for. */
export interface KeyNames {
  project: (key: Key) => string;
  routes: (key: Key) => string;
}

/** keyNames takes them from the lists that the role may read. */
export function keyNames(projects: Names, routes: Names): KeyNames {
  return {
    project: ({ projectId }) => projects?.get(projectId) ?? shortId(projectId),
    routes: ({ routeIds }) => routeIds.map((id) => routes?.get(id) ?? shortId(id)).join(", ") || "every route",
  };
}

interface KeyTableProps {
  keys: readonly Key[];
  names: KeyNames;
  /** Whether a key's name opens its details. */
  mayOpen: (key: Key) => boolean;
  onRevoke: (key: Key) => void;
}

export function KeyTable({ keys, names, mayOpen, onRevoke }: KeyTableProps) {
  const may = useMay();
  const mayRevoke = (key: Key) => may(mayRevokeKey, key.projectId);
  const acts = keys.some(mayRevoke);
  return (
    <Scroller label="Keys">
      <table className="table table-rows keys-table">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col" className="wide-only">
              Ends in
            </th>
            <th scope="col">State</th>
            <th scope="col" className="wide-only">
              Project
            </th>
            <th scope="col" className="wide-only">
              Routes
            </th>
            <th scope="col" className="wide-only">
              Created
            </th>
            <th scope="col" className="wide-only">
              Expires
            </th>
            {acts && (
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <KeyRow key={key.id} subject={key} names={names} mayOpen={mayOpen(key)} acts={acts} onRevoke={mayRevoke(key) ? onRevoke : undefined} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

interface KeyRowProps {
  subject: Key;
  names: KeyNames;
  mayOpen: boolean;
  /** Whether the table has a column for actions. */
  acts: boolean;
  /** Absent where the role may not. */
  onRevoke: ((key: Key) => void) | undefined;
}

function KeyRow({ subject, names, mayOpen, acts, onRevoke }: KeyRowProps) {
  const now = useNow(60_000);
  const status = keyStatus(subject, now);
  const oldEnds = oldSecretEnds(subject, now);
  const revoked = dateOf(subject.revokedAt);
  return (
    <tr>
      <th scope="row" className="anywhere">
        {mayOpen ? (
          <Link to="/keys" search={{ key: subject.id }} className="row-link">
            {subject.name}
          </Link>
        ) : (
          subject.name
        )}
        <div className="narrow-only stacked">
          <code>…{subject.suffix}</code> of {names.project(subject)}, {names.routes(subject)}
          <div>
            Expires <Time at={dateOf(subject.expiresAt)} precision="minute" absent="never" />
          </div>
        </div>
      </th>
      <td className="wide-only">
        <code>…{subject.suffix}</code>
      </td>
      <td>
        <Badge tone={status.tone}>{status.label}</Badge>
        {revoked && (
          <div className="muted">
            <Time at={revoked} precision="minute" />
          </div>
        )}
        {oldEnds && (
          <div className="muted keys-old">
            old secret ends <span title={`The secret ending in ${subject.previousSuffix} works until then`}>{formatUntil(oldEnds, now)}</span>
          </div>
        )}
      </td>
      <td className="wide-only keys-wrap">{names.project(subject)}</td>
      <td className="wide-only keys-wrap">{names.routes(subject)}</td>
      <td className="wide-only">
        <Time at={dateOf(subject.createdAt)} precision="minute" />
      </td>
      <td className="wide-only">
        <Time at={dateOf(subject.expiresAt)} precision="minute" absent="never" />
      </td>
      {acts && (
        <td className="num">
          {onRevoke && !revoked && (
            <button
              type="button"
              className="button button-small button-danger above-row"
              aria-label={`Revoke ${subject.name}`}
              onClick={() => onRevoke(subject)}
            >
              Revoke
            </button>
          )}
        </td>
      )}
    </tr>
  );
}
