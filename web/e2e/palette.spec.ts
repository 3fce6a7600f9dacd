import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { logIn } from "./login";

test("the_palette_leads_to_a_route_by_keyboard_alone", async ({ page }) => {
  await logIn(page, "/");
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Page, action or name" });
  await expect(field).toBeFocused();
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await expectAccessible(page);
  }
  await page.keyboard.type("demo");
  const route = page.getByRole("option", { name: /^demo\s*Route$/ });
  await expect(route).toBeVisible();
  while ((await route.getAttribute("aria-selected")) !== "true") await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Route" })).toContainText("demo");
  await expect(page).toHaveURL(/\/routing\?route=/);
});

test("single_keys_lead_to_pages_and_can_be_switched_off", async ({ page }) => {
  await logIn(page, "/");
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await expect(page.getByRole("heading", { level: 1, name: "Requests" })).toBeVisible();
  await page.keyboard.press("/");
  await expect(page.getByRole("textbox", { name: "Filter of requests" })).toBeFocused();
  await page.keyboard.type("g?");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expectAccessible(page);
  await list.getByRole("switch").uncheck();
  await page.keyboard.press("Escape");
  await expect(list).toBeHidden();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});
