import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { durationFromMs, durationMs, timestampDate } from "@bufbuild/protobuf/wkt";

/** dateOf turns the wire's timestamp into a Date; absent stays absent. */
export function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp && timestampDate(timestamp);
}

/** microsOf turns the wire's duration into whole microseconds; absent stays absent. */
export function microsOf(duration: Duration | undefined): bigint | undefined {
  return duration && duration.seconds * 1_000_000n + BigInt(Math.round(duration.nanos / 1_000));
}

/** secondsOf turns the wire's duration into seconds; absent stays absent. */
export function secondsOf(duration: Duration | undefined): number | undefined {
  return duration && durationMs(duration) / 1_000;
}

/** durationOf is the wire's form of seconds, in whole milliseconds. */
export function durationOf(seconds: number): Duration {
  return durationFromMs(Math.round(seconds * 1_000));
}
