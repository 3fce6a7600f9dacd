import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import type { ListEventsRequest, RevertRequest } from "../../gen/weir/admin/v1/history_pb";
import { ChangeAction, HistoryService } from "../../gen/weir/admin/v1/history_pb";
import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { SessionService } from "../../gen/weir/admin/v1/session_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { listEvents, getEvent, watchEvents, diff, revert } = HistoryService.method;
const routeId = "01a21fa7-8d78-7e86-83b6-14ac6c92e85b";
const text = (value: string) => ({ kind: { case: "stringValue" as const, value } });
const at = timestampFromDate(new Date("2026-11-24T13:00:00Z"));

const renamed = {
  version: 12n,
  kind: "RouteUpdated",
  recordedAt: at,
  actor: { kind: "operator" },
  address: "192.0.2.7",
  userAgent: "curl/8",
  resource: { kind: "route", id: routeId, name: "chat" },
  fields: [{ path: "strategy", before: text("STRATEGY_SINGLE"), after: text("STRATEGY_WEIGHTED") }],
};
const made = { ...renamed, version: 11n, kind: "RouteCreated", fields: [{ path: "id", after: text(routeId) }, { path: "name", after: text("chat") }] };
const batch = [
  { ...made, version: 10n, requestId: "set-up", resource: { kind: "key", id: "k1", name: "laptop" }, kind: "KeyCreated" },
  { ...made, version: 9n, requestId: "set-up", resource: { kind: "project", id: "p1", name: "search" }, kind: "ProjectCreated" },
];
const events = [renamed, made, ...batch];

function surroundings(r: ConnectRouter) {
  r.rpc(watchEvents, async function* ({ afterVersion }) {
    yield { message: { case: "heartbeat" as const, value: { version: afterVersion } } };
    await stall();
  });
  r.rpc(getEvent, ({ version }) => ({ event: events.find((one) => one.version === version) ?? { ...renamed, version } }));
}

function open(path: string, services: (r: ConnectRouter) => void, permissions?: string[]) {
  return openConsole(
    path,
    (r) => {
      surroundings(r);
      services(r);
    },
    permissions,
  );
}

test("loading", async () => {
  open("/history", (r) => r.rpc(listEvents, stall));
  expect(await screen.findByRole("status", { name: "Loading history" })).toBeTruthy();
});

test("error", async () => {
  open("/history", (r) => r.rpc(listEvents, refuse));
  expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
});

test("empty_because_of_a_filter_offers_all", async () => {
  const router = open("/history?actor=operator", (r) => r.rpc(listEvents, () => ({})));
  await screen.findByRole("heading", { name: "No change fits" });
  await userEvent.click(screen.getByRole("link", { name: "Show every change" }));
  await waitFor(() => expect(router.state.location.search).toEqual({}));
});

