import type { PriceOverride } from "../../api/price";
import { useDeletePriceOverride } from "../../api/price";
import { useRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

interface DeletePriceDialogProps {
  subject: PriceOverride;
  onClose: () => void;
  onDeleted: () => void;
}

/** DeletePriceDialog asks once more, and says which price counts then. */
export function DeletePriceDialog({ subject, onClose, onDeleted }: DeletePriceDialogProps) {
  const requestId = useRequestId();
  const change = useDeletePriceOverride();
  const submit = () =>
    change.mutate({ id: subject.id, mutation: { requestId: requestId(subject.etag), etag: subject.etag } }, { onSuccess: onDeleted });
  return (
    <ConfirmForm
      title={`Delete your price of ${subject.model}?`}
      about="From the next policy of each agent on, what is behind it counts: another price of yours, or the built-in one; where there is neither, the model is unpriced. What was recorded keeps its cost. History can bring it back."
      verb="Delete price"
      doing="Deleting…"
      keep="Keep price"
      danger
      change={change}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
