import { codeOf } from "./statement";

export interface Position {
  /** Both count from 1. */
  line: number;
  column: number;
}

/** Span is a part of a text by its indices. */
export interface Span {
  from: number;
  to: number;
}

const named = /\(line (\d+), col (\d+)\)/;
const quoted = /(?:identifier|function|column|table|expression|name)s?:? [`'"]([\w.]+)[`'"]/i;

/** positionIn finds where in the statement ClickHouse says that it stopped understanding. */
export function positionIn(message: string): Position | undefined {
  const found = named.exec(message);
  return found ? { line: Number(found[1]), column: Number(found[2]) } : undefined;
}

/** offsetOf is a position as an index into the text, within its bounds. */
export function offsetOf(text: string, { line, column }: Position): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
  return Math.max(0, Math.min(text.length, before + column - 1));
}

/** positionAt is an index into the text as a position. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** spanOf is the part of a statement that a complaint is about: where it says so, or else the name that it quotes. */
export function spanOf(message: string, text: string): Span | undefined {
  const position = positionIn(message);
  if (position) {
    const from = offsetOf(text, position);
    return { from, to: from + (/^(\w+|[^\s\w])/.exec(text.slice(from))?.[0].length ?? 0) };
  }
  const name = quoted.exec(message)?.[1];
  if (name === undefined) return undefined;
  const from = codeOf(text).search(new RegExp(`(?<![\\w.])${name.replaceAll(".", "\\.")}(?!\\w)`));
  return from < 0 ? undefined : { from, to: from + name.length };
}

/** pointAt is the line with a mark under the position, for a fixed-width font. */
export function pointAt(text: string, { line, column }: Position): string {
  const row = text.split("\n")[line - 1] ?? "";
  return `${row}\n${row.slice(0, column - 1).replace(/[^\t]/g, " ").padEnd(column - 1)}^`;
}
