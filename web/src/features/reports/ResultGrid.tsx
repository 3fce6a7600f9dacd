import type { KeyboardEvent, MouseEvent } from "react";
import { memo, useId, useLayoutEffect, useMemo, useRef, useState } from "react";

import type { Cell, Column } from "../../api/statement";
import { formatCount } from "../../format/number";
import { Said } from "../../ui/Said";
import { cellText, isNumeric, showerOf } from "./cell";
import type { Mark } from "./grid";
import { moved, rowsOf, tabbed, windowOf } from "./grid";

const rowHeight = 30;
const headHeight = 31;

interface ResultGridProps {
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  zone: string;
}

/**
 * ResultGrid shows all rows by drawing those in sight. One cell is marked: arrows move it, with Shift they choose
 * rows, and Control and C copies.
 */
export function ResultGrid({ columns, rows, zone }: ResultGridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [scrolled, setScrolled] = useState(0);
  const [height, setHeight] = useState(480);
  const [mark, setMark] = useState<Mark>();
  const [said, setSaid] = useState("");
  const id = useId();
  const showers = useMemo(() => columns.map((column) => showerOf(column, zone)), [columns, zone]);
  const widths = useMemo(() => columns.map((column, i) => widthOf(column, rows, i, showers[i])), [columns, rows, showers]);
  const { first, end } = windowOf(scrolled, height, rowHeight, rows.length);
  const [from, to] = mark ? rowsOf(mark) : [-1, -1];

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setHeight(element.clientHeight || 480);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const reveal = ({ row }: Mark) => {
    const element = scroller.current;
    if (!element) return;
    const top = row * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight - headHeight) element.scrollTop = top + rowHeight + headHeight - element.clientHeight;
    setScrolled(stepOf(element.scrollTop));
  };
  const copy = async (text: string, what: string) => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(`${what} copied`);
    } catch {
      setSaid("The browser does not allow copying");
    }
  };
  const rowsAsText = (part: readonly (readonly Cell[])[]) => tabbed([columns.map(({ name }) => name), ...part.map((row) => row.map(cellText))]);
  const copyMark = (marked: Mark) => {
    const [begin, last] = rowsOf(marked);
    if (begin === last) void copy(cellText(rows[marked.row]?.[marked.column] ?? null), "Value");
    else void copy(rowsAsText(rows.slice(begin, last + 1)), `${formatCount(last - begin + 1)} rows`);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (rows.length === 0) return;
    const now = mark ?? { row: 0, column: 0, anchor: 0 };
    if (event.key.toLowerCase() === "c" && (event.ctrlKey || event.metaKey)) {
      if (window.getSelection()?.isCollapsed === false) return; // what is chosen by hand goes first
      event.preventDefault();
      copyMark(now);
      return;
    }
    const page = Math.max(1, Math.floor((height - headHeight) / rowHeight) - 1);
    const next = moved(now, event, rows.length, columns.length, page);
    if (!next) return;
    event.preventDefault();
    setMark(next);
    reveal(next);
    document.getElementById(cellId(id, next.row, next.column))?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  const onMouseDown = (event: MouseEvent) => {
    const cell = event.target instanceof Element ? event.target.closest("td") : null;
    const [row, column] = (cell?.dataset.at ?? "").split(",").map(Number);
    if (row === undefined || column === undefined || event.button !== 0) return;
    setMark((was) => ({ row, column, anchor: event.shiftKey && was ? was.anchor : row }));
    if (event.shiftKey) event.preventDefault(); // chooses rows, not text
  };

  return (
    <>
      <div
        ref={scroller}
        className="grid-scroller"
        onScroll={(event) => setScrolled(stepOf(event.currentTarget.scrollTop))}
      >
        <table
          role="grid"
          className="grid"
          style={{ width: `max(100%, ${widths.reduce((sum, width) => sum + width, 0)}ch)` }}
          aria-label="Result rows"
          aria-describedby={`${id}-keys`}
          aria-rowcount={rows.length + 1}
          aria-colcount={columns.length}
          aria-activedescendant={mark && mark.row >= first && mark.row < end ? cellId(id, mark.row, mark.column) : undefined}
          tabIndex={0}
          onKeyDown={onKeyDown}
          onFocus={() => setMark((was) => was ?? (rows.length > 0 ? { row: 0, column: 0, anchor: 0 } : undefined))}
        >
          <colgroup>
            {widths.map((width, i) => (
              <col key={i} style={{ width: `${width}ch` }} />
            ))}
            <col />
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map((column, i) => (
                <th key={i} scope="col" className={align(column)} title={`${column.name}: ${column.type}`}>
                  {column.name}
                </th>
              ))}
              <td aria-hidden="true" className="grid-rest" />
            </tr>
          </thead>
          <tbody onMouseDown={onMouseDown}>
            <Gap rows={first} />
            {rows.slice(first, end).map((row, i) => {
              const index = first + i;
              return (
                <Row
                  key={index}
                  id={id}
                  index={index}
                  row={row}
                  columns={columns}
                  showers={showers}
                  marked={mark?.row === index ? mark.column : undefined}
                  chosen={index >= from && index <= to && from !== to}
                />
              );
            })}
            <Gap rows={rows.length - end} />
          </tbody>
        </table>
      </div>
      <div className="grid-foot">
        <span id={`${id}-keys`} className="muted wide-only">
          Arrows move, Shift and arrows choose rows, Control and C copies.
        </span>
        <span className="muted" role="status">
          {said}
        </span>
        {mark && (
          <button type="button" className="button button-small" onClick={() => copyMark(mark)}>
            {from === to ? "Copy value" : `Copy ${formatCount(to - from + 1)} rows`}
          </button>
        )}
        <button type="button" className="button button-small" onClick={() => void copy(rowsAsText(rows), `${formatCount(rows.length)} rows`)}>
          Copy all {formatCount(rows.length)} rows
        </button>
      </div>
    </>
  );
}

