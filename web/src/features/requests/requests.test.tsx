import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import { GatewayService } from "../../gen/weir/admin/v1/gateway_pb";
import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { QuotaService } from "../../gen/weir/admin/v1/quota_service_pb";
import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import type { Request } from "../../api/report";
import { openConsole, refuse, stall } from "../../test/console";
import { merged } from "./feed";

const { listRequests, getRequest, tailRequests } = ReportService.method;

const served = {
  requestId: "0198c0de-0000-7000-8000-000000000001",
  startedAt: timestampFromDate(new Date("2026-07-04T22:30:05.120Z")),
  route: "demo",
  provider: "openai",
  model: "gpt-4o-mini",
  outcome: "ok",
  status: 200,
  inputTokens: 1_204n,
  outputTokens: 356n,
  costNanoUsd: 534_150n,
  durationUs: 1_250_000n,
  timeToFirstTokenUs: 312_000n,
  policyVersion: 42n,
  priceBookVersion: "2026-07-01",
};
const older = { ...served, requestId: "0198c0de-0000-7000-8000-000000000000", route: "older", costNanoUsd: undefined };

test("loading", async () => {
  openConsole("/requests", (r) => r.rpc(listRequests, stall));
  expect(await screen.findByRole("status", { name: "Loading requests" })).toBeTruthy();
});

test("error", async () => {
  openConsole("/requests", (r) => r.rpc(listRequests, refuse));
  expect((await screen.findByRole("alert")).textContent).toContain("needs another role");
});

test("empty", async () => {
  openConsole("/requests", (r) => r.rpc(listRequests, () => ({})));
  expect(await screen.findByRole("heading", { name: "No requests yet" })).toBeTruthy();
});

test("a_filter_is_in_the_url_and_in_the_call", async () => {
  const asked: string[] = [];
  const router = openConsole("/requests", (r) =>
    r.rpc(listRequests, ({ filter }) => {
      asked.push(filter);
      if (filter.startsWith("nme")) throw new ConnectError(`filter: column 1: there is no field "nme"`, Code.InvalidArgument);
      return filter === "" ? { requests: [served] } : {};
    }),
  );
  await screen.findByRole("link", { name: "demo" });
  const filter = screen.getByRole("textbox", { name: "Filter of requests" });
  await userEvent.type(filter, `route = "slow"{Enter}`);
  expect(await screen.findByRole("heading", { name: "No request fits the filter" })).toBeTruthy();
  expect(router.state.location.search).toEqual({ filter: `route = "slow"` });
  expect(asked.at(-1)).toBe(`route = "slow"`);
  await userEvent.clear(screen.getByRole("textbox", { name: "Filter of requests" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Filter of requests" }), "nme = 1{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain(`there is no field "nme"`);
  await userEvent.click(screen.getByRole("button", { name: "Clear" }));
  expect(await screen.findByRole("link", { name: "demo" })).toBeTruthy();
  expect(router.state.location.search).toEqual({});
});

test("data_with_time_in_the_viewers_zone_and_exact_cost", async () => {
  openConsole("/requests", (r) => r.rpc(listRequests, () => ({ requests: [served, older] })));
  const [, first, second] = await screen.findAllByRole("row");
  expect(first?.textContent).toContain("2026-07-05 00:30:05");
  expect(first?.textContent).toContain("$0.00053415");
  expect(within(first as HTMLElement).getAllByTitle("2026-07-04 22:30:05.120 UTC")).not.toHaveLength(0);
  expect(second?.textContent).toContain("unpriced");
});

test("the_drawer_tells_what_quotas_did_and_leads_to_them", async () => {
  const [monthly, shadow] = ["0198c0de-0000-7000-8000-0000000000a1", "0198c0de-0000-7000-8000-0000000000a2"];
  const refused = { ...served, outcome: "refused", status: 429, errorCode: "budget_exceeded", refusedByQuotaId: monthly, beyondQuotaIds: [shadow], queuedUs: 1_250_000n };
  openConsole(`/requests?request=${served.requestId}`, (r) => {
    r.rpc(listRequests, () => ({ requests: [refused] }));
    r.rpc(getRequest, () => ({ request: refused }));
    r.rpc(QuotaService.method.listQuotas, () => ({ quotas: [{ id: monthly, name: "monthly" }] }));
  });
  const drawer = await screen.findByRole("dialog", { name: "Request" });
  const link = await within(drawer).findByRole("link", { name: "monthly" });
  expect(link.getAttribute("href")).toBe(`/budgets?quota=${monthly}`);
  expect(within(drawer).getByTitle(shadow)).toBeTruthy(); // one that is not listed any more
  expect(drawer.textContent).toContain("Waited for the provider's limit1.25 s");
});

test("the_drawer_leads_to_whose_it_was", async () => {
  const whose = { ...served, keyId: "k1", projectId: "p1", gatewayId: "g1" };
  openConsole(`/requests?request=${served.requestId}`, (r) => {
    r.rpc(listRequests, () => ({ requests: [whose] }));
    r.rpc(KeyService.method.listKeys, () => ({ keys: [{ id: whose.keyId, name: "laptop" }] }));
    r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: whose.projectId, name: "shop" }] }));
  });
  const drawer = await screen.findByRole("dialog", { name: "Request" });
  expect((await within(drawer).findByRole("link", { name: "laptop" })).getAttribute("href")).toBe(`/keys?key=${whose.keyId}`);
  expect((await within(drawer).findByRole("link", { name: "shop" })).getAttribute("href")).toBe(`/projects?project=${whose.projectId}`);
  expect(within(drawer).getByTitle(whose.gatewayId).closest("a")).toBeNull(); // one that is not listed any more
});

