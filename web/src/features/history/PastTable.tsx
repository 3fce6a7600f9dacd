import { Link } from "@tanstack/react-router";

import type { PastKind, PastThing } from "../../api/past";
import { shortId } from "../../format/id";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Scalar } from "./Fields";
import { leavesOf } from "./differences";
import type { LogNames } from "./words";

interface PastTableProps {
  kind: PastKind;
  things: readonly PastThing[];
  names: LogNames;
}

/** PastTable lists resources as they were; a row opens all that was said of one. */
export function PastTable({ kind, things, names }: PastTableProps) {
  return (
    <Scroller label={`${kind.label} of the past`}>
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">{kind.kind === "role_binding" ? "Who" : "Name"}</th>
            <th scope="col">As it was</th>
          </tr>
        </thead>
        <tbody>
          {things.map((thing) => (
            <tr key={thing.id}>
              <th scope="row" className="anywhere">
                <Link from="/history/past" search={(s) => ({ ...s, kind: kind.kind, resource: thing.id })} className="row-link" title={thing.id}>
                  <Said text={nameOf(thing, names)} />
                </Link>
              </th>
              <td className="anywhere">
                <Summary thing={thing} names={names} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

/** nameOf is what a resource of the past is called; a role on a project has the name of who has it. */
export function nameOf({ id, name, json }: PastThing, names: LogNames): string {
  if (name) return name;
  const who = [json.memberId, json.serviceAccountId].find((one) => typeof one === "string");
  return (who && names.get(who)) || shortId(id);
}

// What the table says already, or nobody looks for in a line.
const unsaid: ReadonlySet<string> = new Set(["id", "name", "displayName", "etag", "createdAt", "memberId", "serviceAccountId"]);
const mostSaid = 4;

function Summary({ thing, names }: { thing: PastThing; names: LogNames }) {
  const said = leavesOf(thing.json).filter(({ path, value }) => !unsaid.has(path) && value !== "" && value !== false);
  return (
    <ul className="past-summary">
      {said.slice(0, mostSaid).map(({ path, value }) => (
        <li key={path}>
          <span className="muted">{path}</span> <Scalar path={path} value={value} names={names} />
        </li>
      ))}
      {said.length > mostSaid && <li className="muted">{said.length - mostSaid} more</li>}
    </ul>
  );
}
