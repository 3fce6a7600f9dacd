import type { ReactNode } from "react";
import { useCallback, useEffect, useRef, useState } from "react";

const rowsEach = 50;
const groupEach = 1_000;
// Rows are there before they are scrolled to, and bodies for them before that.
const rowsAhead = "1500px 0px";
const bodiesAhead = "20000px 0px";
const usualRowHeight = 35;

interface RowBlocksProps<T> {
  items: readonly T[];
  columns: number;
  /** One row, with a key. */
  children: (item: T) => ReactNode;
}

/**
 * RowBlocks are the rows of a long table in bodies of 50, of which only those near the window are drawn. What is far from
 * it is one body for a thousand rows, since each picture costs a walk over all of them: 100,000 rows are some 150
 * bodies. They are counted from the end, so that a row that comes at the top moves no other.
 */
export function RowBlocks<T>({ items, columns, children }: RowBlocksProps<T>) {
  return partsOf(items, groupEach).map(({ fromEnd, items }, i) => (
    <Group key={fromEnd} items={items} drawn={i === 0} columns={columns}>
      {children}
    </Group>
  ));
}

// partsOf cuts into parts of one length, of which the first has what is left over.
function partsOf<T>(items: readonly T[], each: number): { fromEnd: number; items: readonly T[] }[] {
  const count = Math.ceil(items.length / each);
  return Array.from({ length: count }, (_, i) => {
    const end = items.length - (count - 1 - i) * each;
    return { fromEnd: count - i, items: items.slice(Math.max(0, end - each), end) };
  });
}

interface GroupProps<T> extends RowBlocksProps<T> {
  /** Whether its begin is drawn before it is known where it is. */
  drawn: boolean;
}

function Group<T>({ items, drawn, columns, children }: GroupProps<T>) {
  const [near, setNear] = useState(drawn || !canWatch());
  const [rowHeight, setRowHeight] = useState(usualRowHeight);
  const bodies = useRef(new Map<Body, { rows: number; near: boolean }>());
  // Each of its bodies says whether it is near; once none is, they become one.
  const watchBody = useCallback((body: Body, rows: number) => {
    const all = bodies.current.set(body, { rows, near: true }); // until it says
    const stop = watch(bodiesAhead, body, (entry) => {
      all.set(body, { rows, near: entry.isIntersecting });
      const known = [...all];
      const stays = known.some(([one, { near }]) => near || one.contains(document.activeElement));
      if (!stays) setRowHeight(sum(known, ([one]) => one.getBoundingClientRect().height) / sum(known, ([, { rows }]) => rows));
      setNear(stays);
    });
    return () => {
      stop();
      all.delete(body);
    };
  }, []);
  if (!near) return <Block drawn={false} rows={items.length} rowHeight={rowHeight} columns={columns} watchBody={watchBody} />;
  return partsOf(items, rowsEach).map(({ fromEnd, items }, i) => (
    <Block key={fromEnd} drawn={drawn && i === 0} rows={items.length} rowHeight={rowHeight} columns={columns} watchBody={watchBody}>
      {() => items.map(children)}
    </Block>
  ));
}

type Body = HTMLTableSectionElement;

interface BlockProps {
  /** Whether it is drawn before it is known where it is. */
  drawn: boolean;
  rows: number;
  /** Until it is known. */
  rowHeight: number;
  columns: number;
  watchBody: (body: Body, rows: number) => () => void;
  /** Absent: there are too many rows to draw. */
  children?: () => ReactNode;
}

function Block({ drawn, rows, rowHeight: usual, columns, watchBody, children }: BlockProps) {
  const body = useRef<Body>(null);
  const [near, setNear] = useState(drawn || !canWatch());
  const [rowHeight, setRowHeight] = useState(usual);
  useEffect(() => (body.current ? watchBody(body.current, rows) : undefined), [watchBody, rows]);
  useEffect(() => {
    const watched = body.current;
    if (!watched) return;
    return watch(rowsAhead, watched, (entry) => {
      const stays = entry.isIntersecting || watched.contains(document.activeElement);
      if (!stays && watched.rows.length > 1) setRowHeight(entry.boundingClientRect.height / watched.rows.length);
      setNear(stays);
    });
  }, []);
  return <tbody ref={body}>{near && children ? children() : <Space height={rows * rowHeight} columns={columns} />}</tbody>;
}

function Space({ height, columns }: { height: number; columns: number }) {
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height, padding: 0 }} />
    </tr>
  );
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((all, item) => all + of(item), 0);
}

function canWatch(): boolean {
  return typeof IntersectionObserver !== "undefined";
}

type Tell = (entry: IntersectionObserverEntry) => void;

// One observer for each distance, of all bodies: each of its own costs at every picture.
const observers = new Map<string, { observer: IntersectionObserver; told: Map<Element, Tell> }>();

// watch tells whether an element comes so near to the window or leaves it, until what it returns is called.
function watch(ahead: string, element: Element, tell: Tell): () => void {
  if (!canWatch()) return () => undefined;
  const { observer, told } = observers.get(ahead) ?? newObserver(ahead);
  told.set(element, tell);
  observer.observe(element);
  return () => {
    told.delete(element);
    observer.unobserve(element);
  };
}

function newObserver(ahead: string) {
  const told = new Map<Element, Tell>();
  const observer = new IntersectionObserver((entries) => entries.forEach((entry) => told.get(entry.target)?.(entry)), { rootMargin: ahead });
  observers.set(ahead, { observer, told });
  return { observer, told };
}
