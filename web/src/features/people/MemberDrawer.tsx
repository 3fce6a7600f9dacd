import { useState } from "react";

import type { Member } from "../../api/member";
import {
  mayEraseMember,
  mayListMemberSessions,
  mayRemoveMember,
  mayUpdateMember,
  MemberState,
  useEraseMember,
  useMember,
  useRemoveMember,
  useUpdateMember,
} from "../../api/member";
import type { Names } from "../../api/names";
import { mayListRoleBindings } from "../../api/roleBinding";
import { Role, roleName } from "../../api/session";
import { dateOf } from "../../api/time";
import { newRequestId, useRequestId } from "../../api/transport";
import { viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Drawer } from "../../ui/Overlay";
import { Said } from "../../ui/Said";
import { Async } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { HistoryLink } from "../history/HistoryLink";
import { useMay, useViewer } from "../session/permission";
import { Bindings } from "./Bindings";
import { MemberSessions } from "./MemberSessions";
import { RoleForm } from "./RoleForm";
import { rolesUpTo } from "./role";
import { memberName, memberStatus } from "./status";

interface MemberDrawerProps {
  id: string;
  projects: Names;
  onClose: () => void;
}

/** MemberDrawer shows what one person may do, and changes it. */
export function MemberDrawer({ id, projects, onClose }: MemberDrawerProps) {
  const result = useMember(id);
  return (
    <Drawer title="Person" open onClose={onClose}>
      <Async result={result} what="person" isEmpty={(d) => !d.member} empty={null}>
        {({ member }) => member && <Details member={member} projects={projects} />}
      </Async>
    </Drawer>
  );
}

function Details({ member, projects }: { member: Member; projects: Names }) {
  const may = useMay();
  const viewer = useViewer();
  const status = memberStatus(member, useNow(60_000));
  const here = member.state === MemberState.ACTIVE || member.state === MemberState.INVITED;
  // Nobody touches who has a role above their own.
  const within = rolesUpTo(viewer?.role ?? Role.UNSPECIFIED).includes(member.role);
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>
            <Said text={memberName(member)} />
          </b>
          {viewer?.id === member.id && <span className="muted"> (you)</span>}
          <div>
            <code>{member.id}</code>
          </div>
        </div>
        <CopyButton text={member.id} what="id of the person" label="Copy id" />
      </div>
      <HistoryLink id={member.id} />
      <Facts title={`Person, times in ${viewerZone()}`}>
        <Fact name="State">
          <Badge tone={status.tone}>{status.label}</Badge>
        </Fact>
        {member.email && (
          <Fact name="Address">
            <Said text={member.email} />
          </Fact>
        )}
        <Fact name="Added">
          <Time at={dateOf(member.createdAt)} />
        </Fact>
        {member.state === MemberState.INVITED && (
          <Fact name="The invitation expires">
            <Time at={dateOf(member.invitationExpiresAt)} />
          </Fact>
        )}
        {!(here && within && may(mayUpdateMember)) && <Fact name="Role">{roleName(member.role)}</Fact>}
      </Facts>
      {here && within && may(mayUpdateMember) && <ChangeRole member={member} own={viewer?.role ?? Role.UNSPECIFIED} />}
      {here && may(mayListRoleBindings) && <Bindings principal={{ case: "memberId", value: member.id }} projects={projects} />}
      {member.state === MemberState.ACTIVE && may(mayListMemberSessions) && <MemberSessions memberId={member.id} name={memberName(member)} />}
      {within && <Ends member={member} here={here} you={viewer?.id === member.id} />}
    </>
  );
}

function ChangeRole({ member, own }: { member: Member; own: Role }) {
  const requestId = useRequestId();
  const update = useUpdateMember();
  const submit = (role: Role) =>
    update.mutate({ member: { id: member.id, role, etag: member.etag }, updateMask: { paths: ["role"] }, mutation: { requestId: requestId({ role, etag: member.etag }) } });
  // What was chosen is left for what is there now, with the reason.
  return <RoleForm key={member.etag} role={member.role} own={own} change={update} onSubmit={submit} />;
}

function Ends({ member, here, you }: { member: Member; here: boolean; you: boolean }) {
  const may = useMay();
  const [asking, setAsking] = useState<"remove" | "erase">();
  const close = () => setAsking(undefined);
  const invited = member.state === MemberState.INVITED;
  return (
    <div className="people-tools">
      {here && may(mayRemoveMember) && (
        <button type="button" className="button button-danger" onClick={() => setAsking("remove")}>
          {invited ? "Take the invitation back" : "Remove"}
        </button>
      )}
      {member.state !== MemberState.ERASED && may(mayEraseMember) && (
        <button type="button" className="button button-danger" onClick={() => setAsking("erase")}>
          Erase name and address
        </button>
      )}
      {asking === "remove" && <Remove member={member} you={you} onClose={close} />}
      {asking === "erase" && <Erase member={member} you={you} onClose={close} />}
    </div>
  );
}

const yourself = " This is you: you are logged out at once.";

interface EndProps {
  member: Member;
  you: boolean;
  onClose: () => void;
}

function Remove({ member, you, onClose }: EndProps) {
  const [requestId] = useState(newRequestId);
  const remove = useRemoveMember();
  const invited = member.state === MemberState.INVITED;
  return (
    <ConfirmForm
      title={invited ? "Take the invitation back?" : `Remove ${memberName(member)}?`}
      about={
        invited
          ? `${memberName(member)} can't log in with it any more.`
          : `Every login of theirs ends at once, and so do their roles on projects. Keys that they made go on. They come back only if somebody invites them again.${you ? yourself : ""}`
      }
      verb={invited ? "Take back" : "Remove"}
      doing="Removing…"
      danger
      change={remove}
      onSubmit={() => remove.mutate({ id: member.id, mutation: { requestId, etag: member.etag } }, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}

function Erase({ member, you, onClose }: EndProps) {
  const [requestId] = useState(newRequestId);
  const erase = useEraseMember();
  return (
    <ConfirmForm
      title={`Erase ${memberName(member)}?`}
      about={`Their name, address and login are forgotten for good, and they are removed if they are not yet. What they did stays in the history, under an id that nobody can tell the person by.${you ? yourself : ""}`}
      verb="Erase for good"
      doing="Erasing…"
      danger
      change={erase}
      onSubmit={() => erase.mutate({ id: member.id, mutation: { requestId, etag: member.etag } }, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
