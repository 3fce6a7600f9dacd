import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useState } from "react";

import { useInviteMember } from "../../api/member";
import { Role } from "../../api/session";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError, TextField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { useViewer } from "../session/permission";
import { rolesUpTo } from "./role";
import { RoleSelect } from "./RoleSelect";

const dayMs = 86_400_000;

/** InviteDialog lets somebody in who logs in with an address. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const own = useViewer()?.role ?? Role.UNSPECIFIED;
  const requestId = useRequestId();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState(Role.VIEWER);
  const [days, setDays] = useState(14);
  const invite = useInviteMember();
  const submit = () => {
    const mutation = { requestId: requestId({ email, role, days }) };
    invite.mutate({ email: email.trim(), role, expiresAt: timestampFromDate(new Date(Date.now() + days * dayMs)), mutation });
  };
  if (invite.data) return <Invited email={email.trim()} onClose={onClose} />;
  return (
    <Modal title="Invite somebody" open held={invite.isPending} onClose={onClose}>
      <form action={submit} className="form">
        <TextField
          label="Email address"
          type="email"
          required
          maxLength={254}
          placeholder="grace@example.com"
          hint="Whoever logs in with this address, once your identity provider has verified it, is in."
          value={email}
          onChange={setEmail}
        />
        <RoleSelect label="Role in the organization" roles={rolesUpTo(own)} value={role} onChange={setRole} />
        <label>
          The invitation expires
          <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            <option value={3}>In 3 days</option>
            <option value={14}>In 14 days</option>
            <option value={90}>In 90 days</option>
          </select>
        </label>
        <FormError error={invite.error} />
        <FormActions pending={invite.isPending} action="Invite" working="Inviting…" onCancel={onClose} />
      </form>
    </Modal>
  );
}

function Invited({ email, onClose }: { email: string; onClose: () => void }) {
  return (
    <Modal title="Invited" open onClose={onClose}>
      <p role="status">
        <b>{email}</b> may log in now. Nothing is sent by mail: tell the person to open <code>{window.location.origin}</code>.
      </p>
      <div className="form-actions">
        <button type="button" className="button button-primary" onClick={onClose}>
          Done
        </button>
      </div>
    </Modal>
  );
}
