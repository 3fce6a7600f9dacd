import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { violationsOf } from "../../api/error";
import type { DryRunRequest } from "../../gen/weir/admin/v1/diagnostics_pb";
import { DiagnosticsService, TargetFitness } from "../../gen/weir/admin/v1/diagnostics_pb";
import { GatewayService } from "../../gen/weir/admin/v1/gateway_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import type { CreateRouteRequest, UpdateRouteRequest } from "../../gen/weir/admin/v1/route_pb";
import { Failure, RouteService, StickyBy, Strategy } from "../../gen/weir/admin/v1/route_pb";
import { openConsole } from "../../test/console";

const { createRoute, getRoute, listRoutes, updateRoute } = RouteService.method;

const providers = [
  { id: "v1", name: "openai" },
  { id: "v2", name: "backup" },
];

const clever = {
  id: "r1",
  name: "clever",
  etag: "e3",
  strategy: Strategy.STICKY,
  strict: true,
  sticky: { by: StickyBy.HEADER, header: "X-Session", minTokens: 2_048n, breakEvenPercent: 150 },
  targets: [
    { providerId: "v1", model: "large", weight: 0, when: "" },
    { providerId: "v2", model: "small", weight: 0, when: 'metadata.tier == "gold"' },
  ],
  hedge: { percentile: 90, minDelay: { seconds: 0n, nanos: 200_000_000 }, maxPercent: 20 },
  canary: { target: { providerId: "v2", model: "new", weight: 0, when: "stream" }, perMille: 5 },
  shadow: { target: { providerId: "v1", model: "large", weight: 0, when: "" }, perMille: 1_000 },
  retry: { maxAttempts: 3, backoff: { seconds: 0n, nanos: 250_000_000 }, on: [Failure.TIMEOUT, Failure.CONTENT_FILTER] },
  timeouts: { connect: { seconds: 0n, nanos: 300_000_000 }, firstToken: { seconds: 20n, nanos: 0 } },
};

function open(path: string, more?: (r: ConnectRouter) => void) {
  return openConsole(path, (r) => {
    r.rpc(listRoutes, () => ({ routes: [clever] }));
    r.rpc(ProviderService.method.listProviders, () => ({ providers }));
    more?.(r);
  });
}

async function openDialog(button: string, title: string) {
  await userEvent.click(await screen.findByRole("button", { name: button }));
  const dialog = within(await screen.findByRole("dialog", { name: title }));
  await dialog.findAllByRole("option", { name: "openai" });
  return dialog;
}

// refusal is what the server answers about fields.
function refusal(violations: Record<string, string>): ConnectError {
  const bad = new BinaryWriter();
  for (const [field, description] of Object.entries(violations)) {
    bad.tag(1, WireType.LengthDelimited).fork();
    bad.tag(1, WireType.LengthDelimited).string(field).tag(2, WireType.LengthDelimited).string(description).join();
  }
  const error = new ConnectError(Object.entries(violations).map((v) => v.join(": ")).join("; "), Code.InvalidArgument);
  error.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array() }, { type: "google.rpc.BadRequest", value: bad.finish() });
  return error;
}

test("violations_have_the_paths_of_the_resource", () => {
  const error = refusal({ "route.hedge.percentile": "want 50 to 99", "targets[1].when": "it is an int" });
  expect(violationsOf(error, "route")).toEqual([
    { field: "hedge.percentile", description: "want 50 to 99" },
    { field: "targets[1].when", description: "it is an int" },
  ]);
  expect(violationsOf(new Error("down"), "route")).toEqual([]);
  expect(violationsOf(undefined, "route")).toEqual([]);
});

