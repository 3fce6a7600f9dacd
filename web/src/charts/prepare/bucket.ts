import { wallClock } from "../../format/time";

export type Step = "minute" | "hour" | "day";

const stepMs = { minute: 60_000, hour: 3_600_000 } as const;

/**
 * bucketStarts lists the starts of all intervals that touch [from, to), as a clock
 * in the zone cuts them, in milliseconds since the epoch. A day is as long as the
 * zone says: 23 or 25 hours where the clock changes.
 */
export function bucketStarts(from: Date, to: Date, step: Step, zone: string): number[] {
  const end = to.getTime();
  const starts: number[] = [];
  for (let start = floorTo(from, step, zone); start < end; start = next(start, step, zone)) starts.push(start);
  return starts;
}

function floorTo(at: Date, step: Step, zone: string): number {
  if (step === "day") return midnight(wallClock(at, zone), 0, zone);
  const offset = zoneOffset(at.getTime(), zone);
  return Math.floor((at.getTime() + offset) / stepMs[step]) * stepMs[step] - offset;
}

function next(start: number, step: Step, zone: string): number {
  if (step === "day") return midnight(wallClock(new Date(start), zone), 1, zone);
  return start + stepMs[step];
}

/**
 * midnight is the first instant of a day, `days` after the given one, on the zone's clock. A
 * thirteenth month is the first of the next year.
 */
// The second guess settles days on which the offset changes; where clocks jump over
// midnight itself, as in Santiago, the day begins after the jump, at the later guess.
export function midnight(day: { year: number; month: number; day: number }, days: number, zone: string): number {
  const asUTC = Date.UTC(day.year, day.month - 1, day.day + days);
  const first = asUTC - zoneOffset(asUTC, zone);
  const second = asUTC - zoneOffset(first, zone);
  const { hour } = wallClock(new Date(second), zone);
  return hour === 0 ? second : Math.max(first, second);
}

function zoneOffset(ms: number, zone: string): number {
  const c = wallClock(new Date(ms), zone);
  const shown = Date.UTC(c.year, c.month - 1, c.day, c.hour, c.minute, c.second);
  return shown - Math.floor(ms / 1000) * 1000;
}
