import { readFileSync } from "node:fs";

import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { createMemoryHistory } from "@tanstack/react-router";
import { screen, waitFor } from "@testing-library/react";
import { describe, expect, test } from "vitest";

import { AlertChannelService } from "../gen/weir/admin/v1/alert_channel_pb";
import { AlertDeliveryState, AlertService } from "../gen/weir/admin/v1/alert_pb";
import { BudgetService } from "../gen/weir/admin/v1/budget_pb";
import { Role } from "../gen/weir/admin/v1/common_pb";
import { GatewayService } from "../gen/weir/admin/v1/gateway_pb";
import { HistoryService } from "../gen/weir/admin/v1/history_pb";
import { KeyService } from "../gen/weir/admin/v1/key_pb";
import { LimitService } from "../gen/weir/admin/v1/limit_pb";
import { MemberService, MemberState } from "../gen/weir/admin/v1/member_pb";
import { OrganizationService } from "../gen/weir/admin/v1/organization_pb";
import { PriceOverrideService } from "../gen/weir/admin/v1/price_override_pb";
import { ProjectService } from "../gen/weir/admin/v1/project_pb";
import { ProviderService } from "../gen/weir/admin/v1/provider_pb";
import { QuotaMode } from "../gen/weir/admin/v1/quota_pb";
import { QuotaKind, QuotaService, QuotaUnit } from "../gen/weir/admin/v1/quota_service_pb";
import { ReportService } from "../gen/weir/admin/v1/report_pb";
import { RerateService } from "../gen/weir/admin/v1/rerate_pb";
import { RoleBindingService } from "../gen/weir/admin/v1/role_binding_pb";
import { RolloutService, RolloutState, RolloutStrategy } from "../gen/weir/admin/v1/rollout_pb";
import { RouteService } from "../gen/weir/admin/v1/route_pb";
import { SavedReportService } from "../gen/weir/admin/v1/saved_report_pb";
import { ServiceAccountService } from "../gen/weir/admin/v1/service_account_pb";
import { SessionService } from "../gen/weir/admin/v1/session_pb";
import { destinations, pages } from "../routes/pages";
import { newRouter } from "../routes/router";
import { openConsole, stall } from "./console";

// What each role is offered on each page, held to the table of permissions that the server's
// own roles are written to.

const columns = ["owner", "admin", "operator", "analyst", "viewer", "projects only"] as const;
type Column = (typeof columns)[number];

const roles: Record<Column, Role> = {
  owner: Role.OWNER,
  admin: Role.ADMIN,
  operator: Role.OPERATOR,
  analyst: Role.ANALYST,
  viewer: Role.VIEWER,
  "projects only": Role.PROJECTS_ONLY,
};

const granted = readTable();

function readTable(): Record<Column, ReadonlySet<string>> {
  const rows = readFileSync("../docs/permissions.md", "utf8")
    .split("\n## On a project")[0]
    ?.split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const [head, , ...body] = rows ?? [];
  const of = (column: Column) => {
    const at = head?.indexOf(column) ?? -1;
    return new Set(body.filter((cells) => cells[at] === "yes").map(([permission = ""]) => permission.replaceAll("`", "")));
  };
  return { owner: of("owner"), admin: of("admin"), operator: of("operator"), analyst: of("analyst"), viewer: of("viewer"), "projects only": of("projects only") };
}

interface Offer {
  kind: "button" | "link";
  name: string;
  /** All of them are needed. */
  needs: readonly string[];
}

const button = (name: string, ...needs: string[]): Offer => ({ kind: "button", name, needs });
const link = (name: string, ...needs: string[]): Offer => ({ kind: "link", name, needs });

interface Place {
  path: string;
  /** Without it there is no such page for the role. "": everybody's. */
  page: string;
  /** Something that is there for all who may see the page, once it is read. */
  shows: string;
  offers: readonly Offer[];
}