test("the_drawer_shows_the_arithmetic_and_the_url_holds_it", async () => {
  const router = openConsole("/requests", (r) => r.rpc(listRequests, () => ({ requests: [served] })));
  await userEvent.click(await screen.findByRole("link", { name: "demo" }));
  const drawer = await screen.findByRole("dialog", { name: "Request" });
  for (const text of ["1,204", "356", "1,560", "534,150 nano-dollars", "$0.00053415", "$0.342403846", "2026-07-01", "42"]) {
    expect(within(drawer).getByText(text)).toBeTruthy();
  }
  expect(router.state.location.search).toEqual({ request: served.requestId });
  await userEvent.click(within(drawer).getByRole("link", { name: "2026-07-01" })); // the price book
  await waitFor(() => expect(router.state.location.search).toEqual({ at: "2026-07-04T22:30:05.120Z", book: "2026-07-01", price: "gpt-4o-mini", by: "openai" }));
});

describe("the_drawer", () => {
  const told = {
    ...served,
    surface: "anthropic_messages",
    endUser: "ada\u202egnp.exe\u0000",
    runId: "run-7",
    labels: { team: "search", env: "" },
  };
  const full = {
    request: told,
    candidates: [
      { provider: "azure", model: "b", verdict: "breaker_open" },
      { provider: "openai", model: "gpt-4o-mini", verdict: "chosen" },
      { provider: "new", model: "c", verdict: "unknown_9" },
    ],
    attempts: [
      { kind: "request", cause: "first", provider: "openai", model: "gpt-4o-mini", outcome: "overtaken", costNanoUsd: 1_000_000n },
      { kind: "request", cause: "hedge", provider: "azure", model: "b", outcome: "ok", status: 200, timeToFirstTokenUs: 45_000n },
    ],
    shadows: [{ kind: "shadow", cause: "shadow", provider: "next", model: "d", outcome: "upstream_error", status: 500, costNanoUsd: 7_000_000n }],
  };
  const path = `/requests?request=${served.requestId}`;
  const part = (drawer: HTMLElement, title: string) =>
    within(drawer).getByRole("heading", { name: title }).parentElement?.textContent;

  test("says_what_the_caller_said_and_why_each_attempt_was_made", async () => {
    openConsole(path, (r) => {
      r.rpc(listRequests, () => ({ requests: [told] }));
      r.rpc(getRequest, ({ requestId }) => (requestId === served.requestId ? full : {}));
    });
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    await within(drawer).findByRole("heading", { name: "Attempt 2" });
    expect(part(drawer, "Kind and caller")).toBe(
      "Kind and caller" +
        "Kindrequest of an applicationSurfaceanthropic_messagesEnd userada\\u202egnp.exe\\u0000Runrun-7Label env(empty)Label teamsearch",
    );
    expect(part(drawer, "How the target was chosen")).toContain("b at azure: its circuit breaker was open");
    expect(part(drawer, "How the target was chosen")).toContain("gpt-4o-mini at openai: the first attempt went to it");
    expect(part(drawer, "How the target was chosen")).toContain("c at new: unknown_9");
    expect(part(drawer, "Attempt 1")).toMatch(/Why.*first choice.*Overtaken.*Cost\$0\.001/);
    expect(part(drawer, "Attempt 2")).toMatch(/another target had nothing to say for long.*OK 200.*First token45.*ms.*Costunpriced/);
    expect(part(drawer, "Copy for a shadow 1")).toMatch(/d at next.*a copy for the shadow.*Upstream error 500.*\$0\.007/);
  });

  test("opens_a_request_that_is_not_among_those_loaded", async () => {
    openConsole(path, (r) => {
      r.rpc(listRequests, () => ({ requests: [older] }));
      r.rpc(getRequest, () => full);
    });
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect(await within(drawer).findByText("534,150 nano-dollars")).toBeTruthy();
  });

  test("shows_what_the_list_has_while_the_rest_loads_and_where_it_fails", async () => {
    openConsole(path, (r) => {
      r.rpc(listRequests, () => ({ requests: [told] }));
      r.rpc(getRequest, refuse);
    });
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect((await within(drawer).findByRole("alert")).textContent).toContain("needs another role");
    expect(within(drawer).getByText("534,150 nano-dollars")).toBeTruthy();
    expect(within(drawer).queryByRole("heading", { name: "Attempt 1" })).toBeNull();
  });

  test("says_that_it_waits", async () => {
    openConsole(path, (r) => {
      r.rpc(listRequests, () => ({ requests: [told] }));
      r.rpc(getRequest, stall);
    });
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect(await within(drawer).findByRole("status", { name: "Loading attempts" })).toBeTruthy();
  });

  test("shows_nothing_in_the_place_of_what_a_former_agent_did_not_say", async () => {
    openConsole(path, (r) => {
      r.rpc(listRequests, () => ({ requests: [served] }));
      r.rpc(getRequest, () => ({ request: served, attempts: [{ cause: "unspecified", kind: "request", provider: "a", model: "b" }] }));
    });
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect((await within(drawer).findByText("not recorded"))).toBeTruthy();
    expect(within(drawer).queryByRole("heading", { name: "How the target was chosen" })).toBeNull();
    expect(part(drawer, "Kind and caller")).toContain("End user–Run–Labels–");
  });
});

