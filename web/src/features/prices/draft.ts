import { timestampFromDate } from "@bufbuild/protobuf/wkt";

import type { Factor, Price, PriceInput, PriceOverride, Rates, RegionFactor } from "../../api/price";
import { LongContext } from "../../api/price";
import { dateOf } from "../../api/time";
import { bare, parseFlat, parseRate } from "../../format/rate";
import { fromLocalInput, toLocalInput, viewerZone } from "../../format/time";
import { parseCount } from "../budgets/draft";
import type { Bucket } from "./buckets";
import { buckets } from "./buckets";

/** RatesDraft are dollars per million tokens, as they were written; "": unknown. */
export type RatesDraft = Record<Bucket, string>;

export interface TierDraft {
  name: string;
  by: "factor" | "rates";
  factor: string;
  rates: RatesDraft;
  longRates: RatesDraft;
}

export interface PlaceDraft {
  region: string;
  factor: string;
}

export interface PriceDraft {
  priceList: string;
  model: string;
  /** "": every provider with the list. */
  providerId: string;
  /** On the clock of the viewer, as the field has them; "": ever. */
  from: string;
  until: string;
  rates: RatesDraft;
  /** Input tokens, as they were written; "": there are no long contexts. */
  threshold: string;
  longRates: RatesDraft;
  marginal: boolean;
  tiers: TierDraft[];
  regions: PlaceDraft[];
  geos: PlaceDraft[];
  /** Dollars, as they were written. */
  perRequest: string;
  perImage: string;
}

/** pricePaths are the fields that a change sends; what is priced never changes. */
export const pricePaths = [
  "rates",
  "long_context_threshold",
  "long_rates",
  "long_context",
  "service_tiers",
  "region_factors",
  "geo_factors",
  "per_request",
  "per_image",
  "effective_until",
];

export const noRates = Object.fromEntries(buckets.map(({ bucket }) => [bucket, ""])) as RatesDraft;

/** draftOf is a price as its form begins with it: one's own, or another that a new one begins with. */
export function draftOf(price: Price | PriceOverride | undefined): PriceDraft {
  return {
    priceList: price?.priceList ?? "",
    model: price?.model ?? "",
    providerId: price?.providerId ?? "",
    from: writeTime(dateOf(price?.effectiveFrom)),
    until: writeTime(dateOf(price?.effectiveUntil)),
    rates: writeRates(price?.rates),
    threshold: price?.longContextThreshold ? String(price.longContextThreshold) : "",
    longRates: writeRates(price?.longRates),
    marginal: price?.longContext === LongContext.MARGINAL,
    tiers: (price?.serviceTiers ?? []).map(({ name, factor, rates, longRates }) => ({
      name,
      by: factor ? "factor" : "rates",
      factor: writeFactor(factor),
      rates: writeRates(rates),
      longRates: writeRates(longRates),
    })),
    regions: writePlaces(price?.regionFactors),
    geos: writePlaces(price?.geoFactors),
    perRequest: price?.perRequest ?? "",
    perImage: price?.perImage ?? "",
  };
}

function writeTime(at: Date | undefined): string {
  return at ? toLocalInput(at, viewerZone(), at.getTime() % 60_000 === 0 ? "minute" : "second") : "";
}

function writeRates(rates: Rates | undefined): RatesDraft {
  return Object.fromEntries(buckets.map(({ bucket }) => [bucket, rates?.[bucket] ?? ""])) as RatesDraft;
}

function writePlaces(places: readonly RegionFactor[] = []): PlaceDraft[] {
  return places.map(({ region, factor }) => ({ region, factor: writeFactor(factor) }));
}

function writeFactor(factor: Factor | undefined): string {
  return factor ? `${factor.numerator}/${factor.denominator}` : "";
}

/** parseFactor reads "11/10", "1.1" or "6"; undefined where it is no factor of numbers from 1 to 1000. */
export function parseFactor(text: string): { numerator: bigint; denominator: bigint } | undefined {
  const [, whole = "", decimals = "", under = "1"] = /^(\d{1,6})(?:\.(\d{1,6}))?(?:\s*\/\s*(\d{1,6}))?$/.exec(text.trim()) ?? [];
  const over = BigInt(whole + decimals || "0");
  const below = BigInt(under) * 10n ** BigInt(decimals.length);
  if (over === 0n || below === 0n) return undefined;
  const common = divisor(over, below);
  const [numerator, denominator] = [over / common, below / common];
  return numerator <= 1000n && denominator <= 1000n ? { numerator, denominator } : undefined;
}

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b);
}

