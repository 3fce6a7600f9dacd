import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";

import type { ListAgentTargetsRequest, RevokeAgentRequest } from "../../gen/weir/admin/v1/gateway_pb";
import { AgentSchema, CredentialState, GatewayService, TargetState } from "../../gen/weir/admin/v1/gateway_pb";
import { ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";
import { healthOf } from "./health";

const { createEnrolmentToken, createGateway, getAgent, listAgents, listAgentTargets, listGateways, revokeAgent } = GatewayService.method;
const gateway = { id: "g1", name: "prod-eu", region: "local" };

test("loading", async () => {
  openConsole("/agents", (r) => r.rpc(listGateways, stall));
  expect(await screen.findByRole("status", { name: "Loading gateways" })).toBeTruthy();
});

test("error", async () => {
  openConsole("/agents", (r) => r.rpc(listGateways, refuse));
  expect(await screen.findByRole("alert")).toBeTruthy();
});

test("empty", async () => {
  openConsole("/agents", (r) => r.rpc(listGateways, () => ({})));
  expect(await screen.findByRole("heading", { name: "No gateways yet" })).toBeTruthy();
});

test("a_gateway_without_agents_says_what_to_do", async () => {
  openConsole("/agents", (r) => {
    r.rpc(listGateways, () => ({ gateways: [gateway] }));
    r.rpc(listAgents, () => ({}));
  });
  expect(await screen.findByRole("heading", { name: "No agents have joined" })).toBeTruthy();
});

test("one_more_agent_joins_by_a_command_and_is_seen_to_come", async () => {
  const agents = [{ id: "a1", gatewayId: "g1", name: "edge-1" }];
  const asked: string[] = [];
  openConsole(
    "/agents",
    (r) => {
      r.rpc(listGateways, () => ({ gateways: [gateway, { ...gateway, id: "g2", name: "prod-us", keyFingerprint: "c56b" }] }));
      r.rpc(listAgents, ({ gatewayId }) => ({ agents: agents.filter((a) => !gatewayId || a.gatewayId === gatewayId) }));
      r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "p1", name: "house", baseUrl: "https://models.example/v1", credentialRef: "env://HOUSE" }] }));
      r.rpc(createEnrolmentToken, ({ gatewayId, maxUses }) => {
        asked.push(`${gatewayId} ${maxUses}`);
        return { token: "weiret_token" };
      });
    },
    [...everything, "gateways.enrol"],
  );
  await userEvent.click(await screen.findByRole("button", { name: "Start one with a command to paste" }));
  const dialog = await screen.findByRole("dialog", { name: "Add an agent to prod-us" });
  await userEvent.click(await within(dialog).findByRole("button", { name: "Make a command for prod-us" }));
  const command = (await within(dialog).findByText(/^WEIR_CONTROL_URL/)).textContent;
  expect(command).toMatch(/WEIR_ENROLMENT_TOKEN=weiret_token[^]*https:\/\/models.example=env:\/\/HOUSE[^]*gateway.key[^]*HOUSE:\?/);
  expect(asked).toEqual(["g2 1"]);
  expect(within(dialog).getByText("Waiting for the agent to join…")).toBeTruthy();
  agents.push({ id: "a2", gatewayId: "g2", name: "edge-2" });
  await waitFor(() => expect(within(dialog).getByRole("status").textContent).toBe("edge-2 joined."));
});