test("loading_more_pauses_and_keeps_what_is_there", async () => {
  const router = openConsole("/requests", (r) =>
    r.rpc(listRequests, ({ pageToken }) =>
      pageToken === "p2" ? { requests: [older] } : { requests: [served], nextPageToken: "p2" },
    ),
  );
  await userEvent.click(await screen.findByRole("button", { name: "Load more" }));
  expect(await screen.findByRole("link", { name: "older" })).toBeTruthy();
  expect(screen.getByRole("link", { name: "demo" })).toBeTruthy();
  expect(router.state.location.search).toEqual({ paused: true });
  expect(screen.getByRole("button", { name: "Resume" })).toBeTruthy();
});

describe("names", () => {
  const owned = { ...served, keyId: "0198c0de-0000-7000-8000-00000000aaaa", projectId: "p1", gatewayId: "g1" };
  const { listKeys } = KeyService.method;

  test("come_from_every_page_of_the_lists", async () => {
    openConsole(`/requests?request=${served.requestId}`, (r) => {
      r.rpc(listRequests, () => ({ requests: [owned] }));
      r.rpc(listKeys, ({ page }) =>
        page?.token === "k2" ? { keys: [{ id: owned.keyId, name: "checkout" }] } : { keys: [], nextPageToken: "k2" },
      );
      r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }] }));
      r.rpc(GatewayService.method.listGateways, () => ({ gateways: [{ id: "g1", name: "prod-eu" }] }));
    });
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    for (const name of ["checkout", "Shop", "prod-eu"]) expect(await within(drawer).findByText(name)).toBeTruthy();
    expect(within(drawer).getByTitle(owned.keyId).textContent).toBe("checkout");
    expect(within(drawer).queryByText(owned.keyId)).toBeNull();
    expect(within(drawer).getByRole("button", { name: "Copy id of the key" })).toBeTruthy();
  });

  test("fall_back_to_the_end_of_the_id_of_what_is_gone", async () => {
    openConsole(`/requests?request=${served.requestId}`, (r) => {
      r.rpc(listRequests, () => ({ requests: [owned] }));
      r.rpc(listKeys, () => ({ keys: [{ id: "another", name: "another" }] }));
    });
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect((await within(drawer).findByTitle(owned.keyId)).textContent).toBe("…0000aaaa");
  });

  test("are_not_asked_for_by_a_role_that_may_not_list", async () => {
    let asked = 0;
    openConsole(
      "/requests",
      (r) => {
        r.rpc(listRequests, () => ({ requests: [owned] }));
        r.rpc(listKeys, () => {
          asked += 1;
          return {};
        });
      },
      ["reports.read"],
    );
    expect((await screen.findAllByTitle(owned.keyId))[0]?.textContent).toBe("…0000aaaa");
    expect(asked).toBe(0);
  });
});