test("a_timeline_says_who_changed_what_when_and_from_where", async () => {
  open("/history", (r) => r.rpc(listEvents, () => ({ events })));
  const day = await screen.findByRole("region", { name: /2026-11-24$/ });
  const [change, creation, together] = within(day).getAllByRole("article");
  expect(change?.textContent).toMatch(/^Route chat changed.*The installation's operator14:00:00from 192.0.2.7version 12strategybefore: single → after: weighted$/);
  expect(creation?.textContent).toContain("Route chat created");
  expect(creation?.textContent).not.toContain("name");
  expect(together?.textContent).toMatch(/2 changes together.*Key laptop created.*Project search created/);
  expect(within(day).getAllByRole("link", { name: "chat" })[0]?.getAttribute("href")).toBe(`/routing?route=${routeId}`);
});

test("every_filter_of_the_address_is_asked_for", async () => {
  const asked: ListEventsRequest[] = [];
  const url = `/history?resource=${routeId}&kind=Route*&actor=member:m1&request=abc&from=2026-11-24T13:00:00.000Z&until=2026-11-25T00:00:00.000Z`;
  const router = open(url, (r) =>
    r.rpc(listEvents, (request) => {
      asked.push(request);
      return { events };
    }),
  );
  await screen.findByRole("region", { name: /2026-11-24$/ });
  const match = asked.find((one) => one.match?.actor)?.match;
  expect(match).toMatchObject({ resourceId: routeId, actor: "member:m1", requestId: "abc", fromTime: { seconds: at.seconds } });
  expect(match?.kinds).toEqual(["RouteArchived", "RouteCreated", "RouteRestored", "RouteUpdated"]);
  expect(screen.getByLabelText<HTMLInputElement>("From").value).toBe("2026-11-24T14:00");
  await userEvent.selectOptions(screen.getByLabelText("What happened"), "Key revoked");
  await waitFor(() => expect(router.state.location.search).toMatchObject({ kind: "KeyRevoked", actor: "member:m1" }));
  await userEvent.click(screen.getByRole("link", { name: "Clear filters" }));
  await waitFor(() => expect(router.state.location.search).toEqual({}));
});

test("a_pasted_id_is_of_a_resource_where_it_is_a_uuid_and_else_of_a_request", async () => {
  const router = open("/history", (r) => r.rpc(listEvents, () => ({ events })));
  const field = await screen.findByLabelText("Id of a resource or request");
  await userEvent.type(field, `${routeId}{Enter}`);
  await waitFor(() => expect(router.state.location.search).toEqual({ resource: routeId }));
  await userEvent.clear(field);
  await userEvent.type(field, "set-up{Enter}");
  await waitFor(() => expect(router.state.location.search).toEqual({ request: "set-up" }));
});

describe("while_one_looks", () => {
  test("new_changes_are_counted_and_shown_on_demand", async () => {
    let newest = [renamed];
    open("/history?kind=Route*", (r) => {
      r.rpc(listEvents, () => ({ events: newest }));
      r.rpc(watchEvents, async function* ({ afterVersion }) {
        expect(afterVersion).toBe(12n);
        yield { message: { case: "heartbeat" as const, value: { version: 12n } } };
        newest = [{ ...renamed, version: 13n, kind: "RouteArchived" }, renamed];
        yield { message: { case: "event" as const, value: { ...renamed, version: 13n, kind: "RouteArchived" } } };
        yield { message: { case: "event" as const, value: { ...renamed, version: 14n, kind: "KeyRevoked" } } };
        await stall();
      });
    });
    expect(await screen.findByText("1 new change")).toBeTruthy();
    expect(screen.queryByText(/deleted/, { selector: "span" })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Show" }));
    await waitFor(() => expect(screen.getAllByRole("article")[0]?.textContent).toContain("Route chat deleted"));
    expect(screen.queryByText("1 new change")).toBeNull();
  });

  test("a_lost_connection_shows_and_heals_where_it_was", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    const after: bigint[] = [];
    open("/history", (r) => {
      r.rpc(listEvents, () => ({ events: [renamed] }));
      r.rpc(watchEvents, async function* ({ afterVersion }) {
        after.push(afterVersion);
        yield { message: { case: "heartbeat" as const, value: { version: afterVersion } } };
        if (after.length > 1) await stall();
        yield { message: { case: "event" as const, value: { ...renamed, version: 13n } } };
        await Promise.resolve();
        throw new ConnectError("this server shuts down", Code.Unavailable);
      });
    });
    expect(await screen.findByText("Connection lost, trying again")).toBeTruthy();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await screen.findByText("Live")).toBeTruthy();
    expect(after).toEqual([12n, 13n]);
    expect(screen.getByText("1 new change")).toBeTruthy();
  });

  test("a_session_that_ends_leads_to_the_login_and_back_here", async () => {
    let ended = false;
    open("/history?kind=Route*", (r) => {
      r.rpc(listEvents, () => ({ events: [renamed] }));
      r.rpc(SessionService.method.whoAmI, () => {
        if (ended) throw new ConnectError("no session", Code.Unauthenticated);
        return { kind: "member", permissions: ["history.list", "history.watch"] };
      });
      r.rpc(watchEvents, async function* ({ afterVersion }) {
        yield { message: { case: "heartbeat" as const, value: { version: afterVersion } } };
        ended = true;
        await Promise.resolve();
        throw new ConnectError("the session has ended", Code.Unauthenticated);
      });
    });
    const link = await screen.findByRole("link", { name: "Log in" });
    expect(decodeURIComponent(link.getAttribute("href") ?? "")).toBe("/auth/login?return_to=/history?kind=Route*");
  });
});

test("an_event_shows_everything_and_leads_on", async () => {
  open("/history?event=12", (r) => r.rpc(listEvents, () => ({ events })));
  const drawer = await screen.findByRole("dialog", { name: "Change, version 12" });
  await within(drawer).findByText("curl/8");
  expect(within(drawer).getByRole("link", { name: "Right before this change" }).getAttribute("href")).toBe("/history/past?version=11&kind=route");
  expect(within(drawer).getByRole("link", { name: "What differs from it today" }).getAttribute("href")).toBe("/history/compare?from=12");
  expect(within(drawer).getByRole("link", { name: "History of this" }).getAttribute("href")).toBe(`/history?resource=${routeId}`);
});

