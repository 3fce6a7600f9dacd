import type { MetricSeries } from "../../api/report";
import { Measure } from "../../api/report";
import type { Metric } from "../../routes/search";

/** Dimension is what requests are broken down by. */
export interface Dimension {
  value: string;
  label: string;
  /** The field of a filter of requests. */
  field: string;
}

export const dimensions: readonly Dimension[] = [
  { value: "route", label: "Route", field: "route" },
  { value: "project", label: "Project", field: "project_id" },
  { value: "key", label: "Key", field: "key_id" },
  { value: "model", label: "Model", field: "model" },
  { value: "provider", label: "Provider", field: "provider" },
  { value: "end_user", label: "End user", field: "end_user" },
  { value: "outcome", label: "Outcome", field: "outcome" },
  { value: "surface", label: "API", field: "surface" },
  { value: "gateway", label: "Gateway", field: "gateway_id" },
];

/** dimensionOf knows labels, too: "label:team". Anything else is a route. */
export function dimensionOf(by: string): Dimension {
  const known = dimensions.find((d) => d.value === by);
  if (known) return known;
  const label = labelOf(by);
  return label === undefined ? (dimensions[0] as Dimension) : { value: by, label: `Label ${label}`, field: `labels.${label}` };
}

/** labelOf is the name in "label:<name>", as metadata may be called. */
export function labelOf(by: string): string | undefined {
  const name = by.startsWith("label:") ? by.slice("label:".length) : "";
  return /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(name) ? name : undefined;
}

const ranks: Record<Metric, Measure> = {
  spend: Measure.SPEND,
  requests: Measure.REQUESTS,
  tokens: Measure.TOKENS,
  latency: Measure.REQUESTS, // a percentile ranks nobody
};

/** measuresOf a breakdown: the first ranks the groups. */
export function measuresOf(metric: Metric): Measure[] {
  const shown = [Measure.REQUESTS, Measure.SPEND, Measure.UNPRICED_REQUESTS, Measure.ERRORS, Measure.TOKENS, Measure.DURATION_P95];
  return [ranks[metric], ...shown.filter((m) => m !== ranks[metric])];
}

/** Row is one group as the table has it. */
export interface Row {
  name: string;
  /** Millionths of all, by what ranks; undefined where that says nothing. */
  share: number | undefined;
  requests: bigint;
  /** Undefined: nothing of it is priced. */
  spend: bigint | undefined;
  errors: bigint;
  tokens: bigint;
  latency: bigint | undefined;
  change: Change;
}

/** Change beside the period before, of what ranks. */
export type Change = { kind: "tenths"; tenths: number } | { kind: "new" | "same" | "none" };

export function rowOf(series: MetricSeries, measures: readonly Measure[]): Row {
  const value = (measure: Measure) => series.totals[measures.indexOf(measure)]?.value;
  const [spend, unpriced] = [value(Measure.SPEND) ?? 0n, value(Measure.UNPRICED_REQUESTS) ?? 0n];
  return {
    name: series.group[0] ?? "",
    share: series.sharePpm,
    requests: value(Measure.REQUESTS) ?? 0n,
    spend: spend === 0n && unpriced > 0n ? undefined : spend,
    errors: value(Measure.ERRORS) ?? 0n,
    tokens: value(Measure.TOKENS) ?? 0n,
    latency: value(Measure.DURATION_P95),
    change: changeOf(series.totals[0]?.value, series.previousTotals[0]?.value),
  };
}

/** changeOf is by how much a value grew. */
export function changeOf(now: bigint | undefined, before: bigint | undefined): Change {
  if (now === undefined || before === undefined) return { kind: "none" };
  if (before === 0n) return { kind: now === 0n ? "same" : "new" };
  const tenths = Number(((now - before) * 1000n) / before);
  return tenths === 0 ? { kind: "same" } : { kind: "tenths", tenths };
}

/** requestsOf is the filter of the requests that a group of a period has. */
export function requestsOf({ field }: Dimension, value: string, from: Date, to: Date | undefined): string {
  const since = `${field} = ${JSON.stringify(value)} AND started_at >= "${from.toISOString()}"`;
  return to ? `${since} AND started_at < "${to.toISOString()}"` : since;
}
