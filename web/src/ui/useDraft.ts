import { useState } from "react";

import type { Decision } from "./Conflict";

/**
 * useDraft holds what a form changes, as it was read last, and what is written of it. Undefined as
 * subject: a new one is made, from begin.
 */
export function useDraft<T, D extends object>(subject: T | undefined, draftOf: (subject: T) => D, begin: D) {
  const [base, setBase] = useState(subject);
  const [draft, setDraft] = useState(() => (subject === undefined ? begin : draftOf(subject)));
  const change = (part: Partial<D>) => setDraft((d) => ({ ...d, ...part }));
  /** rebase goes on from what somebody else made of it, with what was decided for each field. */
  const rebase = (theirs: T, decision: Decision<D>) => {
    if (base !== undefined) setDraft(mergeOf(draftOf(base), draft, draftOf(theirs), decision));
    setBase(theirs);
  };
  return { base, draft, change, rebase };
}

/** mergeOf takes of each field whose was decided on; of others theirs, unless it was touched here. */
export function mergeOf<D extends object>(before: D, mine: D, theirs: D, decision: Decision<D>): D {
  const merged = { ...mine };
  for (const field of Object.keys(theirs) as (keyof D)[]) {
    const touched = JSON.stringify(mine[field]) !== JSON.stringify(before[field]);
    if ((decision.get(field) ?? (touched ? "mine" : "theirs")) === "theirs") merged[field] = theirs[field];
  }
  return merged;
}
