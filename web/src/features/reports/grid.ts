// What a long table needs to know without drawing it.

export interface Window {
  /** The first row that is drawn, and the one after the last. */
  first: number;
  end: number;
}

const spare = 8;

/** windowOf is which rows are drawn where a table of rows of one height is scrolled to. */
export function windowOf(scrolled: number, height: number, rowHeight: number, count: number): Window {
  const first = Math.max(0, Math.floor(scrolled / rowHeight) - spare);
  const end = Math.min(count, Math.ceil((scrolled + height) / rowHeight) + spare);
  return { first: Math.min(first, end), end };
}

export interface Place {
  row: number;
  column: number;
}

/** Mark is one cell, and the rows from another one to it. */
export interface Mark extends Place {
  anchor: number;
}

/** rowsOf are the first and the last row of a mark. */
export function rowsOf({ row, anchor }: Mark): [first: number, last: number] {
  return row < anchor ? [row, anchor] : [anchor, row];
}

interface Keys {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

/** moved is where a key leads from a mark; undefined where it leads nowhere. page: how many rows are in sight. */
export function moved(from: Mark, { key, shiftKey, ctrlKey, metaKey }: Keys, rows: number, columns: number, page: number): Mark | undefined {
  const far = ctrlKey || metaKey;
  const to = target(from, key, far, rows, columns, page);
  if (!to) return undefined;
  const row = clamp(to.row, rows);
  return { row, column: clamp(to.column, columns), anchor: shiftKey ? from.anchor : row };
}

function target({ row, column }: Place, key: string, far: boolean, rows: number, columns: number, page: number): Place | undefined {
  switch (key) {
    case "ArrowUp":
      return { row: far ? 0 : row - 1, column };
    case "ArrowDown":
      return { row: far ? rows : row + 1, column };
    case "ArrowLeft":
      return { row, column: far ? 0 : column - 1 };
    case "ArrowRight":
      return { row, column: far ? columns : column + 1 };
    case "PageUp":
      return { row: row - page, column };
    case "PageDown":
      return { row: row + page, column };
    case "Home":
      return { row: far ? 0 : row, column: 0 };
    case "End":
      return { row: far ? rows : row, column: columns };
    default:
      return undefined;
  }
}

function clamp(n: number, count: number): number {
  return Math.max(0, Math.min(count - 1, n));
}

/** tabbed writes rows as spreadsheets take them from the clipboard: a tab or a line break in a value becomes a blank. */
export function tabbed(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map((cell) => cell.replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
}
