import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { Role } from "../../gen/weir/admin/v1/common_pb";
import type { CreateKeyRequest, EndKeyOverlapRequest, RotateKeyRequest, UpdateKeyRequest } from "../../gen/weir/admin/v1/key_pb";
import { KeyService, Priority } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { QuotaService } from "../../gen/weir/admin/v1/quota_service_pb";
import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { SessionService } from "../../gen/weir/admin/v1/session_pb";
import { openConsole } from "../../test/console";

const { createKey, endKeyOverlap, getKey, getKeyRevocation, listKeys, rotateKey, updateKey } = KeyService.method;
const { listRequests, queryMetrics } = ReportService.method;

const key = {
  id: "k1",
  name: "demo",
  projectId: "p1",
  suffix: "x9Qd",
  etag: "7",
  routeIds: ["r1"],
  labels: { team: "search" },
  expiresAt: timestampFromDate(new Date("2030-01-02T03:04:05.678Z")),
  weight: 3,
  priority: Priority.BATCH,
};

function surroundings(r: ConnectRouter) {
  r.rpc(ProjectService.method.listProjects, () => ({
    projects: [
      { id: "p1", name: "shop", displayName: "Shop" },
      { id: "p2", name: "lab", displayName: "Lab" },
    ],
  }));
  r.rpc(RouteService.method.listRoutes, () => ({
    routes: [
      { id: "r1", name: "fast" },
      { id: "r2", name: "smart" },
    ],
  }));
  r.rpc(QuotaService.method.listQuotas, () => ({}));
  r.rpc(queryMetrics, () => ({ total: { totals: [{ value: 12_500_000n }, { value: 41n }, { value: 2n }] } }));
  r.rpc(listRequests, () => ({ requests: [{ requestId: "q1", startedAt: timestampFromDate(new Date(Date.now() - 120_000)) }] }));
}

function open(services: (r: ConnectRouter) => void, path = "/keys?key=k1", permissions?: string[]) {
  return openConsole(
    path,
    (r) => {
      surroundings(r);
      r.rpc(listKeys, () => ({ keys: [key] }));
      r.rpc(getKey, () => ({ key }));
      services(r);
    },
    permissions,
  );
}

async function openTool(name: string, title: string) {
  const drawer = await screen.findByRole("dialog", { name: "Key" });
  await userEvent.click(await within(drawer).findByRole("button", { name }));
  return within(await screen.findByRole("dialog", { name: title }));
}

test("the_drawer_tells_spend_last_use_and_the_way_to_its_requests", async () => {
  const asked: string[] = [];
  open((r) =>
    r.rpc(queryMetrics, ({ filter }) => {
      asked.push(filter);
      return { total: { totals: [{ value: 12_500_000n }, { value: 41n }, { value: 2n }] } };
    }),
  );
  const drawer = await screen.findByRole("dialog", { name: "Key" });
  await waitFor(() => expect(drawer.textContent).toMatch(/Spend\$0\.0125and 2 unpriced requests.*Last used2 min ago/));
  expect(asked[0]).toBe('key_id = "k1"');
  expect(within(drawer).getByRole("link", { name: "41" }).getAttribute("href")).toBe("/requests?key=k1");
  expect(drawer.textContent).toMatch(/Weight3PriorityBatchLabelsteam=search/);
});

test("rotating_shows_the_new_secret_once_and_until_when_the_old_one_works", async () => {
  const seen: RotateKeyRequest[] = [];
  open((r) =>
    r.rpc(rotateKey, (request) => {
      seen.push(request);
      return {
        key: { ...key, suffix: "NEW1", previousSuffix: "x9Qd", previousExpiresAt: timestampFromDate(new Date(Date.now() + 3_600_000 + 30_000)) },
        secret: "weir_fresh",
      };
    }),
  );
  const dialog = await openTool("Rotate", "Rotate demo");
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "The old secret keeps working for" }), "1 hour");
  await userEvent.click(dialog.getByRole("button", { name: "Rotate key" }));
  const made = await screen.findByRole("dialog", { name: "Key rotated" });
  expect(within(made).getByText("weir_fresh")).toBeTruthy();
  expect(within(made).getByText(/^curl/).textContent).toContain('"model":"fast"');
  await userEvent.click(within(made).getByRole("button", { name: "Python" }));
  expect(within(made).getByText(/^import os/).textContent).toMatch(/api_key="weir_fresh",[^]*model="fast"/);
  expect(made.textContent).toMatch(/The old secret …x9Qd works until .*\(in 1 h\)/);
  expect(seen[0]).toMatchObject({ id: "k1", overlap: { seconds: 3600n }, mutation: { etag: "7" } });
  await userEvent.keyboard("{Escape}");
  expect(within(made).getByText("weir_fresh")).toBeTruthy();
  await userEvent.click(within(made).getByRole("button", { name: "I have copied the key" }));
  await waitFor(() => expect(screen.queryByText("weir_fresh")).toBeNull());
  expect(screen.getByRole("dialog", { name: "Key" })).toBeTruthy();
});

