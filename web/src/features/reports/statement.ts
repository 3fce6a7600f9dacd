// A statement's text is the whole report: lines of comments say with what its parameters
// begin, and how its result is drawn.
//
//   -- @param days = 30
//   -- @chart stacked x=day y=usd by=route

/** Parameter is {name:Type} in a statement. */
export interface Parameter {
  name: string;
  /** ClickHouse's: "Array(String)". */
  type: string;
}

export const marks = ["line", "bar", "stacked"] as const;
export type ChartMark = (typeof marks)[number];

/** ChartChoice says by the names of columns what is drawn. */
export interface ChartChoice {
  mark: ChartMark;
  x: string;
  y: readonly string[];
  /** What makes a series of its own; absent: each of y is one. */
  by?: string | undefined;
}

/** codeOf is the statement with blanks in place of what stands in quotes and comments: each place stays where it is. */
export function codeOf(text: string): string {
  return text.replace(apart, (found) => found.replace(/[^\n]/g, " "));
}

// A line's comment, a block's, and what stands in one of the three quotes; each may lack its end.
const apart = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)|`(?:[^`\\]|\\[\s\S]|``)*(?:`|$)/g;

/** The server's own: it is the time zone of the query. */
const given = "time_zone";

/** parametersOf lists what a statement takes, each name once, in the order in which they stand. */
export function parametersOf(text: string): Parameter[] {
  const found = new Map<string, Parameter>();
  for (const [, name = "", type = ""] of codeOf(text).matchAll(/\{\s*([A-Za-z_]\w*)\s*:\s*([^{}]*?)\s*\}/g)) {
    if (name !== given && type && !found.has(name)) found.set(name, { name, type });
  }
  return [...found.values()];
}

/** beginningsOf are the values that parameters have until somebody gives others. */
export function beginningsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^[ \t]*--[ \t]*@param[ \t]+(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$/gm)].map(([, name = "", value = ""]) => [name, value]));
}

const chartLine = /^[ \t]*--[ \t]*@chart\b(.*)$/m;

/** chartOf is how the statement says that its result is drawn; undefined where it does not say it, or not so that it can be read. */
export function chartOf(text: string): ChartChoice | undefined {
  const said = chartLine.exec(text)?.[1] ?? "";
  const mark = marks.find((m) => m === /^\s*(\w+)/.exec(said)?.[1]);
  const parts = new Map([...said.matchAll(/\b(x|y|by)=((?:"[^"]*"|[^\s,"]+)(?:,(?:"[^"]*"|[^\s,"]+))*)/g)].map(([, key = "", value = ""]) => [key, namesIn(value)]));
  const [x] = parts.get("x") ?? [];
  const y = parts.get("y") ?? [];
  const [by] = parts.get("by") ?? [];
  if (!mark || x === undefined || y.length === 0) return undefined;
  return { mark, x, y, ...(by !== undefined && { by }) };
}

/** withChart writes into the statement how its result is drawn. */
export function withChart(text: string, { mark, x, y, by }: ChartChoice): string {
  const line = `-- @chart ${mark} x=${written(x)} y=${y.map(written).join(",")}${by === undefined ? "" : ` by=${written(by)}`}`;
  return chartLine.test(text) ? text.replace(chartLine, () => line) : `${line}\n${text}`;
}

function namesIn(value: string): string[] {
  return [...value.matchAll(/"([^"]*)"|([^\s,"]+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

function written(name: string): string {
  return /^[^\s,"=]+$/.test(name) ? name : `"${name.replaceAll('"', "")}"`;
}
