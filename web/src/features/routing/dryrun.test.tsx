import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { DryRunRequest, DryRunResponseSchema } from "../../gen/weir/admin/v1/diagnostics_pb";
import { ConditionVerdict, DiagnosticsService, TargetFitness } from "../../gen/weir/admin/v1/diagnostics_pb";
import { GatewayService } from "../../gen/weir/admin/v1/gateway_pb";
import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { Failure, RouteService, StickyBy, Strategy } from "../../gen/weir/admin/v1/route_pb";
import { openConsole, stall } from "../../test/console";

const { dryRun } = DiagnosticsService.method;
const asked = "/routing/dry-run?gateway=g1&caller=key:k2&route=chat&input=500&output=20";

function open(path: string, more: (r: ConnectRouter) => void = () => undefined, permissions?: string[]) {
  return openConsole(
    path,
    (r) => {
      r.rpc(GatewayService.method.listGateways, () => ({ gateways: [{ id: "g1", name: "prod" }] }));
      r.rpc(GatewayService.method.listAgents, () => ({ agents: [{ id: "a1", gatewayId: "g1", name: "edge" }] }));
      r.rpc(KeyService.method.listKeys, () => ({
        keys: [
          { id: "k1", name: "ended", revokedAt: timestampFromDate(new Date()) },
          { id: "k2", name: "shop-key" },
        ],
      }));
      r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }] }));
      r.rpc(RouteService.method.listRoutes, () => ({ routes: [{ id: "r1", name: "chat" }] }));
      more(r);
    },
    permissions,
  );
}

async function answered(answer: MessageInitShape<typeof DryRunResponseSchema>) {
  open(asked, (r) => r.rpc(dryRun, () => answer));
  await screen.findByRole("heading", { name: "Cost and bounds" });
  return screen.getByRole("main").textContent;
}

test("loading", async () => {
  open(asked, (r) => r.rpc(dryRun, stall));
  expect(await screen.findByRole("status", { name: "Loading the agent's answer" })).toBeTruthy();
});

test("error", async () => {
  open(asked, (r) =>
    r.rpc(dryRun, () => {
      throw new ConnectError("no connected agent can be asked: edge is too old", Code.FailedPrecondition);
    }),
  );
  expect((await screen.findByRole("alert")).textContent).toMatch(/No answer.*edge is too old/);
});

test("empty_until_something_is_asked", async () => {
  open("/routing/dry-run");
  expect(await screen.findByText("Describe a request; the answer appears here.")).toBeTruthy();
  expect(await screen.findByLabelText("Caller")).toHaveProperty("value", "key:k2");
});

