import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { CreateProviderRequest, UpdateProviderRequest } from "../../gen/weir/admin/v1/provider_pb";
import { Dialect, ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import type { CreateRouteRequest, UpdateRouteRequest } from "../../gen/weir/admin/v1/route_pb";
import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import { RouteService, Strategy } from "../../gen/weir/admin/v1/route_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { createRoute, listRoutes, updateRoute } = RouteService.method;
const { createProvider, listProviders, updateProvider } = ProviderService.method;

function open(routes: () => object, providers: () => object, more?: (r: ConnectRouter) => void, permissions?: string[]) {
  openConsole(
    "/routing",
    (r: ConnectRouter) => {
      r.rpc(listRoutes, routes);
      r.rpc(listProviders, providers);
      more?.(r);
    },
    permissions,
  );
}

const azure = {
  id: "v1",
  name: "azure",
  dialect: Dialect.AZURE_OPENAI,
  baseUrl: "https://acme.openai.azure.com",
  apiVersion: "2024-10-21",
  etag: "e7",
};

async function openDialog(button: string, title: string) {
  await userEvent.click(await screen.findByRole("button", { name: button }));
  return within(await screen.findByRole("dialog", { name: title }));
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

test("api_version_and_strict_are_shown", async () => {
  open(
    () => ({ routes: [{ id: "r1", name: "demo", strategy: Strategy.PRIORITY, strict: true }] }),
    () => ({ providers: [azure] }),
  );
  const row = (await screen.findByRole("rowheader", { name: "demo" })).closest("tr");
  expect(row?.textContent).toContain("strict");
  expect(await screen.findByText("API version 2024-10-21")).toBeTruthy();
});

test("a_role_that_only_reads_is_offered_nothing_else", async () => {
  const routes = () => ({ routes: [{ id: "r1", name: "demo" }] });
  open(routes, () => ({ providers: [azure] }), undefined, ["routes.list", "providers.list"]);
  await screen.findByRole("rowheader", { name: "demo" });
  await screen.findByRole("rowheader", { name: "azure" });
  expect(screen.queryByRole("button", { name: /^(Create|Change)/ })).toBeNull();
});

test("each_dialect_says_what_it_wants", async () => {
  open(
    () => ({}),
    () => ({}),
  );
  const dialog = await openDialog("Create provider", "Create provider");
  const dialect = dialog.getByRole("combobox", { name: "Dialect" });
  const known = Object.values(Dialect).filter((d) => typeof d === "number");
  expect(dialog.getAllByRole("option")).toHaveLength(known.length - 1);
  const seen = new Set<string>();
  for (const { textContent } of dialog.getAllByRole("option")) {
    await userEvent.selectOptions(dialect, textContent);
    seen.add(dialog.getByRole<HTMLInputElement>("textbox", { name: "Base URL" }).placeholder);
    expect(dialog.queryByRole("textbox", { name: "API version (optional)" }) !== null).toBe(textContent === "Azure OpenAI");
  }
  expect([...seen].filter((url) => url.startsWith("https://"))).toHaveLength(known.length - 1);
});

test("a_provider_of_azure_is_made_with_its_api_version", async () => {
  const seen: CreateProviderRequest[] = [];
  open(
    () => ({}),
    () => ({}),
    (r) =>
      r.rpc(createProvider, (request) => {
        seen.push(request);
        return {};
      }),
  );
  const dialog = await openDialog("Create provider", "Create provider");
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Dialect" }), "Azure OpenAI");
  await userEvent.type(dialog.getByRole("textbox", { name: "Name" }), "azure");
  await userEvent.type(dialog.getByRole("textbox", { name: "Base URL" }), azure.baseUrl);
  await userEvent.type(dialog.getByRole("textbox", { name: "API version (optional)" }), "2024-10-21");
  await userEvent.type(dialog.getByRole("textbox", { name: "Credential" }), "env://WEIR_SECRET_AZURE");
  await userEvent.click(dialog.getByRole("button", { name: "Create provider" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  const { dialect, baseUrl, apiVersion } = azure;
  expect(seen[0]).toMatchObject({ name: "azure", dialect, baseUrl, apiVersion, credentialRef: "env://WEIR_SECRET_AZURE" });
  expect(seen[0]?.mutation?.requestId).toMatch(/^[0-9a-f]{32}$/);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

test("an_api_version_does_not_go_along_with_another_dialect", async () => {
  const seen: CreateProviderRequest[] = [];
  open(
    () => ({}),
    () => ({}),
    (r) =>
      r.rpc(createProvider, (request) => {
        seen.push(request);
        return {};
      }),
  );
  const dialog = await openDialog("Create provider", "Create provider");
  const dialect = dialog.getByRole("combobox", { name: "Dialect" });
  await userEvent.selectOptions(dialect, "Azure OpenAI");
  await userEvent.type(dialog.getByRole("textbox", { name: "API version (optional)" }), "2024-10-21");
  await userEvent.selectOptions(dialect, "Gemini");
  await userEvent.type(dialog.getByRole("textbox", { name: "Name" }), "gemini");
  await userEvent.type(dialog.getByRole("textbox", { name: "Base URL" }), "https://generativelanguage.googleapis.com/v1beta");
  await userEvent.click(dialog.getByRole("button", { name: "Create provider" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]).toMatchObject({ dialect: Dialect.GEMINI, apiVersion: "" });
});

test("a_refused_provider_says_why_and_what_was_changed_is_sent", async () => {
  const seen: UpdateProviderRequest[] = [];
  open(
    () => ({}),
    () => ({ providers: [azure] }),
    (r) =>
      r.rpc(updateProvider, (request) => {
        seen.push(request);
        throw new ConnectError("base_url: write the resource only", Code.InvalidArgument);
      }),
  );
  const dialog = await openDialog("Change azure", "Change azure");
  expect(dialog.getByRole<HTMLSelectElement>("combobox", { name: "Dialect" }).disabled).toBe(true);
  await userEvent.type(dialog.getByRole("textbox", { name: "Base URL" }), "/openai");
  await userEvent.clear(dialog.getByRole("textbox", { name: "API version (optional)" }));
  await userEvent.click(dialog.getByRole("button", { name: "Save provider" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("write the resource only");
  expect(seen[0]?.provider).toMatchObject({ id: "v1", etag: "e7", apiVersion: "" });
  expect(seen[0]?.updateMask?.paths).toEqual(["base_url", "api_version"]);
});

test("a_strict_route_to_two_providers_is_made", async () => {
  const seen: CreateRouteRequest[] = [];
  open(
    () => ({}),
    () => ({ providers: [azure, { id: "v2", name: "gemini" }] }),
    (r) =>
      r.rpc(createRoute, (request) => {
        if (request.mutation?.validateOnly) return {};
        seen.push(request);
        return {};
      }),
  );
  const dialog = await openDialog("Create route", "Create route");
  await userEvent.type(dialog.getByRole("textbox", { name: "Name" }), "chat");
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Strategy" }), "Weighted");
  await userEvent.click(dialog.getByRole("button", { name: "Add target" }));
  for (const [group, provider, model, weight] of [
    ["Target 1", "azure", "own-name", "900"],
    ["Target 2", "gemini", "gemini-2.5-flash", "100"],
  ] as const) {
    const target = within(dialog.getByRole("group", { name: group }));
    await within(dialog.getByRole("group", { name: group })).findByRole("option", { name: provider });
    await userEvent.selectOptions(target.getByRole("combobox", { name: "Provider" }), provider);
    await userEvent.type(target.getByRole("textbox", { name: "Model" }), model);
    await userEvent.clear(target.getByRole("spinbutton", { name: "Weight" }));
    await userEvent.type(target.getByRole("spinbutton", { name: "Weight" }), weight);
  }
  const strict = dialog.getByRole("switch", { name: "Strict" });
  expect(strict.getAttribute("aria-describedby")).toBeTruthy();
  await userEvent.click(strict);
  await userEvent.click(dialog.getByRole("button", { name: "Create route" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]).toMatchObject({
    name: "chat",
    strategy: Strategy.WEIGHTED,
    strict: true,
    targets: [
      { providerId: "v1", model: "own-name", weight: 900 },
      { providerId: "v2", model: "gemini-2.5-flash", weight: 100 },
    ],
  });
});

test("a_route_is_made_lossy_again", async () => {
  const seen: UpdateRouteRequest[] = [];
  const targets = [{ providerId: "v9", model: "m" }];
  open(
    () => ({ routes: [{ id: "r1", name: "demo", strategy: Strategy.SINGLE, targets, strict: true, etag: "e3" }] }),
    () => ({ providers: [azure] }),
    (r) =>
      r.rpc(updateRoute, (request) => {
        if (request.mutation?.validateOnly) return {};
        seen.push(request);
        return {};
      }),
  );
  const dialog = await openDialog("Change demo", "Change demo");
  await userEvent.click(dialog.getByRole("switch", { name: "Strict" }));
  await userEvent.click(dialog.getByRole("button", { name: "Save route" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.route).toMatchObject({ id: "r1", etag: "e3", strict: false, targets: [{ providerId: "v9", model: "m", weight: 0 }] });
  expect(seen[0]?.updateMask?.paths).toContain("strict");
});

test("a_pasted_credential_stays_in_the_browser", async () => {
  let sent = false;
  open(
    () => ({}),
    () => ({ providers: [] }),
    (r) =>
      r.rpc(createProvider, () => {
        sent = true;
        return {};
      }),
  );
  const dialog = await openDialog("Create provider", "Create provider");
  await userEvent.type(dialog.getByRole("textbox", { name: "Name" }), "openai");
  await userEvent.type(dialog.getByRole("textbox", { name: "Base URL" }), "https://api.openai.com/v1");
  const credential = dialog.getByRole<HTMLInputElement>("textbox", { name: "Credential" });
  await userEvent.type(credential, "sk-proj-1234");
  await userEvent.click(dialog.getByRole("button", { name: "Create provider" }));
  expect(credential.validity.patternMismatch).toBe(true);
  expect(sent).toBe(false);
  await userEvent.clear(credential);
  await userEvent.type(credential, "env://WEIR_SECRET_OPENAI");
  await userEvent.click(dialog.getByRole("button", { name: "Create provider" }));
  await waitFor(() => expect(sent).toBe(true));
});

test("a_providers_queue_is_switched_on_changed_and_off_again", async () => {
  const seen: UpdateProviderRequest[] = [];
  let now = azure as object;
  open(
    () => ({}),
    () => ({ providers: [now] }),
    (r) =>
      r.rpc(updateProvider, (request) => {
        seen.push(request);
        now = { ...azure, queue: request.provider?.queue };
        return {};
      }),
  );
  let dialog = await openDialog("Change azure", "Change azure");
  await userEvent.click(dialog.getByRole("switch", { name: "Queue" }));
  const waits = dialog.getByRole("spinbutton", { name: "Waits at most, ms" });
  await userEvent.clear(waits);
  await userEvent.type(waits, "2500");
  await userEvent.click(dialog.getByRole("button", { name: "Save provider" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.updateMask?.paths).toEqual(["queue"]);
  expect(seen[0]?.provider?.queue).toMatchObject({ maxRequests: 100, maxWaitMs: 2500n });
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());

  dialog = await openDialog("Change azure", "Change azure");
  await waitFor(() => expect(dialog.getByRole<HTMLInputElement>("spinbutton", { name: "Waits at most, ms" }).value).toBe("2500"));
  await userEvent.click(dialog.getByRole("switch", { name: "Queue" }));
  await userEvent.click(dialog.getByRole("button", { name: "Save provider" }));
  await waitFor(() => expect(seen).toHaveLength(2));
  expect(seen[1]?.updateMask?.paths).toEqual(["queue"]);
  expect(seen[1]?.provider?.queue).toBeUndefined();
});

// At once: each key would draw the whole form.
async function write(field: HTMLElement, text: string) {
  await userEvent.clear(field);
  await userEvent.click(field);
  await userEvent.paste(text);
}

test("a_providers_headers_timeouts_and_models_are_checked_as_they_are_written_and_sent", async () => {
  const seen: UpdateProviderRequest[] = [];
  const full = { ...azure, headers: { "X-Team": "water" }, timeouts: { total: { seconds: 90n } }, allowedModels: ["gpt-5"] };
  open(
    () => ({}),
    () => ({ providers: [full] }),
    (r) =>
      r.rpc(updateProvider, (request) => {
        seen.push(request);
        return {};
      }),
  );
  const dialog = await openDialog("Change azure", "Change azure");
  const save = dialog.getByRole("button", { name: "Save provider" });
  expect(dialog.getByRole<HTMLInputElement>("spinbutton", { name: "In all, s" }).value).toBe("90");
  await write(dialog.getByRole("spinbutton", { name: "Connect, s" }), "0.5");

  await userEvent.click(dialog.getByRole("button", { name: "Add header" }));
  const added = within(dialog.getByRole("group", { name: "New header" }));
  const name = added.getByRole("textbox", { name: "Header" });
  for (const [written, mistake] of [
    ["X Team", "A name has letters, digits and dashes, no spaces and no colon."],
    ["x-team", "x-team is written twice."],
  ] as const) {
    await write(name, written);
    expect(dialog.getByText(mistake)).toBeTruthy();
    expect(save).toHaveProperty("disabled", true);
  }
  await write(name, "OpenAI-Organization");
  const value = added.getByRole("textbox", { name: "Value" });
  await write(value, "org-ä");
  expect(dialog.getByText("A value is printable ASCII, without space around it.")).toBeTruthy();
  await write(value, "org-1");

  const models = dialog.getByRole("textbox", { name: "Models that routes may send to" });
  await write(models, "gpt-5\n gpt-5");
  expect(dialog.getByText("gpt-5 is there twice.")).toBeTruthy();
  expect(save).toHaveProperty("disabled", true);
  await write(models, "gpt-5\n gpt-5-mini\n");
  await userEvent.click(save);
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.updateMask?.paths).toEqual(["headers", "timeouts", "allowed_models"]);
  expect(seen[0]?.provider).toMatchObject({
    headers: { "X-Team": "water", "OpenAI-Organization": "org-1" },
    timeouts: { connect: { nanos: 500_000_000 }, total: { seconds: 90n } },
    allowedModels: ["gpt-5", "gpt-5-mini"],
  });
});

test("a_provider_that_somebody_changed_meanwhile_shows_both_versions", async () => {
  const seen: UpdateProviderRequest[] = [];
  open(
    () => ({}),
    () => ({ providers: [azure] }),
    (r) => {
      r.rpc(ProviderService.method.getProvider, () => ({ provider: { ...azure, etag: "e8", queue: { maxRequests: 7, maxWaitMs: 500n } } }));
      r.rpc(updateProvider, (request) => {
        seen.push(request);
        if (seen.length === 1) throw new ConnectError("etag", Code.Aborted);
        return {};
      });
    },
  );
  const dialog = await openDialog("Change azure", "Change azure");
  await userEvent.type(dialog.getByRole("textbox", { name: "Region (optional)" }), "eu");
  await userEvent.click(dialog.getByRole("button", { name: "Save provider" }));
  expect(await dialog.findByRole("radio", { name: "Theirs: 7 at most for each model, up to 500 ms" })).toHaveProperty("checked", true);
  expect(dialog.getByRole("radio", { name: "Mine: eu" })).toHaveProperty("checked", true);
  await userEvent.click(dialog.getByRole("button", { name: "Go on with this choice" }));
  await userEvent.click(dialog.getByRole("button", { name: "Save provider" }));
  await waitFor(() => expect(seen).toHaveLength(2));
  expect(seen[1]?.updateMask?.paths).toEqual(["region"]);
  expect(seen[1]?.provider?.etag).toBe("e8");
});

test("a_route_tells_what_it_cost_and_leads_to_its_requests_and_a_dry_run", async () => {
  const filters: string[] = [];
  openConsole("/routing?route=r1", (r) => {
    r.rpc(RouteService.method.listRoutes, () => ({ routes: [{ id: "r1", name: "chat/v2", targets: [{ providerId: "v1", model: "gpt-5" }] }] }));
    r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "v1", name: "openai" }] }));
    r.rpc(ReportService.method.queryMetrics, ({ filter }) => {
      filters.push(filter);
      return { total: { totals: [{ value: 2_500_000_000n }, { value: 12n }, { value: 0n }] } };
    });
    r.rpc(ReportService.method.listRequests, () => ({}));
  });
  const drawer = within(await screen.findByRole("dialog", { name: "Route" }));
  expect(await drawer.findByText("$2.50")).toBeTruthy();
  expect(filters).toContain('route = "chat/v2"');
  expect(new URLSearchParams(drawer.getByRole("link", { name: "12" }).getAttribute("href")?.split("?")[1]).get("filter")).toBe('route = "chat/v2"');
  expect(drawer.getByRole("link", { name: "Run a request dry" }).getAttribute("href")).toBe("/routing/dry-run?route=chat%2Fv2");
});
