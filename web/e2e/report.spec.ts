import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";

test("a_report_is_written_run_drawn_saved_and_opened_again_by_keyboard_alone", async ({ page }) => {
  test.slow(); // many steps, on a busy machine
  const complaints = collectComplaints(page);
  const name = `spend-${Date.now()}`;
  await logIn(page, "/reports");
  await page.getByRole("link", { name: "New query" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "New query" })).toBeVisible();

  const editor = page.getByRole("textbox", { name: "Statement" });
  await editor.focus();
  await page.keyboard.type("SELECT route, count() AS requests, sum(priced_cost_usd) AS usd FROM requ");
  await complete(page, "requests");
  await page.keyboard.type(" GROUP BY rou");
  await complete(page, "route");
  await page.keyboard.press("Control+Enter");
  const grid = page.getByRole("grid", { name: "Result rows" });
  await expect(grid.getByRole("gridcell", { name: "demo", exact: true })).toBeVisible();
  await expect(grid.getByText(/^\$\d+\.\d{2,9}$/).first()).toBeVisible();

  await page.keyboard.press("Tab");
  await expect(editor).toBeFocused(); // it indented
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Run" })).toBeFocused();
  await expectAccessible(page);

  await tabTo(page, "Chart");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("figure", { name: "Chart of usd" })).toBeVisible();
  await page.getByRole("combobox", { name: "Chart" }).focus();
  await page.keyboard.press("ArrowDown");
  await expect(editor).toContainText("-- @chart stacked x=route y=usd");
  await scanInBoth(page);

  await page.getByRole("button", { name: "Save…" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type(name);
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/reports\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Reports" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Reports" })).toBeVisible();
  await page.getByRole("link", { name }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("figure", { name: "Chart of usd" })).toBeVisible();

  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download CSV" }).focus();
  await page.keyboard.press("Enter");
  const file = await (await download).path();
  expect(await readFile(file, "utf8")).toMatch(/^route,requests,usd\r\n(.*\r\n)*demo,\d+,[\d.]+\r\n/);
  expect(complaints).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test("mistakes_are_marked_conflicts_shown_and_nothing_is_left_unasked", async ({ page, request }) => {
  test.slow();
  const { savedReport } = await callAdmin<{ savedReport: { id: string } }>(request, "SavedReportService/CreateSavedReport", {
    name: `conflict-${Date.now()}`,
    sql: "SELECT count() AS requests FROM requests",
  });
  await logIn(page, `/reports/${savedReport.id}`);
  const editor = page.getByRole("textbox", { name: "Statement" });
  await expect(page.getByRole("grid")).toBeVisible();
  await editor.focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" WHERE coost_usd > 1");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("alert")).toContainText("coost_usd");
  await expect(page.locator(".cm-lintRange-error")).toHaveText("coost_usd");
  await expectAccessible(page);

  // Within the page nothing is lost, and nothing asked: a question would be dismissed, and stay.
  await page.goBack();
  await expect(editor).toHaveText("SELECT count() AS requests FROM requests");
  await page.goForward();
  await expect(editor).toContainText("coost_usd");

  page.once("dialog", (question) => void question.dismiss());
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByText("Not saved.")).toBeVisible();

  await callAdmin(request, "SavedReportService/UpdateSavedReport", { savedReport: { id: savedReport.id, sql: "SELECT 'theirs' AS whose" }, updateMask: "sql" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByLabel("Their statement")).toHaveText("SELECT 'theirs' AS whose");
  await expect(page.getByLabel("Your statement")).toContainText("coost_usd");
  await scanInBoth(page);
  await page.getByRole("button", { name: "Take theirs, lose mine" }).click();
  await expect(editor).toHaveText("SELECT 'theirs' AS whose");

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete report" }).click();
  await expect(page).toHaveURL(/\/reports$/);
});

test("an_example_runs_with_its_parameters_and_a_long_result_is_read_on", async ({ page }) => {
  await logIn(page, "/reports");
  await page.getByRole("link", { name: /^Cost of 1,000 requests/ }).click();
  await expect(page.getByRole("figure", { name: "Chart of usd_per_1000" })).toContainText("demo");
  await page.getByRole("textbox", { name: /^Days/ }).fill("1");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/with=/);
  await expect(page.getByRole("figure")).toContainText("demo");

  await page.goto(`/reports/query?sql=${encodeURIComponent("SELECT number, now() - number AS at FROM numbers(120000)")}`);
  await page.getByRole("button", { name: "Read up to 100,000 rows" }).click();
  const grid = page.getByRole("grid");
  await expect(grid).toHaveAttribute("aria-rowcount", "100001", { timeout: 15_000 });
  await expect(page.getByText(/There are more than the 100,000 rows/)).toBeVisible();
  await grid.focus();
  await page.keyboard.press("Control+End");
  await expect(grid.getByRole("gridcell", { name: "99,999" })).toBeVisible();
  expect(await grid.getByRole("row").count()).toBeLessThan(100);
});

async function complete(page: Page, name: string) {
  await expect(page.getByRole("option", { name: new RegExp(`^${name}`) }).first()).toHaveAttribute("aria-selected", "true");
  await page.waitForTimeout(100); // a list that has just come takes no Enter, lest it take one meant for the text
  await page.keyboard.press("Enter");
  await expect(page.getByRole("listbox")).toHaveCount(0);
}

async function scanInBoth(page: Page) {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page);
  }
}

async function tabTo(page: Page, name: string) {
  const button = page.getByRole("button", { name, exact: true });
  await expect(async () => {
    await page.keyboard.press("Tab");
    await expect(button).toBeFocused({ timeout: 100 });
  }).toPass({ timeout: 5_000, intervals: [0] });
}

// The browser reports what the Content-Security-Policy blocked as an error. The 401 that
// leads to the login page is expected.
function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
  });
  return complaints;
}
