import { useState } from "react";

import type { SavedReport } from "../../api/savedReport";
import { useDeleteSavedReport } from "../../api/savedReport";
import { newRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Confirm } from "../../ui/Overlay";

interface DeleteReportDialogProps {
  subject: SavedReport;
  onClose: () => void;
  onDeleted: () => void;
}

/** DeleteReportDialog asks once more. */
export function DeleteReportDialog({ subject, onClose, onDeleted }: DeleteReportDialogProps) {
  const [requestId] = useState(newRequestId);
  const remove = useDeleteSavedReport();
  const submit = () =>
    remove.mutate(
      { id: subject.id, mutation: { requestId } },
      {
        onSuccess: () => {
          onClose();
          onDeleted();
        },
      },
    );
  return (
    <Confirm title={`Delete ${subject.name}?`} about="It is gone for everybody, and its link with it. History keeps it: it can be brought back from there." open onClose={onClose}>
      <form action={submit} className="form">
        <FormError error={remove.error} />
        <div className="form-actions">
          <button type="button" className="button" onClick={onClose}>
            Keep report
          </button>
          <button type="submit" className="button button-danger-solid" disabled={remove.isPending}>
            {remove.isPending ? "Deleting…" : "Delete report"}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
