import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";

interface Made {
  priceOverride: { id: string };
}

// A list of its own, so that no other test's requests cost anything else.
test("own_prices_are_listed_and_pricing_anew_is_dry_first", async ({ page, request }, info) => {
  const priceList = `own-${info.project.name}`;
  const made = await callAdmin<Made>(request, "PriceOverrideService/CreatePriceOverride", { priceList, model: "house-model", rates: { input: "1.25", output: "10" } });
  await logIn(page, "/budgets");
  await page.getByRole("link", { name: "Prices" }).click();
  const row = page.getByRole("region", { name: "Prices, table" }).getByRole("row").filter({ hasText: priceList });
  await expect(row).toContainText("In$1.25Out$10");
  await expectAccessible(page);

  await page.getByRole("button", { name: "Price usage anew" }).click();
  const dialog = page.getByRole("dialog", { name: "Price usage anew" });
  await dialog.getByLabel("Model (optional)").fill("nobody-used-it");
  await dialog.getByLabel(/^Reason/).fill("to see what it would come to");
  await dialog.getByRole("button", { name: "Run dry" }).click();
  await expect(dialog.getByText("No usage of that time was found.")).toBeVisible({ timeout: 10_000 });
  await expect(dialog.getByRole("button", { name: "Apply these differences" })).toBeDisabled();
  await dialog.getByLabel("Model (optional)").fill("gpt-4o-mini");
  await dialog.getByRole("button", { name: "Run dry" }).click();
  await expect(dialog.getByRole("region", { name: "Differences, table" })).toContainText("gpt-4o-mini at mock", { timeout: 10_000 });
  await expectAccessible(page);
  await callAdmin(request, "PriceOverrideService/DeletePriceOverride", { id: made.priceOverride.id });
});
