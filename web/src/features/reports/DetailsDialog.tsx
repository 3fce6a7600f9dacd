import { useState } from "react";

import { isStale, violationsOf } from "../../api/error";
import type { SavedReport } from "../../api/savedReport";
import { useReadSavedReport, useUpdateSavedReport } from "../../api/savedReport";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import type { Decision, Told } from "../../ui/Conflict";
import { Conflict } from "../../ui/Conflict";
import { useDraft } from "../../ui/useDraft";
import type { ReportWords } from "./ReportFields";
import { ReportFields } from "./ReportFields";

interface DetailsDialogProps {
  subject: SavedReport;
  onClose: () => void;
  /** Its statement may be another by then: somebody else's. */
  onSaved: (report: SavedReport) => void;
}

/** DetailsDialog changes a report's name and description; the statement is not touched. */
export function DetailsDialog({ subject, onClose, onSaved }: DetailsDialogProps) {
  const { base = subject, draft: words, change, rebase } = useDraft(subject, wordsOf, wordsOf(subject));
  const [theirs, setTheirs] = useState<SavedReport>();
  const update = useUpdateSavedReport();
  const read = useReadSavedReport();
  const requestId = useRequestId();
  const submit = () => {
    const savedReport = { ...words, id: base.id, etag: base.etag };
    setTheirs(undefined);
    update.mutate(
      { savedReport, updateMask: { paths: ["name", "description"] }, mutation: { requestId: requestId(savedReport) } },
      {
        onSuccess: (answer) => {
          if (answer.savedReport) onSaved({ ...answer.savedReport, ...(answer.savedReport.sql === subject.sql ? {} : keptBack(subject)) });
          onClose();
        },
        onError: (error) => void (isStale(error) && read(base.id).then(setTheirs, () => undefined)),
      },
    );
  };
  const decide = (decision: Decision<ReportWords>) => {
    if (theirs) rebase(theirs, decision);
    setTheirs(undefined);
    update.reset();
  };
  const problem = (field: string) => violationsOf(update.error, "saved_report").find((violation) => violation.field === field)?.description;
  const stale = isStale(update.error);
  return (
    <Modal title={`Change ${subject.name}`} open held={update.isPending} onClose={onClose}>
      <form action={submit} className="form">
        <ReportFields words={words} problem={problem} onChange={change} />
        {stale ? (
          <Conflict
            theirs={theirs && toldOf(theirs)}
            before={toldOf(base)}
            mine={toldOf(words)}
            onDecide={decide}
          />
        ) : (
          <FormError error={update.error} />
        )}
        <FormActions pending={update.isPending} blocked={stale} action="Save" working="Saving…" onCancel={onClose} />
      </form>
    </Modal>
  );
}

// Where somebody else saved another statement, the page still holds the former one: with its etag, so that saving over theirs asks.
function keptBack({ sql, etag }: SavedReport): { sql: string; etag: string } {
  return { sql, etag };
}

function wordsOf({ name, description }: SavedReport): ReportWords {
  return { name, description };
}

function toldOf({ name, description }: ReportWords): Told<ReportWords> {
  return [
    ["Name", name, "name"],
    ["Description", description || "none", "description"],
  ];
}
