import { formatTime, utcHint, viewerZone } from "../../format/time";

/** Clock shows the time of day of an instant, where the day stands above. */
export function Clock({ at }: { at: Date | undefined }) {
  if (!at) return null;
  const zone = viewerZone();
  return (
    <time className="nowrap" dateTime={at.toISOString()} title={utcHint(at, zone)}>
      {formatTime(at, zone).slice(-8)}
    </time>
  );
}
