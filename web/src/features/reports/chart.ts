import type { ResultShape } from "../../charts/prepare/result";
import type { Column } from "../../api/statement";
import { isDay, isInstant, isMoney, isNumeric } from "./cell";
import type { ChartChoice } from "./statement";

/** shapeOf finds the columns that a choice names; undefined where the result does not have them. */
export function shapeOf({ mark, x, y, by }: ChartChoice, columns: readonly Column[]): ResultShape | undefined {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const ys = y.map((label) => ({ column: at(label), label }));
  const group = by === undefined ? undefined : at(by);
  if (at(x) < 0 || ys.length === 0 || ys.some(({ column }) => column < 0) || (group !== undefined && group < 0)) return undefined;
  return { mark, x: at(x), axis: axisOf(columns[at(x)]), y: ys, ...(group !== undefined && { by: group }) };
}

function axisOf(column: Column | undefined): ResultShape["axis"] {
  if (!column) return "category";
  if (isDay(column.type)) return "day";
  if (isInstant(column.type)) return "time";
  return isNumeric(column.type) ? "number" : "category";
}

/** guess is what a result most likely wants to show; undefined where it has no numbers. */
export function guess(columns: readonly Column[]): ChartChoice | undefined {
  const time = columns.find(({ type }) => isDay(type) || isInstant(type));
  const texts = columns.filter((column) => !isNumeric(column.type) && !isDay(column.type) && !isInstant(column.type));
  const numbers = columns.filter(({ type }) => isNumeric(type));
  const y = numbers.find(isMoney) ?? numbers[0];
  const x = time ?? texts[0] ?? numbers.find((column) => column !== y);
  if (!x || !y) return undefined;
  // What else a row is of: without it the rows of one place would stand over each other.
  const by = texts.find((column) => column !== x)?.name;
  return { mark: time ? "line" : "bar", x: x.name, y: [y.name], ...(by !== undefined && { by }) };
}
