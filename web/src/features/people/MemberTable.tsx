import { Link } from "@tanstack/react-router";

import type { Member } from "../../api/member";
import type { Names } from "../../api/names";
import type { RoleBinding } from "../../api/roleBinding";
import { roleName } from "../../api/session";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { Named } from "../../ui/Named";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { useViewer } from "../session/permission";
import { memberName, memberStatus } from "./status";

interface MemberTableProps {
  members: readonly Member[];
  bindings: readonly RoleBinding[];
  projects: Names;
}

export function MemberTable({ members, bindings, projects }: MemberTableProps) {
  return (
    <Scroller label="People, table">
      <table className="table table-rows">
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">Role</th>
            <th scope="col">State</th>
            <th scope="col" className="wide-only">
              Roles on projects
            </th>
            <th scope="col" className="wide-only">
              Added
            </th>
          </tr>
        </thead>
        <tbody>
          {members.map((member) => (
            <Row key={member.id} member={member} bound={bindings.filter(({ principal }) => principal.value === member.id)} projects={projects} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function Row({ member, bound, projects }: { member: Member; bound: readonly RoleBinding[]; projects: Names }) {
  const you = useViewer()?.id === member.id;
  const status = memberStatus(member, useNow(60_000));
  return (
    <tr>
      <th scope="row" className="anywhere">
        <Link from="/people" to="." search={(s) => ({ ...s, member: member.id })} className="row-link">
          <Said text={memberName(member)} />
        </Link>
        {you && <span className="muted"> (you)</span>}
        {member.name && member.email && (
          <div className="stacked">
            <Said text={member.email} />
          </div>
        )}
      </th>
      <td>{roleName(member.role)}</td>
      <td>
        <Badge tone={status.tone}>{status.label}</Badge>
      </td>
      <td className="wide-only">
        {bound.length === 0 && <span className="muted">–</span>}
        {bound.map(({ id, projectId, role }) => (
          <div key={id}>
            <Named id={projectId} names={projects} />: {roleName(role)}
          </div>
        ))}
      </td>
      <td className="wide-only">
        <Time at={dateOf(member.createdAt)} precision="minute" />
      </td>
    </tr>
  );
}
