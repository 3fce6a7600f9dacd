import { describe, expect, test } from "vitest";

import { formatAgo, formatDuration, formatSpan, formatUntil } from "./duration";
import { formatMoney, moneyParts, parseMoney, perMillionTokens, shareOf, writeMoney } from "./money";
import { formatBytes, formatCount, formatTenths, formatTick } from "./number";
import { formatTime, utcHint } from "./time";

describe("money", () => {
  test.each([
    [0n, "$0.00"],
    [1n, "$0.000000001"],
    [534_150n, "$0.00053415"],
    [10_000_000n, "$0.01"],
    [1_500_000_000n, "$1.50"],
    [1_234_567_891_000_000_001n, "$1,234,567,891.000000001"],
    // Beyond 2^53, where a float would lose the last digits.
    [9_007_199_254_740_993n, "$9,007,199.254740993"],
    [9_223_372_036_854_775_807n, "$9,223,372,036.854775807"],
    [-5n, "-$0.000000005"],
  ])("writes_%s_nano_dollars_exactly", (nano, want) => {
    expect(formatMoney(nano)).toBe(want);
    if (nano >= 0n) expect([parseMoney(want), parseMoney(writeMoney(nano))]).toEqual([nano, nano]);
  });

  test.each([
    ["250", 250_000_000_000n],
    [" $1,000.5 ", 1_000_500_000_000n],
    ["0.000000001", 1n],
    ["0.0000000001", undefined], // finer than there is
    ["1,00", undefined],
    ["1e3", undefined],
    ["-1", undefined],
    [".5", undefined],
    ["", undefined],
  ])("reads_%s_exactly_or_not_at_all", (text, want) => {
    expect(parseMoney(text)).toBe(want);
  });

  test("splits_off_the_zeros_that_only_align", () => {
    expect(moneyParts(1_500_000_000n)).toEqual({ significant: "$1.50", padding: "0000000" });
    expect(moneyParts(1n)).toEqual({ significant: "$0.000000001", padding: "" });
  });

  test("averages_round_half_up", () => {
    expect(perMillionTokens(3n, 2_000_000n)).toBe(2n);
    expect(perMillionTokens(534_150n, 1_560n)).toBe(342_403_846n);
    expect(perMillionTokens(1n, 0n)).toBeUndefined();
  });

  test("shares_are_of_the_whole", () => {
    expect(formatTenths(shareOf(1n, 8n))).toBe("12.5 %");
    expect(formatTenths(shareOf(2n, 3n))).toBe("66.7 %");
    expect(shareOf(1n, 0n)).toBe(0);
  });
});

test("counts_have_separators", () => {
  expect(formatCount(9_007_199_254_740_993n)).toBe("9,007,199,254,740,993");
  expect(formatTick(1_500_000)).toBe("1.5M");
  expect(formatBytes(1_572_864n)).toBe("1.5 MiB");
});

test.each([
  [840n, "840 µs"],
  [12_345n, "12.3 ms"],
  [999_499n, "999 ms"],
  [999_500n, "1.00 s"],
  [1_250_000n, "1.25 s"],
  [59_999_999n, "1 min 00 s"],
  [125_000_000n, "2 min 05 s"],
])("a_duration_of_%s_us_reads_%s", (us, want) => {
  expect(formatDuration(us)).toBe(want);
});

test("times_are_the_zones_own_and_utc_is_the_hint", () => {
  const at = new Date("2026-07-04T22:30:05.120Z");
  expect(formatTime(at, "Europe/Berlin")).toBe("2026-07-05 00:30:05");
  expect(formatTime(at, "Asia/Kolkata", "minute")).toBe("2026-07-05 04:00");
  expect(utcHint(at, "Europe/Berlin")).toBe("2026-07-04 22:30:05.120 UTC");
  expect(formatAgo(at, new Date("2026-07-04T22:32:10Z"))).toBe("2 min ago");
});

test("a_clock_shows_what_the_browser_says_at_every_turn", () => {
  const zones = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Asia/Pyongyang", "Pacific/Apia"];
  const turns = ["2011-12-30T10:00:00Z", "2015-08-14T15:00:00Z", "2026-03-29T01:00:00Z", "2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z", "2026-10-25T01:00:00Z"].map((at) => Date.parse(at));
  for (const zone of zones) {
    const said = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
    const around = turns.flatMap((turn) => [-1, 0, 1, 1_799_999, -1_800_001].map((ms) => turn + ms));
    const spread = Array.from({ length: 200 }, (_, i) => Date.UTC(1975, 0, 1) + i * 9_500_000_123);
    for (const ms of [...around, ...spread]) expect(formatTime(new Date(ms), zone), zone).toBe(said.format(ms));
  }
});

test("utc_is_no_hint_where_the_clock_shows_it_already", () => {
  const winter = new Date("2026-01-04T22:30:05Z");
  expect(utcHint(winter, "UTC")).toBeUndefined();
  expect(utcHint(winter, "Europe/London")).toBeUndefined();
  expect(utcHint(new Date("2026-07-04T22:30:05Z"), "Europe/London")).toBe("2026-07-04 22:30:05.000 UTC");
});

test.each([
  [0, "0 s"],
  [45, "45 s"],
  [300, "5 min"],
  [5_401, "1 h 30 min 1 s"],
  [86_400, "24 h"],
])("%i whole seconds are a span of %s", (seconds, want) => {
  expect(formatSpan(seconds)).toBe(want);
});

test.each([
  [-5, "in 0 s"],
  [59, "in 59 s"],
  [60, "in 1 min"],
  [3_600, "in 1 h"],
  [83_520, "in 23 h 12 min"],
  [172_799, "in 47 h 59 min"],
  [172_800, "in 2 d"],
  [270_000, "in 3 d 3 h"],
])("%i seconds from now is %s", (seconds, want) => {
  const now = new Date("2026-07-04T22:30:05Z");
  expect(formatUntil(new Date(now.getTime() + seconds * 1_000), now)).toBe(want);
});
