import { useState } from "react";

import type { Key } from "../../api/key";
import { useKey, useUpdateKey } from "../../api/key";
import type { Names } from "../../api/names";
import { useRequestId } from "../../api/transport";
import { isConflict } from "../../ui/Conflict";
import { problemsOf } from "../../api/problems";
import { QuotaForm } from "../budgets/QuotaForm";
import type { KeyDraft } from "./draft";
import { changedPaths, keyDraftOf, keyInputOf, keyTold, labelTwice } from "./draft";
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
  const [base, setBase] = useState(subject);
  const [draft, setDraft] = useState(() => keyDraftOf(subject));
  const { mutate, isPending, error, reset } = useUpdateKey();
  const requestId = useRequestId();
  const conflict = isConflict(error);
  const now = useKey(conflict ? base.id : "", true);
  const theirs = conflict && !now.isFetching ? now.data?.key : undefined;
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
  const takeUp = (key: Key, begin: KeyDraft) => {
    setBase(key);
    setDraft(begin);
    reset();
  };
  return (
    <QuotaForm
      what="key"
      base={base}
      told={(key) => keyTold(key, names.routes)}
      conflict={conflict}
      theirs={theirs}
      pending={isPending}
      blocked={!input || labelTwice(draft.labels) !== undefined}
      error={error}
      onSubmit={submit}
      onTakeTheirs={(key) => takeUp(key, keyDraftOf(key))}
      onKeepMine={(key) => takeUp(key, draft)}
      onClose={onClose}
    >
      <KeyFields draft={draft} projects="fixed" routes={routes} problems={problemsOf(error, "key")} onChange={(part) => setDraft((d) => ({ ...d, ...part }))} />
    </QuotaForm>
  );
}
