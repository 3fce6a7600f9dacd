import { useState } from "react";

import type { Key } from "../../api/key";
import { useEndKeyOverlap } from "../../api/key";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

interface EndOverlapDialogProps {
  /** One whose old secret still works. */
  subject: Key;
  onClose: () => void;
}

/** EndOverlapDialog asks once more before the secret before the last rotation ends before its time. */
export function EndOverlapDialog({ subject, onClose }: EndOverlapDialogProps) {
  const [reason, setReason] = useState("");
  const [requestId] = useState(newRequestId);
  // Held to the key as it is shown: after another rotation the old secret is another one.
  const [{ id, name, etag, suffix, previousSuffix }] = useState(subject);
  const end = useEndKeyOverlap();
  const submit = () => end.mutate({ id, reason, mutation: { requestId, etag } }, { onSuccess: onClose });
  return (
    <ConfirmForm
      title={`End the old secret of ${name} now?`}
      about={
        <>
          Applications that still use the old secret, ending in <code>{previousSuffix}</code>, are refused within a second, for ever. The key and its new
          secret, ending in <code>{suffix}</code>, work on.
        </>
      }
      verb="End old secret"
      doing="Ending…"
      keep="Let it run out"
      danger
      change={end}
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