const places: readonly Place[] = [
  { path: "/routing", page: "routes.list", shows: "chat", offers: [
    button("Create route", "routes.create"),
    button("Change chat", "routes.update"),
    button("Create provider", "providers.create"),
    button("Change openai", "providers.update"),
    link("Dry run", "diagnostics.dry_run"),
  ] },
  { path: "/routing/providers/v1", page: "providers.get", shows: "Credential at the agents", offers: [
    button("Test", "diagnostics.test_provider", "gateways.list"),
    link("History of this", "history.list"),
  ] },
  { path: "/routing/dry-run", page: "", shows: "A request that is not sent", offers: [button("Run dry", "diagnostics.dry_run")] },
  { path: "/projects", page: "projects.list", shows: "Shop", offers: [button("Create project", "projects.create")] },
  { path: "/projects?project=p1", page: "projects.list", shows: "Project, times in Europe/Berlin", offers: [
    button("Change", "projects.update"),
    button("Archive", "projects.delete"),
    link("Create key", "keys.create"),
    link("History of this", "history.list"),
  ] },
  { path: "/keys", page: "keys.list", shows: "laptop", offers: [button("Create key", "keys.create"), button("Revoke laptop", "keys.revoke")] },
  { path: "/keys?key=k1", page: "keys.list", shows: "Key, times in Europe/Berlin", offers: [
    button("Change", "keys.update"),
    button("Rotate", "keys.rotate"),
    button("Revoke", "keys.revoke"),
  ] },
  { path: "/budgets", page: "quotas.list", shows: "monthly", offers: [
    button("Create limit", "limits.create"),
    button("Create budget", "budgets.create"),
    link("Alerts", "alerts.list"),
    link("Prices", "price_overrides.list"),
  ] },
  { path: "/budgets?quota=b1", page: "quotas.list", shows: "As it was chosen, times in Europe/Berlin", offers: [
    button("Raise for a while", "budgets.raise"),
    button("Change", "budgets.update"),
    button("Delete", "budgets.delete"),
  ] },
  { path: "/alerts", page: "alerts.list", shows: "Alerts", offers: [button("Deliveries", "alert_deliveries.list"), button("Channels", "alert_channels.list")] },
  { path: "/alerts?show=channels", page: "alerts.list", shows: "Alerts", offers: [
    button("Create channel", "alert_channels.create", "alert_channels.list"),
    button("Change: ops", "alert_channels.update"),
    button("New secret: ops", "alert_channels.update"),
    button("Delete: ops", "alert_channels.delete"),
  ] },
  { path: "/prices", page: "prices.list", shows: "gpt-5", offers: [
    button("Set a price", "price_overrides.create"),
    button("Import prices", "price_overrides.import"),
    button("Priced anew", "rerates.list"),
  ] },
  { path: "/agents", page: "gateways.list", shows: "edge-1", offers: [
    button("Create gateway", "gateways.create"),
    button("Add an agent to prod", "gateways.enrol"),
    button("Revoke edge-1", "gateways.revoke_agent"),
  ] },
  { path: "/agents/g1", page: "gateways.list", shows: "Rollouts until now", offers: [
    button("Add an agent", "gateways.enrol"),
    button("Rollout settings", "gateways.update"),
    button("Go back…", "rollouts.go_back"),
    button("Promote to all", "rollouts.promote"),
    button("Hold", "rollouts.hold"),
    button("Revoke edge-1", "gateways.revoke_agent"),
  ] },
  { path: "/history", page: "history.list", shows: "History", offers: [button("Export", "history.export")] },
  { path: "/reports", page: "reports.query", shows: "Examples worth reading", offers: [link("New query", "reports.query")] },
  { path: "/reports/query", page: "reports.query", shows: "Ask something", offers: [button("Run", "reports.query"), button("Save…", "reports.save")] },
  { path: "/people", page: "", shows: "What roles may do", offers: [
    button("Invite somebody", "members.invite", "members.list"),
    button("Create service account", "service_accounts.create", "service_accounts.list"),
    button("Let a domain in", "join_domains.set", "join_domains.list"),
  ] },
  { path: "/requests", page: "reports.read", shows: "chat", offers: [] },
  { path: "/", page: "reports.read", shows: "No requests in this period", offers: [] },
  { path: "/history/past", page: "", shows: "Choose a moment", offers: [] },
  { path: "/history/compare", page: "history.diff", shows: "Compare two versions", offers: [] },
  { path: "/reports/s1", page: "reports.query", shows: "Weekly", offers: [button("Run", "reports.query")] },
  { path: "/start", page: "", shows: "First steps", offers: [] },
];