export const rateRule = "Dollars, six decimals at most: 1.25.";
export const flatRule = "Dollars, twelve decimals at most: 0.005.";
export const factorRule = "A factor of numbers from 1 to 1000: 1/2, 1.1 or 6.";
const countRule = "A whole number of tokens: 200,000.";

/** mistakesOf are what can't be meant, by the paths that the API has for the fields. */
export function mistakesOf(d: PriceDraft): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const flat = (field: string, text: string) => text.trim() !== "" && parseFlat(text) === undefined && found.set(field, flatRule);
  const rates = (path: string, said: RatesDraft) => {
    for (const { bucket, field } of buckets) {
      if (said[bucket].trim() !== "" && parseRate(said[bucket]) === undefined) found.set(`${path}.${field}`, rateRule);
    }
  };
  const factor = (path: string, text: string) => text.trim() !== "" && parseFactor(text) === undefined && found.set(path, factorRule);
  rates("rates", d.rates);
  if (d.threshold.trim() !== "" && !parseCount(d.threshold)) found.set("long_context_threshold", countRule);
  rates("long_rates", d.longRates);
  d.tiers.forEach((tier, i) => {
    if (tier.by === "factor") factor(`service_tiers[${i}].factor`, tier.factor);
    else {
      rates(`service_tiers[${i}].rates`, tier.rates);
      rates(`service_tiers[${i}].long_rates`, tier.longRates);
    }
  });
  d.regions.forEach((place, i) => factor(`region_factors[${i}].factor`, place.factor));
  d.geos.forEach((place, i) => factor(`geo_factors[${i}].factor`, place.factor));
  flat("per_request", d.perRequest);
  flat("per_image", d.perImage);
  const [from, until] = [fromLocalInput(d.from), fromLocalInput(d.until)];
  if (from && until && until <= from) found.set("effective_until", "It ends before it begins.");
  return found;
}

/** inputOf is what a draft without mistakes asks for. */
export function inputOf(d: PriceDraft): PriceInput {
  const [from, until] = [fromLocalInput(d.from), fromLocalInput(d.until)];
  const threshold = parseCount(d.threshold) ?? 0n;
  const long = threshold > 0n;
  return {
    priceList: d.priceList.trim(),
    model: d.model.trim(),
    providerId: d.providerId,
    ...(from && { effectiveFrom: timestampFromDate(from) }),
    ...(until && { effectiveUntil: timestampFromDate(until) }),
    rates: ratesInput(d.rates),
    longContextThreshold: threshold,
    ...(long && { longRates: ratesInput(d.longRates), longContext: d.marginal ? LongContext.MARGINAL : LongContext.WHOLE }),
    serviceTiers: d.tiers.map((tier) =>
      tier.by === "factor"
        ? { name: tier.name.trim(), ...factorInput(tier.factor) }
        : { name: tier.name.trim(), rates: ratesInput(tier.rates), ...(long && hasRates(tier.longRates) && { longRates: ratesInput(tier.longRates) }) },
    ),
    regionFactors: d.regions.map(placeInput),
    geoFactors: d.geos.map(placeInput),
    perRequest: bare(d.perRequest),
    perImage: bare(d.perImage),
  };
}

function ratesInput(rates: RatesDraft): RatesDraft {
  return Object.fromEntries(buckets.map(({ bucket }) => [bucket, bare(rates[bucket])])) as RatesDraft;
}

/** hasRates tells whether any price is written. */
export function hasRates(rates: RatesDraft): boolean {
  return buckets.some(({ bucket }) => rates[bucket].trim() !== "");
}

function placeInput({ region, factor }: PlaceDraft) {
  return { region: region.trim(), ...factorInput(factor) };
}

function factorInput(text: string) {
  const factor = parseFactor(text);
  return factor ? { factor } : {};
}
