import type { ConnectRouter } from "@connectrpc/connect";
import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";

import { Dialect, ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import { RouteService, Strategy } from "../../gen/weir/admin/v1/route_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { listRoutes } = RouteService.method;
const { listProviders } = ProviderService.method;

function open(routes: () => object, providers: () => object) {
  openConsole("/routing", (r: ConnectRouter) => {
    r.rpc(listRoutes, routes);
    r.rpc(listProviders, providers);
  });
}

test("loading", async () => {
  open(stall, stall);
  expect(await screen.findByRole("status", { name: "Loading routes" })).toBeTruthy();
  expect(screen.getByRole("status", { name: "Loading providers" })).toBeTruthy();
});

test("error_of_one_list_leaves_the_other", async () => {
  open(refuse, () => ({ providers: [{ id: "v1", name: "openai" }] }));
  expect(await screen.findByRole("alert")).toBeTruthy();
  expect(await screen.findByRole("rowheader", { name: "openai" })).toBeTruthy();
});

test("empty", async () => {
  open(
    () => ({}),
    () => ({}),
  );
  expect(await screen.findByRole("heading", { name: "No routes yet" })).toBeTruthy();
  expect(await screen.findByRole("heading", { name: "No providers yet" })).toBeTruthy();
});

test("targets_of_a_weighted_route_show_their_weights", async () => {
  const targets = [
    { providerId: "v1", model: "large", weight: 900 },
    { providerId: "v1", model: "small", weight: 100 },
  ];
  open(
    () => ({ routes: [{ id: "r1", name: "shared", strategy: Strategy.WEIGHTED, targets }] }),
    () => ({ providers: [{ id: "v1", name: "openai" }] }),
  );
  const row = (await screen.findByRole("rowheader", { name: "shared" })).closest("tr");
  await waitFor(() => expect(row?.textContent).toContain("openai / large (weight 900)openai / small (weight 100)"));
  expect(row?.textContent).toContain("Weighted");
});

test("data_names_the_targets_provider", async () => {
  open(
    () => ({ routes: [{ id: "r1", name: "demo", targets: [{ providerId: "v1", model: "gpt-4o-mini" }] }] }),
    () => ({ providers: [{ id: "v1", name: "openai", dialect: Dialect.OPENAI_COMPATIBLE, baseUrl: "http://x/v1" }] }),
  );
  const row = (await screen.findByRole("rowheader", { name: "demo" })).closest("tr");
  await waitFor(() => expect(row?.textContent).toContain("openai / gpt-4o-mini"));
  expect(screen.getByText("OpenAI-compatible")).toBeTruthy();
});
