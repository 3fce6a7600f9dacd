import type { FunctionWord, View } from "./schema";
import { codeOf, parametersOf } from "./statement";

export type SuggestionKind = "view" | "column" | "name" | "function" | "keyword" | "label" | "type" | "parameter";

export interface Suggestion {
  label: string;
  kind: SuggestionKind;
  /** Beside it: a column's type. */
  detail?: string;
  about?: string;
  /** What is written in its place; absent: the label. */
  text?: string;
  /** Where the cursor goes, counted from the end of the text: 1 is before a closing bracket. */
  back?: number;
}

export interface Suggestions {
  /** Where the word begins that they would replace. */
  from: number;
  options: Suggestion[];
}

export interface Vocabulary {
  views: readonly View[];
  functions: readonly FunctionWord[];
  /** Names of labels that requests have. */
  labels: readonly string[];
}

const types = ["String", "Date", "DateTime", "DateTime64(6)", "Int64", "UInt16", "UInt64", "Float64", "Decimal(18, 9)", "Bool", "UUID", "Array(String)"];

export const keywords = (
  "SELECT FROM WHERE GROUP ORDER BY HAVING LIMIT OFFSET WITH AS DISTINCT AND OR NOT IN IS NULL LIKE ILIKE BETWEEN CASE WHEN THEN ELSE END JOIN LEFT INNER FULL CROSS ANY " +
  "ON USING UNION ALL EXCEPT INTERSECT ARRAY ASC DESC NULLS FIRST LAST OVER PARTITION ROWS RANGE PRECEDING FOLLOWING UNBOUNDED CURRENT ROW INTERVAL SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR " +
  "PREWHERE QUALIFY TOTALS ROLLUP CUBE FILL STEP TO TRUE FALSE"
).split(" ");

/** suggest says what may stand at a place of a statement. asked: by the keyboard, not by typing on. */
export function suggest(text: string, at: number, asked: boolean, { views, functions, labels }: Vocabulary): Suggestions | null {
  const raw = text.slice(0, at);
  const label = /(?:\blabels\s*\[\s*|\blabel\s*(?:=|!=|IN\s*\()\s*)'([^'\n]*)$/i.exec(raw);
  if (label) return { from: at - (label[1] ?? "").length, options: labels.map((name) => ({ label: name, kind: "label", detail: "label" })) };
  const code = codeOf(text);
  if (isApart(raw)) return null;
  const before = code.slice(0, at);
  const type = /\{\s*\w+\s*:\s*(\w*)$/.exec(before);
  if (type) return { from: at - (type[1] ?? "").length, options: types.map((name) => ({ label: name, kind: "type" })) };
  const of = /([A-Za-z_]\w*)\.(\w*)$/.exec(before);
  if (of) {
    const view = viewBehind(of[1] ?? "", code, views);
    return view ? { from: at - (of[2] ?? "").length, options: view.columns.map(columnSuggestion) } : null;
  }
  const word = /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
  if (!word && (!asked || /\d$/.test(before))) return null;
  const from = at - word.length;
  if (/\b(?:FROM|JOIN)\s+$/i.test(before.slice(0, from))) return { from, options: [...views.map(viewSuggestion), ...namesIn(code, /\b([A-Za-z_]\w*)\s+AS\s*\(/gi)] };
  const read = views.filter((view) => readsView(code, view.name));
  const known = new Set<string>();
  const columns = read.flatMap((view) => view.columns).filter(({ name }) => !known.has(name) && known.add(name));
  const own = namesIn(code.slice(0, from) + " ".repeat(word.length) + code.slice(at), /\bAS\s+([A-Za-z_]\w*)/gi).filter(({ label }) => !known.has(label));
  const parameters = parametersOf(text).map(({ name, type }): Suggestion => ({ label: `{${name}:${type}}`, kind: "parameter" }));
  return {
    from,
    options: [
      ...columns.map(columnSuggestion),
      ...own,
      ...parameters,
      ...functions.map(functionSuggestion),
      ...views.map(viewSuggestion),
      ...keywords.map((label): Suggestion => ({ label, kind: "keyword" })),
    ],
  };
}

// isApart tells that the text ends within quotes or a comment.
function isApart(raw: string): boolean {
  return codeOf(`${raw}x`).at(-1) !== "x";
}

function columnSuggestion({ name, type, about }: { name: string; type: string; about: string }): Suggestion {
  return { label: name, kind: "column", detail: type, about };
}

function viewSuggestion({ name, about }: View): Suggestion {
  return { label: name, kind: "view", detail: "view", about };
}

function functionSuggestion({ name, about }: FunctionWord): Suggestion {
  return { label: name, kind: "function", detail: "function", about, text: `${name}()`, back: 1 };
}

function namesIn(code: string, pattern: RegExp): Suggestion[] {
  const names = new Set([...code.matchAll(pattern)].map(([, name = ""]) => name).filter((name) => !keywords.includes(name.toUpperCase())));
  return [...names].map((label) => ({ label, kind: "name", detail: "of this statement" }));
}

function readsView(code: string, name: string): boolean {
  return new RegExp(`\\b(?:FROM|JOIN)\\s+${name}\\b`, "i").test(code);
}

// viewBehind is the view that a name before a dot stands for: its own, or an alias.
function viewBehind(name: string, code: string, views: readonly View[]): View | undefined {
  return views.find((view) => view.name === name || new RegExp(`\\b(?:FROM|JOIN)\\s+${view.name}\\s+(?:AS\\s+)?${name}\\b`, "i").test(code));
}
