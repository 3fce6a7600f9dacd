import { useState } from "react";

import type { Key } from "../../api/key";
import { useRevokeKey } from "../../api/key";
import { newRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Confirm } from "../../ui/Overlay";

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
    <Confirm
      title={`Revoke ${subject.name}?`}
      about={
        <>
          Applications that use the key ending in <code>{subject.suffix}</code> are refused within a second, for ever.
        </>
      }
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
            Keep key
          </button>
          <button type="submit" className="button button-danger-solid" disabled={revoke.isPending}>
            {revoke.isPending ? "Revoking…" : "Revoke key"}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