const pagesOfNav: readonly (readonly [name: string, permission: string])[] = [
  ["Overview", "reports.read"],
  ["Requests", "reports.read"],
  ["Routes", "routes.list"],
  ["Projects", "projects.list"],
  ["Keys", "keys.list"],
  ["Budgets", "quotas.list"],
  ["Agents", "gateways.list"],
  ["History", "history.list"],
  ["Reports", "reports.query"],
];

const now = timestampFromDate(new Date());

function services(r: ConnectRouter) {
  const route = { id: "r1", name: "chat", targets: [{ providerId: "v1", model: "gpt-5" }] };
  const provider = { id: "v1", name: "openai", baseUrl: "https://x/v1" };
  const project = { id: "p1", name: "shop", displayName: "Shop" };
  const key = { id: "k1", name: "laptop", projectId: "p1", suffix: "x9Qd" };
  const standing = { limit: 10n, spent: 1n, free: 9n, window: {} };
  const quota = { id: "b1", name: "monthly", kind: QuotaKind.BUDGET, unit: QuotaUnit.NANO_USD, mode: QuotaMode.HARD, scope: { on: { case: "projectId" as const, value: "p1" } }, standing };
  const budget = { id: "b1", name: "monthly", amountNanoUsd: 10n, scope: quota.scope };
  const gateway = { id: "g1", name: "prod", rollout: { strategy: RolloutStrategy.CANARY, steps: [50] }, stage: { stableVersion: 1n, configurationVersion: 2n, rolloutId: "o1" } };
  const agent = { id: "a1", gatewayId: "g1", name: "edge-1", lastSeenAt: now };
  const rollout = { id: "o1", gatewayId: "g1", state: RolloutState.RUNNING, agentIds: ["a1"], agentCount: 1, startedAt: now };
  r.rpc(RouteService.method.listRoutes, () => ({ routes: [route] }));
  r.rpc(ProviderService.method.listProviders, () => ({ providers: [provider] }));
  r.rpc(ProviderService.method.getProvider, () => ({ provider }));
  r.rpc(ProjectService.method.listProjects, () => ({ projects: [project] }));
  r.rpc(ProjectService.method.getProject, () => ({ project }));
  r.rpc(KeyService.method.listKeys, () => ({ keys: [key] }));
  r.rpc(KeyService.method.getKey, () => ({ key }));
  r.rpc(QuotaService.method.listQuotas, () => ({ quotas: [quota] }));
  r.rpc(QuotaService.method.getQuota, () => ({ quota }));
  r.rpc(QuotaService.method.listQuotaHistory, () => ({}));
  r.rpc(BudgetService.method.listBudgets, () => ({ budgets: [budget] }));
  r.rpc(BudgetService.method.getBudget, () => ({ budget }));
  r.rpc(LimitService.method.listLimits, () => ({}));
  r.rpc(AlertService.method.listAlerts, () => ({}));
  r.rpc(AlertService.method.listAlertDeliveries, () => ({ deliveries: [{ id: "d1", alertChannelId: "c1", state: AlertDeliveryState.FAILED, createdAt: now }] }));
  r.rpc(AlertChannelService.method.listAlertChannels, () => ({ alertChannels: [{ id: "c1", name: "ops", url: "https://x" }] }));
  r.rpc(PriceOverrideService.method.listPriceOverrides, () => ({ priceOverrides: [{ id: "o1", priceList: "openai", model: "gpt-5", rates: { input: "1" } }] }));
  r.rpc(PriceOverrideService.method.listPrices, () => ({ prices: [{ priceList: "openai", model: "gpt-5", rates: { input: "1.25" } }] }));
  r.rpc(RerateService.method.listRerates, () => ({}));
  r.rpc(SavedReportService.method.listSavedReports, () => ({}));
  r.rpc(SavedReportService.method.getSavedReport, () => ({ savedReport: { id: "s1", name: "Weekly", sql: "SELECT 1" } }));
  r.rpc(GatewayService.method.listGateways, () => ({ gateways: [gateway] }));
  r.rpc(GatewayService.method.getGateway, () => ({ gateway }));
  r.rpc(GatewayService.method.listAgents, () => ({ agents: [agent] }));
  r.rpc(GatewayService.method.listAgentCredentials, () => ({}));
  r.rpc(RolloutService.method.listRollouts, () => ({ rollouts: [rollout] }));
  r.rpc(RolloutService.method.getRollout, () => ({ rollout }));
  r.rpc(HistoryService.method.listEvents, () => ({}));
  r.rpc(HistoryService.method.diff, () => ({}));
  r.rpc(HistoryService.method.watchEvents, async function* () {
    yield { message: { case: "heartbeat" as const, value: { version: 1n } } };
    await stall();
  });
  r.rpc(MemberService.method.listMembers, () => ({ members: [{ id: "m2", name: "Grace", email: "g@example.com", role: Role.VIEWER, state: MemberState.ACTIVE }] }));
  r.rpc(MemberService.method.listJoinDomains, () => ({}));
  r.rpc(ServiceAccountService.method.listServiceAccounts, () => ({}));
  r.rpc(RoleBindingService.method.listRoleBindings, () => ({}));
  r.rpc(SessionService.method.listSessions, () => ({}));
  r.rpc(OrganizationService.method.getOrganization, () => ({}));
  r.rpc(ReportService.method.listRequests, () => ({ requests: [{ requestId: "q1", route: "chat", startedAt: now }] }));
  r.rpc(ReportService.method.getOverview, () => ({}));
  r.rpc(ReportService.method.queryMetrics, () => ({}));
  r.rpc(ReportService.method.runQuery, () => ({}));
}

