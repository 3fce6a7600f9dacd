import type { Cell } from "../../api/statement";
import { formatDuration } from "../../format/duration";
import { formatTime, utcHint } from "../../format/time";

/** cellText is a value as it came, for the clipboard and for fields. */
export function cellText(value: Cell): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const numeric = /^(Nullable\(|LowCardinality\()*(U?Int|Float|Decimal|BFloat)/;
const whole = /^(Nullable\(|LowCardinality\()*U?Int/;
const decimal = /^(Nullable\()*Decimal/;
const instant = /^(Nullable\(|LowCardinality\()*DateTime/;
const day = /^(Nullable\(|LowCardinality\()*Date(32)?\)*$/;
const money = /(^|_)usd(_|$)/i;

/** isNumeric tells by ClickHouse type whether a column aligns to the right. */
export function isNumeric(type: string): boolean {
  return numeric.test(type);
}

/** isInstant and isDay tell columns of times and of days. */
export function isInstant(type: string): boolean {
  return instant.test(type);
}
export function isDay(type: string): boolean {
  return day.test(type);
}

/** isMoney tells columns of dollars: they say so in their name. */
export function isMoney({ name, type }: { name: string; type: string }): boolean {
  return numeric.test(type) && !whole.test(type) && money.test(name);
}

export interface Shown {
  text: string;
  /** What more there is to say of it. */
  hint?: string | undefined;
}

/** showerOf says how the values of a column are shown: money and numbers exact, times by the zone's clock. */
export function showerOf(column: { name: string; type: string }, zone: string): (value: NonNullable<Cell>) => Shown {
  const { name, type } = column;
  if (isInstant(type)) return (value) => showInstant(cellText(value), zone);
  if (decimal.test(type)) return isMoney(column) ? (value) => ({ text: dollars(cellText(value)) }) : (value) => ({ text: digits(cellText(value), 0) });
  if (whole.test(type)) {
    const us = /_us$/.test(name);
    return (value) => ({ text: digits(cellText(value), 0), hint: us && isWhole(cellText(value)) ? formatDuration(BigInt(cellText(value))) : undefined });
  }
  if (numeric.test(type)) return (value) => showFloat(value, isMoney(column));
  return (value) => ({ text: cellText(value) });
}

function isWhole(text: string): boolean {
  return /^\d+$/.test(text);
}

function dollars(text: string): string {
  const written = digits(text, 2, 4);
  return written.startsWith("-") ? `-$${written.slice(1)}` : `$${written}`;
}

// digits separates thousands, from 10,000 on if not told otherwise, so that years stay years, and leaves away zeros at the end of decimals.
function digits(text: string, least: number, separatedFrom = 5): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!parts) return text;
  const [, sign = "", before = "", after = ""] = parts;
  const kept = after.replace(/0+$/, "").padEnd(least, "0");
  const grouped = before.length >= separatedFrom ? before.replace(/\B(?=(\d{3})+$)/g, ",") : before;
  return `${sign}${grouped}${kept && `.${kept}`}`;
}

// A float is near some value only: six digits of it are shown, and what came is the hint.
function showFloat(value: NonNullable<Cell>, isDollars: boolean): Shown {
  const n = Number(value);
  if (!Number.isFinite(n)) return { text: cellText(value) };
  const size = Math.abs(n);
  const short = size !== 0 && (size >= 1e15 || size < 1e-6) ? n.toExponential(5) : plain(n, size);
  const text = isDollars ? dollars(short) : digits(short, 0);
  return { text, hint: Number(short) === n ? undefined : cellText(value) };
}

function plain(value: number, size: number): string {
  const before = size < 1 ? 0 : Math.floor(Math.log10(size)) + 1;
  return value.toFixed(Math.max(0, Math.min(9, 6 - before)));
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d+))?(?:Z|[+-]\d{2}:\d{2})$/;

function showInstant(text: string, zone: string): Shown {
  const parts = rfc3339.exec(text);
  if (!parts) return { text };
  const at = new Date(text);
  const fraction = (parts[1] ?? "").replace(/0+$/, "");
  return { text: `${formatTime(at, zone)}${fraction && `.${fraction}`}`, hint: utcHint(at, zone) };
}
