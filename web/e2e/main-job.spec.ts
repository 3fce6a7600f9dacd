import type { Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { logIn } from "./login";
import { pages, secondsEach } from "./pages";

// Against a running control plane with at least one request on the route "demo":
// WEIR_URL, WEIR_DEMO_EMAIL, WEIR_DEMO_PASSWORD say where and who.

test("logs_in_and_sees_the_newest_request_and_the_spend", async ({ page }) => {
  const complaints = collectComplaints(page);
  await page.goto("/requests");
  await expect(page.getByRole("heading", { name: "Log in to the console" })).toBeVisible();
  await expectAccessible(page);

  await logIn(page, "/requests");
  await expect(page).toHaveURL(/\/requests$/);
  const newest = page.getByRole("table").getByRole("row").nth(1);
  await expect(newest.getByRole("link", { name: "demo" })).toBeVisible();
  await expect(newest).toContainText(/\$\d+\.\d{2,9}/);

  await newest.getByRole("link", { name: "demo" }).click();
  const drawer = page.getByRole("dialog", { name: "Request" });
  await expect(drawer).toContainText("nano-dollars");
  await expect(drawer).toContainText("Policy version");
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();

  await page.getByRole("link", { name: "Overview" }).click();
  const spend = page.getByRole("term").filter({ hasText: /^Spend$/ });
  await expect(spend.locator("xpath=following-sibling::dd[1]")).toHaveText(/^\$[\d,]+\.\d{2,9}$/);
  await expect(page.getByRole("region", { name: "Breakdown, table" })).toContainText("demo");
  expect(complaints).toEqual([]);
});

test("every_page_is_accessible", async ({ page }) => {
  test.setTimeout(secondsEach * pages.length * 1_000);
  await logIn(page, "/");
  for (const [name, heading] of pages) {
    await page.getByRole("link", { name, exact: true }).click();
    await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
    await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0);
    await expectAccessible(page);
  }
});

test("logs_out_by_keyboard", async ({ page }) => {
  await logIn(page, "/");
  await page.getByRole("button", { name: "Log out" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: "Log in" })).toBeVisible();
  await page.goto("/keys");
  await expect(page.getByRole("link", { name: "Log in" })).toBeVisible();
});

// The browser reports what the Content-Security-Policy blocked as an error. The
// 401 that leads to the login page is expected.
function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
  });
  return complaints;
}
