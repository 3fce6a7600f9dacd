import type { Quota } from "../../api/quota";
import { useReleased, useReleaseLeases } from "../../api/quota";
import { useRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { ReasonDialog } from "./ReasonDialog";
import { amountWords } from "./words";

interface ReleaseDialogProps {
  quota: Quota;
  onClose: () => void;
}

/** ReleaseDialog lets a quota grant again after a restore although agents have not told what they hold. */
export function ReleaseDialog({ quota, onClose }: ReleaseDialogProps) {
  const requestId = useRequestId();
  const preview = useReleased(quota.id);
  const release = useReleaseLeases();
  const submit = (reason: string) => release.mutate({ id: quota.id, reason, mutation: { requestId: requestId(reason) } }, { onSuccess: onClose });
  return (
    <ReasonDialog
      title={`Wait no longer for agents of ${quota.name}?`}
      about="It grants again at once. What agents hold from leases that the restored control plane does not know of may be spent beyond the limit."
      action="Wait no longer"
      working="Releasing…"
      change={release}
      onSubmit={submit}
      onClose={onClose}
    >
      <FormError error={preview.error} />
      {preview.data && (
        <p>
          <b>{amountWords(quota.unit, preview.data.mayBeOutstanding)}</b> may be spent twice; {amountWords(quota.unit, preview.data.knownHeld)} that are
          known to be held stay held.
        </p>
      )}
    </ReasonDialog>
  );
}
