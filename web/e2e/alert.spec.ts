import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { logIn } from "./login";

test("an_alert_channel_is_made_tested_and_told_of", async ({ page }, info) => {
  test.slow(); // many steps, on a busy machine
  const name = `hook-${info.project.name}`;
  await logIn(page, "/budgets");
  await page.getByRole("link", { name: "Alerts" }).click();
  await page.getByRole("button", { name: "Channels" }).click();
  await page.getByRole("button", { name: "Create channel" }).click();
  const form = page.getByRole("dialog", { name: "Create channel" });
  await form.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await form.getByLabel("URL of the webhook").fill("https://hooks.invalid/weir");
  await form.getByRole("button", { name: "Create channel" }).click();
  const made = page.getByRole("dialog", { name: "Channel created" });
  await expect(made.getByText(/^whsec_/)).toBeVisible();
  await made.getByRole("button", { name: "I have copied the secret" }).click();

  await page.getByRole("button", { name: `Send test: ${name}` }).click();
  await expect(page.getByText(/no connection/)).toBeVisible();
  await page.getByRole("button", { name: `Raise test alert: ${name}` }).click();
  await expect(page.getByText("Raised: see the deliveries")).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Deliveries" }).click();
  const first = page.getByRole("listitem").filter({ hasText: name }).first();
  await expect(first).toContainText("On its way");
  await first.getByRole("button", { name: "Show alert" }).click();
  const alert = page.getByRole("dialog", { name: "Alert" });
  await expect(alert).toContainText(`Somebody tested the channel ${name}`);
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Channels" }).click();
  await page.getByRole("button", { name: `Delete: ${name}` }).click();
  await page.getByRole("button", { name: "Delete channel" }).click();
  await expect(page.getByRole("rowheader", { name })).toHaveCount(0);
});
