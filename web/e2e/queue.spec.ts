import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";

// A provider of its own, that no route sends to.
test("a_providers_queue_is_set_and_shown", async ({ page, request }, info) => {
  const name = `queue-${info.project.name}-${Date.now()}`;
  const made = await callAdmin<{ provider: { id: string } }>(request, "ProviderService/CreateProvider", {
    name,
    dialect: "DIALECT_OPENAI_COMPATIBLE",
    baseUrl: "http://127.0.0.1:9/v1",
  });
  await logIn(page, "/routing");
  await page.getByRole("button", { name: `Change ${name}` }).click();
  const dialog = page.getByRole("dialog", { name: `Change ${name}` });
  await dialog.getByRole("switch", { name: "Queue" }).click();
  await dialog.getByLabel("Waits at most, ms").fill("2500");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Save provider" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("link", { name, exact: true }).click();
  await expect(page.getByRole("region", { name: "Settings" })).toContainText("100 at most for each model, up to 2.50 s");
  await callAdmin(request, "ProviderService/DeleteProvider", { id: made.provider.id });
});
