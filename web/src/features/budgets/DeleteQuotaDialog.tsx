import { useDeleteBudget } from "../../api/budget";
import { useDeleteLimit } from "../../api/limit";
import type { Quota } from "../../api/quota";
import { QuotaKind } from "../../api/quota";
import { useRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Confirm } from "../../ui/Overlay";

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
    <Confirm
      title={`Delete ${quota.name}?`}
      about={`Nothing is counted, refused or told by this ${what} any more, from the next policy of each agent on. Its name is free; its history stays, and History can bring it back.`}
      open
      onClose={onClose}
    >
      <form action={submit} className="form">
        <FormError error={change.error} />
        <div className="form-actions">
          <button type="button" className="button" disabled={change.isPending} onClick={onClose}>
            Keep {what}
          </button>
          <button type="submit" className="button button-danger-solid" disabled={change.isPending}>
            {change.isPending ? "Deleting…" : `Delete ${what}`}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
