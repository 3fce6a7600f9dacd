import { describe, expect, test } from "vitest";

import { monthOf, monthStart, nextMonth } from "./month";

const dollar = 1_000_000_000n;
const day = (text: string, dollars: number) => ({ start: new Date(text), spend: BigInt(dollars) * dollar });

describe("month", () => {
  test("begins_and_ends_by_the_zones_clock", () => {
    const at = new Date("2026-10-31T23:30:00Z"); // 00:30 on November 1 in Berlin
    expect(monthStart(at, "Europe/Berlin").toISOString()).toBe("2026-10-31T23:00:00.000Z");
    expect(nextMonth(at, "Europe/Berlin").toISOString()).toBe("2026-11-30T23:00:00.000Z");
    expect(monthStart(at, "UTC").toISOString()).toBe("2026-10-01T00:00:00.000Z");
    expect(nextMonth(new Date("2026-12-05T00:00:00Z"), "UTC").toISOString()).toBe("2027-01-01T00:00:00.000Z");
  });

  test("goes_on_at_the_pace_of_whole_days", () => {
    const days = [day("2026-10-31T00:00:00Z", 40), day("2026-11-01T00:00:00Z", 10), day("2026-11-02T00:00:00Z", 20), day("2026-11-03T00:00:00Z", 6)];
    const month = monthOf(days, new Date("2026-11-03T12:00:00Z"), "UTC");
    expect(month.today).toBe(6n * dollar);
    expect(month.toDate).toBe(36n * dollar);
    expect(month.paceDays).toBe(3);
    // 70 dollars in three days, and 27.5 days are left.
    expect(month.forecast).toBe(36n * dollar + (70n * dollar * 55n) / 6n);
  });

  test("takes_seven_days_and_none_before_the_first_spend", () => {
    const many = Array.from({ length: 10 }, (_, i) => day(`2026-11-${String(i + 10)}T00:00:00Z`, i < 2 ? 1000 : 1));
    expect(monthOf(many, new Date("2026-11-20T00:00:00Z"), "UTC").paceDays).toBe(7);
    expect(monthOf([day("2026-11-01T00:00:00Z", 0), day("2026-11-02T00:00:00Z", 4), day("2026-11-03T00:00:00Z", 0)], new Date("2026-11-03T01:00:00Z"), "UTC").paceDays).toBe(1);
  });

  test("has_no_forecast_on_the_first_day", () => {
    const month = monthOf([day("2026-11-03T00:00:00Z", 5)], new Date("2026-11-03T12:00:00Z"), "UTC");
    expect(month).toEqual({ today: 5n * dollar, toDate: 5n * dollar, forecast: undefined, paceDays: 0 });
  });
});