test("a_second_rotation_says_whose_secret_ends_at_once", async () => {
  const inADay = timestampFromDate(new Date(Date.now() + 86_400_000));
  open((r) => r.rpc(getKey, () => ({ key: { ...key, previousSuffix: "old1", previousExpiresAt: inADay } })));
  const drawer = await screen.findByRole("dialog", { name: "Key" });
  await waitFor(() => expect(drawer.textContent).toMatch(/Old secret…old1 works until .*\(in 2(3 h 59 min|4 h)\)/));
  const dialog = await openTool("Rotate", "Rotate demo");
  expect(dialog.getByText(/The secret before, ending in/).textContent).toContain("old1");
});

test("an_old_secret_is_ended_before_its_time_and_the_agents_receipts_are_shown", async () => {
  const seen: EndKeyOverlapRequest[] = [];
  const asked: boolean[] = [];
  const inADay = timestampFromDate(new Date(Date.now() + 86_400_000));
  const now = timestampFromDate(new Date());
  let subject: object = { ...key, previousSuffix: "old1", previousExpiresAt: inADay };
  open((r) => {
    r.rpc(getKey, () => ({ key: subject }));
    r.rpc(getKeyRevocation, ({ previousSecret }) => {
      asked.push(previousSecret);
      return { revokedAt: now, version: 31n, agents: 1, agentsApplied: 1, complete: true, receipts: [{ agentId: "a1", gatewayId: "g1", agentName: "edge-1", appliedAt: now }] };
    });
    r.rpc(endKeyOverlap, (request) => {
      seen.push(request);
      subject = { ...key, etag: "8", previousSuffix: "old1", previousExpiresAt: now, previousEndedAt: now };
      return {};
    });
  });
  const drawer = await screen.findByRole("dialog", { name: "Key" });
  await userEvent.click(await within(drawer).findByRole("button", { name: "End it now" }));
  const dialog = await screen.findByRole("alertdialog", { name: "End the old secret of demo now?" });
  expect(dialog.textContent).toMatch(/old secret, ending in old1, are refused within a second, for ever.*new secret, ending in x9Qd, work on/);
  expect(seen).toHaveLength(0);
  await userEvent.type(within(dialog).getByRole("textbox"), "leaked");
  await userEvent.click(within(dialog).getByRole("button", { name: "End old secret" }));
  await within(drawer).findByText("The only agent refuses it");
  expect(drawer.textContent).toMatch(/Old secret…old1 ended/);
  expect(drawer.textContent).toMatch(/End of the old secret.*edge-1/);
  expect(within(drawer).queryByRole("button", { name: "End it now" })).toBeNull();
  expect(seen[0]).toMatchObject({ id: "k1", reason: "leaked", mutation: { etag: "7" } });
  expect(asked).toEqual([true]);
});

test("only_who_may_rotate_is_offered_to_end_an_old_secret", async () => {
  const inADay = timestampFromDate(new Date(Date.now() + 86_400_000));
  open((r) => r.rpc(getKey, () => ({ key: { ...key, previousSuffix: "old1", previousExpiresAt: inADay } })), "/keys?key=k1", ["keys.list", "keys.get", "keys.revoke"]);
  const drawer = await screen.findByRole("dialog", { name: "Key" });
  await within(drawer).findByText("Old secret");
  expect(within(drawer).queryByRole("button", { name: "End it now" })).toBeNull();
});

