import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";

import type { Gateway } from "../../api/gateway";
import type { Provider } from "../../api/provider";
import { GatewayService } from "../../gen/weir/admin/v1/gateway_pb";
import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { Dialect, ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";
import { enrolCommand, sealCommand } from "./command";

const founder = [...everything, "projects.create", "gateways.create", "gateways.enrol", "gateways.set_key"];

// world is an organization that what a test does fills.
function world() {
  const of = {
    providers: [] as Record<string, unknown>[],
    routes: [] as Record<string, unknown>[],
    gateways: [] as Record<string, unknown>[],
    agents: [] as Record<string, unknown>[],
    projects: [] as Record<string, unknown>[],
    keys: [] as Record<string, unknown>[],
    requests: [] as Record<string, unknown>[],
  };
  const asked: Record<string, unknown>[] = [];
  const serve = (r: ConnectRouter) => {
    r.rpc(ProviderService.method.listProviders, () => ({ providers: of.providers }));
    r.rpc(ProviderService.method.createProvider, ({ name, dialect, baseUrl, credentialRef }) => {
      asked.push({ name, dialect, baseUrl, credentialRef });
      of.providers.push({ name, dialect, baseUrl, credentialRef, id: "p1", etag: "1" });
      return {};
    });
    r.rpc(ProviderService.method.updateProvider, ({ provider }) => {
      asked.push({ sealed: provider?.sealedCredentials.map(({ gatewayId, version, sealed }) => ({ gatewayId, version, sealed: [...sealed] })) });
      of.providers = of.providers.map((p) => ({ ...p, sealedCredentials: provider?.sealedCredentials }));
      return {};
    });
    r.rpc(RouteService.method.listRoutes, () => ({ routes: of.routes }));
    r.rpc(RouteService.method.createRoute, ({ name, targets, mutation }) => {
      if (mutation?.validateOnly) return {};
      asked.push({ route: name, providerId: targets[0]?.providerId, model: targets[0]?.model });
      of.routes.push({ id: "r1", name });
      return {};
    });
    r.rpc(GatewayService.method.listGateways, () => ({ gateways: of.gateways }));
    r.rpc(GatewayService.method.createGateway, ({ name, region }) => {
      of.gateways.push({ id: "g1", name, region });
      return {};
    });
    r.rpc(GatewayService.method.setGatewayKey, ({ publicKey }) => {
      of.gateways = of.gateways.map((g) => ({ ...g, publicKey, keyFingerprint: "c56b edca" }));
      return {};
    });
    r.rpc(GatewayService.method.createEnrolmentToken, () => ({ token: "weiret_token" }));
    r.rpc(GatewayService.method.listAgents, () => ({ agents: of.agents }));
    r.rpc(ProjectService.method.listProjects, () => ({ projects: of.projects }));
    r.rpc(ProjectService.method.createProject, ({ name }) => {
      of.projects.push({ id: "j1", name });
      return {};
    });
    r.rpc(KeyService.method.listKeys, () => ({ keys: of.keys }));
    r.rpc(KeyService.method.createKey, ({ name }) => {
      of.keys.push({ id: "k1", name, projectId: "j1" });
      return { key: { id: "k1", name }, secret: "weir_secret" };
    });
    r.rpc(ReportService.method.getOverview, () => ({}));
    r.rpc(ReportService.method.listRequests, () => ({ requests: of.requests }));
  };
  return { of, asked, serve };
}

const step = (name: string) => screen.findByRole("listitem", { name });
const press = async (name: string | RegExp, where?: HTMLElement) => userEvent.click(await within(where ?? document.body).findByRole("button", { name }));

describe("an_empty_organization", () => {
  test("is_led_to_its_first_request_on_the_overview", async () => {
    const { of, asked, serve } = world();
    openConsole("/", serve, founder);
    expect((await step("Add a provider")).getAttribute("aria-current")).toBe("step");
    expect(screen.getByText("0 of 6 done. Next: add a provider.")).toBeTruthy();
    expect(within(await step("Create a route to it")).queryByRole("button")).toBeNull();
    await press("Anthropic");
    await press("Create provider", await screen.findByRole("dialog", { name: "Create provider" }));
    await waitFor(() =>
      expect(asked.at(-1)).toMatchObject({ name: "anthropic", dialect: Dialect.ANTHROPIC, baseUrl: "https://api.anthropic.com", credentialRef: "env://WEIR_SECRET_ANTHROPIC" }),
    );

    await press("Create route", await step("Create a route to it"));
    const dialog = await screen.findByRole("dialog", { name: "Create route" });
    await userEvent.type(within(dialog).getByLabelText("Model"), "claude-haiku-4-5");
    await press("Create route", dialog);
    await waitFor(() => expect(asked.at(-1)).toEqual({ route: "chat", providerId: "p1", model: "claude-haiku-4-5" }));

    const gateway = await step("Create a gateway");
    expect(within(gateway).getByLabelText<HTMLInputElement>("Region").value).toBe("local");
    await press("Create gateway", gateway);
    await press("Make a command for production");
    expect((await screen.findByText(/^WEIR_CONTROL_URL/)).textContent).toContain("WEIR_ENROLMENT_TOKEN=weiret_token");
    expect(screen.getByText("Waiting for the agent to join…")).toBeTruthy();
    of.agents = [{ id: "a1", name: "edge-1", lastSeenAt: timestampFromDate(new Date()) }];
    expect(await screen.findByRole("link", { name: "edge-1" })).toBeTruthy();

    await press("Create project");
    await press("Create key", await step("Create a key"));
    const making = await screen.findByRole("dialog", { name: "Create key" });
    await userEvent.type(within(making).getByLabelText("Name"), "first");
    await press("Create key", making);
    expect((await screen.findByText(/^curl /)).textContent).toContain("weir_secret");
    await press("I have copied the key");
    expect(await screen.findByText("Waiting for the first request…")).toBeTruthy();
    expect(screen.getByText(/^curl /).textContent).toContain('"Authorization: Bearer $WEIR_KEY"');
    of.requests = [{ requestId: "q1", outcome: "ok", startedAt: timestampFromDate(new Date()) }];
    expect((await screen.findByRole("link", { name: "Look at it" })).getAttribute("href")).toBe("/requests?request=q1");
    expect(screen.getByText("All done: requests are served and recorded.")).toBeTruthy();
  });

  test("seals_a_credential_that_weir_only_carries", async () => {
    const { of, asked, serve } = world();
    of.gateways = [{ id: "g1", name: "production", region: "eu" }];
    openConsole("/start", serve, founder);
    await press("Sealed");
    await press("OpenAI");
    await press("Create provider", await screen.findByRole("dialog", { name: "Create provider" }));
    await waitFor(() => expect(asked.at(-1)).toMatchObject({ name: "openai", credentialRef: "" }));
    const credential = await step("Seal the provider's credential");
    expect(within(credential).getByText("weir-agent gateway-key new --out gateway.key")).toBeTruthy();
    const key = within(credential).getByLabelText("Public key");
    await userEvent.type(key, "c2hvcnQ=");
    expect(within(credential).getByText(/no public key/)).toBeTruthy();
    expect(within(credential).getByRole("button", { name: "Use this key" })).toHaveProperty("disabled", true);
    await userEvent.clear(key);
    await userEvent.type(key, btoa("k".repeat(32)));
    await press("Use this key", credential);
    expect(await within(credential).findByText("c56b edca")).toBeTruthy();
    expect(within(credential).getByText(/^weir-agent seal/).textContent).toContain(`--public-key ${btoa("k".repeat(32))}`);
    await userEvent.type(within(credential).getByLabelText("Sealed credential"), btoa("sealed"));
    await press("Save sealed credential", credential);
    await waitFor(() => expect(asked.at(-1)).toEqual({ sealed: [{ gatewayId: "g1", version: 1n, sealed: [115, 101, 97, 108, 101, 100] }] }));
    await waitFor(() => expect(screen.queryByRole("listitem", { name: "Seal the provider's credential" })).toBeNull());
  });

  test("tells_a_viewer_whom_to_ask", async () => {
    const { serve } = world();
    openConsole("/start", serve, ["providers.list", "routes.list", "gateways.list", "gateways.get", "keys.list", "reports.read", "projects.list"]);
    expect((await step("Add a provider")).textContent).toContain("Ask an owner, admin or operator of your organization.");
    expect((await step("Create a key")).textContent).toContain("Ask an owner or admin of your organization.");
    expect(screen.queryByRole("button", { name: /Create|OpenAI|Make/ })).toBeNull();
  });

  test("shows_nothing_that_the_role_may_not_know", async () => {
    const { serve } = world();
    openConsole("/start", serve, ["keys.list"]);
    expect((await step("Add a provider")).textContent).toContain("Not shown to your role");
    expect((await step("Create a key")).getAttribute("aria-current")).toBe("step");
  });

  test("says_when_it_does_not_know", async () => {
    const { serve } = world();
    openConsole("/start", (r) => {
      serve(r);
      r.rpc(RouteService.method.listRoutes, refuse);
    }, founder);
    expect((await screen.findByRole("alert")).textContent).toContain("needs another role");
  });

  test("waits_until_it_knows", async () => {
    openConsole("/start", (r) => r.rpc(ProviderService.method.listProviders, stall), founder);
    expect(await screen.findByRole("status", { name: "Loading first steps" })).toBeTruthy();
  });
});

test.each([
  ["/agents", "Create the first one"],
  ["/requests", "First steps"],
  ["/keys", "First steps"],
])("what_is_empty_on_%s_leads_to_the_steps", async (path, name) => {
  openConsole(path, world().serve, founder);
  expect((await screen.findByRole("link", { name })).getAttribute("href")).toBe("/start");
});

describe("the_command", () => {
  const gateway = { id: "g1", name: "production", keyFingerprint: "", publicKey: new Uint8Array() } as unknown as Gateway;
  const provider = (baseUrl: string, credentialRef: string) => ({ id: "p1", name: "house", baseUrl, credentialRef }) as unknown as Provider;
  const of = (...providers: Provider[]) => ({ url: "https://weir.example.com", token: "weiret_x", gateway, providers });

  test("names_upstreams_that_agents_do_not_know_by_themselves", () => {
    const known = provider("https://api.openai.com/v1", "env://WEIR_SECRET_OPENAI");
    expect(enrolCommand("shell", of(known))).not.toContain("WEIR_ALLOW_UPSTREAMS");
    const own = enrolCommand("shell", of(known, provider("https://models.example/v1", "file:///run/key")));
    expect(own).toContain("WEIR_ALLOW_UPSTREAMS='default;https://models.example=file:///run/key'");
    expect(enrolCommand("shell", of(provider("https://api.openai.com/v1", "env://OPENAI")))).toContain("'default;https://api.openai.com=env://OPENAI'");
  });

  test("asks_for_each_credential_once", () => {
    const a = provider("https://api.openai.com/v1", "env://WEIR_SECRET_A");
    const lines = enrolCommand("docker", of(a, a)).split("\n").filter((line) => line.includes("WEIR_SECRET_A"));
    expect(lines).toEqual([`  -e WEIR_SECRET_A="\${WEIR_SECRET_A:?set it to the credential of house}" \\`]);
  });

  test("lets_nothing_out_of_its_quotes", () => {
    const text = sealCommand({ organizationId: "o1", gateway, provider: provider("https://x/'; rm -rf ~; '", "") });
    expect(text).toContain(`--base-url 'https://x/'\\''; rm -rf ~; '\\'''`);
  });
});
