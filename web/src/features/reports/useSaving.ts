import { useState } from "react";

import { isStale } from "../../api/error";
import type { SavedReport } from "../../api/savedReport";
import { useReadSavedReport, useUpdateSavedReport } from "../../api/savedReport";
import { useRequestId } from "../../api/transport";

/** SaveFailure is why a statement was not saved; theirs is there where somebody saved another one first. */
export interface SaveFailure {
  error: unknown;
  theirs: SavedReport | undefined;
}

/** useSaving saves a report's statement, unless somebody else did since it was read. */
export function useSaving() {
  const update = useUpdateSavedReport();
  const read = useReadSavedReport();
  const requestId = useRequestId();
  const [failure, setFailure] = useState<SaveFailure>();
  const explainWith = async (id: string, error: unknown) => {
    const theirs = isStale(error) ? await read(id).catch(() => undefined) : undefined;
    setFailure({ error, theirs });
  };
  const save = ({ id, etag }: SavedReport, sql: string, onSaved: (report: SavedReport) => void) => {
    setFailure(undefined);
    const savedReport = { id, etag, sql };
    update.mutate(
      { savedReport, updateMask: { paths: ["sql"] }, mutation: { requestId: requestId(savedReport) } },
      { onSuccess: (answer) => answer.savedReport && onSaved(answer.savedReport), onError: (error) => void explainWith(id, error) },
    );
  };
  return { save, pending: update.isPending, failure, forget: () => setFailure(undefined) };
}