function openAs(column: Column, path: string) {
  openConsole(
    path,
    (r) => {
      services(r);
      r.rpc(SessionService.method.whoAmI, () => ({ kind: "member", id: "me", display: column, role: roles[column], permissions: [...granted[column]] }));
    },
  );
}

const offered = ({ kind, name }: Offer) => screen.queryAllByRole(kind, { name, hidden: true }).length > 0;

test("the_table_is_read_whole", () => {
  expect(granted.owner.size).toBeGreaterThan(100);
  expect(granted["projects only"]).toEqual(new Set(["self"]));
  const named = places.flatMap(({ page, offers }) => [page, ...offers.flatMap(({ needs }) => needs)]).filter(Boolean);
  const needed = Object.values(pages).flatMap(({ needs = [] }) => needs);
  expect([...named, ...needed].filter((permission) => !granted.owner.has(permission))).toEqual([]);
});

test("every_page_is_looked_at_and_no_key_leads_to_two", () => {
  const router = newRouter(createMemoryHistory());
  const looked = new Set(places.map(({ path }): unknown => router.getMatchedRoutes(new URL(path, location.href).pathname)[2]?.id));
  expect(Object.keys(pages).filter((path) => !looked.has(path))).toEqual([]);
  expect(new Set(destinations.map(({ key }) => key)).size).toBe(destinations.length);
  expect(destinations.filter(({ nav }) => nav).map(({ nav }) => nav?.label)).toEqual([...pagesOfNav.map(([name]) => name), "People"]);
});

describe.each(columns)("%s", (column) => {
  const may = (permission: string) => permission === "" || granted[column].has(permission);

  test("the_navigation", async () => {
    openAs(column, "/nowhere");
    await screen.findByRole("link", { name: "People" });
    for (const [name, permission] of pagesOfNav) expect(screen.queryByRole("link", { name }) !== null, name).toBe(may(permission));
    const settings = screen.queryByRole("button", { name: "Usage settings" }) !== null;
    expect(settings).toBe(may("organization.update") && may("organization.get"));
  });

  test.each(places)("$path", async ({ path, page, shows, offers }) => {
    openAs(column, path);
    if (may(page)) await screen.findAllByText(shows, { exact: false });
    else await screen.findByRole("heading", { name: "Your role may not see this page" });
    const expected = offers.filter(({ needs }) => may(page) && needs.every(may)).map(({ name }) => name);
    await waitFor(() => expect(offers.filter(offered).map(({ name }) => name)).toEqual(expected));
  });
});
