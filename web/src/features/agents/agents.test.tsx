import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { GatewayService } from "../../gen/weir/admin/v1/gateway_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { listAgents, listGateways } = GatewayService.method;
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
    r.rpc(listGateways, () => ({ gateways: [gateway] }));
    r.rpc(listAgents, () => ({
      agents: [
        { ...base, id: "a1", name: "fine", lastSeenAt: seen(1) },
        { ...base, id: "a2", name: "gone", lastSeenAt: seen(300) },
        { ...base, id: "a3", name: "picky", lastSeenAt: seen(1), rejectReasons: ["origin not allowed"] },
        { ...base, id: "a4", name: "new" },
      ],
    }));
  });
  const text = async (name: string) => (await screen.findByRole("rowheader", { name: new RegExp(`^${name}`) })).closest("tr")?.textContent;
  expect(await text("fine")).toMatch(/Healthy.*v42/);
  expect(await text("gone")).toMatch(/Silent.*5 min ago/);
  expect(await text("picky")).toMatch(/Refused policy.*origin not allowed/);
  expect(await text("new")).toMatch(/Never reported/);
});
