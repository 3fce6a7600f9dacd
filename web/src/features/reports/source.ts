import type { SavedReport } from "../../api/savedReport";
import type { Statement } from "../../api/statement";
import { problemOf, wireText } from "./parameter";
import { beginningsOf, parametersOf } from "./statement";

/** Source is what a statement on the page began as. */
export type Source = { kind: "free" } | { kind: "example"; title: string; about: string; sql: string } | { kind: "report"; report: SavedReport };

export function sqlOf(source: Source): string {
  switch (source.kind) {
    case "free":
      return "";
    case "example":
      return source.sql;
    case "report":
      return source.report.sql;
  }
}

/**
 * isUnsaved tells that a text would be lost with the page. What ran is in the address, and
 * so in the browser's history; of a saved report only what is saved is safe.
 */
export function isUnsaved(source: Source, draft: string, ran: string): boolean {
  if (draft === sqlOf(source)) return false;
  return source.kind === "report" || (draft.trim() !== "" && draft !== ran);
}

/** statementOf is a text with its values as it runs; undefined where a value is missing or wrong. */
export function statementOf(sql: string, values: Readonly<Record<string, string>>, timeZone: string): Statement | undefined {
  if (sql.trim() === "") return undefined;
  const all = { ...beginningsOf(sql), ...values };
  const parameters = parametersOf(sql);
  if (parameters.some((parameter) => problemOf(parameter, all[parameter.name]))) return undefined;
  return { sql, parameters: Object.fromEntries(parameters.map((p) => [p.name, wireText(p, all[p.name] ?? "")])), timeZone };
}

/** changedFrom are the values that a statement does not begin with, of what it takes. */
export function changedFrom(sql: string, values: Readonly<Record<string, string>>): Record<string, string> {
  const begins = beginningsOf(sql);
  return Object.fromEntries(parametersOf(sql).flatMap(({ name }) => (values[name] === undefined || values[name] === begins[name] ? [] : [[name, values[name]]])));
}