describe("what_was_refused", () => {
  const refused = { ...served, route: "", provider: "", model: "", outcome: "refused", status: 404, attempts: 0 };

  test("shows_its_code_and_what_it_means", async () => {
    openConsole("/requests", (r) => r.rpc(listRequests, () => ({ requests: [{ ...refused, errorCode: "route_unknown" }] })));
    const [, row] = await screen.findAllByRole("row");
    expect(within(row as HTMLElement).getAllByText("route_unknown")).not.toHaveLength(0);
    await userEvent.click(screen.getByRole("link", { name: "(no route)" }));
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect(within(drawer).getByText(/asked for a model that is no route of this gateway/)).toBeTruthy();
    expect(within(drawer).getByText("The name asked for is no route of the gateway.")).toBeTruthy();
    expect(within(drawer).getByText("404")).toBeTruthy();
  });

  test("shows_the_route_where_the_row_has_it", async () => {
    openConsole("/requests", (r) =>
      r.rpc(listRequests, () => ({ requests: [{ ...refused, route: "gpt-9", errorCode: "route_unknown" }] })),
    );
    expect(await screen.findByRole("link", { name: "gpt-9" })).toBeTruthy();
  });

  test.each(["no_target_matches", "agent_stopping", "not_translatable", "upstream_malformed"])("explains_%s", async (errorCode) => {
    openConsole("/requests", (r) => r.rpc(listRequests, () => ({ requests: [{ ...refused, errorCode }] })));
    expect((await screen.findAllByText(errorCode))[0]?.closest("[title]")?.getAttribute("title")).toMatch(/^The |^Every /);
  });

  test("shows_a_code_that_is_new_to_the_console_as_it_came", async () => {
    openConsole("/requests", (r) => r.rpc(listRequests, () => ({ requests: [{ ...refused, errorCode: "constructor" }] })));
    expect((await screen.findAllByText("constructor"))[0]?.closest("[title]")).toBeNull();
  });
});

