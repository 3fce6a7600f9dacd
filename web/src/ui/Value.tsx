import { formatAgo } from "../format/duration";
import { moneyParts } from "../format/money";
import { formatTime, formatUTC, viewerZone } from "../format/time";
import type { Precision } from "../format/time";

interface MoneyProps {
  nano: bigint;
  /** Nine decimals, the closing zeros muted, so that a column aligns. */
  aligned?: boolean;
}

/** Money shows an amount exactly. */
export function Money({ nano, aligned = false }: MoneyProps) {
  const { significant, padding } = moneyParts(nano);
  return (
    <span className="money">
      {significant}
      {aligned && padding && (
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

/** Time shows an instant in the viewer's zone, and in UTC on hover. */
export function Time({ at, precision, absent = "–" }: TimeProps) {
  if (!at) return <span className="muted">{absent}</span>;
  return (
    <time className="nowrap" dateTime={at.toISOString()} title={formatUTC(at)}>
      {formatTime(at, viewerZone(), precision)}
    </time>
  );
}

interface AgoProps {
  at: Date;
  now: Date;
}

/** Ago shows how long ago an instant was; when exactly stands in the hover text. */
export function Ago({ at, now }: AgoProps) {
  const title = `${formatTime(at, viewerZone())} ${viewerZone()}, ${formatUTC(at)}`;
  return (
    <time className="nowrap" dateTime={at.toISOString()} title={title}>
      {formatAgo(at, now)}
    </time>
  );
}
