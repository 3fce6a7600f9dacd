/**
 * formatDuration writes microseconds in the unit that reads best, three digits of
 * it: 840 µs, 12.3 ms, 1.25 s, 2 min 05 s.
 */
export function formatDuration(us: bigint): string {
  const n = Number(us);
  if (n < 1_000) return `${n} µs`;
  if (n < 999_500) return `${threeDigits(n / 1_000)} ms`;
  if (n < 59_995_000) return `${threeDigits(n / 1_000_000)} s`;
  const seconds = Math.round(n / 1_000_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

function threeDigits(n: number): string {
  if (n >= 99.95) return n.toFixed(0);
  return n >= 9.995 ? n.toFixed(1) : n.toFixed(2);
}

/** formatAgo writes how long ago something was, seen from now. */
export function formatAgo(then: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - then.getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** formatUntil writes how long it is until something, seen from now, in its two largest units: in 23 h 12 min. */
export function formatUntil(then: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((then.getTime() - now.getTime()) / 1000));
  if (seconds < 60) return `in ${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `in ${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `in ${hours} h` : `in ${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `in ${hours / 24} d` : `in ${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const spans: readonly [number, string][] = [
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** formatSpan writes whole seconds without the parts that are zero: 5 min, 1 h 30 min. */
export function formatSpan(seconds: number): string {
  let left = seconds;
  const parts: string[] = [];
  for (const [size, unit] of spans) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(" ") || "0 s";
}