test("what_nobody_changed_goes_back_as_it_came", async () => {
  const seen: UpdateRouteRequest[] = [];
  open("/routing", (r) =>
    r.rpc(updateRoute, (request) => {
      if (request.mutation?.validateOnly) return {};
      seen.push(request);
      return {};
    }),
  );
  const dialog = await openDialog("Change clever", "Change clever");
  await userEvent.click(dialog.getByRole("button", { name: "Save route" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.route).toMatchObject(clever);
  expect(seen[0]?.updateMask?.paths).toEqual(["name", "strategy", "targets", "strict", "sticky", "hedge", "canary", "shadow", "retry", "timeouts", "allowed_project_ids"]);
});

test("what_is_switched_off_and_emptied_is_taken_away", async () => {
  const seen: UpdateRouteRequest[] = [];
  open("/routing", (r) =>
    r.rpc(updateRoute, (request) => {
      if (request.mutation?.validateOnly) return {};
      seen.push(request);
      return {};
    }),
  );
  const dialog = await openDialog("Change clever", "Change clever");
  for (const name of ["Hedge", "Canary", "Shadow"]) await userEvent.click(dialog.getByRole("switch", { name }));
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Strategy" }), "Fastest");
  expect(dialog.queryByRole("group", { name: "What requests are alike in" })).toBeNull();
  expect(dialog.getByText(/answered fastest lately/)).toBeTruthy();
  for (const name of ["Connect, s", "First token, s", "Attempts at most (optional)", "First repeat on a target waits at most, ms (optional)"]) {
    await userEvent.clear(dialog.getByRole("spinbutton", { name }));
  }
  for (const name of ["timeouts", "content filters"]) await userEvent.click(dialog.getByRole("checkbox", { name }));
  await userEvent.click(dialog.getByRole("button", { name: "Save route" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.route?.strategy).toBe(Strategy.LATENCY);
  for (const field of ["sticky", "hedge", "canary", "shadow", "retry", "timeouts"] as const) expect(seen[0]?.route?.[field]).toBeUndefined();
});

test("a_part_that_is_emptied_stays_open", async () => {
  open("/routing");
  const dialog = await openDialog("Change clever", "Change clever");
  const timeouts = dialog.getByText("Timeouts").closest("details");
  expect(timeouts?.open).toBe(true);
  for (const name of ["Connect, s", "First token, s"]) await userEvent.clear(dialog.getByRole("spinbutton", { name }));
  expect(timeouts?.open).toBe(true);
});

test("a_part_that_is_refused_opens", async () => {
  openConsole("/routing", (r) => {
    r.rpc(listRoutes, () => ({ routes: [{ id: "r2", name: "plain", strategy: Strategy.SINGLE, targets: [{ providerId: "v1", model: "m" }] }] }));
    r.rpc(ProviderService.method.listProviders, () => ({ providers }));
    r.rpc(updateRoute, () => {
      throw refusal({ "retry.backoff": "too long" });
    });
  });
  const dialog = await openDialog("Change plain", "Change plain");
  const open = (title: string) => dialog.getByText(title).closest("details")?.open;
  expect([open("Retries"), open("Timeouts")]).toEqual([false, false]);
  await userEvent.click(dialog.getByRole("button", { name: "Save route" }));
  await dialog.findByText("too long");
  expect([open("Retries"), open("Timeouts")]).toEqual([true, false]);
});

test("a_sticky_route_with_everything_is_made", async () => {
  const seen: CreateRouteRequest[] = [];
  open("/routing", (r) =>
    r.rpc(createRoute, (request) => {
      if (request.mutation?.validateOnly) return {};
      seen.push(request);
      return {};
    }),
  );
  const dialog = await openDialog("Create route", "Create route");
  const write = async (role: "textbox" | "spinbutton", name: string, text: string) => {
    const field = dialog.getByRole(role, { name });
    await userEvent.clear(field);
    await userEvent.click(field);
    await userEvent.paste(text);
  };
  await write("textbox", "Name", "chat");
  expect(dialog.queryByRole("combobox", { name: "Alike in" })).toBeNull();
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Strategy" }), "Sticky");
  expect(dialog.queryByRole("textbox", { name: "Header" })).toBeNull();
  await userEvent.selectOptions(dialog.getByRole("combobox", { name: "Alike in" }), "A header");
  await write("textbox", "Header", "X-Session");
  await write("spinbutton", "From how many input tokens (optional)", "500");
  await userEvent.click(dialog.getByRole("button", { name: "Add target" }));
  await userEvent.click(dialog.getByRole("switch", { name: "Hedge" }));
  await userEvent.click(dialog.getByRole("switch", { name: "Canary" }));
  await userEvent.click(dialog.getByRole("switch", { name: "Shadow" }));
  for (const [group, provider, model] of [
    ["Target 1", "openai", "large"],
    ["Target 2", "backup", "small"],
    ["Canary's target", "backup", "new"],
    ["Shadow's target", "openai", "large"],
  ] as const) {
    const part = within(dialog.getByRole("group", { name: group }));
    await userEvent.selectOptions(part.getByRole("combobox", { name: "Provider" }), provider);
    await userEvent.type(part.getByRole("textbox", { name: "Model" }), model);
  }
  expect(within(dialog.getByRole("group", { name: "Shadow's target" })).queryByRole("textbox", { name: /^Only when/ })).toBeNull();
  const when = within(dialog.getByRole("group", { name: "Target 2" })).getByRole("textbox", { name: "Only when (optional)" });
  await userEvent.click(when);
  await userEvent.paste('metadata.tier == "gold"');
  await write("spinbutton", "Canary's share of the requests, %", "0.5");
  await write("spinbutton", "But not sooner than, ms (optional)", "200");
  await userEvent.click(dialog.getByText("Timeouts"));
  await write("spinbutton", "Connect, s", "0.3");
  await userEvent.click(dialog.getByText("Retries"));
  await userEvent.click(dialog.getByRole("checkbox", { name: "prompts that are too long" }));
  await userEvent.click(dialog.getByRole("button", { name: "Create route" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]).toMatchObject({
    name: "chat",
    strategy: Strategy.STICKY,
    sticky: { by: StickyBy.HEADER, header: "X-Session", minTokens: 500n, breakEvenPercent: 0 },
    targets: [
      { providerId: "v1", model: "large", weight: 0, when: "" },
      { providerId: "v2", model: "small", weight: 0, when: 'metadata.tier == "gold"' },
    ],
    hedge: { percentile: 0, minDelay: { seconds: 0n, nanos: 200_000_000 }, maxPercent: 0 },
    canary: { target: { providerId: "v2", model: "new", weight: 0 }, perMille: 5 },
    shadow: { target: { providerId: "v1", model: "large", weight: 0 }, perMille: 50 },
    timeouts: { connect: { nanos: 300_000_000 } },
    retry: { maxAttempts: 0, on: [Failure.CONTEXT_TOO_LONG] },
  });
  expect(seen[0]?.timeouts?.total).toBeUndefined();
  expect(seen[0]?.retry?.backoff).toBeUndefined();
});

test("what_the_server_refuses_stands_at_its_field", async () => {
  open("/routing", (r) =>
    r.rpc(updateRoute, () => {
      throw refusal({
        "targets[1].when": "the condition's character 3: undeclared reference",
        hedge: "a hedge is a second attempt",
        "route.timeouts.connect": "too long",
        "canary.target": "it is targets[0] already",
      });
    }),
  );
  const dialog = await openDialog("Change clever", "Change clever");
  await userEvent.click(dialog.getByRole("button", { name: "Save route" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("Not possible as it was asked");
  const second = within(dialog.getByRole("group", { name: "Target 2" }));
  const described = (field: HTMLElement) =>
    (field.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent)
      .join(" ");
  for (const [field, words] of [
    [second.getByRole("textbox", { name: "Only when (optional)" }), /undeclared reference.*CEL expression/],
    [dialog.getByRole("switch", { name: "Hedge" }), /a hedge is a second attempt/],
    [dialog.getByRole("spinbutton", { name: "Connect, s" }), /too long/],
    [within(dialog.getByRole("group", { name: "Canary's target" })).getByRole("textbox", { name: "Model" }), /it is targets\[0\] already/],
  ] as const) {
    expect(field.getAttribute("aria-invalid")).toBe("true");
    expect(described(field)).toMatch(words);
  }
  expect(dialog.getByRole("spinbutton", { name: "First token, s" }).getAttribute("aria-invalid")).toBeNull();
});

test("a_route_shows_what_it_does", async () => {
  const router = open("/routing");
  const row = (await screen.findByRole("rowheader", { name: "clever" })).closest("tr");
  await waitFor(() => expect(row?.textContent).toContain('backup / smallonly when metadata.tier == "gold"'));
  expect(row?.textContent).toContain("Stickystrict, hedged, canary 0.5 %, shadow 100 %");
  await userEvent.click(screen.getByRole("link", { name: "clever" }));
  const details = await screen.findByRole("dialog", { name: "Route" });
  for (const said of [
    /StickyRequests that are alike go to one target/,
    /Alike inX-Sessionfrom 2,048 input tokens, stays while it is at most 150 % slower than the best other one/,
    /Target 2backup \/ smallonly when metadata\.tier == "gold"/,
    /Strictyes/,
    /Hedgeafter 90 of 100.*not before 200 ms, for at most 20 % of the requests/,
    /Canary0\.5 % to backup \/ newonly when stream/,
    /Shadow100 % to openai \/ large/,
    /Attempts at most3.*up to250 ms.*timeouts, content filters/,
    /Connection within300 msFirst token within20 s/,
    /Projectsall/,
  ]) {
    expect(details.textContent).toMatch(said);
  }
  expect(router.state.location.search).toEqual({ route: "r1" });
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(router.state.location.search).toEqual({}));
});

test("a_route_that_is_not_among_those_loaded_opens", async () => {
  open("/routing?route=r9", (r) => r.rpc(getRoute, ({ id }) => ({ route: { ...clever, id, name: "far" } })));
  const details = within(await screen.findByRole("dialog", { name: "Route" }));
  expect(await details.findByText("far")).toBeTruthy();
  expect(details.getByText("r9")).toBeTruthy();
});

test("a_route_that_is_not_there_says_so", async () => {
  open("/routing?route=r9", (r) =>
    r.rpc(getRoute, () => {
      throw new ConnectError("no route r9", Code.NotFound);
    }),
  );
  const details = within(await screen.findByRole("dialog", { name: "Route" }));
  expect((await details.findByRole("alert")).textContent).toContain("no route r9");
});

test("a_plain_route_says_what_holds_where_it_says_nothing", async () => {
  openConsole("/routing?route=r2", (r) => {
    r.rpc(listRoutes, () => ({ routes: [{ id: "r2", name: "plain", strategy: Strategy.SINGLE, targets: [{ providerId: "v1", model: "m" }] }] }));
    r.rpc(ProviderService.method.listProviders, () => ({ providers }));
  });
  const details = await screen.findByRole("dialog", { name: "Route" });
  for (const said of [/One target takes every request/, /HedgenoneCanarynoneShadownone/, /each target once, 5 in all/, /rate limits, overload, upstream errors, timeouts, no connection/, /the provider's, else the agent's/]) {
    expect(details.textContent).toMatch(said);
  }
});

test("a_route_that_somebody_changed_meanwhile_shows_both_versions_of_each_field", async () => {
  const seen: UpdateRouteRequest[] = [];
  const theirs = { ...clever, etag: "e4", strict: false, hedge: undefined, targets: [{ providerId: "v2", model: "theirs", weight: 0, when: "" }] };
  open("/routing", (r) => {
    r.rpc(getRoute, () => ({ route: theirs }));
    r.rpc(updateRoute, (request) => {
      if (request.mutation?.validateOnly) return {};
      seen.push(request);
      if (request.route?.etag !== "e4") throw new ConnectError("etag", Code.Aborted);
      return {};
    });
  });
  const dialog = await openDialog("Change clever", "Change clever");
  const [model] = dialog.getAllByRole("textbox", { name: "Model" });
  if (!model) throw new Error("it has targets");
  await userEvent.clear(model);
  await userEvent.type(model, "mine");
  await userEvent.click(dialog.getByRole("switch", { name: "Shadow" }));
  await userEvent.click(dialog.getByRole("button", { name: "Save route" }));
  const versions = async (name: string) => within(await dialog.findByRole("group", { name })).getAllByRole("radio");
  const checked = async (name: string) => (await versions(name)).map((radio) => [radio.closest("label")?.textContent, (radio as HTMLInputElement).checked]);
  expect(await checked("Targets")).toEqual([
    ['Mine: openai / mine; backup / small only when metadata.tier == "gold"', true],
    ["Theirs: backup / theirs", false],
  ]);
  expect(await checked("Strict")).toEqual([
    ["Mine, as it was: yes", false],
    ["Theirs: no", true],
  ]);
  expect(await checked("Shadow")).toEqual([
    ["Mine: none", true],
    ["Theirs, as it was: 100 % to openai / large", false],
  ]);
  expect(dialog.queryByRole("group", { name: "Retries" })).toBeNull();
  expect(dialog.getByRole("button", { name: "Save route" })).toHaveProperty("disabled", true);
  await userEvent.click(dialog.getByRole("radio", { name: "Mine, as it was: yes" }));
  await userEvent.click(dialog.getByRole("button", { name: "Go on with this choice" }));
  expect(dialog.getByRole("switch", { name: "Strict" })).toHaveProperty("checked", true);
  expect(dialog.getByRole("switch", { name: "Hedge" })).toHaveProperty("checked", false);
  await userEvent.click(dialog.getByRole("button", { name: "Save route" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(seen[1]?.route).toMatchObject({ etag: "e4", strict: true, targets: [{ model: "mine" }, { model: "small" }], canary: clever.canary });
  expect([seen[1]?.route?.hedge, seen[1]?.route?.shadow]).toEqual([undefined, undefined]);
  expect(seen[0]?.mutation?.requestId).not.toBe(seen[1]?.mutation?.requestId);
});

const gateways = [{ id: "g1", name: "edge" }];
const projects = [
  { id: "p1", name: "shop" },
  { id: "p2", name: "lab" },
];

test("what_is_written_is_checked_and_tried_before_it_is_saved", async () => {
  const checks: UpdateRouteRequest[] = [];
  const runs: DryRunRequest[] = [];
  open("/routing", (r) => {
    r.rpc(listRoutes, () => ({ routes: [{ ...clever, allowedProjectIds: ["p2"] }] }));
    r.rpc(GatewayService.method.listGateways, () => ({ gateways }));
    r.rpc(ProjectService.method.listProjects, () => ({ projects }));
    r.rpc(updateRoute, (request) => {
      checks.push(request);
      if (request.route?.targets[1]?.when.endsWith("==")) throw refusal({ "targets[1].when": "character 16: nothing is compared" });
      return {};
    });
    r.rpc(DiagnosticsService.method.dryRun, (request) => {
      runs.push(request);
      const target = { provider: "openai", model: request.draft?.targets[0]?.model ?? "", fitness: TargetFitness.USABLE, maxCostNanoUsd: 250_000n };
      return { route: { targets: [target] }, maxCostNanoUsd: 1_250_000n };
    });
  });
  const dialog = await openDialog("Change clever", "Change clever");
  const preview = within(await dialog.findByRole("region", { name: "Preview" }));
  expect(await preview.findByRole("rowheader", { name: "openai / large" })).toBeTruthy();
  expect(preview.getByText("$0.00125")).toBeTruthy();
  expect(checks).toEqual([]);
  expect(runs[0]).toMatchObject({ gatewayId: "g1", caller: { case: "projectId", value: "p2" }, model: "clever", inputTokens: 1_000n });
  expect(runs[0]?.draft).toMatchObject({ id: "r1", allowedProjectIds: ["p2"], strategy: Strategy.STICKY });

  const first = within(dialog.getByRole("group", { name: "Target 1" }));
  await userEvent.clear(first.getByRole("textbox", { name: "Model" }));
  expect(await preview.findByText(/^Something that a route needs/)).toBeTruthy();
  await userEvent.type(first.getByRole("textbox", { name: "Model" }), "huge");
  expect(await preview.findByRole("rowheader", { name: "openai / huge" })).toBeTruthy();
  expect(checks.map(({ mutation }) => mutation?.validateOnly)).toEqual([true]);

  const when = within(dialog.getByRole("group", { name: "Target 2" })).getByRole("textbox", { name: /^Only when/ });
  await userEvent.clear(when);
  await userEvent.type(when, "metadata.tier ==");
  expect((await dialog.findByText("character 16: nothing is compared")).id).toBe(when.getAttribute("aria-describedby")?.split(" ")[0]);
  expect(preview.getByText(/^As it is written it would be refused/)).toBeTruthy();
  expect(checks.every(({ mutation }) => mutation?.validateOnly)).toBe(true);
});

test("numbers_that_can't_be_sent_leave_the_form_as_it_is", async () => {
  const checks: UpdateRouteRequest[] = [];
  open("/routing", (r) =>
    r.rpc(updateRoute, (request) => {
      checks.push(request);
      return {};
    }),
  );
  const dialog = await openDialog("Change clever", "Change clever");
  const write = async (name: RegExp, text: string) => {
    const field = dialog.getByRole<HTMLInputElement>("spinbutton", { name });
    await userEvent.clear(field);
    await userEvent.type(field, text);
    expect(dialog.getByRole<HTMLInputElement>("spinbutton", { name }).value).toBe(text);
  };
  await write(/^From how many input tokens/, "1.5");
  await write(/^First token/, "1e30");
  await write(/^First token/, "1.005");
  await waitFor(() => expect(checks.at(-1)?.route?.timeouts?.firstToken).toMatchObject({ seconds: 1n, nanos: 5_000_000 }));
});

test("a_route_is_for_some_projects_or_for_all_and_never_for_all_by_mistake", async () => {
  const seen: UpdateRouteRequest[] = [];
  open("/routing", (r) => {
    r.rpc(ProjectService.method.listProjects, () => ({ projects }));
    r.rpc(updateRoute, (request) => {
      if (!request.mutation?.validateOnly) seen.push(request);
      return {};
    });
  });
  const dialog = await openDialog("Change clever", "Change clever");
  const choice = within(dialog.getByRole("group", { name: "Projects whose keys may use it" }));
  const save = dialog.getByRole<HTMLButtonElement>("button", { name: "Save route" });
  await userEvent.click(choice.getByRole("radio", { name: "Only some" }));
  expect(save.disabled).toBe(true);
  expect(choice.getByText("Choose one at least.")).toBeTruthy();
  await userEvent.click(choice.getByRole("checkbox", { name: "lab" }));
  await userEvent.click(save);
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.route?.allowedProjectIds).toEqual(["p2"]);
  expect(seen[0]?.updateMask?.paths).toContain("allowed_project_ids");
});

test("who_may_not_run_dry_sees_no_preview", async () => {
  openConsole(
    "/routing",
    (r) => {
      r.rpc(listRoutes, () => ({ routes: [clever] }));
      r.rpc(ProviderService.method.listProviders, () => ({ providers }));
      r.rpc(GatewayService.method.listGateways, () => ({ gateways }));
      r.rpc(ProjectService.method.listProjects, () => ({ projects }));
    },
    ["routes.list", "routes.update", "providers.list", "gateways.list", "projects.list"],
  );
  const dialog = await openDialog("Change clever", "Change clever");
  expect(dialog.queryByRole("region", { name: "Preview" })).toBeNull();
});

test("a_header_that_is_the_agents_own_is_refused_at_its_row", async () => {
  const openai = { id: "v1", name: "openai", baseUrl: "https://api.openai.com/v1", credentialRef: "env://KEY" };
  openConsole("/routing", (r) => {
    r.rpc(listRoutes, () => ({ routes: [] }));
    r.rpc(ProviderService.method.listProviders, () => ({ providers: [openai] }));
    r.rpc(ProviderService.method.updateProvider, () => {
      throw refusal({ 'provider.headers["Host"]': "the agent sets it itself" });
    });
  });
  await userEvent.click(await screen.findByRole("button", { name: "Change openai" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Change openai" }));
  await userEvent.click(dialog.getByText("Headers"));
  await userEvent.click(dialog.getByRole("button", { name: "Add header" }));
  await userEvent.type(dialog.getByRole("textbox", { name: "Header" }), "Host");
  await userEvent.click(dialog.getByRole("button", { name: "Save provider" }));
  const header = dialog.getByRole("group", { name: "Header Host" });
  expect(await within(header).findByText("the agent sets it itself")).toBeTruthy();
});
