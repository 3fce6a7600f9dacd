/** A measured interval: its start in milliseconds since the epoch and its exact value. */
export interface Measured {
  start: number;
  /** Undefined: there is none, which is no zero. */
  value: bigint | undefined;
}

export interface Series {
  label: string;
  measured: readonly Measured[];
  /** Whether an interval without measurements is zero (it adds up) or a gap. */
  missing: "zero" | "gap";
}

export interface ChartData {
  /** Starts of the intervals, milliseconds since the epoch, ascending. */
  starts: number[];
  labels: string[];
  /** Exact values by series, then by interval; what tables and read-outs show. */
  exact: (bigint | undefined)[][];
  /** The same as numbers, only to place marks; null is a gap. */
  plotted: (number | null)[][];
}

/**
 * prepareChart lines series up on common intervals. Measurements outside of the
 * expected intervals add their own, so that nothing is dropped.
 */
export function prepareChart(expected: readonly number[], series: readonly Series[]): ChartData {
  const starts = new Set(expected);
  for (const { measured } of series) for (const m of measured) starts.add(m.start);
  const ordered = [...starts].sort((a, b) => a - b);
  const exact = series.map((s) => lineUp(ordered, s));
  return {
    starts: ordered,
    labels: series.map((s) => s.label),
    exact,
    plotted: exact.map((values) => values.map((v) => (v === undefined ? null : Number(v)))),
  };
}

function lineUp(starts: readonly number[], { measured, missing }: Series): (bigint | undefined)[] {
  const byStart = new Map(measured.map((m) => [m.start, m.value]));
  const fill = missing === "zero" ? 0n : undefined;
  return starts.map((start) => (byStart.has(start) ? byStart.get(start) : fill));
}
