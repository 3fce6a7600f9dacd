import type { Rates } from "../../api/price";
import type { Rerate, RerateDifference } from "../../api/rerate";
import { RerateState } from "../../api/rerate";
import { dateOf } from "../../api/time";
import { formatMoney } from "../../format/money";
import type { Tone } from "../../ui/Badge";

/** ratesTold are those that are known, by what they price. */
export function ratesTold(rates: Rates | undefined): [string, string][] {
  if (!rates) return [];
  const named = [
    ["In", rates.input],
    ["Cache read", rates.cacheRead],
    ["Cache write, 5 min", rates.cacheWrite5m],
    ["Cache write, 1 h", rates.cacheWrite1h],
    ["Out", rates.output],
    ["Audio in", rates.inputAudio],
    ["Audio out", rates.outputAudio],
    ["Image in", rates.inputImage],
    ["Image out", rates.outputImage],
  ] as const;
  return named.flatMap(([name, price]): [string, string][] => (price ? [[name, price]] : []));
}

const reasons: Record<string, string> = {
  not_reproduced: "the former price does not come to what was recorded",
  ambiguous: "it may have been served in several places, whose new prices differ",
  no_price: "the new book has no price for it",
  book_unknown: "the former price book is not known any more",
  images: "its images can't be told apart any more",
  service_tier: "its service tier has no name",
  estimated: "its cost is an upper bound",
  usage_unknown: "nobody said what was used",
  was_unpriced: "it had no price before",
  was_estimated: "it had no price of its own before",
  lost: "only sums of it are kept",
};

/** leftOutWords say why attempts kept their cost. */
export function leftOutWords(reason: string): string {
  return reasons[reason] ?? reason.replaceAll("_", " ");
}

/** changeOf is by how much a cost became another one, with its sign. */
export function changeOf({ oldCostNanoUsd, newCostNanoUsd }: RerateDifference): string {
  const change = newCostNanoUsd - oldCostNanoUsd;
  return change > 0n ? `+${formatMoney(change)}` : formatMoney(change);
}

/** stateOf names how far a re-rate is. */
export function stateOf({ state }: Rerate): { label: string; tone: Tone } {
  switch (state) {
    case RerateState.RUNNING:
      return { label: "Running", tone: "warn" };
    case RerateState.DONE:
      return { label: "Done", tone: "good" };
    case RerateState.FAILED:
      return { label: "Failed", tone: "bad" };
    default:
      return { label: "Dry run", tone: "plain" };
  }
}

/** progressOf is how much of its time a re-rate has looked at, in percent. */
export function progressOf({ state, from, until, reached }: Rerate): number {
  if (state === RerateState.DONE) return 100;
  const [begin, end, now] = [dateOf(from), dateOf(until), dateOf(reached)].map((at) => at?.getTime());
  if (begin === undefined || end === undefined || now === undefined || end <= begin) return 0;
  return Math.max(0, Math.min(100, Math.floor(((now - begin) / (end - begin)) * 100)));
}
