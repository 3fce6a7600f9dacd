import { useState } from "react";

import type { Agent } from "../../api/gateway";
import { useRevokeAgent } from "../../api/gateway";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

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
    <ConfirmForm
      title={`Revoke ${subject.name}?`}
      about="It is refused within a second, for ever, and its usage is counted no more. It serves its last policy on until you stop it."
      verb="Revoke agent"
      doing="Revoking…"
      keep="Keep agent"
      danger
      change={revoke}
      onSubmit={submit}
      onClose={onClose}
    >
      <label>
        Reason, for the audit trail (optional)
        <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
      </label>
    </ConfirmForm>
  );
}
