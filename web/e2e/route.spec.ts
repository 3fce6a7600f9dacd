import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { logIn } from "./login";

// What a route can do, from the form to the running agent. The other tests of the main job
// keep to the route "demo".
test("a_route_with_everything_is_made_refused_shown_and_rehearsed", async ({ page }, info) => {
  const name = `clever-${info.project.name}`;
  await logIn(page, "/routing");
  await page.getByRole("button", { name: "Create route" }).click();
  const dialog = page.getByRole("dialog", { name: "Create route" });
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await dialog.getByRole("combobox", { name: "Strategy" }).selectOption("Sticky");
  await dialog.getByRole("combobox", { name: "Alike in" }).selectOption("A header");
  await dialog.getByRole("textbox", { name: "Header" }).fill("X-Session");
  await dialog.getByRole("button", { name: "Add target" }).click();
  for (const part of ["Hedge", "Canary", "Shadow"]) await dialog.getByRole("switch", { name: part }).click();
  for (const [group, model] of [
    ["Target 1", "gpt-4o-mini"],
    ["Target 2", "gpt-4o"],
    ["Canary's target", "gpt-4.1"],
    ["Shadow's target", "gpt-4.1-mini"],
  ] as const) {
    const target = dialog.getByRole("group", { name: group, exact: true });
    await target.getByRole("combobox", { name: "Provider" }).selectOption("mock");
    await target.getByRole("textbox", { name: "Model" }).fill(model);
  }
  const condition = dialog.getByRole("group", { name: "Target 2", exact: true }).getByRole("textbox", { name: /^Only when/ });
  await condition.fill("metadata.tier ==");
  await dialog.getByText("Timeouts", { exact: true }).click();
  await dialog.getByRole("spinbutton", { name: "Connect, s" }).fill("0.5");
  await dialog.getByRole("button", { name: "Create route" }).click();
  await expect(condition).toHaveAccessibleDescription(/the condition's character/);
  await expectAccessible(page);

  await condition.fill('metadata.tier == "gold"');
  await dialog.getByRole("button", { name: "Create route" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("link", { name, exact: true }).click();
  const details = page.getByRole("dialog", { name: "Route" });
  await expect(details).toContainText('only when metadata.tier == "gold"');
  await expect(details).toContainText("Connection within500 ms");
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  await page.getByRole("link", { name: "Dry run" }).click();
  await page.getByLabel("Model, as the request writes it").fill(name);
  await page.getByText("What conditions look at").click();
  await page.getByLabel("Metadata").fill("tier=gold");
  await expect(async () => {
    await page.getByRole("button", { name: "Run dry" }).click();
    await expect(page.getByRole("heading", { name: "Choice of the target" })).toBeVisible({ timeout: 3_000 }); // agents have the route in a moment
  }).toPass({ timeout: 20_000 });
  const candidates = page.getByRole("region", { name: "Candidates, table" });
  await expect(candidates).toContainText('metadata.tier == "gold" is true');
  await expect(page.getByText(/^5 % to mock \/ gpt-4\.1 /)).toBeVisible();
  await expectAccessible(page);
});
