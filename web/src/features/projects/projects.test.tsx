import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import type { CreateProjectRequest, DeleteProjectRequest, UpdateProjectRequest } from "../../gen/weir/admin/v1/project_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { QuotaMode } from "../../gen/weir/admin/v1/quota_pb";
import { QuotaKind, QuotaService, QuotaUnit } from "../../gen/weir/admin/v1/quota_service_pb";
import type { QueryMetricsRequest } from "../../gen/weir/admin/v1/report_pb";
import { Measure, ReportService } from "../../gen/weir/admin/v1/report_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { createProject, deleteProject, getProject, listProjects, updateProject } = ProjectService.method;
const { listKeys } = KeyService.method;

const shop = { id: "p1", name: "shop", displayName: "Web shop", weight: 3, etag: "5", createdAt: timestampFromDate(new Date("2026-11-01T10:00:00Z")) };
const lab = { id: "p2", name: "lab", displayName: "lab", weight: 1, etag: "6" };
const keys = [
  { id: "k1", name: "checkout", projectId: "p1", suffix: "aaaa" },
  { id: "k2", name: "search", projectId: "p1", suffix: "bbbb" },
];

function open(services: (r: ConnectRouter) => void = () => undefined, path = "/projects", permissions?: string[]) {
  return openConsole(
    path,
    (r) => {
      r.rpc(listProjects, () => ({ projects: [lab, shop] }));
      r.rpc(getProject, ({ id }) => ({ project: id === "p1" ? shop : lab }));
      r.rpc(listKeys, ({ projectId }) => ({ keys: keys.filter((key) => !projectId || key.projectId === projectId) }));
      r.rpc(RouteService.method.listRoutes, () => ({
        routes: [
          { id: "r1", name: "only-shop", allowedProjectIds: ["p1"] },
          { id: "r2", name: "for-all" },
        ],
      }));
      r.rpc(QuotaService.method.listQuotas, () => ({
        quotas: [
          {
            id: "b1",
            name: "monthly",
            kind: QuotaKind.BUDGET,
            unit: QuotaUnit.NANO_USD,
            mode: QuotaMode.HARD,
            scope: { on: { case: "projectId", value: "p1" } },
            standing: { limit: 10_000_000_000n, spent: 2_500_000_000n, free: 7_500_000_000n, window: {} },
          },
        ],
      }));
      r.rpc(ReportService.method.queryMetrics, ({ groupBy }) =>
        groupBy.length > 0 ? { series: [{ group: ["p1"], totals: [{ value: 1_250_000_000n }] }] } : { total: { totals: [{ value: 1_250_000_000n }, { value: 7n }, { value: 0n }] } },
      );
      r.rpc(ReportService.method.listRequests, () => ({}));
      services(r);
    },
    permissions,
  );
}

const row = async (name: RegExp) => (await screen.findByRole("rowheader", { name })).closest("tr");

test("loading", async () => {
  open((r) => r.rpc(listProjects, stall));
  expect(await screen.findByRole("status", { name: "Loading projects" })).toBeTruthy();
});

test("error", async () => {
  open((r) => r.rpc(listProjects, refuse));
  expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
});

test("empty_says_what_to_do_next", async () => {
  open((r) => r.rpc(listProjects, () => ({})));
  expect(await screen.findByRole("heading", { name: "No projects yet" })).toBeTruthy();
  expect(screen.getByText(/then keys in it/)).toBeTruthy();
});

