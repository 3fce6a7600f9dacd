import type { Page } from "@playwright/test";
import { expect } from "@playwright/test";

import { env } from "./env";

/** logIn opens a page of the console as the demo user. */
export async function logIn(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.getByRole("link", { name: "Log in" }).click();
  await page.getByLabel("Email").fill(env("WEIR_DEMO_EMAIL"));
  await page.getByLabel("Password").fill(env("WEIR_DEMO_PASSWORD"));
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
}
