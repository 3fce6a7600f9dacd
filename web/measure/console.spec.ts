import type { Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { points, rows, series, stub } from "./stub";
import type { Frames, Timing } from "./timing";
import { part, Watch } from "./timing";

// How fast the console answers a hand, printed as tables. Nothing is asserted of times: they are the machine's, too.

const times = 7;

const printed: string[] = [];
test.afterAll(() => process.stdout.write(`\n${printed.join("\n")}\n\n`));

test.beforeEach(async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
});

/** One interaction, again and again, with what puts it back. */
interface Interaction {
  what: string;
  act: (page: Page, time: number) => Promise<unknown>;
  back?: (page: Page) => Promise<unknown>;
  /** A selector of what it is for, by the time. */
  shows?: (time: number) => string;
}

const interactions: readonly (readonly [path: string, ...Interaction[]])[] = [
  [
    "/requests",
    {
      what: "open the palette",
      act: (page) => page.keyboard.press("Control+k"),
      back: (page) => page.keyboard.press("Escape"),
      shows: () => '[role="dialog"] [role="option"]',
    },
    {
      what: "open a request's drawer",
      act: (page, time) => page.locator(".row-link").nth(time).click(),
      back: (page) => page.keyboard.press("Escape"),
      shows: () => '[role="dialog"] dl',
    },
    {
      what: "change the filter",
      act: async (page, time) => {
        await page.getByRole("textbox", { name: "Filter of requests" }).fill(`status = ${400 + time}`);
        await page.keyboard.press("Enter");
      },
    },
  ],
  ["/requests", { what: "switch the page", act: (page, time) => page.getByRole("navigation").getByRole("link", { name: time % 2 ? "Requests" : "Keys" }).click(), shows: (time) => (time % 2 ? ".table .row-link[href*='request=']" : ".table .row-link[href*='key=']") }],
  ["/", { what: "toggle the theme, a chart on the page", act: (page, time) => page.getByRole("combobox", { name: "Theme" }).press(time % 2 ? "ArrowUp" : "ArrowDown") }],
  ["/reports/query", { what: "type in the editor", act: (page) => page.keyboard.type("SELECT sum(") }],
];

for (const [path, ...all] of interactions) {
  test(all.map(({ what }) => what).join(", "), async ({ page }) => {
    await stub(page);
    const watch = await Watch.on(page);
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0);
    if (path === "/reports/query") await page.locator(".cm-content").click();
    for (const { what, act, back, shows } of all) {
      const found: Timing[] = [];
      for (let i = 0; i < times; i++) {
        found.push(await watch.interaction(() => act(page, i), shows?.(i)));
        await back?.(page);
        if (back) await expect(page.getByRole("dialog")).toHaveCount(0);
      }
      tell(what, found);
    }
  });
}

const statement = (what: string) => `/reports/query?${new URLSearchParams({ sql: what }).toString()}`;
const wide = `-- @chart line x=minute y=${Array.from({ length: series }, (_, s) => `wide${s}`).join(",")}\nSELECT wide`;

test("a chart of many points", async ({ page }) => {
  await stub(page);
  const watch = await Watch.on(page);
  await page.goto(`${statement(wide)}&view=rows`);
  const choice = page.getByRole("group", { name: "Show the result as" });
  await expect(page.getByRole("grid")).toBeVisible({ timeout: 60_000 });
  const found: Timing[] = [];
  for (let i = 0; i < times; i++) {
    found.push(await watch.interaction(() => choice.getByRole("button", { name: "Chart" }).click(), ".chart-canvas canvas"));
    await choice.getByRole("button", { name: "Rows" }).click();
  }
  tell(`draw ${series} series of ${points} points`, found);
  await choice.getByRole("button", { name: "Chart" }).click();
  const canvas = page.locator(".chart-canvas");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  if (!box) throw new Error("the chart is nowhere");
  tellFrames(
    `hover over ${series} series of ${points} points`,
    await watch.movement(120, (i) => page.mouse.move(box.x + 80 + ((box.width - 100) * i) / 120, box.y + 80 + (i % 7))),
  );
  tell("toggle the theme with them", [await watch.interaction(() => page.getByRole("combobox", { name: "Theme" }).press("ArrowDown"))]);
});

test("zooming by brush", async ({ page }) => {
  await stub(page);
  const watch = await Watch.on(page);
  await page.goto("/?range=7d");
  const canvas = page.locator(".chart-canvas canvas");
  await expect(canvas).toBeVisible();
  const box = await canvas.boundingBox();
  if (!box) throw new Error("the chart is nowhere");
  await page.mouse.move(box.x + 200, box.y + 100);
  await page.mouse.down();
  tellFrames(
    "brush over the overview's week",
    await watch.movement(60, (i) => page.mouse.move(box.x + 200 + i * 8, box.y + 100)),
  );
  await page.mouse.up();
  await expect(page.getByRole("link", { name: "Zoom out" })).toBeVisible();
});

test("a long result", async ({ page }) => {
  test.setTimeout(180_000);
  await stub(page);
  const watch = await Watch.on(page);
  await page.goto(`${statement("SELECT * FROM requests")}&view=rows`);
  const grid = page.locator(".grid-scroller");
  await expect(grid).toBeVisible({ timeout: 120_000 });
  await grid.hover();
  tellFrames(`scroll a result of ${rows} rows`, await watch.movement(120, () => page.mouse.wheel(0, 300)));
  tell("go to its end", [await watch.interaction(() => page.getByRole("grid").press("Control+End"), `[aria-rowindex="${rows + 1}"]`)]);
});

test("a long list", async ({ page }) => {
  test.setTimeout(240_000);
  await stub(page, "many");
  const watch = await Watch.on(page);
  await page.goto("/requests?paused=true");
  await expect(page.locator(".row-link").first()).toBeVisible({ timeout: 180_000 });
  await page.mouse.move(800, 500);
  tellFrames(`scroll a list of ${rows} requests`, await watch.movement(120, () => page.mouse.wheel(0, 300)));
  tell("go to its end", [await watch.interaction(() => page.keyboard.press("End"), "tbody:last-of-type .row-link")]);
  tell("open a drawer over it", [await watch.interaction(() => page.locator(".row-link").last().click(), '[role="dialog"] dl')]);
});

function tell(what: string, found: readonly Timing[]) {
  const ms = (of: (number | undefined)[]) => of.map((n) => (n === undefined ? 0 : n));
  const shown = found.every((one) => one.shown === undefined) ? "" : `${range(ms(found.map((one) => one.shown)))} until it is there, `;
  const paint = ms(found.map((one) => one.paint));
  printed.push(`${what}: ${shown}${range(paint)} to the next picture, longest task ${part(found.map((one) => one.longest), 1).toFixed(0)}, processor ${range(found.map((one) => one.cpu))}`);
}

function tellFrames(what: string, { count, p50, p95, worst, longest, cpu }: Frames) {
  printed.push(`${what}: ${count} pictures, ${p50.toFixed(0)} ms apart, p95 ${p95.toFixed(0)}, worst ${worst.toFixed(0)}, longest task ${longest.toFixed(0)}, processor ${cpu.toFixed(1)} a step`);
}

// range is the median and the worst.
function range(of: readonly number[]): string {
  return of.length === 1 ? `${of[0]?.toFixed(0)}` : `${part(of, 0.5).toFixed(0)}/${part(of, 1).toFixed(0)}`;
}
