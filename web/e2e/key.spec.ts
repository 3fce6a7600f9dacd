import type { Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { logIn } from "./login";

test("a_new_key_is_held_until_it_is_copied_by_keyboard_alone", async ({ page }, info) => {
  const name = `console-${info.project.name}-${Date.now()}`;
  await logIn(page, "/keys");
  await page.getByRole("button", { name: "Create key" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Name")).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");

  const dialog = page.getByRole("dialog", { name: "Key created" });
  await expect(dialog.getByText(/^weir_\w+$/)).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  page.once("dialog", (question) => void question.dismiss());
  await page.goBack();
  await expect(dialog).toBeVisible();

  await tabTo(page, "I have copied the key");
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();

  await page.getByRole("button", { name: `Revoke ${name}` }).focus();
  await page.keyboard.press("Enter");
  await tabTo(page, "Revoke key");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Key" }).getByText("Revoked", { exact: true }).first()).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("row").filter({ hasText: name })).toContainText("Revoked");
});

async function tabTo(page: Page, name: string) {
  const button = page.getByRole("button", { name });
  await expect(async () => {
    await page.keyboard.press("Tab");
    await expect(button).toBeFocused({ timeout: 100 });
  }).toPass({ timeout: 5_000, intervals: [0] });
}