describe("times", () => {
  const open = () => openConsole(`/requests?request=${served.requestId}`, (r) => r.rpc(listRequests, () => ({ requests: [served] })));

  test("name_the_viewers_zone_once_and_hint_at_utc", async () => {
    open();
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect(within(drawer).getByText("2026-07-05 00:30:05.120").title).toBe("2026-07-04 22:30:05.120 UTC");
    expect(drawer.textContent.split("Europe/Berlin")).toHaveLength(2);
    expect(screen.getByText("Newest first. Times in Europe/Berlin.")).toBeTruthy();
  });

  test("say_utc_once_and_hint_at_nothing_where_that_is_the_zone", async () => {
    const resolved = new Intl.DateTimeFormat().resolvedOptions();
    vi.spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockReturnValue({ ...resolved, timeZone: "Etc/UTC" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 }); // the zone is asked for once a minute
    onTestFinished(() => void vi.useRealTimers());
    open();
    const drawer = await screen.findByRole("dialog", { name: "Request" });
    expect(within(drawer).getByText("2026-07-04 22:30:05.120").title).toBe("");
    expect(drawer.textContent.split("UTC")).toHaveLength(2);
    expect(screen.getByText("Newest first. Times in UTC.")).toBeTruthy();
  });
});

describe("the_live_tail", () => {
  const came = (i: number) => ({ ...served, requestId: `0198c0de-0000-7000-8000-0000000001${String(i).padStart(2, "0")}`, route: `came-${i}`, startedAt: timestampFromDate(new Date(Date.UTC(2026, 6, 5, 0, 0, i))) });

  // tail is a server's end of the streams: send makes a request visible, cut ends the present stream.
  function tail() {
    const listed = [served];
    const waiting: ((next: ReturnType<typeof came> | "cut") => void)[] = [];
    let streams = 0;
    const serve = (r: ConnectRouter) => {
      r.rpc(listRequests, () => ({ requests: [...listed] }));
      r.rpc(tailRequests, async function* () {
        streams++;
        yield { message: { case: "heartbeat" as const, value: {} } };
        for (;;) {
          const next = await new Promise<ReturnType<typeof came> | "cut">((resolve) => waiting.push(resolve));
          if (next === "cut") return;
          yield { message: { case: "request" as const, value: next } };
        }
      });
    };
    const send = (next: ReturnType<typeof came> | "cut") => waitFor(() => (expect(waiting).not.toHaveLength(0), waiting.shift()?.(next)));
    return { serve, send, listed, streams: () => streams };
  }

  test("shows_what_comes_counts_it_while_paused_and_shows_it_again", async () => {
    const { serve, send } = tail();
    openConsole("/requests", serve);
    expect(await screen.findByText("Live")).toBeTruthy();
    await send(came(1));
    expect(await screen.findByRole("link", { name: "came-1" })).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Pause" }));
    await send(came(2));
    await send(came(2));
    await send(came(3));
    const more = await screen.findByRole("button", { name: "Show 2 new" });
    expect(screen.queryByRole("link", { name: "came-2" })).toBeNull();
    await userEvent.click(more);
    expect(screen.getAllByRole("link", { name: /^(came|demo)/ }).map((one) => one.textContent)).toEqual(["came-3", "came-2", "came-1", "demo"]);
    await send(came(4));
    await userEvent.click(await screen.findByRole("button", { name: "Resume" }));
    expect(await screen.findByRole("link", { name: "came-4" })).toBeTruthy();
  });

  test("says_that_the_connection_is_lost_and_lists_what_came_meanwhile", async () => {
    const { serve, send, listed, streams } = tail();
    openConsole("/requests", serve);
    await screen.findByText("Live");
    await send("cut");
    expect(await screen.findByText("Connection lost, trying again")).toBeTruthy();
    listed.unshift(came(7));
    await waitFor(() => expect(streams()).toBe(2));
    expect(await screen.findByText("Live")).toBeTruthy();
    expect(await screen.findByRole("link", { name: "came-7" })).toBeTruthy();
  });
});

test("what_is_kept_is_each_request_once_newest_first", () => {
  const request = (id: string, second: number) => ({ requestId: id, startedAt: timestampFromDate(new Date(second * 1_000)) }) as unknown as Request;
  const all = merged([request("c", 3), request("a", 1)], [request("b", 2), request("a", 1)]);
  expect(all.map(({ requestId }) => requestId)).toEqual(["c", "b", "a"]);
  expect(merged([], all)).toBe(all); // or a long table would be drawn anew
});
