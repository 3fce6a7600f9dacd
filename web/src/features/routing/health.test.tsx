import type { ConnectRouter } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";

import type { AgentTarget } from "../../api/gateway";
import type { ListAgentTargetsRequest } from "../../gen/weir/admin/v1/gateway_pb";
import { GatewayService, TargetState } from "../../gen/weir/admin/v1/gateway_pb";
import { ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import type { QueryMetricsRequest } from "../../gen/weir/admin/v1/report_pb";
import { Measure, ReportService } from "../../gen/weir/admin/v1/report_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { openConsole } from "../../test/console";
import { healthOf } from "./health";

const { OPEN, HALF_OPEN } = TargetState;

function target(state: TargetState, model = "small", agentName = "a"): AgentTarget {
  return { providerId: "v1", model, agentId: agentName, agentName, state, reason: "7 of 8 failed" } as AgentTarget;
}

const hours: [name: string, hour: Parameters<typeof healthOf>[0], troubled: AgentTarget[], label: string | undefined, tone?: string][] = [
  ["nothing_known", undefined, [], undefined],
  ["nothing_came", { requests: 0n, errors: 0n }, [], "No requests", "plain"],
  ["some_failed", { requests: 1000n, errors: 49n }, [], "Healthy", "good"],
  ["many_failed", { requests: 1000n, errors: 125n }, [], "12.5 % failed", "warn"],
  ["on_trial", { requests: 9n, errors: 0n }, [target(HALF_OPEN)], "1 target on trial", "warn"],
  ["out_at_two_agents_is_one", { requests: 9n, errors: 0n }, [target(OPEN), target(OPEN, "small", "b"), target(HALF_OPEN, "large")], "1 target taken out", "bad"],
  ["two_are_out", undefined, [target(OPEN), target(OPEN, "large")], "2 targets taken out", "bad"],
];

test.each(hours)("health: %s", (_, hour, troubled, label, tone) => {
  expect(healthOf(hour, troubled)).toEqual(label && { label, tone });
});

interface Asked {
  metrics: QueryMetricsRequest[];
  targets: ListAgentTargetsRequest[];
}

function open(path: string, permissions?: string[]): Asked {
  const asked: Asked = { metrics: [], targets: [] };
  const provider = { id: "v1", name: "openai", baseUrl: "https://api.openai.com/v1" };
  const route = { id: "r1", name: "chat", targets: [{ providerId: "v1", model: "small" }, { providerId: "v1", model: "large" }] };
  openConsole(
    path,
    (r: ConnectRouter) => {
      r.rpc(RouteService.method.listRoutes, () => ({ routes: [route, { id: "r2", name: "idle", targets: [{ providerId: "v2", model: "small" }] }] }));
      r.rpc(ProviderService.method.listProviders, () => ({ providers: [provider, { id: "v2", name: "spare" }] }));
      r.rpc(ProviderService.method.getProvider, () => ({ provider }));
      r.rpc(GatewayService.method.listAgentTargets, (request) => {
        asked.targets.push(request);
        return { targets: [{ ...target(OPEN), inFlight: 3n }] };
      });
      r.rpc(ReportService.method.listRequests, () => ({}));
      r.rpc(ReportService.method.queryMetrics, (request) => {
        asked.metrics.push(request);
        const spend = request.measures.includes(Measure.SPEND);
        const values = (spend ? [1_250_000_000n, 41n, 0n] : [40n, 2n]).map((value) => ({ value }));
        const [of] = request.groupBy;
        return of ? { series: [{ group: [of === "route" ? "chat" : "openai"], totals: values }] } : { total: { totals: values } };
      });
    },
    permissions,
  );
  return asked;
}

const row = async (table: string, name: string) => {
  const list = within(await screen.findByRole("region", { name: `${table}, table` }));
  return (await list.findByRole("rowheader", { name: name })).closest("tr");
};

test("lists_tell_health_and_this_months_spend", async () => {
  const asked = open("/routing");
  await waitFor(async () => expect((await row("Routes", "chat"))?.textContent).toMatch(/1 target taken out40 requests, 2 failed\$1\.25/));
  await waitFor(async () => expect((await row("Providers", "openai"))?.textContent).toMatch(/1 target taken out40 requests, 2 failed\$1\.25/));
  expect((await row("Routes", "idle"))?.textContent).toMatch(/No requests\$0\.00/);
  expect((await row("Providers", "spare"))?.textContent).toMatch(/No requests\$0\.00/);
  expect(asked.targets[0]?.of).toEqual({ case: "notClosed", value: true });
  expect(new Set(asked.metrics.map(({ groupBy, measures }) => `${groupBy.join()} ${measures.join()}`))).toEqual(
    new Set([`route ${Measure.SPEND}`, `route ${Measure.REQUESTS},${Measure.ERRORS}`, `provider ${Measure.SPEND}`, `provider ${Measure.REQUESTS},${Measure.ERRORS}`]),
  );
});

test("a_role_without_reports_and_agents_sees_neither", async () => {
  const asked = open("/routing", ["routes.list", "providers.list"]);
  expect((await row("Routes", "chat"))?.textContent).not.toMatch(/taken out|requests|\$/);
  expect(screen.queryByRole("columnheader", { name: /Spend/ })).toBeNull();
  expect(asked).toEqual({ metrics: [], targets: [] });
});

test("a_routes_details_tell_which_target_is_out_and_what_the_route_cost", async () => {
  open("/routing?route=r1");
  const drawer = within(await screen.findByRole("dialog", { name: "Route" }));
  expect(await drawer.findByText("by a: 7 of 8 failed")).toBeTruthy();
  expect(drawer.getAllByText("Taken out")).toHaveLength(1);
  expect((await drawer.findByRole("link", { name: "41" })).getAttribute("href")).toContain('filter=route+%3D+%22chat%22');
});

test("a_providers_page_lists_its_targets_at_each_agent", async () => {
  const asked = open("/routing/providers/v1");
  const targets = within(await screen.findByRole("list", { name: "Targets" }));
  expect(targets.getByRole("listitem").textContent).toMatch(/^small at a.*Taken out7 of 8 failed.*3 in flight/);
  expect(asked.targets[0]?.of).toEqual({ case: "providerId", value: "v1" });
});
