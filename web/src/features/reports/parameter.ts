import type { Parameter } from "./statement";

export type Kind = "date" | "time" | "integer" | "number" | "flag" | "list" | "text";

/** kindOf tells what a field for a parameter takes. */
export function kindOf(type: string): Kind {
  const bare = bareType(type);
  if (/^Array\(/.test(bare)) return "list";
  if (/^DateTime/.test(bare)) return "time";
  if (/^Date/.test(bare)) return "date";
  if (/^U?Int/.test(bare)) return "integer";
  if (/^(Float|BFloat|Decimal)/.test(bare)) return "number";
  return bare === "Bool" ? "flag" : "text";
}

// Nullable and LowCardinality say nothing about what is typed.
function bareType(type: string): string {
  const inner = /^(?:Nullable|LowCardinality)\((.*)\)$/.exec(type.trim())?.[1];
  return inner === undefined ? type.trim() : bareType(inner);
}

const shapes: Partial<Record<Kind, [RegExp, string]>> = {
  date: [/^\d{4}-\d{2}-\d{2}$/, "a day, as in 2026-11-30"],
  time: [/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/, "a time, as in 2026-11-30 14:00:00"],
  integer: [/^[+-]?\d+$/, "a whole number"],
  number: [/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/, "a number"],
  flag: [/^(true|false)$/, "true or false"],
};

/** problemOf says what is wrong with a parameter's value; undefined where nothing is. */
export function problemOf({ type }: Parameter, value: string | undefined): string | undefined {
  const kind = kindOf(type);
  if (kind === "text" || kind === "list") return value === undefined ? "Give it a value." : undefined;
  if (value === undefined || value.trim() === "") return "Give it a value.";
  const shape = shapes[kind];
  if (shape && !shape[0].test(value.trim())) return `This has to be ${shape[1]}.`;
  return undefined;
}

/** wireText is a value as ClickHouse reads it. Elements of lists stand between commas. */
export function wireText({ type }: Parameter, value: string): string {
  const kind = kindOf(type);
  if (kind === "text") return value;
  if (kind === "time") return value.trim().replace("T", " ").replace(/ \d{2}:\d{2}$/, "$&:00");
  if (kind !== "list") return value.trim();
  const element = kindOf(bareType(type).slice("Array(".length, -1));
  const parts = value.split(",").map((part) => part.trim());
  const bare = element === "integer" || element === "number" || element === "flag";
  return `[${parts
    .filter((part) => part !== "")
    .map((part) => (bare ? part : `'${part.replace(/[\\']/g, "\\$&")}'`))
    .join(",")}]`;
}

/** wordsOf makes a field's label of a parameter's name: "since_day" is "Since day". */
export function wordsOf(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
