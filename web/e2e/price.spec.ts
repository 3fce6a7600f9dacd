import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";
import { secondsEach } from "./pages";

interface Made {
  priceOverride: { id: string };
}

// A list of its own, so that no other test's requests cost anything else.
test("own_prices_are_listed_and_pricing_anew_is_dry_first", async ({ page, request }, info) => {
  const priceList = `own-${info.project.name}`;
  const made = await callAdmin<Made>(request, "PriceOverrideService/CreatePriceOverride", { priceList, model: "house-model", rates: { input: "1.25", output: "10" } });
  await logIn(page, "/budgets");
  await page.getByRole("link", { name: "Prices" }).click();
  await page.getByRole("button", { name: "Your own prices" }).click();
  const row = page.getByRole("region", { name: "Prices, table" }).getByRole("row").filter({ hasText: priceList });
  await expect(row).toContainText("Input$1.25Output$10.00");
  await expectAccessible(page);

  await page.getByRole("button", { name: "Priced anew" }).click();
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

test("a_price_is_found_set_changed_and_deleted", async ({ page }) => {
  test.setTimeout(4 * secondsEach * 1_000);
  const model = `own-model-${Date.now()}`;
  await logIn(page, "/prices");
  await page.getByRole("searchbox", { name: "Model or price list" }).fill("openai/gpt-4o-mini");
  await expect(page).toHaveURL(/q=openai/);
  await page.getByRole("region", { name: "Price list, table" }).getByRole("link", { name: "gpt-4o-mini", exact: true }).click();
  const drawer = page.getByRole("dialog", { name: "Price", exact: true });
  // 1,000 × $0.15 and 500 × $0.60 a million
  await expect(drawer.getByText("$0.00045", { exact: true })).toBeVisible();
  await expect(drawer.getByRole("region", { name: "Why this price" })).toContainText("The built-in book");
  await expectAccessible(page);

  await drawer.getByRole("button", { name: "Set a price of your own" }).click();
  const dialog = page.getByRole("dialog", { name: "Set a price of your own" });
  const rates = { name: "Dollars per million tokens", exact: true }; // tiers have theirs in groups of their own
  await dialog.getByRole("group", rates).getByLabel("Input").fill("0.1234567");
  await expect(dialog.getByText("Dollars, six decimals at most: 1.25.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Set price" })).toBeDisabled();
  await dialog.getByRole("group", rates).getByLabel("Input").fill("0.30");
  await dialog.getByRole("button", { name: "What would the last 7 days have cost?" }).click();
  await expect(dialog.getByRole("region", { name: "Differences, table" })).toContainText("gpt-4o-mini at mock", { timeout: 10_000 });
  await expectAccessible(page);
  // For a model that nobody uses, so that no other test's requests cost anything else.
  await dialog.getByLabel("Model", { exact: true }).fill(model);
  await dialog.getByRole("button", { name: "Set price" }).click();
  await expect(dialog).toBeHidden();
  await page.keyboard.press("Escape");

  await page.getByRole("searchbox", { name: "Model or price list" }).fill(model);
  await page.getByRole("region", { name: "Price list, table" }).getByRole("link", { name: model }).click();
  await drawer.getByRole("button", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: `Change your price of ${model}` });
  await change.getByRole("group", rates).getByLabel("Output").fill("$1,234.5");
  await change.getByRole("button", { name: "Save price" }).click();
  await expect(drawer.getByRole("region", { name: "Rates, table" })).toContainText("$1,234.50");
  await drawer.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete price" }).click();
  await expect(drawer.getByText("Unpriced.")).toBeVisible();
});

test("a_price_file_is_compared_before_anything_is_set", async ({ page }) => {
  const entry = (input: number) => ({ litellm_provider: "openai", input_cost_per_token: input, output_cost_per_token: 1e-5 });
  const file = { sample_spec: {}, [`imported-${Date.now()}`]: entry(2e-6), "gpt-5": entry(1.25e-6), fine: entry(1.23456789e-7) };
  await logIn(page, "/prices?show=own");
  await page.getByRole("button", { name: "Import prices" }).click();
  const dialog = page.getByRole("dialog", { name: "Import prices" });
  const pick = (name: string, text: string) => dialog.getByLabel("Price file").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  await pick("broken.json", "{");
  await expect(dialog.getByRole("alert")).toContainText("It is no JSON");
  await pick("prices.json", JSON.stringify(file));
  await dialog.getByRole("button", { name: "Show what it would do" }).click();
  await expect(dialog.getByRole("button", { name: "New 1" })).toBeVisible();
  await dialog.getByRole("button", { name: "Changed 1" }).click();
  await expect(dialog.getByRole("region", { name: "Changed, table" })).toContainText("in place of the built-in price");
  await dialog.getByRole("button", { name: "Left out 1" }).click();
  await expect(dialog.getByRole("region", { name: "Left out, table" })).toContainText("fine");
  await expect(dialog.getByRole("button", { name: "Set 2 prices" })).toBeEnabled();
  await expectAccessible(page);
});
