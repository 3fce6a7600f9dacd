const namesOfUTC = /^(Etc\/)?(UTC|UCT|Zulu|Universal)$/;

const minuteMs = 60_000;
const viewer = { zone: "", asked: -Infinity };

/** viewerZone is the IANA name of the zone the viewer's browser is set to; UTC has one name. Who travels has the new one within a minute. */
export function viewerZone(): string {
  const now = Date.now();
  if (Math.abs(now - viewer.asked) < minuteMs) return viewer.zone;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone; // a millisecond: tables ask for each cell
  Object.assign(viewer, { zone: namesOfUTC.test(zone) ? "UTC" : zone, asked: now });
  return viewer.zone;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  const cached = formats.get(zone);
  if (cached) return cached;
  const made = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formats.set(zone, made);
  return made;
}

export interface WallClock {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

/** wallClock is what a clock in the zone shows at that instant. */
export function wallClock(at: Date, zone: string): WallClock {
  const shown = new Date(at.getTime() + offsetAt(at.getTime(), zone));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
  };
}

// Since 1972 every zone's clock has been set at a quarter of an hour, so what holds at its begin holds in all of it.
const quarterMs = 15 * minuteMs;
const mostQuarters = 5_000;
const offsets = new Map<string, Map<number, number>>();

// offsetAt is by how much the zone's clock is ahead of UTC, ms. To ask for the parts of a time costs a hundred times as much as to add.
function offsetAt(ms: number, zone: string): number {
  const known = offsets.get(zone) ?? new Map<number, number>();
  offsets.set(zone, known);
  const quarter = Math.floor(ms / quarterMs);
  const offset = known.get(quarter) ?? clockAt(quarter * quarterMs, zone) - quarter * quarterMs;
  if (known.size >= mostQuarters) known.clear();
  known.set(quarter, offset);
  return offset;
}

// clockAt is what the zone's clock shows, as if it were UTC.
function clockAt(ms: number, zone: string): number {
  const part = Object.fromEntries(format(zone).formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = NaN, month = NaN, day, hour, minute, second } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

export type Precision = "day" | "minute" | "second" | "millisecond";

/** formatTime writes an instant in a zone: 2026-07-04 18:02:11. */
export function formatTime(at: Date, zone: string, precision: Precision = "second"): string {
  const c = wallClock(at, zone);
  const day = `${c.year}-${two(c.month)}-${two(c.day)}`;
  if (precision === "day") return day;
  const minute = `${day} ${two(c.hour)}:${two(c.minute)}`;
  if (precision === "minute") return minute;
  const second = `${minute}:${two(c.second)}`;
  if (precision === "second") return second;
  return `${second}.${String(at.getUTCMilliseconds()).padStart(3, "0")}`;
}

/** weekday names the day of an instant in a zone: Tuesday. */
export function weekday(at: Date, zone: string): string {
  return new Intl.DateTimeFormat("en-US", { timeZone: zone, weekday: "long" }).format(at);
}

/** toLocalInput writes an instant as <input type="datetime-local"> has it, by a zone's clock. */
export function toLocalInput(at: Date, zone: string, precision: "minute" | "second"): string {
  return formatTime(at, zone, precision).replace(" ", "T");
}

/** fromLocalInput reads it by the browser's own clock; undefined for what is no time. */
export function fromLocalInput(text: string): Date | undefined {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? undefined : at;
}

/** utcHint writes an instant for the hover text, 2026-07-04 16:02:11.120 UTC, where the zone's clock shows another. */
export function utcHint(at: Date, zone: string): string | undefined {
  const utc = formatTime(at, "UTC", "millisecond");
  return utc === formatTime(at, zone, "millisecond") ? undefined : `${utc} UTC`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
