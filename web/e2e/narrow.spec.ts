import type { Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { logIn } from "./login";
import { pages, secondsEach } from "./pages";

// A phone held upright.
test.use({ viewport: { width: 390, height: 844 } });

test("every_page_is_within_reach_and_within_the_width", async ({ page }) => {
  test.setTimeout(secondsEach * pages.length * 1_000);
  await logIn(page, "/");
  for (const [name, heading] of pages) {
    const link = page.getByRole("link", { name, exact: true });
    await expect(link).toBeInViewport({ ratio: 1 });
    await link.click();
    await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
    await expectFits(page);
  }
});

test("pages_behind_the_lists_fit_the_width", async ({ page }) => {
  await logIn(page, "/agents");
  await page.getByRole("link", { name: /^Rollout of/ }).first().click();
  await expect(page.getByRole("heading", { name: "Rollouts until now" })).toBeVisible();
  await expectFits(page);
  await page.getByRole("rowheader").getByRole("link").first().click();
  await expect(page.getByRole("dialog", { name: "Agent" }).getByRole("heading", { name: "Release" })).toBeVisible();
  await expectFits(page);
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Routes", exact: true }).click();
  await page.getByRole("region", { name: "Providers", exact: true }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Credential at the agents" })).toBeVisible();
  await expectFits(page);
  await page.getByRole("link", { name: "Routes and providers" }).click();
  await page.getByRole("link", { name: "Dry run" }).click();
  await page.getByLabel("Model, as the request writes it").fill("demo");
  await page.getByRole("button", { name: "Run dry" }).click();
  await expect(page.getByRole("heading", { name: "Answered by" })).toBeVisible({ timeout: 15_000 });
  await expectFits(page);
});

test("prices_fit_the_width", async ({ page }) => {
  await logIn(page, "/prices?q=gpt-4o-mini");
  await expectFits(page);
  await page.getByRole("region", { name: "Price list, table" }).getByRole("link", { name: "gpt-4o-mini", exact: true }).click();
  const drawer = page.getByRole("dialog", { name: "Price", exact: true });
  await drawer.getByRole("button", { name: "Set a price of your own" }).click();
  await expect(page.getByRole("dialog", { name: "Set a price of your own" })).toBeVisible();
  await expectFits(page);
});

test("a_request_shows_its_model_tokens_and_latency", async ({ page }) => {
  await logIn(page, "/requests");
  const demo = page.getByRole("row").filter({ has: page.getByRole("link", { name: "demo" }) }).first();
  await expect(demo.getByText("gpt-4o-mini").filter({ visible: true })).toBeInViewport();
  await expect(demo.getByText(/^\d+ in, \d+ out$/)).toBeInViewport({ ratio: 1 });
  await expect(demo.getByText(/^[\d.]+ (µs|ms|s)$/).filter({ visible: true })).toBeInViewport({ ratio: 1 });
});

async function expectFits(page: Page) {
  await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0);
  expect(await overflowing(page)).toEqual([]);
  await expectAccessible(page);
}

// A result of SQL is as wide as it is asked to be; the page and its own tables fit.
function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll(".scroller")]
      .filter((e) => e.scrollWidth > e.clientWidth)
      .map((e) => e.getAttribute("aria-label") ?? e.tagName),
  );
}
