import { formatAgo } from "../format/duration";
import { moneyParts } from "../format/money";
import { formatTime, utcHint, viewerZone } from "../format/time";
import type { Precision } from "../format/time";

interface MoneyProps {
  nano: bigint;
  /**
   * In a column all nine decimals stand, the closing zeros muted, so that amounts
   * align; in a headline what is finer than cents is small.
   */
  look?: "plain" | "column" | "headline";
}

/** Money shows an amount exactly. */
export function Money({ nano, look = "plain" }: MoneyProps) {
  const { significant, padding } = moneyParts(nano);
  const cents = look === "headline" ? significant.indexOf(".") + 3 : significant.length;
  return (
    <span className="money">
      {significant.slice(0, cents)}
      {cents < significant.length && <span className="money-fine">{significant.slice(cents)}</span>}
      {look === "column" && padding && (
        <span className="money-padding" aria-hidden="true">
          {padding}
        </span>
      )}
    </span>
  );
}

interface TimeProps {
  at: Date | undefined;
  precision?: Precision;
  absent?: string;
}

/** Time shows an instant in the viewer's zone, which the page names, and in UTC on hover where that differs. */
export function Time({ at, precision, absent = "–" }: TimeProps) {
  if (!at) return <span className="muted">{absent}</span>;
  const zone = viewerZone();
  return (
    <time className="nowrap" dateTime={at.toISOString()} title={utcHint(at, zone)}>
      {formatTime(at, zone, precision)}
    </time>
  );
}

interface AgoProps {
  at: Date;
  now: Date;
}

/** Ago shows how long ago an instant was; when exactly stands in the hover text. */
export function Ago({ at, now }: AgoProps) {
  const zone = viewerZone();
  return (
    <time className="nowrap" dateTime={at.toISOString()} title={`${formatTime(at, zone)} ${zone}`}>
      {formatAgo(at, now)}
    </time>
  );
}
