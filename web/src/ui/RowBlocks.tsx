import type { ReactNode } from "react";
import { useEffect, useRef, useState } from "react";

const rowsEach = 50;
// Rows are there before they are scrolled to.
const ahead = "1500px 0px";

interface RowBlocksProps<T> {
  items: readonly T[];
  columns: number;
  /** One row, with a key. */
  children: (item: T) => ReactNode;
}

/**
 * RowBlocks are the rows of a long table in bodies of 50, of which only those near the window are drawn: 100,000 rows
 * cost 2,000 empty bodies. They are counted from the end, so that a row that comes at the top moves no other.
 */
export function RowBlocks<T>({ items, columns, children }: RowBlocksProps<T>) {
  const first = items.length % rowsEach;
  const blocks = Array.from({ length: Math.ceil(items.length / rowsEach) }, (_, i, all = Math.ceil(items.length / rowsEach)) => {
    const end = first === 0 ? (i + 1) * rowsEach : first + i * rowsEach;
    return { fromEnd: all - i, items: items.slice(Math.max(0, end - rowsEach), end) };
  });
  return blocks.map(({ fromEnd, items }, i) => (
    <Block key={fromEnd} drawn={i === 0} rows={items.length} columns={columns}>
      {() => items.map(children)}
    </Block>
  ));
}

interface BlockProps {
  /** Whether it is drawn before it is known where it is. */
  drawn: boolean;
  rows: number;
  columns: number;
  children: () => ReactNode;
}

const usualRowHeight = 35;

function Block({ drawn, rows, columns, children }: BlockProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [near, setNear] = useState(drawn || typeof IntersectionObserver === "undefined");
  const [rowHeight, setRowHeight] = useState(usualRowHeight);
  useEffect(() => {
    if (typeof IntersectionObserver === "undefined" || !body.current) return;
    const watched = body.current;
    return watch(watched, (entry) => {
      const stays = entry.isIntersecting || watched.contains(document.activeElement);
      if (!stays && watched.rows.length > 1) setRowHeight(entry.boundingClientRect.height / watched.rows.length);
      setNear(stays);
    });
  }, []);
  return (
    <tbody ref={body}>
      {near ? (
        children()
      ) : (
        <tr aria-hidden="true">
          <td colSpan={columns} style={{ height: rows * rowHeight, padding: 0 }} />
        </tr>
      )}
    </tbody>
  );
}

// One observer for all bodies: with one each, thousands of them cost more at every frame than what they are about.
const told = new Map<Element, (entry: IntersectionObserverEntry) => void>();
let observer: IntersectionObserver | undefined;

// watch tells whether an element comes near the window or leaves it, until what it returns is called.
function watch(element: Element, tell: (entry: IntersectionObserverEntry) => void): () => void {
  observer ??= new IntersectionObserver((entries) => entries.forEach((entry) => told.get(entry.target)?.(entry)), { rootMargin: ahead });
  const shared = observer;
  told.set(element, tell);
  shared.observe(element);
  return () => {
    told.delete(element);
    shared.unobserve(element);
  };
}
