const grouped = new Intl.NumberFormat("en-US");

/** formatCount writes an integer with separators: 12,345,678. */
export function formatCount(n: bigint | number): string {
  return grouped.format(n);
}

const scales: readonly [number, string][] = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
];

/** formatTick shortens a number for an axis, where exactness is not the point: 1.5M. */
export function formatTick(n: number): string {
  for (const [scale, unit] of scales) {
    if (Math.abs(n) >= scale) return `${trim(n / scale)}${unit}`;
  }
  return trim(n);
}

/** formatTenths writes tenths of a percent: 125 is 12.5 %. */
export function formatTenths(tenths: number): string {
  return `${(tenths / 10).toFixed(1)} %`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** formatBytes writes a size with at most one decimal: 1.5 MiB. */
export function formatBytes(bytes: bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${trim(value)} ${units[unit] ?? "B"}`;
}

function trim(n: number): string {
  return String(Math.round(n * 10) / 10);
}
