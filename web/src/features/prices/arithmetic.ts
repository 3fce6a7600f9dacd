import type { Factor, Price, Rates } from "../../api/price";
import { LongContext } from "../../api/price";
import { parseFlat, parseRate } from "../../format/rate";
import type { Bucket } from "./buckets";
import { buckets, inputBuckets } from "./buckets";

/** Counts are how many tokens of each kind a request has. */
export type Counts = Partial<Record<Bucket, bigint>>;

/** Line is one product of the arithmetic. */
export interface Line {
  name: string;
  count: bigint;
  /** Dollars per million tokens, as the API has it. */
  rate: string;
  pico: bigint;
}

/** Served is how a request was served, as far as its price goes by that. */
export interface Served {
  /** "": the standard one. */
  tier: string;
  /** The provider's region. */
  region: string;
}

export interface Arithmetic {
  lines: Line[];
  /** Of what the lines come to. */
  factors: { name: string; factor: Factor }[];
  /** Of each request, beside its tokens, pico-dollars. */
  perRequest: bigint;
  /** Rounded once, half up. */
  nano: bigint;
}

/** costOf is what a request comes to, as agents count it; or the name of what has no price. */
export function costOf(price: Price, counts: Counts, { tier, region }: Served): Arithmetic | { unpriced: string } {
  const stated = tier ? price.serviceTiers.find((t) => t.name === tier) : undefined;
  if (tier && !stated) return { unpriced: `service tier ${tier}` };
  const own = stated && !stated.factor;
  const parts = split(price, counts, own ? stated.rates : price.rates, own ? stated.longRates : price.longRates);
  const lines: Line[] = [];
  for (const { name, bucket, count, rates } of parts) {
    const rate = rates?.[bucket] ?? "";
    const each = parseRate(rate);
    if (each === undefined) return { unpriced: name };
    lines.push({ name, count, rate, pico: count * each });
  }
  const regional = price.regionFactors.find((f) => f.region === region);
  const factors = [
    ...(stated?.factor ? [{ name: `Service tier ${tier}`, factor: stated.factor }] : []),
    ...(regional?.factor ? [{ name: `Region ${region}`, factor: regional.factor }] : []),
  ];
  const perRequest = parseFlat(price.perRequest) ?? 0n;
  const over = factors.reduce((all, { factor }) => all * factor.numerator, 1n);
  const under = factors.reduce((all, { factor }) => all * factor.denominator, 1n);
  const sum = lines.reduce((all, { pico }) => all + pico, 0n) * over + perRequest * under;
  return { lines, factors, perRequest, nano: (sum + 500n * under) / (1000n * under) };
}

interface Part {
  name: string;
  bucket: Bucket;
  count: bigint;
  rates: Rates | undefined;
}

// Above the threshold all of a request has the prices of long contexts, or the tokens beyond it alone.
function split(price: Price, counts: Counts, rates: Rates | undefined, long: Rates | undefined): Part[] {
  const threshold = price.longContextThreshold;
  const input = inputBuckets.reduce((all, bucket) => all + (counts[bucket] ?? 0n), 0n);
  const isLong = threshold > 0n && input > threshold;
  const all = buckets.map(({ bucket, name }) => ({ bucket, name, count: counts[bucket] ?? 0n }));
  if (!isLong || price.longContext !== LongContext.MARGINAL) return used(all.map((part) => ({ ...part, rates: isLong ? long : rates })));
  const below = new Map<Bucket, bigint>();
  let left = threshold;
  for (const bucket of inputBuckets) {
    const count = counts[bucket] ?? 0n;
    const fits = count < left ? count : left;
    below.set(bucket, fits);
    left -= fits;
  }
  return used(
    all.flatMap((part) => {
      const first = below.get(part.bucket) ?? part.count;
      return [
        { ...part, count: first, rates },
        { ...part, name: `${part.name}, beyond the threshold`, count: part.count - first, rates: long },
      ];
    }),
  );
}

function used(parts: Part[]): Part[] {
  return parts.filter(({ count }) => count > 0n);
}
