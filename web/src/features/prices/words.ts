import type { Factor, Price, PriceOverride, Rates, RegionFactor, ServiceTierRates } from "../../api/price";
import { LongContext, Standing } from "../../api/price";
import type { Rerate, RerateDifference } from "../../api/rerate";
import { RerateState } from "../../api/rerate";
import { dateOf } from "../../api/time";
import { formatMoney } from "../../format/money";
import { formatCount } from "../../format/number";
import { formatRate } from "../../format/rate";
import { formatTime, viewerZone } from "../../format/time";
import type { Tone } from "../../ui/Badge";
import type { Told } from "../../ui/Conflict";
import type { PriceDraft } from "./draft";
import { buckets } from "./buckets";

/** ratesTold are those that are known, by what they price. */
export function ratesTold(rates: Rates | undefined): [string, string][] {
  return buckets.flatMap(({ bucket, name }): [string, string][] => {
    const rate = rates?.[bucket];
    return rate ? [[name, formatRate(rate)]] : [];
  });
}

/** besidesOf is what goes into a price beside the rates of tokens. */
export function besidesOf(price: Price | PriceOverride): string[] {
  const { perRequest, perImage, longContextThreshold: threshold, serviceTiers, regionFactors, geoFactors } = price;
  return [
    ...(perRequest ? [`${formatRate(perRequest)} a request`] : []),
    ...(perImage ? [`${formatRate(perImage)} an image`] : []),
    ...(threshold > 0n ? [`other prices above ${formatCount(threshold)} tokens`] : []),
    ...serviceTiers.map((tier) => tier.name),
    ...regionFactors.map((f) => `in ${f.region} × ${factorWords(f.factor)}`),
    ...geoFactors.map((f) => `served in ${f.region} × ${factorWords(f.factor)}`),
  ];
}

/** factorWords writes a factor: 11/10, or 6 where it is whole. */
export function factorWords(factor: Factor | undefined): string {
  if (!factor) return "–";
  return factor.denominator === 1n ? String(factor.numerator) : `${factor.numerator}/${factor.denominator}`;
}

/** standingName says what came of a price that was looked at. */
export function standingName(standing: Standing): { label: string; tone: Tone } {
  switch (standing) {
    case Standing.COUNTS:
      return { label: "Counts", tone: "good" };
    case Standing.NOT_YET:
      return { label: "Not yet", tone: "plain" };
    case Standing.OVER:
      return { label: "Over", tone: "plain" };
    default:
      return { label: "Behind the one above", tone: "plain" };
  }
}

/** overrideTold is a price of one's own in words. */
export function overrideTold(o: PriceOverride): Told<PriceDraft> {
  const rates = (of: Rates | undefined) => ratesTold(of).map(([name, rate]) => `${name} ${rate}`).join(", ") || "none";
  const time = (at: Date | undefined, absent: string) => (at ? formatTime(at, viewerZone(), "minute") : absent);
  return [
    ["Prices", rates(o.rates), "rates"],
    ["Long contexts", o.longContextThreshold > 0n ? `${longWords(o)}: ${rates(o.longRates)}` : "no", "threshold", "longRates", "marginal"],
    ["Service tiers", o.serviceTiers.map((tier) => tierWords(tier, rates)).join("; ") || "none", "tiers"],
    ["By region", placesWords(o.regionFactors), "regions"],
    ["By where it was served", placesWords(o.geoFactors), "geos"],
    ["A request", o.perRequest ? formatRate(o.perRequest) : "nothing", "perRequest"],
    ["An image", o.perImage ? formatRate(o.perImage) : "not known", "perImage"],
    ["Until", time(dateOf(o.effectiveUntil), "for ever"), "until"],
  ];
}

/** longWords say which tokens cost the prices of long contexts. */
export function longWords({ longContextThreshold, longContext }: Pick<Price, "longContextThreshold" | "longContext">): string {
  const above = `above ${formatCount(longContextThreshold)} input tokens`;
  return longContext === LongContext.MARGINAL ? `${above}, for what is beyond` : `${above}, for the whole request`;
}

function tierWords({ name, factor, rates, longRates }: ServiceTierRates, words: (rates: Rates | undefined) => string): string {
  if (factor) return `${name} × ${factorWords(factor)}`;
  return longRates ? `${name}: ${words(rates)}; long: ${words(longRates)}` : `${name}: ${words(rates)}`;
}

function placesWords(places: readonly RegionFactor[]): string {
  return places.map(({ region, factor }) => `${region} × ${factorWords(factor)}`).join(", ") || "the same everywhere";
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

/** differenceOf says what a price is, and where another was before, what becomes of it. */
export function differenceOf(price: PriceOverride, was: PriceOverride | undefined): string[] {
  const before = new Map(overrideTold(was ?? price).slice(1).map(([name, text]) => [name, text]));
  const rates = buckets.flatMap(({ bucket, name }) => {
    const [now, then] = [price.rates?.[bucket] ?? "", was?.rates?.[bucket] ?? ""];
    if (!was) return now ? [`${name} ${formatRate(now)}`] : [];
    if (now === then) return [];
    return [`${name} ${then ? formatRate(then) : "unpriced"} → ${now ? formatRate(now) : "unpriced"}`];
  });
  const others = overrideTold(price)
    .slice(1)
    .flatMap(([name, text]) => (was && before.get(name) !== text ? [`${name}: ${before.get(name)} → ${text}`] : []));
  const besides = was ? [] : besidesOf(price);
  return [rates.join(", "), ...others, besides.join(", ")].filter(Boolean);
}
