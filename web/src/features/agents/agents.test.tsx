import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { RevokeAgentRequest } from "../../gen/weir/admin/v1/gateway_pb";
import { CredentialState, GatewayService } from "../../gen/weir/admin/v1/gateway_pb";
import { ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { listAgents, listGateways, revokeAgent } = GatewayService.method;
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
