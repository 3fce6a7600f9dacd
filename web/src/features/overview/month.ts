import { midnight } from "../../charts/prepare/bucket";
import { wallClock } from "../../format/time";

const dayMs = 86_400_000;

/** Day is the spend of one day of the viewer's calendar, nano-dollars. */
export interface Day {
  start: Date;
  spend: bigint;
}

export interface Month {
  today: bigint;
  toDate: bigint;
  /** What the month will have cost if it goes on like the seven days before today; undefined where there was none. */
  forecast: bigint | undefined;
  /** How many days the pace is of. */
  paceDays: number;
}

/** monthStart is when the month began that an instant is in, and nextMonth when the next one does, by the zone's clock. */
export function monthStart(at: Date, zone: string): Date {
  return firstOf(at, 0, zone);
}

export function nextMonth(at: Date, zone: string): Date {
  return firstOf(at, 1, zone);
}

function firstOf(at: Date, months: number, zone: string): Date {
  const { year, month } = wallClock(at, zone);
  return new Date(midnight({ year, month: month + months, day: 1 }, 0, zone));
}

/**
 * monthOf sums up days, of which the last is today: what was spent today and this month, and
 * where the month ends at the pace of the whole days before today, seven of them at most.
 */
export function monthOf(days: readonly Day[], now: Date, zone: string): Month {
  const [begins, ends] = [monthStart(now, zone), nextMonth(now, zone)];
  const today = days.at(-1);
  const spent = sum(days.filter((d) => d.start >= begins));
  const paced = sinceFirst(days.slice(0, -1)).slice(-7);
  const left = BigInt(Math.max(0, ends.getTime() - now.getTime()));
  return {
    today: today?.spend ?? 0n,
    toDate: spent,
    forecast: paced.length === 0 ? undefined : spent + (sum(paced) * left) / BigInt(paced.length * dayMs),
    paceDays: paced.length,
  };
}

// Days before anything was ever spent say nothing of the pace.
function sinceFirst(days: readonly Day[]): readonly Day[] {
  const first = days.findIndex((d) => d.spend > 0n);
  return first < 0 ? [] : days.slice(first);
}

function sum(days: readonly Day[]): bigint {
  return days.reduce((all, d) => all + d.spend, 0n);
}
