import { useState } from "react";

import { violationsOf } from "../../api/error";
import type { SavedReport } from "../../api/savedReport";
import { useCreateSavedReport } from "../../api/savedReport";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import type { ReportWords } from "./ReportFields";
import { ReportFields } from "./ReportFields";

interface SaveDialogProps {
  sql: string;
  begin: ReportWords;
  onClose: () => void;
  onSaved: (report: SavedReport) => void;
}

/** SaveDialog keeps a statement as a new report. */
export function SaveDialog({ sql, begin, onClose, onSaved }: SaveDialogProps) {
  const [words, setWords] = useState(begin);
  const create = useCreateSavedReport();
  const requestId = useRequestId();
  const submit = () => {
    const report = { ...words, sql };
    create.mutate({ ...report, mutation: { requestId: requestId(report) } }, { onSuccess: ({ savedReport }) => savedReport && onSaved(savedReport) });
  };
  const problem = (field: string) => violationsOf(create.error, "saved_report").find((violation) => violation.field === field)?.description;
  return (
    <Modal title="Save report" open held={create.isPending} onClose={onClose}>
      <form action={submit} className="form">
        <p>Everybody in your organization who may run queries sees it, and opens it with its link.</p>
        <ReportFields words={words} problem={problem} onChange={setWords} />
        <FormError error={create.error} />
        <FormActions pending={create.isPending} action="Save report" working="Saving…" onCancel={onClose} />
      </form>
    </Modal>
  );
}