// A scroll of a few rows draws nothing anew: there are spare ones.
function stepOf(scrolled: number): number {
  const step = 4 * rowHeight;
  return Math.floor(scrolled / step) * step;
}

interface RowProps {
  id: string;
  index: number;
  row: readonly Cell[];
  columns: readonly Column[];
  showers: readonly ReturnType<typeof showerOf>[];
  /** Column of the mark, where it is in this row. */
  marked: number | undefined;
  chosen: boolean;
}

const Row = memo(function Row({ id, index, row, columns, showers, marked, chosen }: RowProps) {
  return (
    <tr aria-rowindex={index + 2} aria-selected={chosen || undefined}>
      {columns.map((column, j) => (
        <td key={j} role="gridcell" id={cellId(id, index, j)} data-at={`${index},${j}`} className={`${align(column) ?? ""} ${marked === j ? "grid-mark" : ""}`}>
          <Value value={row[j] ?? null} show={showers[j]} />
        </td>
      ))}
      <td aria-hidden="true" className="grid-rest" />
    </tr>
  );
});

function cellId(id: string, row: number, column: number): string {
  return `${id}-${row}-${column}`;
}

// Gap stands for rows that are out of sight.
function Gap({ rows }: { rows: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true" className="grid-gap">
      <td style={{ height: `${rows * rowHeight}px` }} />
    </tr>
  );
}

function Value({ value, show }: { value: Cell; show: ReturnType<typeof showerOf> | undefined }) {
  if (value === null) return <span className="muted">null</span>;
  const { text, hint } = show?.(value) ?? { text: cellText(value) };
  return <span title={hint ?? (text.length > 5 ? text : undefined)}>{typeof value === "string" ? <Said text={text} /> : text}</span>;
}

function align(column: Column | undefined): string | undefined {
  return column && isNumeric(column.type) ? "num" : undefined;
}

const measured = 200;

// widthOf is as wide as values from everywhere are, within bounds, in widths of a digit.
function widthOf(column: Column, rows: readonly (readonly Cell[])[], i: number, show: ReturnType<typeof showerOf> | undefined): number {
  const step = Math.max(1, (rows.length - 1) / (measured - 1));
  const lengths = Array.from({ length: Math.min(measured, rows.length) }, (_, n) => {
    const value = rows[Math.round(n * step)]?.[i] ?? null;
    return value === null ? 4 : (show?.(value) ?? { text: cellText(value) }).text.length;
  });
  const widest = Math.max(1.15 * column.name.length, ...lengths); // heads are bolder
  return Math.ceil(Math.min(44, Math.max(6, widest))) + 4;
}
