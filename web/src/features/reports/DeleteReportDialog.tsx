import { useState } from "react";

import type { SavedReport } from "../../api/savedReport";
import { useDeleteSavedReport } from "../../api/savedReport";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

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
    <ConfirmForm
      title={`Delete ${subject.name}?`}
      about="It is gone for everybody, and its link with it. History keeps it: it can be brought back from there."
      verb="Delete report"
      doing="Deleting…"
      keep="Keep report"
      danger
      change={remove}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
