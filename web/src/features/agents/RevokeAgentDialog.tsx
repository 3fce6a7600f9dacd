import { useState } from "react";

import type { Agent } from "../../api/gateway";
import { useRevokeAgent } from "../../api/gateway";
import { newRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Confirm } from "../../ui/Overlay";

interface RevokeAgentDialogProps {
  subject: Agent;
  onClose: () => void;
}

/** RevokeAgentDialog asks once more: there is no way back. */
export function RevokeAgentDialog({ subject, onClose }: RevokeAgentDialogProps) {
  const [reason, setReason] = useState("");
  const [requestId] = useState(newRequestId);
  const revoke = useRevokeAgent();
  const submit = () => revoke.mutate({ id: subject.id, reason, mutation: { requestId } }, { onSuccess: onClose });
  return (
    <Confirm
      title={`Revoke ${subject.name}?`}
      about="It is refused within a second, for ever, and its usage is counted no more. It serves its last policy on until you stop it."
      open
      onClose={onClose}
    >
      <form action={submit} className="form">
        <label>
          Reason, for the audit trail (optional)
          <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
        </label>
        <FormError error={revoke.error} />
        <div className="form-actions">
          <button type="button" className="button" onClick={onClose}>
            Keep agent
          </button>
          <button type="submit" className="button button-danger-solid" disabled={revoke.isPending}>
            {revoke.isPending ? "Revoking…" : "Revoke agent"}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