test("empty_sends_somebody_who_may_not_to_an_admin", async () => {
  open((r) => r.rpc(listProjects, () => ({})), "/projects", ["projects.list"]);
  expect(await screen.findByText(/ask an admin/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Create project" })).toBeNull();
});

test("the_list_counts_living_keys_and_this_months_spend", async () => {
  const asked: QueryMetricsRequest[] = [];
  const filters: string[] = [];
  open((r) => {
    r.rpc(ReportService.method.queryMetrics, (request) => {
      asked.push(request);
      return { series: [{ group: ["p1"], totals: [{ value: 1_250_000_000n }] }] };
    });
    r.rpc(listKeys, ({ filter }) => {
      filters.push(filter);
      return { keys };
    });
  });
  await waitFor(async () => expect((await row(/^Web shop/))?.textContent).toMatch(/^Web shopshop.*23\$1\.25/));
  expect((await row(/^lab/))?.textContent).toMatch(/01\$0\.00/);
  expect(asked[0]).toMatchObject({ groupBy: ["project"], measures: [Measure.SPEND], top: 50 });
  expect(filters).toEqual(["NOT revoked_at:*"]);
});

test("what_is_not_among_those_that_spent_the_most_is_not_called_nothing", async () => {
  open((r) => r.rpc(ReportService.method.queryMetrics, () => ({ series: [{ group: ["p1"], totals: [{ value: 5n }] }], other: { totals: [{ value: 9n }] } })));
  await waitFor(async () => expect((await row(/^Web shop/))?.textContent).toContain("$0.000000005"));
  expect((await row(/^lab/))?.textContent).not.toContain("$");
});

test("a_role_without_reports_sees_no_spend", async () => {
  open(undefined, "/projects", ["projects.list", "projects.get"]);
  await row(/^Web shop/);
  expect(screen.queryByRole("columnheader", { name: /Spend/ })).toBeNull();
});

test("the_drawer_has_its_keys_what_holds_it_and_ways_on", async () => {
  open(undefined, "/projects?project=p1");
  const drawer = await screen.findByRole("dialog", { name: "Project" });
  await within(drawer).findByRole("link", { name: "checkout" });
  await within(drawer).findByRole("link", { name: "monthly" });
  await waitFor(() => expect(drawer.textContent).toMatch(/Routes of its ownonly-shop/));
  await waitFor(() => expect(drawer.textContent).toMatch(/Spend\$1\.25Requests7Last usednever/));
  expect(within(drawer).getByRole("link", { name: "7" }).getAttribute("href")).toBe("/requests?project=p1");
  expect(within(drawer).getByRole("link", { name: "History of this" }).getAttribute("href")).toBe("/history?resource=p1");
  expect(within(drawer).getByRole("link", { name: "Create key" }).getAttribute("href")).toBe("/keys?project=p1&create=true");
  expect(drawer.textContent).toContain("$2.50 of $10.00 spent");
});

test("one_that_was_archived_is_said_to_be_so", async () => {
  open(
    (r) =>
      r.rpc(getProject, () => {
        throw new ConnectError("no project", Code.NotFound);
      }),
    "/projects?project=p9",
  );
  expect(await screen.findByRole("heading", { name: "This project is not there" })).toBeTruthy();
});

test("creating_one_opens_it", async () => {
  const seen: CreateProjectRequest[] = [];
  const router = open((r) =>
    r.rpc(createProject, (request) => {
      seen.push(request);
      return { project: shop };
    }),
  );
  await userEvent.click(await screen.findByRole("button", { name: "Create project" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Create project" }));
  await userEvent.type(dialog.getByRole("textbox", { name: "Name" }), "shop");
  await userEvent.type(dialog.getByRole("textbox", { name: "Shown as (optional)" }), "Web shop");
  await userEvent.type(dialog.getByRole("spinbutton", { name: "Weight (optional)" }), "3");
  await userEvent.click(dialog.getByRole("button", { name: "Create project" }));
  expect(await screen.findByRole("dialog", { name: "Project" })).toBeTruthy();
  expect(seen[0]).toMatchObject({ name: "shop", displayName: "Web shop", weight: 3 });
  expect(router.state.location.search).toEqual({ project: "p1" });
});

test("two_who_change_one_see_each_other", async () => {
  const seen: UpdateProjectRequest[] = [];
  let now = shop;
  open((r) => {
    r.rpc(getProject, () => ({ project: now }));
    r.rpc(updateProject, (request) => {
      seen.push(request);
      if (seen.length > 1) return {};
      now = { ...shop, weight: 50, etag: "9" };
      throw new ConnectError("etag", Code.Aborted);
    });
  }, "/projects?project=p1");
  await userEvent.click(await screen.findByRole("button", { name: "Change" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Change shop" }));
  await userEvent.type(dialog.getByRole("textbox", { name: "Shown as (optional)" }), " EU");
  await userEvent.click(dialog.getByRole("button", { name: "Save project" }));
  expect(await dialog.findByRole("radio", { name: "Theirs: 50" })).toHaveProperty("checked", true);
  expect(dialog.getByRole("radio", { name: "Mine: Web shop EU" })).toHaveProperty("checked", true);
  await userEvent.click(dialog.getByRole("button", { name: "All theirs" }));
  await userEvent.click(dialog.getByRole("button", { name: "Go on with this choice" }));
  expect(dialog.getByRole<HTMLInputElement>("spinbutton", { name: "Weight (optional)" }).value).toBe("50");
  await userEvent.click(dialog.getByRole("button", { name: "Save project" }));
  await waitFor(() => expect(seen).toHaveLength(2));
  expect(seen[1]?.project).toMatchObject({ id: "p1", etag: "9", displayName: "Web shop", weight: 50 });
  expect(seen[1]?.updateMask?.paths).toEqual(["name", "display_name", "weight"]);
});

test("keys_that_work_hold_a_project_back", async () => {
  open(undefined, "/projects?project=p1");
  await userEvent.click(await screen.findByRole("button", { name: "Archive" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Archive shop?" });
  await waitFor(() => expect(dialog.textContent).toContain("2 of its keys still work"));
  expect(within(dialog).getByRole("link", { name: "revoke them" }).getAttribute("href")).toBe("/keys?project=p1");
  expect(within(dialog).getByRole("button", { name: "Archive project" })).toHaveProperty("disabled", true);
});

test("archiving_asks_first_and_says_why_it_was_refused", async () => {
  const seen: DeleteProjectRequest[] = [];
  const router = open(
    (r) =>
      r.rpc(deleteProject, (request) => {
        seen.push(request);
        if (seen.length === 1) throw new ConnectError('project "lab" is in use by route "r"; remove what uses it first', Code.FailedPrecondition);
        return {};
      }),
    "/projects?project=p2",
  );
  await userEvent.click(await screen.findByRole("button", { name: "Archive" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Archive lab?" });
  expect(seen).toHaveLength(0);
  await userEvent.click(within(dialog).getByRole("button", { name: "Archive project" }));
  expect((await within(dialog).findByRole("alert")).textContent).toContain('in use by route "r"');
  await userEvent.click(within(dialog).getByRole("button", { name: "Archive project" }));
  await waitFor(() => expect(router.state.location.search).toEqual({}));
  expect(seen[1]).toMatchObject({ id: "p2", mutation: { etag: "6" } });
});
