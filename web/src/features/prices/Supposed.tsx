import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useState } from "react";

import type { PriceOverride } from "../../api/price";
import { useDryRerate } from "../../api/rerate";
import { dateOf } from "../../api/time";
import { fromLocalInput } from "../../format/time";
import { FormError } from "../../ui/Form";
import { Time } from "../../ui/Value";
import type { ScopeNames } from "../budgets/names";
import { Differences } from "./Differences";
import type { PriceDraft } from "./draft";
import { inputOf } from "./draft";

interface SupposedProps {
  draft: PriceDraft;
  /** The one that is changed. */
  subject: PriceOverride | undefined;
  /** Whether it had no price, so that its usage has none either. */
  unpriced: boolean;
  names: ScopeNames;
  /** Whether the draft can be read. */
  ready: boolean;
}

const weekMs = 7 * 86_400_000;

/** Supposed shows what the last seven days would have cost by a price that is not made yet. */
export function Supposed({ draft, subject, unpriced, names, ready }: SupposedProps) {
  const dry = useDryRerate();
  const [asked, setAsked] = useState("");
  const said = JSON.stringify(draft);
  const fresh = asked === said; // what was found is of what was asked
  const found = fresh ? dry.data?.rerate : undefined;
  const ask = () => {
    const until = new Date();
    const from = new Date(until.getTime() - weekMs);
    const input = inputOf(draft);
    const began = fromLocalInput(draft.from);
    const since = began && began > from && began < until ? began : from;
    setAsked(said);
    dry.mutate({
      from: timestampFromDate(from),
      until: timestampFromDate(until),
      providerId: input.providerId ?? "",
      model: input.model ?? "",
      priceUnpriced: unpriced,
      reason: "to see what a price would come to",
      proposed: [{ ...input, id: subject?.id ?? "", effectiveFrom: timestampFromDate(since) }],
      mutation: { validateOnly: true },
    });
  };
  return (
    <section className="supposed" aria-label="What it would have cost">
      <button type="button" className="button button-small" disabled={!ready || dry.isPending || draft.model.trim() === ""} onClick={ask}>
        {dry.isPending ? "Pricing…" : "What would the last 7 days have cost?"}
      </button>
      {found && (
        <>
          <p className="muted">
            Requests from <Time at={dateOf(found.from)} precision="minute" /> on that name this model, as if your price had counted for them. Nothing is changed by this.
          </p>
          <Differences rerate={found} projects={names.projects} />
        </>
      )}
      {fresh && <FormError error={dry.error} />}
    </section>
  );
}
