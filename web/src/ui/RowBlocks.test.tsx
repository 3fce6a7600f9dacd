import { act, render, screen } from "@testing-library/react";
import { expect, onTestFinished, test, vi } from "vitest";

import { RowBlocks } from "./RowBlocks";

// Windows says which bodies are near the window.
class Windows {
  static all: { target: Element; tell: IntersectionObserverCallback }[] = [];
  constructor(private tell: IntersectionObserverCallback) {}
  observe(target: Element) {
    Windows.all.push({ target, tell: this.tell });
  }
  unobserve(target: Element) {
    Windows.all = Windows.all.filter((one) => one.target !== target || one.tell !== this.tell);
  }
}

const place = (isIntersecting: boolean, targets: readonly Element[]) =>
  act(() => {
    for (const { target, tell } of Windows.all.filter(({ target }) => targets.includes(target)))
      tell([{ target, isIntersecting, boundingClientRect: { height: 1_750 } } as IntersectionObserverEntry], null as never);
  });

const bodies = () => [...document.querySelectorAll("tbody")];

const table = (count: number) => (
  <table>
    <RowBlocks items={Array.from({ length: count }, (_, i) => i)} columns={1}>
      {(i) => (
        <tr key={i}>
          <td tabIndex={-1}>row {i}</td>
        </tr>
      )}
    </RowBlocks>
  </table>
);

test("a_hundred_thousand_rows_are_few_bodies", () => {
  vi.stubGlobal("IntersectionObserver", Windows);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { unmount } = render(table(100_000));
  expect(screen.getAllByText(/^row/)).toHaveLength(50);
  expect(bodies()).toHaveLength(119);
  place(true, bodies().slice(-1));
  expect(bodies()).toHaveLength(138);
  expect(screen.getAllByText(/^row/)).toHaveLength(50);
  place(true, bodies().slice(-1));
  expect(screen.getByText("row 99999")).toBeTruthy();
  expect(screen.getAllByText(/^row/)).toHaveLength(100);
  place(false, bodies().slice(0, 19));
  expect(screen.queryByText("row 0")).toBeNull();
  expect(bodies()).toHaveLength(138);
  place(false, bodies().slice(0, 20));
  expect(bodies()).toHaveLength(119);
  unmount();
  expect(Windows.all).toEqual([]);
});

test("what_has_the_focus_stays", () => {
  vi.stubGlobal("IntersectionObserver", Windows);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { unmount } = render(table(3_000));
  screen.getByText("row 7").focus();
  place(false, bodies());
  expect(screen.getByText("row 7")).toBe(document.activeElement);
  unmount();
});

test("a_row_that_comes_at_the_top_moves_no_other", () => {
  const { rerender } = render(table(120));
  const [, second, third] = bodies();
  rerender(table(121));
  expect(bodies().map((body) => body.rows.length)).toEqual([21, 50, 50]);
  expect(bodies()[1]).toBe(second);
  expect(bodies()[2]).toBe(third);
});
