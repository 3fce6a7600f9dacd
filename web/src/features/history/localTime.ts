import { wallClock } from "../../format/time";

/** toLocalInput writes an instant as <input type="datetime-local"> has it, by a zone's clock, to the second. */
export function toLocalInput(at: Date, zone: string): string {
  const { year, month, day, hour, minute, second } = wallClock(at, zone);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
}

/** fromLocalInput reads it by the browser's own clock; undefined for what is no time. */
export function fromLocalInput(text: string): Date | undefined {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? undefined : at;
}