test("one_more_gateway_is_made", async () => {
  const gateways = [gateway];
  openConsole(
    "/agents",
    (r) => {
      r.rpc(listGateways, () => ({ gateways }));
      r.rpc(listAgents, () => ({}));
      r.rpc(createGateway, ({ name, region }) => {
        gateways.push({ id: "g2", name, region });
        return {};
      });
    },
    [...everything, "gateways.create"],
  );
  await userEvent.click(await screen.findByRole("button", { name: "Create gateway" }));
  const dialog = await screen.findByRole("dialog", { name: "Create gateway" });
  await userEvent.type(within(dialog).getByLabelText("Name"), "prod-us");
  await userEvent.click(within(dialog).getByRole("button", { name: "Create gateway" }));
  expect(await screen.findByRole("heading", { name: "prod-us" })).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("agents_show_health_and_policy", async () => {
  const seen = (secondsAgo: number) => timestampFromDate(new Date(Date.now() - secondsAgo * 1_000));
  const base = { gatewayId: "g1", policyVersion: 42n };
  openConsole("/agents", (r) => {
    r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "p1", name: "openai" }] }));
    r.rpc(listGateways, () => ({
      gateways: [{ ...gateway, unservedRoutes: [{ routeId: "r1", name: "chat", reason: "openai is in us" }] }],
    }));
    r.rpc(listAgents, () => ({
      agents: [
        { ...base, id: "a1", name: "fine", lastSeenAt: seen(1) },
        { ...base, id: "a2", name: "gone", lastSeenAt: seen(300) },
        { ...base, id: "a3", name: "picky", lastSeenAt: seen(1), rejectReasons: ["origin not allowed"] },
        { ...base, id: "a4", name: "new" },
        { ...base, id: "a5", name: "late", lastSeenAt: seen(1), releasesBehind: 3n, behindSince: seen(120) },
        { ...base, id: "a6", name: "built", lastSeenAt: seen(1), build: "abc go1", platform: "linux/arm64", spoolOldestAt: seen(180) },
        { ...base, id: "a8", name: "aged", lastSeenAt: seen(1), notice: "this build has 3; upgrade it" },
        { ...base, id: "a7", name: "ended", lastSeenAt: seen(600), revokedAt: seen(60), releasesBehind: 9n, behindSince: seen(60) },
        {
          ...base,
          id: "a9",
          name: "poor",
          lastSeenAt: seen(1),
          credentials: [
            { providerId: "p1", state: CredentialState.UNAVAILABLE, reason: "env://KEY: the variable is not set" },
            { providerId: "p2", state: CredentialState.STALE, reason: "the file is not there" },
          ],
        },
      ],
    }));
  });
  const text = async (name: string) => (await screen.findByRole("rowheader", { name: new RegExp(`^${name}`) })).closest("tr")?.textContent;
  expect(await text("fine")).toMatch(/Healthy.*v42/);
  expect(await text("gone")).toMatch(/Silent.*5 min ago/);
  expect(await text("picky")).toMatch(/Refused policy.*origin not allowed/);
  expect(await text("new")).toMatch(/Never reported/);
  expect(await text("late")).toMatch(/v42.*3 behind since 2 min ago/);
  expect(await text("built")).toMatch(/oldest 3 min ago.*abc go1, linux\/arm64/);
  expect(await text("aged")).toMatch(/this build has 3; upgrade it/);
  expect(screen.getByText("Route chat is not served: openai is in us")).toBeTruthy();
  expect(await text("ended")).toMatch(/Revoked.*1 min ago/);
  expect(await text("poor")).toMatch(
    /Lacks credentials.*openai can't be used: env:\/\/KEY: the variable is not set.*p2 is called with an old credential: the file is not there/,
  );
  expect(await text("ended")).not.toMatch(/Silent|behind/);
  expect(screen.queryByRole("button", { name: "Revoke ended" })).toBeNull();
});

test("revoking_asks_first_and_sends_the_reason", async () => {
  const asked: RevokeAgentRequest[] = [];
  openConsole("/agents", (r) => {
    r.rpc(listGateways, () => ({ gateways: [gateway] }));
    r.rpc(listAgents, () => ({ agents: [{ id: "a1", gatewayId: "g1", name: "edge" }] }));
    r.rpc(revokeAgent, (request) => {
      asked.push(request);
      return {};
    });
  });
  await userEvent.click(await screen.findByRole("button", { name: "Revoke edge" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Revoke edge?" });
  expect(asked).toHaveLength(0);
  await userEvent.type(within(dialog).getByRole("textbox"), "stolen");
  await userEvent.click(within(dialog).getByRole("button", { name: "Revoke agent" }));
  await waitFor(() => expect(asked).toHaveLength(1));
  expect(asked[0]).toMatchObject({ id: "a1", reason: "stolen" });
  expect(asked[0]?.mutation?.requestId).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  [CredentialState.OK, "Healthy"],
  [CredentialState.STALE, "Healthy"],
  [CredentialState.NONE, "Healthy"],
  [CredentialState.UNSPECIFIED, "Healthy"],
  [CredentialState.UNAVAILABLE, "Lacks credentials"],
  [CredentialState.BLOCKED, "Lacks credentials"],
  [CredentialState.UNOPENED, "Lacks credentials"],
])("an_agent_with_a_credential_in_state_%i_is_%s", (state, label) => {
  const now = new Date();
  const agent = create(AgentSchema, { lastSeenAt: timestampFromDate(now), credentials: [{ state }] });
  expect(healthOf(agent, now).label).toBe(label);
});

describe("the_details_of_an_agent", () => {
  const gateways = (r: ConnectRouter) => r.rpc(listGateways, () => ({ gateways: [gateway] }));

  test("loading", async () => {
    openConsole("/agents?agent=a1", (r) => {
      gateways(r);
      r.rpc(getAgent, stall);
    });
    expect(await screen.findByRole("status", { name: "Loading agent" })).toBeTruthy();
  });

  test("error", async () => {
    openConsole("/agents?agent=a1", (r) => {
      gateways(r);
      r.rpc(getAgent, refuse);
    });
    expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
  });

  test("data", async () => {
    const ago = (seconds: number) => timestampFromDate(new Date(Date.now() - seconds * 1_000));
    const summary = { id: "a1", gatewayId: "g1", name: "edge", lastSeenAt: ago(1) };
    const router = openConsole("/agents", (r) => {
      gateways(r);
      r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "p1", name: "openai" }] }));
      r.rpc(listAgents, () => ({ agents: [{ ...summary, candidate: true }] }));
      r.rpc(getAgent, () => ({
        agent: {
          ...summary,
          candidate: true,
          version: "1.4.0",
          build: "abc go1",
          platform: "linux/arm64",
          address: "10.0.0.7",
          policyEpoch: 3n,
          policyVersion: 42n,
          revocationVersion: 40n,
          releasesBehind: 1000n,
          behindSince: ago(120),
          policiesRejected: 2n,
          lastRejectReasons: ["origin not allowed"],
          lastRejectedAt: ago(60),
          requests: 400n,
          failures: 5n,
          spoolRecords: 7n,
          spoolBytes: 2048n,
          spoolOldestAt: ago(180),
          capability: 4,
          neededCapability: 5,
          credentials: [
            { providerId: "p2", state: CredentialState.UNOPENED, reason: "sealed for another key", since: ago(3_600) },
            { providerId: "p1", state: CredentialState.OK, fingerprint: "f1f1", fingerprintKey: "k9" },
          ],
        },
      }));
    });
    const row = (await screen.findByRole("rowheader", { name: /^edge/ })).closest("tr");
    expect(row?.textContent).toContain("candidate");
    await userEvent.click(screen.getByRole("link", { name: "edge" }));
    const drawer = await screen.findByRole("dialog", { name: "Agent" });
    await within(drawer).findByText("openai");
    for (const said of [
      /v42 of epoch 3/,
      /the candidate of a rollout/,
      /1,000 or more behind since 2 min ago/,
      /up to v40/,
      /Refused since its start2/,
      /origin not allowed/,
      /400Failures, not the caller's5, 1.2 %/,
      /7 records, 2 KiB/,
      /3 min ago/,
      /4, and its newest policy needs 5: upgrade it/,
      /10\.0\.0\.7.*linux\/arm64/,
      /p2.*Does not opensealed for another key \(since 1 h ago\)no fingerprint/,
      /Lacks credentials/,
      /openai●Usablefingerprint f1f1, made with key k9/,
    ]) {
      expect(drawer.textContent).toMatch(said);
    }
    expect(router.state.location.search).toEqual({ agent: "a1" });
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(router.state.location.search).toEqual({}));
  });
});