test("the_list_counts_down_to_the_old_secrets_end", async () => {
  const soon = timestampFromDate(new Date(Date.now() + 5 * 60_000 + 20_000));
  open((r) => r.rpc(listKeys, () => ({ keys: [{ ...key, previousSuffix: "old1", previousExpiresAt: soon }, { ...key, id: "k2", name: "done", previousSuffix: "old2", previousExpiresAt: timestampFromDate(new Date(0)) }] })), "/keys");
  const row = (await screen.findByRole("rowheader", { name: /^demo/ })).closest("tr");
  expect(row?.textContent).toContain("old secret ends in 5 min");
  expect(screen.getByRole("rowheader", { name: /^done/ }).closest("tr")?.textContent).not.toContain("old secret");
});

test("whoever_rotates_second_is_told_so", async () => {
  open((r) =>
    r.rpc(rotateKey, () => {
      throw new ConnectError("the key has etag 8", Code.Aborted);
    }),
  );
  const dialog = await openTool("Rotate", "Rotate demo");
  await userEvent.click(dialog.getByRole("button", { name: "Rotate key" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("Somebody else changed this meanwhile");
  expect(dialog.getByRole("button", { name: "Rotate key" })).toHaveProperty("disabled", false);
});

test("a_change_says_only_what_was_changed", async () => {
  const seen: UpdateKeyRequest[] = [];
  open((r) =>
    r.rpc(updateKey, (request) => {
      seen.push(request);
      return {};
    }),
  );
  const dialog = await openTool("Change", "Change demo");
  expect(dialog.queryByRole("combobox", { name: "Project" })).toBeNull();
  await userEvent.click(dialog.getByRole("checkbox", { name: "smart" }));
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Priority" }), "Interactive");
  await userEvent.click(dialog.getByRole("button", { name: "Remove label team" }));
  await userEvent.click(dialog.getByRole("button", { name: "Save key" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.updateMask?.paths).toEqual(["route_ids", "labels", "priority"]);
  expect(seen[0]?.key).toMatchObject({ id: "k1", etag: "7", routeIds: ["r1", "r2"], priority: Priority.INTERACTIVE });
  expect(Object.keys(seen[0]?.key?.labels ?? {})).toEqual([]);
});

test("taking_the_last_route_away_does_not_open_every_route", async () => {
  open(() => undefined);
  const dialog = await openTool("Change", "Change demo");
  await userEvent.click(dialog.getByRole("checkbox", { name: "fast" }));
  expect(dialog.getByText("Choose one at least.")).toBeTruthy();
  expect(dialog.getByRole("button", { name: "Save key" })).toHaveProperty("disabled", true);
  await userEvent.click(dialog.getByRole("radio", { name: "Every route, also later ones" }));
  expect(dialog.getByRole("button", { name: "Save key" })).toHaveProperty("disabled", false);
});

test("a_label_written_twice_is_not_sent", async () => {
  open(() => undefined);
  const dialog = await openTool("Change", "Change demo");
  await userEvent.click(dialog.getByRole("button", { name: "Add label" }));
  await userEvent.type(dialog.getAllByLabelText("Label")[1] as HTMLElement, "team");
  expect(dialog.getByText("team is written twice.")).toBeTruthy();
  expect(dialog.getByRole("button", { name: "Save key" })).toHaveProperty("disabled", true);
});

test("a_key_that_somebody_changed_meanwhile_shows_both_versions", async () => {
  const seen: UpdateKeyRequest[] = [];
  let now = key;
  open((r) => {
    r.rpc(getKey, () => ({ key: now }));
    r.rpc(updateKey, (request) => {
      seen.push(request);
      if (seen.length > 1) return {};
      now = { ...key, etag: "8", weight: 9 };
      throw new ConnectError("the key has etag 8", Code.Aborted);
    });
  });
  const dialog = await openTool("Change", "Change demo");
  await userEvent.type(dialog.getByRole("textbox", { name: "Name" }), "-b");
  await userEvent.click(dialog.getByRole("button", { name: "Save key" }));
  const weights = within(await dialog.findByRole("group", { name: "Weight" }));
  expect(weights.getByRole("radio", { name: "Mine, as it was: 3" })).toHaveProperty("checked", false);
  expect(weights.getByRole("radio", { name: "Theirs: 9" })).toHaveProperty("checked", true);
  await userEvent.click(dialog.getByRole("button", { name: "Go on with this choice" }));
  await userEvent.click(dialog.getByRole("button", { name: "Save key" }));
  await waitFor(() => expect(seen).toHaveLength(2));
  expect(seen[1]?.key).toMatchObject({ name: "demo-b", etag: "8", weight: 9 });
  expect(seen[1]?.updateMask?.paths).toEqual(["name"]);
});

test("a_new_key_gets_what_was_chosen_for_it", async () => {
  const seen: CreateKeyRequest[] = [];
  open(
    (r) =>
      r.rpc(createKey, (request) => {
        seen.push(request);
        return { key, secret: "weir_secret" };
      }),
    "/keys?create=true&project=p2",
  );
  const dialog = within(await screen.findByRole("dialog", { name: "Create key" }));
  expect((await dialog.findByRole<HTMLSelectElement>("combobox", { name: "Project" })).value).toBe("p2");
  await userEvent.type(dialog.getByRole("textbox", { name: "Name" }), "nightly");
  await userEvent.click(dialog.getByRole("radio", { name: "Only some" }));
  await userEvent.click(dialog.getByRole("checkbox", { name: "smart" }));
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Expires" }), "At a time");
  await userEvent.type(dialog.getByLabelText("Time, Europe/Berlin"), "2031-01-01T12:00:00");
  await userEvent.type(dialog.getByRole("spinbutton", { name: "Weight (optional)" }), "5");
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Priority" }), "Batch");
  await userEvent.click(dialog.getByRole("button", { name: "Add label" }));
  await userEvent.type(dialog.getByLabelText("Label"), "team");
  await userEvent.type(dialog.getByLabelText("Value"), "research");
  await userEvent.click(dialog.getByRole("button", { name: "Create key" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]).toMatchObject({ name: "nightly", projectId: "p2", routeIds: ["r2"], labels: { team: "research" }, weight: 5, priority: Priority.BATCH });
  expect(seen[0]?.expiresAt).toEqual(timestampFromDate(new Date("2031-01-01T11:00:00Z")));
});

test("a_role_on_one_project_is_offered_what_it_may_there", async () => {
  open((r) => {
    r.rpc(listKeys, () => ({ keys: [key, { ...key, id: "k2", name: "foreign", projectId: "p2" }] }));
    r.rpc(SessionService.method.whoAmI, () => ({
      kind: "member",
      display: "bob@example.com",
      role: Role.PROJECTS_ONLY,
      projects: [
        { projectId: "p1", role: Role.ADMIN, permissions: ["keys.create", "keys.get", "keys.list", "keys.revoke", "keys.rotate", "keys.update", "projects.list", "projects.get"] },
        { projectId: "p2", role: Role.VIEWER, permissions: ["keys.get", "keys.list", "projects.list"] },
      ],
    }));
  });
  const drawer = await screen.findByRole("dialog", { name: "Key" });
  await within(drawer).findByRole("button", { name: "Rotate" });
  expect(screen.getAllByRole("button", { name: /^Revoke/, hidden: true }).map((b) => b.textContent)).toEqual(["Revoke", "Revoke"]);
  expect(screen.queryByRole("button", { name: "Revoke foreign", hidden: true })).toBeNull();
  expect(screen.getByRole("link", { name: "Keys", hidden: true })).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Routes", hidden: true })).toBeNull();
  await userEvent.keyboard("{Escape}");
  await userEvent.click(await screen.findByRole("button", { name: "Create key" }));
  const project = await screen.findByRole("combobox", { name: "Project" });
  await waitFor(() => expect(within(project).getAllByRole("option").map((o) => o.textContent)).toEqual(["Shop"]));
});

test("a_viewer_is_offered_no_change_of_a_key", async () => {
  open(() => undefined, "/keys?key=k1", ["keys.list", "keys.get"]);
  const drawer = await screen.findByRole("dialog", { name: "Key" });
  await within(drawer).findByText("Active");
  expect(within(drawer).queryByRole("button", { name: /^(Change|Rotate|Revoke)$/ })).toBeNull();
  expect(drawer.textContent).not.toContain("Spend");
});
