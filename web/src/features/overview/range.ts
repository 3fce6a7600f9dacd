import { Interval } from "../../api/report";
import type { Step } from "../../charts/prepare/bucket";
import type { Range } from "../../routes/search";

export interface RangeShape {
  label: string;
  lengthMs: number;
  interval: Interval;
  step: Step;
  precision: "day" | "minute";
}

const hour = 3_600_000;

export const rangeShapes: Record<Range, RangeShape> = {
  "1h": { label: "1 hour", lengthMs: hour, interval: Interval.MINUTE, step: "minute", precision: "minute" },
  "24h": { label: "24 hours", lengthMs: 24 * hour, interval: Interval.HOUR, step: "hour", precision: "minute" },
  "7d": { label: "7 days", lengthMs: 7 * 24 * hour, interval: Interval.HOUR, step: "hour", precision: "minute" },
  "30d": { label: "30 days", lengthMs: 30 * 24 * hour, interval: Interval.DAY, step: "day", precision: "day" },
};

/** rangeStart moves by whole minutes, so that one minute's questions are the same. */
export function rangeStart(range: Range, now: Date): Date {
  const minute = Math.floor(now.getTime() / 60_000) * 60_000;
  return new Date(minute - rangeShapes[range].lengthMs);
}