describe("targets_of_an_agent", () => {
  const open = (targets: (request: ListAgentTargetsRequest) => object) =>
    openConsole("/agents?agent=a1", (r) => {
      r.rpc(listGateways, () => ({ gateways: [gateway] }));
      r.rpc(listAgents, () => ({ agents: [{ id: "a1", gatewayId: "g1", name: "edge" }] }));
      r.rpc(getAgent, () => ({ agent: { id: "a1", gatewayId: "g1", name: "edge" } }));
      r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "p1", name: "openai" }] }));
      r.rpc(listAgentTargets, targets);
    });

  test("loading", async () => {
    open(stall);
    expect(await screen.findByRole("status", { name: "Loading targets" })).toBeTruthy();
  });

  test("error", async () => {
    open(refuse);
    expect(await screen.findByRole("alert")).toBeTruthy();
  });

  test("empty", async () => {
    open(() => ({}));
    expect(await screen.findByText(/no request tried one since its start/)).toBeTruthy();
  });

  test("data", async () => {
    const ago = (seconds: number) => timestampFromDate(new Date(Date.now() - seconds * 1_000));
    const seen: ListAgentTargetsRequest[] = [];
    open((request: ListAgentTargetsRequest) => {
      seen.push(request);
      return {
        leftOut: 2,
        unreported: 3n,
        targets: [
          { providerId: "p1", model: "bad", state: TargetState.OPEN, reason: "7 of the last 8 requests failed: 503", since: ago(60) },
          { providerId: "p1", model: "trial", state: TargetState.HALF_OPEN },
          { providerId: "p1", model: "good", state: TargetState.CLOSED, timeToFirstToken: { nanos: 420_000_000 }, timePerToken: { nanos: 9_500_000 }, inFlight: 1_200n },
        ],
      };
    });
    const list = await screen.findByRole("list", { name: "Targets" });
    await waitFor(() => expect(list.textContent).toContain("openai / bad"));
    const rows = within(list).getAllByRole("listitem").map((row) => row.textContent);
    expect(rows[0]).toMatch(/Taken out7 of the last 8 requests failed: 503first token: not known yet, 0 in flight; so since 1 min ago/);
    expect(rows[1]).toMatch(/On trial/);
    expect(rows[2]).toMatch(/good.*In usefirst token expected after 420 ms, 9\.50 ms per token, 1,200 in flight/);
    expect(screen.getByText("5 more found no room here.")).toBeTruthy();
    expect(seen[0]?.of).toEqual({ case: "agentId", value: "a1" });
  });
});

test("a_role_that_only_reads_is_offered_nothing_else", async () => {
  openConsole(
    "/agents",
    (r) => {
      r.rpc(listGateways, () => ({ gateways: [gateway] }));
      r.rpc(listAgents, () => ({ agents: [{ id: "a1", gatewayId: "g1", name: "edge" }] }));
    },
    ["gateways.list", "gateways.get"],
  );
  await screen.findByRole("rowheader", { name: /^edge/ });
  expect(screen.queryByRole("button", { name: "Revoke edge" })).toBeNull();
});
