import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { TestProviderRequest, TestProviderResponseSchema } from "../../gen/weir/admin/v1/diagnostics_pb";
import { DiagnosticsService, ProviderTestOutcome } from "../../gen/weir/admin/v1/diagnostics_pb";
import { CredentialState, GatewayService } from "../../gen/weir/admin/v1/gateway_pb";
import { Dialect, ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { getProvider } = ProviderService.method;
const { listAgentCredentials, listAgents, listAgentTargets, listGateways } = GatewayService.method;
const { testProvider } = DiagnosticsService.method;

const provider = { id: "v1", name: "openai", dialect: Dialect.OPENAI, baseUrl: "https://x/v1", credentialRef: "env://KEY", region: "us" };

function open(more: (r: ConnectRouter) => void = () => undefined, permissions?: string[]) {
  openConsole(
    "/routing/providers/v1",
    (r) => {
      r.rpc(getProvider, () => ({ provider }));
      r.rpc(listGateways, () => ({
        gateways: [
          { id: "g1", name: "everywhere" },
          { id: "g2", name: "prod-eu", allowedRegions: ["eu"] },
        ],
      }));
      r.rpc(listAgents, () => ({
        agents: [
          { id: "a1", gatewayId: "g1", name: "edge-1" },
          { id: "a2", gatewayId: "g1", name: "gone", revokedAt: timestampFromDate(new Date()) },
          { id: "a3", gatewayId: "g2", name: "edge-eu" },
        ],
      }));
      r.rpc(RouteService.method.listRoutes, () => ({ routes: [{ id: "r1", targets: [{ providerId: "v1", model: "gpt" }] }] }));
      r.rpc(listAgentCredentials, () => ({}));
      r.rpc(listAgentTargets, () => ({}));
      more(r);
    },
    permissions,
  );
}

const ready = () => screen.findByRole("option", { name: "everywhere" });

async function run(answer: MessageInitShape<typeof TestProviderResponseSchema>) {
  open((r) => r.rpc(testProvider, () => answer));
  await ready();
  await userEvent.click(screen.getByRole("button", { name: "Test" }));
  await screen.findByRole("heading", { name: "What it saw" });
  return screen.getByRole("region", { name: "Test" }).textContent;
}

test("loading", async () => {
  open((r) => r.rpc(getProvider, stall));
  expect(await screen.findByRole("status", { name: "Loading provider" })).toBeTruthy();
});

test("error", async () => {
  open((r) => r.rpc(getProvider, refuse));
  expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
});

test("empty_without_agents", async () => {
  open();
  expect(await screen.findByRole("heading", { name: "No agents yet" })).toBeTruthy();
  expect(screen.getByText("Not tested yet.")).toBeTruthy();
});

test("a_test_that_works_shows_times_and_who_answered", async () => {
  const text = await run({
    outcome: ProviderTestOutcome.OK,
    status: 200,
    connect: { nanos: 246_000 },
    tls: { nanos: 12_300_000 },
    firstByte: { seconds: 1n, nanos: 250_000_000 },
    modelListed: false,
    answeredBy: { agentId: "a1", agentName: "edge-1", policyVersion: 42n, policyEpoch: 3n },
  });
  expect(text).toMatch(/Works: the credential was taken.*HTTP status200.*connected in246 µs.*TLS handshake12.3 ms.*Status line after1.25 s.*Modelis not listed/);
  expect(text).toMatch(/Agentedge-1.*v42 of epoch 3.*not since the agent started/);
});

test.each([
  [ProviderTestOutcome.CREDENTIAL_UNAVAILABLE, /The agent has no credential.*Set the variable or file/],
  [ProviderTestOutcome.CREDENTIAL_REFUSED, /The provider refused the credential/],
  [ProviderTestOutcome.BLOCKED, /does not allow the provider.*WEIR_ALLOW_UPSTREAMS/],
  [ProviderTestOutcome.UNREACHABLE, /Can't be reached.*firewall/],
  [ProviderTestOutcome.TIMEOUT, /No answer in time/],
  [ProviderTestOutcome.UNEXPECTED_ANSWER, /Answers something else/],
])("outcome_%i_says_what_to_do", async (outcome, words) => {
  const text = await run({ outcome, reason: "as the agent says" });
  expect(text).toMatch(words);
  expect(text).toContain("as the agent says");
  expect(text).toContain("HTTP statusnone came");
});

test("progress_and_no_agent_connected", async () => {
  let answer: () => void = () => undefined;
  open((r) =>
    r.rpc(testProvider, async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      throw new ConnectError("no agent of the gateway is connected; look at them with ListAgents", Code.FailedPrecondition);
    }),
  );
  await ready();
  await userEvent.click(screen.getByRole("button", { name: "Test" }));
  expect(await screen.findByRole("status", { name: "Loading the agent's answer" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Testing…" })).toHaveProperty("disabled", true);
  answer();
  expect((await screen.findByRole("alert")).textContent).toMatch(/No answer.*no agent of the gateway is connected/);
});

test("what_is_asked_is_what_was_chosen", async () => {
  const seen: TestProviderRequest[] = [];
  open((r) =>
    r.rpc(testProvider, (request) => {
      seen.push(request);
      return {};
    }),
  );
  await ready();
  expect(screen.queryByText(/sends to providers in/)).toBeNull();
  expect(within(screen.getByLabelText("Agent")).queryByRole("option", { name: "gone" })).toBeNull();
  await userEvent.selectOptions(screen.getByLabelText("Gateway"), "prod-eu");
  expect(screen.getByText(/prod-eu sends to providers in eu only, and openai is in us: its agents do not have it/)).toBeTruthy();
  await userEvent.selectOptions(await screen.findByLabelText("Agent"), "edge-eu");
  await userEvent.type(screen.getByLabelText(/^Model to look for/), "gpt");
  await userEvent.click(screen.getByRole("button", { name: "Test" }));
  await waitFor(() => expect(seen[0]).toMatchObject({ providerId: "v1", gatewayId: "g2", agentId: "a3", model: "gpt" }));
});

test("every_agents_credential_has_state_and_fingerprint", async () => {
  open((r) =>
    r.rpc(listAgentCredentials, () => ({
      credentials: [
        { agentId: "a3", agentName: "edge-eu", gatewayId: "g2", state: CredentialState.BLOCKED, reason: "not in WEIR_ALLOW_UPSTREAMS" },
        { agentId: "a1", agentName: "edge-1", gatewayId: "g1", state: CredentialState.OK, fingerprint: "f1f1", fingerprintKey: "k9" },
      ],
      leftOut: 3,
    })),
  );
  const text = async (name: RegExp) => (await screen.findByRole("rowheader", { name })).closest("tr")?.textContent;
  await waitFor(async () => expect(await text(/^edge-eu/)).toMatch(/of prod-eu■Not allowed by the agentnot in WEIR_ALLOW_UPSTREAMSnone/));
  expect(await text(/^edge-1/)).toMatch(/of everywhere●Usablef1f1with key k9/);
  expect(screen.getByText("3 agents more are not listed.")).toBeTruthy();
});

test("a_role_that_only_reads_is_offered_nothing_else", async () => {
  open(undefined, ["providers.get", "gateways.list", "gateways.get"]);
  await screen.findByRole("heading", { name: "Credential at the agents" });
  expect(screen.queryByRole("button", { name: "Test" })).toBeNull();
});
