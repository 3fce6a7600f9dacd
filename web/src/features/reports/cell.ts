/** cellText writes one JSON value of a result; null is the caller's to show. */
export function cellText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

const numeric = /^(Nullable\(|LowCardinality\()*(U?Int|Float|Decimal|BFloat)/;

/** isNumeric tells by ClickHouse type whether a column aligns to the right. */
export function isNumeric(type: string): boolean {
  return numeric.test(type);
}
