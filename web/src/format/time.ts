const namesOfUTC = /^(Etc\/)?(UTC|UCT|Zulu|Universal)$/;

/** viewerZone is the IANA name of the zone the viewer's browser is set to; UTC has one name. */
export function viewerZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return namesOfUTC.test(zone) ? "UTC" : zone;
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
  const clock: WallClock = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of format(zone).formatToParts(at)) {
    if (type in clock) clock[type as keyof WallClock] = Number(value);
  }
  return clock;
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
