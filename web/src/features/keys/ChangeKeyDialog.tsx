import type { Key } from "../../api/key";
import { keyOf, useKey, useUpdateKey } from "../../api/key";
import type { Names } from "../../api/names";
import { useRequestId } from "../../api/transport";
import { isConflict } from "../../ui/Conflict";
import { useDraft } from "../../ui/useDraft";
import { problemsOf } from "../../api/problems";
import { QuotaForm } from "../budgets/QuotaForm";
import { changedPaths, emptyKey, keyDraftOf, keyInputOf, keyTold, labelTwice } from "./draft";
import { KeyFields } from "./KeyFields";
import type { KeyNames } from "./KeyTable";

interface ChangeKeyDialogProps {
  subject: Key;
  names: KeyNames;
  routes: Names;
  onClose: () => void;
}

/** ChangeKeyDialog changes what a key may do; its project and its secret stay. */
export function ChangeKeyDialog({ subject, names, routes, onClose }: ChangeKeyDialogProps) {
  const { base = subject, draft, change, rebase } = useDraft(subject, keyDraftOf, emptyKey(subject.projectId));
  const { mutate, isPending, error, reset } = useUpdateKey();
  const requestId = useRequestId();
  const conflict = isConflict(error);
  const now = useKey(conflict ? base.id : "", true);
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.key : undefined;
  const input = keyInputOf(draft, new Date());
  const submit = () => {
    const paths = changedPaths(keyDraftOf(base), draft);
    if (!input) return;
    if (paths.length === 0) {
      onClose();
      return;
    }
    const { id, etag } = base;
    mutate({ key: { ...input, id, etag }, updateMask: { paths }, mutation: { requestId: requestId([draft, etag]) } }, { onSuccess: onClose });
  };
  return (
    <QuotaForm
      what="key"
      base={base}
      told={(key) => keyTold(key, names.routes)}
      conflict={conflict}
      theirs={theirs}
      mine={input && keyOf(input)}
      pending={isPending}
      blocked={!input || labelTwice(draft.labels) !== undefined}
      error={error}
      onSubmit={submit}
      onDecide={(theirs, decision) => {
        rebase(theirs, decision);
        reset();
      }}
      onClose={onClose}
    >
      <KeyFields draft={draft} projects="fixed" routes={routes} problems={problemsOf(error, "key")} onChange={change} />
    </QuotaForm>
  );
}
