import { readFile } from "node:fs/promises";

import type { APIRequestContext } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { logIn } from "./login";

test("a_change_is_announced_looked_at_and_taken_back", async ({ page, request }, info) => {
  const name = `told-${info.project.name}-${Date.now()}`;
  const change = await makeRoute(request, name);
  await logIn(page, `/history?resource=${change.id}`);
  await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
  await expect(page.getByRole("article")).toHaveCount(1);

  await change.model("gpt-4o");
  await expect(page.getByText("1 new change")).toBeVisible();
  await page.getByRole("button", { name: "Show", exact: true }).click();
  const newest = page.getByRole("article").first();
  await expect(newest).toContainText(`Route ${name} changed`);
  await expect(newest).toContainText(/targets\[0\]\.model.*gpt-4o-mini.*gpt-4o/);
  await expectAccessible(page);

  await newest.getByRole("link", { name: /^Details/ }).click();
  const details = page.getByRole("dialog", { name: /^Change, version/ });
  await expectAccessible(page);
  await details.getByRole("button", { name: `Put route ${name} back to before this…` }).click();
  const dialog = page.getByRole("dialog", { name: /^Put route/ });
  await expect(dialog.getByRole("list", { name: "What going back changes" })).toContainText(/gpt-4o.*gpt-4o-mini/);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: /^Go back to version/ }).click();
  await expect(dialog).toBeHidden();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("article")).toHaveCount(3);
  expect(await change.present()).toBe("gpt-4o-mini");
  await change.end();
});

test("the_past_is_as_it_was_and_two_versions_differ", async ({ page, request }, info) => {
  const name = `past-${info.project.name}-${Date.now()}`;
  const change = await makeRoute(request, name);
  await change.model("gpt-4o");
  await change.end();
  await logIn(page, `/history?resource=${change.id}`);
  await page.getByRole("button", { name: "Export" }).click();
  await expect(page.getByText(/^\d+:[0-9a-f]{64}$/)).toBeVisible(); // the end of the audit chain
  await expectAccessible(page);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  const lines = (await readFile(await (await download).path(), "utf8")).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { event: { kind: string } }).event.kind)).toEqual(["RouteCreated", "RouteUpdated", "RouteArchived"]);
  await page.keyboard.press("Escape");
  await page.getByRole("article").nth(1).getByRole("link", { name: /^Details/ }).click();
  await page.getByRole("dialog").getByRole("link", { name: "Right before this change" }).click();
  await expect(page.getByRole("region", { name: "This is the past" })).toContainText("Nothing here can be changed.");
  const row = page.getByRole("row").filter({ has: page.getByRole("link", { name }) });
  await expect(row).toContainText("gpt-4o-mini");
  await expectAccessible(page);
  await row.getByRole("link", { name }).click();
  await expect(page.getByRole("dialog", { name: /^Route as of version/ })).toContainText("targets[0].model");
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  await page.getByRole("link", { name: "What changed since" }).click();
  await expect(page.getByRole("region", { name: "Route", exact: true })).toContainText(`Route ${name} is removed`);
  await expectAccessible(page);
});

test("a_session_that_ends_comes_back_to_the_same_filters", async ({ page, request }) => {
  await logIn(page, "/history?kind=Route*");
  await expect(page.getByRole("status").filter({ hasText: "Live" })).toBeVisible();
  const { members } = await callAdmin<{ members: { id: string; state: string }[] }>(request, "MemberService/ListMembers", {});
  const ada = members.find(({ state }) => state === "MEMBER_STATE_ACTIVE");
  await callAdmin(request, "MemberService/RevokeMemberSessions", { memberId: ada?.id });
  await expect(page.getByRole("link", { name: "Log in" })).toBeVisible({ timeout: 15_000 });
  await page.getByRole("link", { name: "Log in" }).click(); // the identity provider knows the browser
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
  await expect(page).toHaveURL(/\/history\?kind=Route\*$/);
  await expect(page.getByRole("combobox", { name: "What happened" })).toHaveValue("Route*");
});

// A route of its own: other tests keep to theirs.
async function makeRoute(request: APIRequestContext, name: string) {
  const { providers } = await callAdmin<{ providers: { id: string; name: string }[] }>(request, "ProviderService/ListProviders", {});
  const providerId = providers.find((one) => one.name === "mock")?.id;
  const targets = (model: string) => [{ providerId, model }];
  const { route } = await callAdmin<{ route: { id: string } }>(request, "RouteService/CreateRoute", { name, targets: targets("gpt-4o-mini") });
  return {
    id: route.id,
    model: (model: string) => callAdmin(request, "RouteService/UpdateRoute", { route: { id: route.id, targets: targets(model) } }),
    present: async () => {
      const answer = await callAdmin<{ route: { targets: { model: string }[] } }>(request, "RouteService/GetRoute", { id: route.id });
      return answer.route.targets[0]?.model;
    },
    end: () => callAdmin(request, "RouteService/DeleteRoute", { id: route.id }),
  };
}
