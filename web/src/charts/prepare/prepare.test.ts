import { describe, expect, test } from "vitest";

import { bucketStarts } from "./bucket";
import { prepareChart } from "./series";

const iso = (ms: number) => new Date(ms).toISOString();

describe("buckets", () => {
  test("days_are_23_hours_when_clocks_go_forward", () => {
    const starts = bucketStarts(new Date("2026-03-28T12:00:00Z"), new Date("2026-03-30T12:00:00Z"), "day", "Europe/Berlin");
    expect(starts.map(iso)).toEqual(["2026-03-27T23:00:00.000Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"]);
  });

  test("days_are_25_hours_when_clocks_go_back", () => {
    const starts = bucketStarts(new Date("2026-10-24T22:00:00Z"), new Date("2026-10-26T00:00:00Z"), "day", "Europe/Berlin");
    expect(starts.map(iso)).toEqual(["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]);
  });

  test("midnight_before_a_change_of_clocks_has_the_offset_before_it", () => {
    const starts = bucketStarts(new Date("2026-10-03T18:00:00Z"), new Date("2026-10-04T14:00:00Z"), "day", "Australia/Sydney");
    expect(starts.map(iso)).toEqual(["2026-10-03T14:00:00.000Z", "2026-10-04T13:00:00.000Z"]);
  });

  test.each([
    ["America/Santiago", "2026-09-05T12:00:00Z", ["2026-09-05T04:00:00.000Z", "2026-09-06T04:00:00.000Z", "2026-09-07T03:00:00.000Z"]],
    ["Africa/Cairo", "2026-04-23T12:00:00Z", ["2026-04-22T22:00:00.000Z", "2026-04-23T22:00:00.000Z", "2026-04-24T21:00:00.000Z"]],
  ])("a_day_without_a_midnight_begins_after_the_jump_in_%s", (zone, from, want) => {
    const to = new Date(new Date(from).getTime() + 2 * 86_400_000);
    expect(bucketStarts(new Date(from), to, "day", zone).map(iso)).toEqual(want);
  });

  test("hours_start_where_a_half_hour_zone_starts_them", () => {
    const starts = bucketStarts(new Date("2026-07-04T10:00:00Z"), new Date("2026-07-04T11:00:00Z"), "hour", "Asia/Kolkata");
    expect(starts.map(iso)).toEqual(["2026-07-04T09:30:00.000Z", "2026-07-04T10:30:00.000Z"]);
  });
});

describe("series", () => {
  const measured = [{ start: 20, value: 7n }];

  test("what_adds_up_is_zero_where_nothing_was_measured", () => {
    const chart = prepareChart([10, 20, 30], [{ label: "spend", missing: "zero", measured }]);
    expect(chart.exact).toEqual([[0n, 7n, 0n]]);
    expect(chart.plotted).toEqual([[0, 7, 0]]);
  });

  test("what_does_not_add_up_is_a_gap", () => {
    const chart = prepareChart([10, 20, 30], [{ label: "p95", missing: "gap", measured }]);
    expect(chart.exact).toEqual([[undefined, 7n, undefined]]);
    expect(chart.plotted).toEqual([[null, 7, null]]);
  });

  test("an_unexpected_interval_is_kept_in_order", () => {
    const chart = prepareChart([10, 30], [{ label: "spend", missing: "zero", measured }]);
    expect(chart.starts).toEqual([10, 20, 30]);
  });

  test("exact_values_stay_exact_beyond_a_float", () => {
    const big = 9_007_199_254_740_993n;
    const chart = prepareChart([], [{ label: "spend", missing: "zero", measured: [{ start: 1, value: big }] }]);
    expect(chart.exact[0]?.[0]).toBe(big);
  });
});
