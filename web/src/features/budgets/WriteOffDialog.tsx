import type { Quota, QuotaLease } from "../../api/quota";
import { useWriteOffLease } from "../../api/quota";
import { useRequestId } from "../../api/transport";
import { ReasonDialog } from "./ReasonDialog";
import { amountWords } from "./words";

interface WriteOffDialogProps {
  quota: Quota;
  lease: QuotaLease;
  /** Undefined: it is not listed. */
  agent: string | undefined;
  onClose: () => void;
}

/** WriteOffDialog frees what an agent that is gone holds of a budget. */
export function WriteOffDialog({ quota, lease, agent = "the agent", onClose }: WriteOffDialogProps) {
  const requestId = useRequestId();
  const writeOff = useWriteOffLease();
  const { subject, window, agentId, boot } = lease;
  const submit = (reason: string) =>
    writeOff.mutate(
      { id: quota.id, subject, window, agentId, boot, reason, mutation: { requestId: requestId(reason) } },
      { onSuccess: onClose },
    );
  return (
    <ReasonDialog
      title={`Write off what ${agent} holds?`}
      about={
        <>
          {amountWords(quota.unit, lease.held)} become free for other agents. Do it only when {agent} is gone for good or its disk was lost: if it
          comes back and has spent some of it, that counts as spent, too, and {quota.name} is overrun by as much.
        </>
      }
      action="Write off"
      working="Writing off…"
      change={writeOff}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
