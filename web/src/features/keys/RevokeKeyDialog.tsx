import { useState } from "react";

import type { Key } from "../../api/key";
import { useRevokeKey } from "../../api/key";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

interface RevokeKeyDialogProps {
  subject: Key;
  onClose: () => void;
  /** After onClose. */
  onRevoked: () => void;
}

/** RevokeKeyDialog asks once more: there is no way back. */
export function RevokeKeyDialog({ subject, onClose, onRevoked }: RevokeKeyDialogProps) {
  const [reason, setReason] = useState("");
  const [requestId] = useState(newRequestId);
  const revoke = useRevokeKey();
  const done = () => {
    onClose();
    onRevoked();
  };
  const submit = () => revoke.mutate({ id: subject.id, reason, mutation: { requestId } }, { onSuccess: done });
  return (
    <ConfirmForm
      title={`Revoke ${subject.name}?`}
      about={
        <>
          Applications that use the key ending in <code>{subject.suffix}</code> are refused within a second, for ever.
        </>
      }
      verb="Revoke key"
      doing="Revoking…"
      keep="Keep key"
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
