import { useState } from "react";

import type { Names } from "../../api/names";
import { mayListRoleBindings } from "../../api/roleBinding";
import type { ServiceAccount } from "../../api/serviceAccount";
import { mayDeleteServiceAccount, mayUpdateServiceAccount, useDeleteServiceAccount, useUpdateServiceAccount } from "../../api/serviceAccount";
import { Role, roleName } from "../../api/session";
import { dateOf } from "../../api/time";
import { newRequestId, useRequestId } from "../../api/transport";
import { viewerZone } from "../../format/time";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Drawer } from "../../ui/Overlay";
import { Time } from "../../ui/Value";
import { HistoryLink } from "../history/HistoryLink";
import { useMay, useViewer } from "../session/permission";
import { Bindings } from "./Bindings";
import { RoleForm } from "./RoleForm";
import { rolesUpTo } from "./role";
import { Tokens } from "./Tokens";

interface AccountDrawerProps {
  subject: ServiceAccount;
  projects: Names;
  onClose: () => void;
}

/** AccountDrawer shows what a service account may do, and its tokens. */
export function AccountDrawer({ subject, projects, onClose }: AccountDrawerProps) {
  const may = useMay();
  const own = useViewer()?.role ?? Role.UNSPECIFIED;
  const changeable = may(mayUpdateServiceAccount) && rolesUpTo(own).includes(subject.role);
  return (
    <Drawer title="Service account" open onClose={onClose}>
      <div className="drawer-id">
        <div>
          <b>{subject.name}</b>
          <div>
            <code>{subject.id}</code>
          </div>
        </div>
        <CopyButton text={subject.id} what="id of the service account" label="Copy id" />
      </div>
      <HistoryLink id={subject.id} />
      <Facts title={`Service account, times in ${viewerZone()}`}>
        <Fact name="Created">
          <Time at={dateOf(subject.createdAt)} />
        </Fact>
        {!changeable && <Fact name="Role">{roleName(subject.role)}</Fact>}
      </Facts>
      {changeable && <ChangeRole subject={subject} own={own} />}
      {may(mayListRoleBindings) && <Bindings principal={{ case: "serviceAccountId", value: subject.id }} projects={projects} />}
      <Tokens subject={subject} />
      {may(mayDeleteServiceAccount) && rolesUpTo(own).includes(subject.role) && <Delete subject={subject} onDeleted={onClose} />}
    </Drawer>
  );
}

function ChangeRole({ subject, own }: { subject: ServiceAccount; own: Role }) {
  const requestId = useRequestId();
  const update = useUpdateServiceAccount();
  const { id, etag } = subject;
  const submit = (role: Role) =>
    update.mutate({ serviceAccount: { id, role, etag }, updateMask: { paths: ["role"] }, mutation: { requestId: requestId({ role, etag }) } });
  // What was chosen is left for what is there now, with the reason.
  return <RoleForm key={etag} role={subject.role} own={own} change={update} onSubmit={submit} />;
}

function Delete({ subject, onDeleted }: { subject: ServiceAccount; onDeleted: () => void }) {
  const [asking, setAsking] = useState(false);
  const [requestId] = useState(newRequestId);
  const remove = useDeleteServiceAccount();
  return (
    <div className="people-tools">
      <button type="button" className="button button-danger" onClick={() => setAsking(true)}>
        Delete
      </button>
      {asking && (
        <ConfirmForm
          title={`Delete ${subject.name}?`}
          about="All its tokens are revoked at once, and its roles on projects end: whatever uses them is refused. It never comes back; what it did stays in the history."
          verb="Delete service account"
          doing="Deleting…"
          danger
          change={remove}
          onSubmit={() => remove.mutate({ id: subject.id, mutation: { requestId, etag: subject.etag } }, { onSuccess: onDeleted })}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
