import { useDeleteBudget } from "../../api/budget";
import { useDeleteLimit } from "../../api/limit";
import type { Quota } from "../../api/quota";
import { QuotaKind } from "../../api/quota";
import { useRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

interface DeleteQuotaDialogProps {
  quota: Quota;
  etag: string;
  onClose: () => void;
  onDeleted: () => void;
}

/** DeleteQuotaDialog asks once more, and says what no longer holds. */
export function DeleteQuotaDialog({ quota, etag, onClose, onDeleted }: DeleteQuotaDialogProps) {
  const isBudget = quota.kind === QuotaKind.BUDGET;
  const what = isBudget ? "budget" : "limit";
  const requestId = useRequestId();
  const deleteBudget = useDeleteBudget();
  const deleteLimit = useDeleteLimit();
  const change = isBudget ? deleteBudget : deleteLimit;
  const submit = () =>
    change.mutate({ id: quota.id, mutation: { requestId: requestId(etag), etag } }, { onSuccess: onDeleted });
  return (
    <ConfirmForm
      title={`Delete ${quota.name}?`}
      about={`Nothing is counted, refused or told by this ${what} any more, from the next policy of each agent on. Its name is free; its history stays, and History can bring it back.`}
      verb={`Delete ${what}`}
      doing="Deleting…"
      keep={`Keep ${what}`}
      danger
      change={change}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
