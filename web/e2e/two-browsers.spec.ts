import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";

interface Made {
  route: { id: string };
}

test("two_browsers_edit_one_route_and_neither_overwrites_the_other_unseen", async ({ page, browser, request }, info) => {
  const { providers } = await callAdmin<{ providers: { id: string }[] }>(request, "ProviderService/ListProviders", {});
  const name = `both-${info.project.name}-${Date.now()}`;
  const made = await callAdmin<Made>(request, "RouteService/CreateRoute", { name, strategy: "STRATEGY_SINGLE", targets: [{ providerId: providers[0]?.id, model: "old" }] });
  const other = await browser.newPage();
  const forms = [];
  for (const one of [page, other]) {
    await logIn(one, "/routing");
    await one.getByRole("row").filter({ hasText: name }).getByRole("button", { name: /^Change/ }).click();
    forms.push(one.getByRole("dialog", { name: `Change ${name}` }));
  }
  const [first, second] = forms;
  if (!first || !second) throw new Error("there are two forms");
  await first.getByRole("textbox", { name: "Model" }).fill("mine");
  await second.getByRole("textbox", { name: "Model" }).fill("theirs");
  await second.getByRole("switch", { name: "Strict" }).check();
  await first.getByRole("button", { name: "Save route" }).click();
  await expect(first).toBeHidden();
  await second.getByRole("button", { name: "Save route" }).click();
  await expect(second.getByRole("alert")).toContainText("Somebody changed it meanwhile");
  const versions = second.getByRole("group", { name: "Targets" });
  await expect(versions.getByRole("radio", { name: /^Theirs: .* \/ mine$/ })).not.toBeChecked();
  await expect(versions.getByRole("radio", { name: /^Mine: .* \/ theirs$/ })).toBeChecked();
  await expect(second.getByRole("radio", { name: "Mine: yes" })).toBeChecked();
  await expectAccessible(other);
  await versions.getByRole("radio", { name: /^Theirs/ }).check();
  await second.getByRole("button", { name: "Go on with this choice" }).click();
  await expect(second.getByRole("textbox", { name: "Model" })).toHaveValue("mine");
  await second.getByRole("button", { name: "Save route" }).click();
  await expect(second).toBeHidden();
  const { route } = await callAdmin<{ route: { strict: boolean; targets: { model: string }[] } }>(request, "RouteService/GetRoute", { id: made.route.id });
  expect([route.strict, route.targets[0]?.model]).toEqual([true, "mine"]);
  await callAdmin(request, "RouteService/DeleteRoute", { id: made.route.id });
  await other.close();
});
