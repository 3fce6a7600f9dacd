import { Interval } from "../../api/report";
import type { Step } from "../../charts/prepare/bucket";
import type { OverviewSearch, Range } from "../../routes/search";

/** Period is what the page is about. */
export interface Period {
  /** The same for all of its moments. */
  name: string;
  /** "the last 24 hours", or how the viewer's own is called. */
  label: string;
  from: Date;
  /** Where it ends by the page's clock. */
  to: Date;
  /** It goes on: what is asked for ends whenever now is. */
  open: boolean;
  interval: Interval;
  step: Step;
  precision: "day" | "minute";
}

const hour = 3_600_000;
const day = 24 * hour;

const lengths: Record<Range, { label: string; ms: number }> = {
  "1h": { label: "the last hour", ms: hour },
  "24h": { label: "the last 24 hours", ms: day },
  "7d": { label: "the last 7 days", ms: 7 * day },
  "30d": { label: "the last 30 days", ms: 30 * day },
};

/**
 * periodOf is the viewer's own period where the address has one, else the range until now,
 * which moves by whole minutes, so that one minute's questions are the same.
 */
export function periodOf({ range = "24h", from, to }: OverviewSearch, now: Date): Period {
  if (from !== undefined && to !== undefined) {
    return { name: `${from} ${to}`, label: "a period of your own", from: new Date(from), to: new Date(to), open: false, ...cut(to - from) };
  }
  const { label, ms } = lengths[range];
  const minute = Math.floor(now.getTime() / 60_000) * 60_000;
  return { name: range, label, from: new Date(minute - ms), to: now, open: true, ...cut(ms) };
}

// At most some 200 intervals.
function cut(ms: number): Pick<Period, "interval" | "step" | "precision"> {
  if (ms <= 3 * hour) return { interval: Interval.MINUTE, step: "minute", precision: "minute" };
  if (ms <= 8 * day) return { interval: Interval.HOUR, step: "hour", precision: "minute" };
  return { interval: Interval.DAY, step: "day", precision: "day" };
}
