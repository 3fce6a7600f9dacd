import { act, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { RowBlocks } from "./RowBlocks";

// Windows says which bodies are near the window.
class Windows {
  static all: { target: Element; tell: IntersectionObserverCallback }[] = [];
  constructor(private tell: IntersectionObserverCallback) {}
  observe(target: Element) {
    Windows.all.push({ target, tell: this.tell });
  }
  unobserve(target: Element) {
    Windows.all = Windows.all.filter((one) => one.target !== target);
  }
}

const table = (count: number) => (
  <table>
    <RowBlocks items={Array.from({ length: count }, (_, i) => i)} columns={1}>
      {(i) => (
        <tr key={i}>
          <td>row {i}</td>
        </tr>
      )}
    </RowBlocks>
  </table>
);

test("a_hundred_thousand_rows_are_mostly_empty_bodies", () => {
  vi.stubGlobal("IntersectionObserver", Windows);
  const { unmount } = render(table(100_000));
  expect(screen.getAllByText(/^row/)).toHaveLength(50);
  expect(document.querySelectorAll("*").length).toBeLessThan(7_000);
  const last = Windows.all.at(-1);
  act(() => last?.tell([{ target: last.target, isIntersecting: true, boundingClientRect: { height: 1_750 } } as IntersectionObserverEntry], null as never));
  expect(screen.getByText("row 99999")).toBeTruthy();
  expect(screen.getAllByText(/^row/)).toHaveLength(100);
  expect(Windows.all).toHaveLength(2_000);
  unmount();
  expect(Windows.all).toEqual([]);
  vi.unstubAllGlobals();
});

test("a_row_that_comes_at_the_top_moves_no_other", () => {
  const { rerender } = render(table(120));
  const bodies = () => [...document.querySelectorAll("tbody")];
  const [, second, third] = bodies();
  rerender(table(121));
  expect(bodies().map((body) => body.rows.length)).toEqual([21, 50, 50]);
  expect(bodies()[1]).toBe(second);
  expect(bodies()[2]).toBe(third);
});
