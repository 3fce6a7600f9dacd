import type { Price, PricedModel, PriceOverride } from "../../api/price";
import { priceOverrideOf, useCreatePriceOverride, usePriceOverride, useUpdatePriceOverride } from "../../api/price";
import { mayCreateRerate } from "../../api/rerate";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import type { Decision } from "../../ui/Conflict";
import { Conflict, isConflict } from "../../ui/Conflict";
import { useDraft } from "../../ui/useDraft";
import type { ScopeNames } from "../budgets/names";
import { problemsOf } from "../../api/problems";
import { useMay } from "../session/permission";
import type { PriceDraft } from "./draft";
import { draftOf, inputOf, mistakesOf, pricePaths } from "./draft";
import { PriceFields } from "./PriceFields";
import { Supposed } from "./Supposed";
import { WhatFor } from "./WhatFor";
import { overrideTold } from "./words";

interface PriceDialogProps {
  /** The one to change; absent: a new one. */
  subject?: PriceOverride;
  /** What a new one is for, as far as that is known. */
  begin?: PricedModel;
  /** What a new one begins with. */
  from?: Price | undefined;
  names: ScopeNames;
  onClose: () => void;
}

/** PriceDialog sets a price of one's own, or changes one. */
export function PriceDialog({ subject, begin, from, names, onClose }: PriceDialogProps) {
  const { base, draft, change, rebase } = useDraft(subject, draftOf, newDraft(begin, from));
  const create = useCreatePriceOverride();
  const update = useUpdatePriceOverride();
  const requestId = useRequestId();
  const mayRerate = useMay()(mayCreateRerate);
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = usePriceOverride(conflict && base ? base.id : "", true);
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.priceOverride : undefined;
  const mistakes = mistakesOf(draft);
  const refused = problemsOf(error, "price_override");
  const problems = (field: string) => mistakes.get(field) ?? refused(field);
  const submit = () => {
    if (mistakes.size > 0) return;
    const input = inputOf(draft);
    if (!base) {
      create.mutate({ ...input, mutation: { requestId: requestId(draft) } }, { onSuccess: onClose });
      return;
    }
    const { id, etag } = base;
    update.mutate(
      { priceOverride: { ...input, id, etag }, updateMask: { paths: pricePaths }, mutation: { requestId: requestId([draft, etag]) } },
      { onSuccess: onClose },
    );
  };
  const decide = (decision: Decision<PriceDraft>) => {
    if (theirs) rebase(theirs, decision);
    reset();
  };
  return (
    <Modal title={base ? `Change your price of ${base.model}` : "Set a price of your own"} open wide held={isPending} onClose={onClose}>
      <form action={submit} className="form">
        <WhatFor draft={draft} fixed={base !== undefined} names={names} problems={problems} onChange={change} />
        <PriceFields draft={draft} problems={problems} onChange={change} />
        {mayRerate && <Supposed draft={draft} subject={base} unpriced={!base && !from} names={names} ready={mistakes.size === 0} />}
        {conflict && base ? (
          <Conflict
            before={overrideTold(base)}
            theirs={theirs && overrideTold(theirs)}
            mine={overrideTold(priceOverrideOf(inputOf(draft)))}
            onDecide={decide}
          />
        ) : (
          <FormError error={error} />
        )}
        {mistakes.size > 0 && (
          <p className="problem" role="status">
            {mistakes.size === 1 ? "One field can't be read yet." : `${mistakes.size} fields can't be read yet.`}
          </p>
        )}
        <FormActions pending={isPending} blocked={conflict || mistakes.size > 0} action={base ? "Save price" : "Set price"} working="Saving…" onCancel={onClose} />
      </form>
    </Modal>
  );
}

// A new one takes the place of all that is there, so it begins with it; when it counts is its own to say.
function newDraft(begin: PricedModel | undefined, from: Price | undefined): PriceDraft {
  return {
    ...draftOf(from),
    priceList: begin?.priceList ?? "",
    model: begin?.model ?? "",
    providerId: begin?.providerId ?? "",
    from: "",
    until: "",
  };
}
