import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { env } from "./env";
import { logIn } from "./login";

test("a_session_that_ends_in_the_middle_comes_back_to_the_same_place", async ({ page, context }) => {
  const path = `/requests?filter=${encodeURIComponent('route = "demo"')}&paused=true`;
  await logIn(page, path);
  await expect(page.getByRole("textbox", { name: "Filter of requests" })).toHaveValue('route = "demo"');
  const before = new URL(page.url()).search;
  await context.clearCookies();
  await page.getByRole("button", { name: "Resume" }).click(); // asks, and finds the session gone
  const link = page.getByRole("link", { name: "Log in" });
  await expect(link).toBeVisible();
  const asked = new URL(page.url()).search;
  expect(asked).not.toBe(before);
  await link.click();
  await page.getByLabel("Email").fill(env("WEIR_DEMO_EMAIL"));
  await page.getByLabel("Password").fill(env("WEIR_DEMO_PASSWORD"));
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  expect(new URL(page.url()).search).toBe(asked);
});

test("a_lost_connection_is_seen_and_heals", async ({ page }) => {
  await page.route("**/*TailRequests", (route) => route.abort("connectionreset"));
  await logIn(page, "/requests");
  await expect(page.getByText("Connection lost, trying again")).toBeVisible();
  await expect(page.getByRole("link", { name: "demo" }).first()).toBeVisible();
  await expectAccessible(page);
  await page.unroute("**/*TailRequests");
  await expect(page.getByText(/Live$/)).toBeVisible({ timeout: 20_000 });
});
