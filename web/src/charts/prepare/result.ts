// Prepares the result of any statement for a chart: which values lie where, in which series.

export type ResultMark = "line" | "bar" | "stacked";

/** ResultShape says by the positions of columns what is drawn. */
export interface ResultShape {
  mark: ResultMark;
  x: number;
  /** What x is: days and times lie on a clock, numbers on a line, everything else side by side. */
  axis: "day" | "time" | "number" | "category";
  y: readonly { column: number; label: string }[];
  /** What makes a series of its own; absent: each of y is one. */
  by?: number | undefined;
}

export interface ResultSeries {
  label: string;
  /** One for each place; null where there is nothing. */
  values: (number | null)[];
  /** The same as they came. */
  exact: (string | null)[];
}

export interface ResultData {
  axis: ResultShape["axis"];
  /** Places on the axis: milliseconds, numbers, or 0, 1, 2 of categories. */
  xs: number[];
  /** What x is at each place, as it came. */
  names: string[];
  series: ResultSeries[];
  /** What the picture does not say, in words. */
  notes: string[];
}

/** Colours and dashes are told apart up to as many. */
export const mostSeries = 8;
const mostPlaces = 20_000;

type Row = readonly unknown[];

/** prepareResult lays rows out by a shape. What does not fit is said in notes, not left out in silence. */
export function prepareResult(rows: readonly Row[], shape: ResultShape): ResultData {
  const notes: string[] = [];
  const places = placesOf(rows, shape, notes);
  const at = new Map(places.map(({ name }, i) => [name, i]));
  const found = new Map<string, ResultSeries>();
  let doubled = 0;
  for (const row of rows) {
    const place = at.get(nameOf(row[shape.x]));
    if (place === undefined) continue;
    for (const { column, label } of shape.y) {
      const series = seriesFor(found, labelOf(row, shape, label), places.length);
      const value = row[column];
      if (series.exact[place] !== null && series.exact[place] !== undefined) doubled++;
      series.values[place] = numberOf(value);
      series.exact[place] = value === null || value === undefined ? null : nameOf(value);
    }
  }
  if (doubled > 0) notes.push("Several rows are of the same point and series: the last one is drawn. Group by what is drawn.");
  return { axis: shape.axis, xs: places.map(({ x }) => x), names: places.map(({ name }) => name), series: largest([...found.values()], notes), notes };
}

interface Placed {
  name: string;
  x: number;
}

function placesOf(rows: readonly Row[], { x, axis }: ResultShape, notes: string[]): Placed[] {
  const names = [...new Set(rows.map((row) => nameOf(row[x])))];
  if (axis === "category") return limited(names, notes).map((name, i) => ({ name, x: i }));
  const read = names.map((name) => ({ name, x: axis === "number" ? Number(name === "" ? NaN : name) : Date.parse(name) }));
  const known = read.filter((place) => Number.isFinite(place.x)).sort((a, b) => a.x - b.x);
  if (known.length < read.length) notes.push(`${read.length - known.length} values of the axis are no ${axis === "number" ? "numbers" : "times"} and are left out.`);
  return limited(known, notes);
}

function limited<T>(places: T[], notes: string[]): T[] {
  if (places.length <= mostPlaces) return places;
  notes.push(`Only the first ${mostPlaces} points are drawn.`);
  return places.slice(0, mostPlaces);
}

function labelOf(row: Row, { by, y }: ResultShape, label: string): string {
  if (by === undefined) return label;
  const group = nameOf(row[by]) || "(empty)";
  return y.length > 1 ? `${group}, ${label}` : group;
}

function seriesFor(found: Map<string, ResultSeries>, label: string, length: number): ResultSeries {
  const series = found.get(label) ?? { label, values: Array<number | null>(length).fill(null), exact: Array<string | null>(length).fill(null) };
  found.set(label, series);
  return series;
}

// largest keeps the series with the most in them, in the order in which they came.
function largest(series: ResultSeries[], notes: string[]): ResultSeries[] {
  if (series.length <= mostSeries) return series;
  const size = ({ values }: ResultSeries) => values.reduce<number>((sum, value) => sum + Math.abs(value ?? 0), 0);
  const kept = new Set([...series].sort((a, b) => size(b) - size(a)).slice(0, mostSeries));
  notes.push(`The ${mostSeries} largest of ${series.length} series are drawn; the rows have all.`);
  return series.filter((one) => kept.has(one));
}

/** stacked puts each series on those before it: its upper edge. Missing adds nothing, and negative values can't be stacked. */
export function stacked(series: readonly ResultSeries[]): (number | null)[][] {
  const length = series[0]?.values.length ?? 0;
  const sums = Array<number>(length).fill(0);
  return series.map(({ values }) =>
    values.map((value, i) => {
      if (value === null) return null;
      sums[i] = (sums[i] ?? 0) + value;
      return sums[i];
    }),
  );
}

export function hasNegative(series: readonly ResultSeries[]): boolean {
  return series.some(({ values }) => values.some((value) => value !== null && value < 0));
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function numberOf(value: unknown): number | null {
  if (value === null || value === undefined || value === "") return null;
  const n = Number(value);
  return Number.isFinite(n) ? n : null;
}
