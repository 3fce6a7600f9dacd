import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";

interface Budget {
  id: string;
  etag: string;
}

// A budget that refuses nothing, so that the other tests' requests are served.
test("a_budget_is_made_refused_raised_changed_by_two_and_deleted", async ({ page, request }, info) => {
  test.slow(); // many steps, on a busy machine
  const name = `shadow-${info.project.name}`;
  await logIn(page, "/budgets");
  await page.getByRole("button", { name: "Create budget" }).click();
  const form = page.getByRole("dialog", { name: "Create budget" });
  await form.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await form.getByLabel("Amount, dollars").fill("1,000.000000001");
  await form.getByLabel("Time zone").fill("Mars/Base");
  await form.getByLabel("Mode").selectOption("Shadow");
  await form.getByRole("button", { name: "Create budget" }).click();
  await expect(form.getByLabel("Time zone")).toHaveAttribute("aria-invalid", "true");
  await form.getByLabel("Time zone").fill("Asia/Kolkata");
  await form.getByRole("button", { name: "Create budget" }).click();

  const details = page.getByRole("dialog", { name: "Budget", exact: true });
  await expect(details).toContainText("Each month, Asia/Kolkata");
  await expect(details).toContainText("$1,000.000000001");
  await expectAccessible(page);

  await details.getByRole("button", { name: "Raise for a while" }).click();
  const raise = page.getByRole("dialog", { name: `Raise ${name} for a while` });
  await raise.getByLabel("Add, dollars").fill("0.5");
  await raise.getByLabel(/^Reason/).fill("launch week");
  await raise.getByRole("button", { name: "Raise budget" }).click();
  await expect(raise).toBeHidden();
  await expect(details).toContainText("$1,000.500000001");

  await details.getByRole("button", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: `Change ${name}` });
  const id = new URL(page.url()).searchParams.get("quota");
  await callAdmin<{ budget: Budget }>(request, "BudgetService/UpdateBudget", { budget: { id, amountNanoUsd: "7" }, updateMask: "amountNanoUsd" });
  await change.getByLabel("Amount, dollars").fill("20");
  await change.getByRole("button", { name: "Save budget" }).click();
  await expect(change.getByRole("group", { name: "Amount", exact: true })).toContainText("Theirs: $0.000000007");
  await expectAccessible(page);
  await change.getByRole("button", { name: "Go on with this choice" }).click();
  await change.getByRole("button", { name: "Save budget" }).click();
  await expect(change).toBeHidden();
  await expect(details).toContainText("$20.50");

  await details.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete budget" }).click();
  await expect(details).toBeHidden();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});
