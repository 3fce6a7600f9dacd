import type { Key } from "../../api/key";
import type { Project } from "../../api/project";
import type { Route } from "../../api/route";
import { dateOf } from "../../api/time";
import { shortId } from "../../format/id";
import { Badge } from "../../ui/Badge";
import { Scroller } from "../../ui/Scroller";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { keyStatus } from "./status";

interface KeyTableProps {
  keys: readonly Key[];
  projects: readonly Project[];
  routes: readonly Route[];
  /** Absent where the role may not. */
  onRevoke: ((key: Key) => void) | undefined;
}

export function KeyTable({ keys, projects, routes, onRevoke }: KeyTableProps) {
  const projectNames = new Map(projects.map((p) => [p.id, p.displayName || p.name]));
  const routeNames = new Map(routes.map((r) => [r.id, r.name]));
  return (
    <Scroller label="Keys">
      <table className="table keys-table">
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
            {onRevoke && (
              <th scope="col">
                <span className="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <KeyRow
              key={key.id}
              subject={key}
              project={projectNames.get(key.projectId) ?? shortId(key.projectId)}
              routes={key.routeIds.map((id) => routeNames.get(id) ?? shortId(id))}
              onRevoke={onRevoke}
            />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

interface KeyRowProps {
  subject: Key;
  project: string;
  routes: readonly string[];
  onRevoke: ((key: Key) => void) | undefined;
}

function KeyRow({ subject, project, routes, onRevoke }: KeyRowProps) {
  const status = keyStatus(subject, useNow(60_000));
  const revoked = dateOf(subject.revokedAt);
  return (
    <tr>
      <th scope="row" className="anywhere">
        {subject.name}
        <div className="narrow-only stacked">
          <code>…{subject.suffix}</code> of {project}, {routes.length > 0 ? routes.join(", ") : "every route"}
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
      </td>
      <td className="wide-only">{project}</td>
      <td className="wide-only keys-routes">{routes.length > 0 ? routes.join(", ") : "every route"}</td>
      <td className="wide-only">
        <Time at={dateOf(subject.createdAt)} precision="minute" />
      </td>
      <td className="wide-only">
        <Time at={dateOf(subject.expiresAt)} precision="minute" absent="never" />
      </td>
      {onRevoke && (
        <td className="num">
          {!revoked && (
            <button
              type="button"
              className="button button-small button-danger"
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
