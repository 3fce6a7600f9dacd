export interface Position {
  /** Both count from 1. */
  line: number;
  column: number;
}

const named = /\(line (\d+), col (\d+)\)/;

/** positionIn finds where in the statement ClickHouse says that it stopped understanding. */
export function positionIn(message: string): Position | undefined {
  const found = named.exec(message);
  return found ? { line: Number(found[1]), column: Number(found[2]) } : undefined;
}

/** offsetOf is a position as an index into the text, within its bounds. */
export function offsetOf(text: string, { line, column }: Position): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
  return Math.min(text.length, before + column - 1);
}

/** pointAt is the line with a mark under the position, for a fixed-width font. */
export function pointAt(text: string, { line, column }: Position): string {
  const row = text.split("\n")[line - 1] ?? "";
  return `${row}\n${row.slice(0, column - 1).replace(/[^\t]/g, " ").padEnd(column - 1)}^`;
}