test("a_described_request_is_asked_and_in_the_url", async () => {
  const seen: DryRunRequest[] = [];
  const router = open("/routing/dry-run", (r) =>
    r.rpc(dryRun, (request) => {
      seen.push(request);
      return {};
    }),
  );
  await userEvent.selectOptions(await screen.findByLabelText("Caller"), "Shop");
  await userEvent.selectOptions(screen.getByLabelText("Agent"), "edge");
  await userEvent.type(screen.getByLabelText(/^Model/), "chat");
  const output = screen.getByLabelText(/^Output tokens/);
  await userEvent.clear(output);
  await userEvent.type(output, "200");
  await userEvent.click(screen.getByRole("button", { name: "Run dry" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]).toMatchObject({
    gatewayId: "g1",
    agentId: "a1",
    caller: { case: "projectId", value: "p1" },
    model: "chat",
    inputTokens: 1_000n,
    maxOutputTokens: 200n,
  });
  expect(router.state.location.search).toMatchObject({ gateway: "g1", agent: "a1", caller: "project:p1", route: "chat", output: 200 });
  await userEvent.click(await screen.findByRole("button", { name: "Run dry" }));
  await waitFor(() => expect(seen).toHaveLength(2));
});

test("candidates_say_why_not_and_what_they_cost", async () => {
  const text = await answered({
    route: {
      id: "r1",
      maxAttempts: 2,
      backoff: { nanos: 100_000_000 },
      retryOn: [Failure.RATE_LIMITED, Failure.TIMEOUT],
      targets: [
        {
          provider: "openai",
          model: "large",
          fitness: TargetFitness.USABLE,
          timeouts: { firstByte: { seconds: 600n } },
          inputCostNanoUsd: 150_000n,
          maxCostNanoUsd: 270_000n,
        },
        { provider: "backup", model: "small", fitness: TargetFitness.BLOCKED, reason: "origin not listed", unpriced: true },
        { provider: "last", model: "tiny", fitness: TargetFitness.BEYOND_ATTEMPTS, inputCostNanoUsd: 1n, unbounded: true },
      ],
    },
    maxCostNanoUsd: 540_000n,
    maxRequestBytes: 20_971_520n,
    priceBookVersion: "builtin-2026-07",
    answeredBy: { agentName: "edge", policyVersion: 42n },
  });
  expect(text).toContain("Would go upstream");
  const rows = within(screen.getByRole("table")).getAllByRole("row").map((row) => row.textContent);
  expect(rows[1]).toBe("openai / largefirst byte within 10 min●UsableInput costs $0.00015, at most $0.00027$0.00015$0.00027");
  expect(rows[2]).toBe("backup / small■Not allowed by the agentorigin not listedInput costs unpriced, at most unpricedunpricedunpriced");
  expect(rows[3]).toBe("last / tiny○Beyond the attemptsInput costs $0.000000001, at most not bounded$0.000000001not bounded");
  expect(text).toMatch(/after up to 100 ms.*rate limits, timeouts.*\$0.00054.*builtin-2026-07.*20 MiB.*edge.*v42/);
});

test("what_conditions_look_at_is_asked_and_in_the_url", async () => {
  const seen: DryRunRequest[] = [];
  const router = open("/routing/dry-run", (r) =>
    r.rpc(dryRun, (request) => {
      seen.push(request);
      return {};
    }),
  );
  await userEvent.type(await screen.findByLabelText(/^Model/), "chat");
  await userEvent.click(screen.getByText("What conditions look at"));
  await userEvent.type(screen.getByLabelText("Metadata"), "tier=gold; formula = a=b;");
  await userEvent.type(screen.getByLabelText("Headers"), "X-Session-Id=42");
  await userEvent.type(screen.getByLabelText("End user"), "u1");
  await userEvent.click(screen.getByLabelText("The answer is a stream"));
  await userEvent.click(screen.getByRole("button", { name: "Run dry" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]).toMatchObject({ metadata: { tier: "gold", formula: "a=b" }, headers: { "X-Session-Id": "42" }, stream: true, user: "u1", run: "" });
  expect(router.state.location.search).toMatchObject({ metadata: "tier=gold; formula = a=b;", stream: true, user: "u1" });
});

test("conditions_shares_and_strategy_are_told", async () => {
  const text = await answered({
    route: {
      id: "r1",
      maxAttempts: 2,
      strategy: Strategy.STICKY,
      strict: true,
      sticky: { by: StickyBy.PROMPT_PREFIX, minTokens: 1_024n, breakEvenPercent: 100 },
      hedge: { percentile: 95, minDelay: { nanos: 50_000_000 }, maxPercent: 10 },
      canary: { target: { provider: "openai", model: "new", fitness: TargetFitness.BLOCKED, reason: "origin not listed" }, perMille: 5 },
      shadow: { target: { provider: "openai", model: "copy", fitness: TargetFitness.USABLE }, perMille: 1_000 },
      targets: [
        { provider: "openai", model: "large", fitness: TargetFitness.USABLE, when: "stream", verdict: ConditionVerdict.TRUE, timeouts: { connect: { nanos: 300_000_000 } } },
        { provider: "openai", model: "small", fitness: TargetFitness.CONDITION, when: 'metadata.tier == "gold"', verdict: ConditionVerdict.ERROR, verdictError: "no such key: tier" },
      ],
    },
  });
  const rows = within(screen.getByRole("table")).getAllByRole("row").map((row) => row.textContent);
  expect(rows[1]).toMatch(/connection within 300 msstream is true/);
  expect(rows[2]).toMatch(/metadata\.tier == "gold" is an error, which counts as false: no such key: tier○Not for this request/);
  for (const said of [
    /Candidates, among which the strategy chooses/,
    /StrategySticky/,
    /Alike inThe beginning of the promptfrom 1,024 input tokens/,
    /Strictyes/,
    /Hedgeafter 95 of 100.*not before 50 ms/,
    /Canary0\.5 % to openai \/ new .*Not allowed by the agentorigin not listed/,
    /Shadow100 % to openai \/ copy/,
  ]) {
    expect(text).toMatch(said);
  }
});

test("a_refusal_is_an_answer", async () => {
  const text = await answered({ refusal: { status: 404, code: "route_unknown", message: "There is no route." } });
  expect(text).toMatch(/Refused at once with 404 route_unknownThere is no route\..*not bounded, or unpriced/);
  expect(screen.queryByRole("table")).toBeNull();
});

test("a_role_that_may_not_is_told_so", async () => {
  open("/routing/dry-run", undefined, ["routes.list"]);
  expect(await screen.findByRole("heading", { name: "Your role may not run dry" })).toBeTruthy();
});

test("what_the_whole_request_is_refused_for_is_said_once", async () => {
  const message = 'The budget "daily" is used up.';
  const used = { provider: "openai", fitness: TargetFitness.QUOTA };
  const text = await answered({
    refusal: { status: 429, code: "budget_exceeded", message },
    route: { id: "r1", targets: [{ ...used, model: "a", reason: message }, { ...used, model: "b", reason: "of another one" }] },
  });
  expect(text.split(message)).toHaveLength(2);
  expect(text).toContain("of another one");
});
