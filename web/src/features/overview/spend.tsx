import type { Totals } from "../../api/report";
import { formatMoney } from "../../format/money";
import { formatCount } from "../../format/number";
import { Money } from "../../ui/Value";

/** pricedSpend is what was spent, nano-dollars; undefined where nothing has a price, which is no zero. */
export function pricedSpend({ costNanoUsd, unpricedRequests, unpricedShadows }: Totals): bigint | undefined {
  return costNanoUsd === 0n && unpricedRequests + unpricedShadows > 0n ? undefined : costNanoUsd;
}

/** shadowSpend is what of it is of shadows; undefined where none of them has a price. */
export function shadowSpend({ shadowCostNanoUsd, unpricedShadows }: Totals): bigint | undefined {
  return shadowCostNanoUsd === 0n && unpricedShadows > 0n ? undefined : shadowCostNanoUsd;
}

/** Spend shows an amount, or that there is no price for it. */
export function Spend({ totals, look }: { totals: Totals; look: "column" | "headline" }) {
  const spend = pricedSpend(totals);
  return spend === undefined ? <span className="muted">unpriced</span> : <Money nano={spend} look={look} />;
}

/** spendNotes say what the amount leaves out, and what of it is of shadows. */
export function spendNotes(totals: Totals): string[] {
  const { unpricedRequests, unpricedShadows, shadows } = totals;
  const spent = shadowSpend(totals);
  const notes: string[] = [];
  if (shadows > 0n && spent !== undefined) notes.push(`${formatMoney(spent)} of it for ${counted(shadows, "shadow")}`);
  if (unpricedRequests > 0n) notes.push(`${counted(unpricedRequests, "request")} unpriced`);
  if (unpricedShadows > 0n) notes.push(`${counted(unpricedShadows, "shadow")} unpriced`);
  return notes;
}

function counted(n: bigint, what: string): string {
  return `${formatCount(n)} ${what}${n === 1n ? "" : "s"}`;
}
