import type { Point, Totals } from "../../api/report";
import { dateOf } from "../../api/time";
import type { ChartData, Series } from "../../charts/prepare/series";
import { prepareChart } from "../../charts/prepare/series";
import { formatDuration } from "../../format/duration";
import { formatMoney } from "../../format/money";
import { formatCount, formatTick } from "../../format/number";
import type { Metric } from "../../routes/search";
import { pricedSpend, shadowSpend } from "./spend";

interface Line {
  label: string;
  of: (totals: Totals) => bigint | undefined;
  /** Whether any of the points has something to draw; absent: the line is always there. */
  when?: (totals: Totals) => boolean;
}

export interface MetricShape {
  label: string;
  mark: "bars" | "line";
  missing: Series["missing"];
  lines: readonly Line[];
  formatValue: (value: bigint) => string;
  formatTick: (value: number) => string;
  /** What stands for a value of an interval with requests that has none; absent: "no data". */
  absent?: string;
}

export const metricShapes: Record<Metric, MetricShape> = {
  spend: {
    label: "Spend",
    mark: "bars",
    missing: "zero",
    lines: [
      { label: "Spend", of: pricedSpend },
      { label: "of which shadows", of: shadowSpend, when: (t) => t.shadows > 0n },
    ],
    absent: "unpriced",
    formatValue: formatMoney,
    formatTick: (nano) => formatMoney(BigInt(Math.round(nano))),
  },
  requests: {
    label: "Requests",
    mark: "bars",
    missing: "zero",
    lines: [
      { label: "Requests", of: (t) => t.requests },
      { label: "of which errors", of: (t) => t.errors },
    ],
    formatValue: formatCount,
    formatTick,
  },
  tokens: {
    label: "Tokens",
    mark: "bars",
    missing: "zero",
    lines: [
      { label: "Tokens", of: (t) => t.inputTokens + t.outputTokens },
      { label: "of which output", of: (t) => t.outputTokens },
    ],
    formatValue: formatCount,
    formatTick,
  },
  latency: {
    label: "Latency",
    mark: "line",
    missing: "gap",
    lines: [
      { label: "p50", of: (t) => t.durationP50Us },
      { label: "p95", of: (t) => t.durationP95Us },
      { label: "first token p95", of: (t) => t.timeToFirstTokenP95Us },
    ],
    formatValue: formatDuration,
    formatTick: (us) => formatDuration(BigInt(Math.round(us))),
  },
};

/** prepareMetric turns the answer's points into a chart of one metric. */
export function prepareMetric(points: readonly Point[], starts: readonly number[], metric: Metric): ChartData {
  const { lines, missing } = metricShapes[metric];
  const drawn = lines.filter(({ when }) => !when || points.some((p) => p.totals && when(p.totals)));
  const series = drawn.map(({ label, of }) => ({
    label,
    missing,
    measured: points.map((p) => ({ start: dateOf(p.start)?.getTime() ?? 0, value: p.totals && of(p.totals) })),
  }));
  return prepareChart(starts, series);
}