test("who_may_not_go_back_is_not_offered_it", async () => {
  open("/history?event=12", (r) => r.rpc(listEvents, () => ({ events })), ["history.list", "history.get"]);
  const drawer = await screen.findByRole("dialog", { name: "Change, version 12" });
  await within(drawer).findByText("curl/8");
  expect(within(drawer).queryByRole("button", { name: /^Put/ })).toBeNull();
  expect(within(drawer).queryByRole("link", { name: "What differs from it today" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Go back to before these…" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Export" })).toBeNull();
});

describe("going_back", () => {
  const change = { action: ChangeAction.CHANGED, resource: renamed.resource, fields: [{ path: "strategy", before: text("STRATEGY_WEIGHTED"), after: text("STRATEGY_SINGLE") }] };

  async function ask(answer: (request: RevertRequest) => object) {
    const asked: RevertRequest[] = [];
    open("/history?event=12", (r) => {
      r.rpc(listEvents, () => ({ events }));
      r.rpc(revert, (request) => {
        asked.push(request);
        return answer(request);
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Put route chat back to before this…" }));
    return { asked, dialog: await screen.findByRole("dialog", { name: "Put route chat back to version 11?" }) };
  }

  test("shows_first_what_it_changes_and_is_held_to_that", async () => {
    const { asked, dialog } = await ask(() => ({ changes: [change], version: 12n, etag: "e12" }));
    expect((await within(dialog).findByRole("list", { name: "What going back changes" })).textContent).toBe("Route chat changesstrategybefore: weighted → after: single");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ target: { case: "resource", value: { kind: "route", id: routeId, version: 11n } }, mutation: { validateOnly: true } });
    await userEvent.click(within(dialog).getByRole("button", { name: "Go back to version 11" }));
    await waitFor(() => expect(screen.queryByRole("dialog", { name: /^Put route/ })).toBeNull());
    expect(asked[1]?.mutation).toMatchObject({ validateOnly: false, etag: "e12" });
    expect(asked[1]?.mutation?.requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(asked).toHaveLength(2);
  });

  test("says_what_can_not_go_back", async () => {
    const { dialog } = await ask(() => ({ changes: [], skipped: [{ resource: renamed.resource, reason: "secret_kept", message: "it keeps its present secret", fields: [] }], etag: "e" }));
    expect(await within(dialog).findByText("Nothing: it is as it was then.")).toBeTruthy();
    expect(within(dialog).getByRole("list", { name: "What can't go back" }).textContent).toBe("Route chat: it keeps its present secret");
    expect(within(dialog).queryByRole("button", { name: /^Go back/ })).toBeNull();
  });

  test("a_refusal_is_said_in_the_servers_words", async () => {
    const { dialog } = await ask(() => {
      throw new ConnectError("needs routes.update", Code.PermissionDenied);
    });
    expect((await within(dialog).findByRole("alert")).textContent).toContain("needs routes.update");
    expect(within(dialog).queryByRole("button", { name: /^Go back/ })).toBeNull();
  });

  test("is_looked_at_anew_when_somebody_was_faster", async () => {
    let version = 12n;
    const { asked, dialog } = await ask(({ mutation }) => {
      if (!mutation?.validateOnly && mutation?.etag === "e12") {
        version = 13n;
        throw new ConnectError("changed meanwhile", Code.Aborted);
      }
      return { changes: version === 12n ? [change] : [change, { ...change, action: ChangeAction.ADDED, resource: { kind: "key", id: "k9", name: "since" } }], version, etag: `e${version}` };
    });
    await userEvent.click(await within(dialog).findByRole("button", { name: "Go back to version 11" }));
    expect((await within(dialog).findByRole("alert")).textContent).toContain("Something was changed meanwhile");
    expect((await within(dialog).findByRole("list", { name: "What going back changes" })).textContent).toContain("Key since is added");
    await userEvent.click(within(dialog).getByRole("button", { name: "Go back to version 11" }));
    await waitFor(() => expect(asked.at(-1)?.mutation?.etag).toBe("e13"));
    await waitFor(() => expect(screen.queryByRole("dialog", { name: /^Put route/ })).toBeNull());
  });
});

test("an_export_takes_the_filters_along_and_names_the_end_of_the_chain", async () => {
  const fetched = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("", { headers: { "X-Weir-Audit-Anchor": "27:abcd" } }));
  open(`/history?kind=KeyRevoked&resource=${routeId}`, (r) => r.rpc(listEvents, () => ({ events })));
  await userEvent.click(await screen.findByRole("button", { name: "Export" }));
  const dialog = await screen.findByRole("dialog", { name: "Export the history" });
  expect(within(dialog).getByRole("link", { name: "Download" }).getAttribute("href")).toBe(`/weir/history/export?resource_id=${routeId}&kinds=KeyRevoked`);
  expect(await within(dialog).findByText("27:abcd")).toBeTruthy();
  expect(fetched.mock.calls[0]?.[0]).toBe("/weir/history/export?first_version=9223372036854775807");
});

describe("the_past", () => {
  const then = { id: routeId, name: "chat", targets: [{ providerId: "p1", model: "small" }] };

  test("lists_what_there_was_at_a_version_and_says_that_nothing_can_be_changed", async () => {
    const asked: unknown[] = [];
    open("/history/past?version=11", (r) => {
      r.rpc(listEvents, () => ({ events }));
      r.rpc(RouteService.method.listRoutes, ({ asOf }) => {
        asked.push(asOf?.point);
        return { routes: [then] };
      });
    });
    const row = (await screen.findByRole("rowheader", { name: "chat" })).closest("tr");
    expect(row?.textContent).toContain("targets[0].model small");
    expect(asked).toEqual([{ case: "version", value: 11n }]);
    expect(screen.getByRole("region", { name: "This is the past" }).textContent).toContain("version 11 of the history. Nothing here can be changed.");
    await userEvent.click(screen.getByRole("link", { name: "chat" }));
    expect((await screen.findByRole("dialog", { name: "Route as of version 11" })).textContent).toContain("targets[0].modelsmall");
  });

  test("a_time_stands_for_the_last_version_by_then", async () => {
    const asked: ListEventsRequest[] = [];
    open("/history/past?time=2026-11-24T13:00:00.000Z&kind=key", (r) => {
      r.rpc(listEvents, (request) => {
        asked.push(request);
        return { events: [made] };
      });
      r.rpc(KeyService.method.listKeys, ({ asOf }) => ({ keys: asOf?.point.value === 11n ? [{ id: "k1", name: "laptop" }] : [] }));
    });
    await screen.findByRole("rowheader", { name: "laptop" });
    expect(asked[0]?.match?.beforeTime).toMatchObject({ seconds: at.seconds, nanos: 1 });
    expect(screen.getByRole("region", { name: "This is the past" }).textContent).toContain("2026-11-24 14:00:00, version 11");
  });

  test("before_the_beginning_there_is_nothing", async () => {
    open("/history/past?time=2020-01-01T00:00:00.000Z", (r) => r.rpc(listEvents, () => ({})));
    expect(await screen.findByRole("heading", { name: "There was nothing yet" })).toBeTruthy();
  });

  test("a_moment_is_chosen_by_the_viewers_clock", async () => {
    const router = open("/history/past", (r) => {
      r.rpc(listEvents, () => ({ events: [made] }));
      r.rpc(RouteService.method.listRoutes, () => ({}));
    });
    await screen.findByRole("heading", { name: "Choose a moment" });
    const clock = screen.getByLabelText("Time, in Europe/Berlin");
    await userEvent.type(clock, "2026-11-24T14:00:00");
    await userEvent.click(screen.getByRole("button", { name: "Show this time" }));
    await waitFor(() => expect(router.state.location.search).toEqual({ time: "2026-11-24T13:00:00.000Z" }));
    expect(await screen.findByRole("heading", { name: "No routes then" })).toBeTruthy();
  });
});

describe("two_versions", () => {
  test("are_compared_and_counted", async () => {
    open("/history/compare?from=9&to=12", (r) => {
      r.rpc(listEvents, () => ({ events }));
      r.rpc(diff, ({ from, to }) => {
        expect([from?.point.value, to?.point.value]).toEqual([9n, 12n]);
        return { changes: [{ action: ChangeAction.ADDED, resource: renamed.resource }, { action: ChangeAction.REMOVED, resource: { kind: "key", id: "k1", name: "laptop" } }] };
      });
    });
    expect(await screen.findByText("From version 9 to 12: 1 added, 0 changed, 1 removed.")).toBeTruthy();
    expect(screen.getByRole("region", { name: "Key" }).textContent).toContain("Key laptop is removed");
    expect(screen.queryByRole("button", { name: /^Go back/ })).toBeNull();
  });

  test("that_are_the_same_say_so", async () => {
    open("/history/compare?from=12", (r) => {
      r.rpc(listEvents, () => ({ events }));
      r.rpc(diff, () => ({}));
    });
    expect(await screen.findByRole("heading", { name: "Nothing is different" })).toBeTruthy();
  });
});

test("a_keys_drawer_leads_to_its_history", async () => {
  openConsole("/keys?key=k1", (r) => {
    r.rpc(KeyService.method.listKeys, () => ({ keys: [{ id: "k1", name: "laptop" }] }));
    r.rpc(KeyService.method.getKey, () => ({ key: { id: "k1", name: "laptop" } }));
  });
  expect((await screen.findByRole("link", { name: "History of this" })).getAttribute("href")).toBe("/history?resource=k1");
});
