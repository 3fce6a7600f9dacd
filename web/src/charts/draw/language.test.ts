import { afterEach, expect, test, vi } from "vitest";

afterEach(() => Reflect.deleteProperty(navigator, "language"));

test.each(["Canvas", "ResultCanvas"])("%s_loads_where_the_browser_names_no_language", async (canvas) => {
  vi.resetModules();
  Object.defineProperty(navigator, "language", { value: "en-US@posix", configurable: true });
  await import(`./${canvas}.tsx`);
  expect(() => new Intl.NumberFormat(navigator.language)).not.toThrow(); // as uPlot, which is loaded once
});
