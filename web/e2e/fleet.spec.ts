import type { APIRequestContext, Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";

// Against a gateway with two connected agents, so that a canary is not everybody.

interface Routes {
  routes: { id: string; name: string; targets: { providerId: string; model: string }[] }[];
}

test("a_canary_rollout_is_promoted_from_the_console", async ({ page, request }, info) => {
  await logIn(page, "/agents");
  await page.getByRole("link", { name: /^Rollout of/ }).first().click();
  await stageChanges(page);

  const route = await reroute(request, `canary-${info.project.name}-${Date.now()}`);
  const rollout = page.getByRole("region", { name: "Rollout", exact: true });
  await expect(rollout.getByText("Under way")).toBeVisible({ timeout: 20_000 });
  await expect(rollout.getByRole("listitem").filter({ hasText: "1 agent" })).toHaveAttribute("aria-current", "step");
  await expect(rollout.getByRole("list", { name: "What the candidate changes" })).toContainText(`Route ${route.name} changes`);
  const candidates = page.getByRole("region", { name: "Agents", exact: true }).getByRole("row").filter({ hasText: "candidate" });
  await expect(candidates).toHaveCount(1);
  await expectAccessible(page);

  await confirm(page, "Hold", "Hold the rollout?", "Hold");
  await expect(rollout.getByText("Held by request")).toBeVisible();
  await confirm(page, "Resume", "Resume the rollout?", "Resume");
  await expect(rollout.getByText("Under way")).toBeVisible();

  await page.getByRole("button", { name: "Promote to all" }).click();
  const dialog = page.getByRole("alertdialog", { name: "Promote to every agent?" });
  await expect(dialog).toContainText("the rollout is over");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Promote", exact: true }).click();
  await expect(rollout.getByText("None under way")).toBeVisible();
  await expect(page.getByRole("region", { name: "Rollouts until now" }).getByRole("row").nth(1)).toContainText("Finished");
  await expect(candidates).toHaveCount(0);

  await goBackAndForward(page);
  await callAdmin(request, "RouteService/UpdateRoute", { route: { id: route.id, targets: route.targets } });
});

test("a_revoked_keys_receipts_come_from_both_agents", async ({ page, request }, info) => {
  const name = `receipts-${info.project.name}-${Date.now()}`;
  const { projects } = await callAdmin<{ projects: { id: string }[] }>(request, "ProjectService/ListProjects", {});
  await callAdmin(request, "KeyService/CreateKey", { name, projectId: projects[0]?.id });
  await logIn(page, "/keys");
  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("button", { name: "Revoke key" }).click();
  const drawer = page.getByRole("dialog", { name: "Key" });
  await expect(drawer.getByText("All 2 agents refuse it")).toBeVisible({ timeout: 10_000 });
  await expect(drawer.getByRole("list", { name: "Receipts" }).getByRole("listitem")).toHaveCount(2);
  await expect(drawer.getByRole("term").filter({ hasText: "Until every agent refused it" }).locator("xpath=following-sibling::dd[1]")).toHaveText(/^[\d.]+ (µs|ms|s)$/);
  await expectAccessible(page);
});

test("a_provider_is_tested_and_a_request_rehearsed_by_keyboard", async ({ page }) => {
  await logIn(page, "/routing");
  await page.getByRole("region", { name: "Providers", exact: true }).getByRole("link", { name: "mock", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Test", exact: true })).toBeEnabled();
  await page.getByRole("button", { name: "Test", exact: true }).focus();
  await page.keyboard.press("Enter");
  const tested = page.getByRole("region", { name: "Test", exact: true });
  await expect(tested.getByText("Works: the credential was taken")).toBeVisible({ timeout: 15_000 });
  await expect(tested).toContainText("HTTP status200");
  await expect(page.getByRole("region", { name: "Credential at the agents" }).getByRole("row")).toHaveCount(3);
  await expect(page.getByRole("region", { name: "Credential at the agents" })).toContainText("Usable");
  await expectAccessible(page);

  await page.getByRole("link", { name: "Routes and providers" }).click();
  await page.getByRole("link", { name: "Dry run" }).click();
  await page.getByLabel("Model, as the request writes it").fill("demo");
  await page.getByLabel(/^Output tokens/).fill("200");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Would go upstream")).toBeVisible({ timeout: 15_000 });
  await expect(page.getByRole("row").filter({ hasText: "gpt-4o-mini" })).toContainText(/Usable.*\$0\.00045/);
  await expectAccessible(page);
});

test("an_agents_details_are_what_it_reported", async ({ page }) => {
  await logIn(page, "/agents");
  await page.getByRole("rowheader").getByRole("link").first().click();
  const drawer = page.getByRole("dialog", { name: "Agent" });
  await expect(drawer).toContainText(/Address127\.0\.0\.1/);
  await expect(drawer.getByRole("list", { name: "Credentials" })).toContainText("Usable");
  await expectAccessible(page);
});

// Changes come to one agent first, and no step ends by itself while the test looks.
async function stageChanges(page: Page) {
  await page.getByRole("button", { name: "Rollout settings" }).click();
  const dialog = page.getByRole("dialog", { name: /^Rollout settings/ });
  await dialog.getByLabel("Changes of configuration come").selectOption("staged");
  await dialog.getByLabel(/^Each step/).fill("3600");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Save settings" }).click();
  await expect(dialog).toBeHidden();
}

async function confirm(page: Page, button: string, title: string, verb: string) {
  await page.getByRole("button", { name: button, exact: true }).click();
  const dialog = page.getByRole("alertdialog", { name: title });
  await dialog.getByRole("button", { name: verb, exact: true }).click();
  await expect(dialog).toBeHidden();
}

async function goBackAndForward(page: Page) {
  await page.getByRole("button", { name: "Go back…" }).click();
  const dialog = page.getByRole("dialog", { name: /^Go back to a past configuration/ });
  await dialog.getByRole("button", { name: "Show what would change" }).click();
  await expect(dialog.getByRole("list", { name: "What would change" })).toContainText("Route demo changes");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: /^Go back to version/ }).click();
  const rollout = page.getByRole("region", { name: "Rollout", exact: true });
  await expect(rollout.getByText("Pinned")).toBeVisible();
  await expectAccessible(page);
  await confirm(page, "Go forward", "Go forward?", "Go forward");
  await expect(rollout.getByText("Pinned")).toBeHidden();
  await page.getByRole("button", { name: "Rollout settings" }).click();
  await page.getByLabel("Changes of configuration come").selectOption("once");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(rollout.getByText("All at once")).toBeVisible();
}

// The mock provider serves any model; the price of this one is not known.
async function reroute(request: APIRequestContext, model: string) {
  const { routes } = await callAdmin<Routes>(request, "RouteService/ListRoutes", {});
  const demo = routes.find((route) => route.name === "demo");
  if (!demo) throw new Error("there is no route demo");
  const targets = demo.targets.map((target) => ({ ...target, model }));
  await callAdmin(request, "RouteService/UpdateRoute", { route: { id: demo.id, targets } });
  return demo;
}
