import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { LongContext, PriceSchema } from "../../gen/weir/admin/v1/price_override_pb";
import { bare, formatPico, formatRate, parseFlat, parseRate } from "../../format/rate";
import { costOf } from "./arithmetic";
import type { Counts } from "./arithmetic";
import { parseFactor } from "./draft";

// As the agents' own tests have them (proto/contract/price): what is counted here is what they count.
const price = create(PriceSchema, {
  rates: { input: "2", cacheRead: "1", output: "8" },
  longContextThreshold: 1000n,
  longRates: { input: "4", output: "12" },
  serviceTiers: [
    { name: "flex", rates: { input: "1", output: "4" } },
    { name: "priority", rates: { input: "3", cacheRead: "2", output: "14" }, longRates: { input: "6", output: "20" } },
    { name: "fast", factor: { numerator: 6n, denominator: 1n } },
  ],
  regionFactors: [{ region: "eu", factor: { numerator: 11n, denominator: 10n } }],
});

function nano(counts: Counts, tier = "", region = "", of = price): bigint | string {
  const cost = costOf(of, counts, { tier, region });
  return "unpriced" in cost ? cost.unpriced : cost.nano;
}

test.each<[string, bigint | string, bigint | string]>([
  ["standard", nano({ input: 100n, output: 10n }), 280_000n],
  ["nothing", nano({}), 0n],
  ["flex", nano({ input: 100n, output: 10n }, "flex"), 140_000n],
  ["flex_cached", nano({ input: 100n, cacheRead: 1n }, "flex"), "Cache read"],
  ["flex_long", nano({ input: 1001n }, "flex"), "Input"],
  ["priority", nano({ input: 100n, cacheRead: 50n, output: 10n }, "priority"), 540_000n],
  ["priority_long", nano({ input: 1001n, output: 10n }, "priority"), 6_206_000n],
  ["fast", nano({ input: 100n, cacheRead: 50n, output: 10n }, "fast"), 1_980_000n],
  ["fast_long", nano({ input: 1001n }, "fast"), 24_024_000n],
  ["unknown_tier", nano({ input: 1n }, "scale"), "service tier scale"],
  ["region", nano({ input: 100n, output: 10n }, "", "eu"), 308_000n],
  ["another_region", nano({ input: 100n, output: 10n }, "", "us"), 280_000n],
  // 1000 of the prompt are below: what the cache has first.
  ["beyond_alone", nano({ input: 700n, cacheRead: 500n, output: 10n }, "", "", create(PriceSchema, { ...price, longContext: LongContext.MARGINAL })), 2_380_000n],
  // 3 × 0.0005 nano-dollars are 0.0015, which is nearer to 0; half is up.
  ["rounds_down", nano({ input: 1n }, "", "", create(PriceSchema, { rates: { input: "0.000499" } })), 0n],
  ["rounds_up", nano({ input: 1n }, "", "", create(PriceSchema, { rates: { input: "0.0005" } })), 1n],
  ["a_request_is_of_no_factor", nano({ input: 100n, output: 10n }, "fast", "eu", create(PriceSchema, { ...price, perRequest: "0.005" })), 6_848_000n],
  ["beyond_a_float", nano({ input: 1_000_000_000_000_001n }, "", "", create(PriceSchema, { rates: { input: "0.009" } })), 9_000_000_000_000_009n],
])("costs_%s", (_, got, want) => {
  expect(got).toBe(want);
});

test.each([
  ["1.25", 1_250_000n, "$1.25"],
  ["10", 10_000_000n, "$10.00"],
  ["0.000001", 1n, "$0.000001"],
  ["1000000", 1_000_000_000_000n, "$1,000,000.00"],
  ["0", 0n, "$0.00"],
])("rate_%s", (text, pico, shown) => {
  expect(parseRate(text)).toBe(pico);
  expect(formatRate(text)).toBe(shown);
  expect(parseRate(bare(shown))).toBe(pico);
});

test.each(["0.0000001", "1000000.000001", "-1", "1e3", "1.", "abc", "1,00", ""])("no_rate_%s", (text) => {
  expect(parseRate(text)).toBeUndefined();
});

test("pico_dollars_are_written_exactly", () => {
  expect([1n, 1_250_000_000n, 5_000_000_000_000n, 1_234_000_000_000_000n].map(formatPico)).toEqual(["$0.000000000001", "$0.00125", "$5.00", "$1,234.00"]);
  expect([parseFlat("0.000000000001"), parseFlat("1000.1")]).toEqual([1n, undefined]);
});

test.each([
  ["1/2", "1/2"],
  ["1.1", "11/10"],
  ["6", "6/1"],
  ["2/4", "1/2"],
  ["0.5/2", "1/4"],
  ["1001", undefined],
  ["0", undefined],
  ["1/0", undefined],
  ["1.2345", undefined],
  ["half", undefined],
])("factor_%s", (text, want) => {
  const factor = parseFactor(text);
  expect(factor && `${factor.numerator}/${factor.denominator}`).toBe(want);
});
