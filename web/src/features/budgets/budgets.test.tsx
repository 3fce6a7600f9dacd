import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";

import type { CreateBudgetRequest, RaiseBudgetRequest, UpdateBudgetRequest } from "../../gen/weir/admin/v1/budget_pb";
import { BudgetService, CalendarPeriod } from "../../gen/weir/admin/v1/budget_pb";
import { HistoryService } from "../../gen/weir/admin/v1/history_pb";
import type { CreateLimitRequest } from "../../gen/weir/admin/v1/limit_pb";
import { LimitMetric, LimitService, LimitWindow } from "../../gen/weir/admin/v1/limit_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { QuotaMode, WhenUnreachable } from "../../gen/weir/admin/v1/quota_pb";
import type { ReleaseLeasesRequest, WriteOffLeaseRequest } from "../../gen/weir/admin/v1/quota_service_pb";
import { ForecastConfidence, QuotaKind, QuotaService, QuotaStandingSchema, QuotaUnit } from "../../gen/weir/admin/v1/quota_service_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";
import { barOf } from "./standing";

const { getQuota, listQuotaHistory, listQuotaSubjects, listQuotas, releaseLeases, writeOffLease } = QuotaService.method;
const { createBudget, deleteBudget, getBudget, listBudgets, raiseBudget, updateBudget } = BudgetService.method;
const { createLimit, listLimits } = LimitService.method;

const dollar = 1_000_000_000n;
const at = (text: string) => timestampFromDate(new Date(text));
const december = { startsAt: at("2026-11-30T23:00:00Z"), endsAt: at("2026-12-31T23:00:00Z") };

const search = {
  id: "b1",
  name: "search",
  kind: QuotaKind.BUDGET,
  unit: QuotaUnit.NANO_USD,
  mode: QuotaMode.HARD,
  scope: { on: { case: "projectId" as const, value: "p1" } },
  standing: {
    window: december,
    limit: 100n * dollar,
    spent: 61n * dollar + 1n,
    held: 9n * dollar,
    stranded: 2n * dollar,
    free: 30n * dollar - 1n,
    forecast: { exhaustedAt: at("2026-12-15T13:00:00Z"), confidence: ForecastConfidence.LOW, spentAtEnd: 180n * dollar },
  },
};
const shadow = {
  ...search,
  id: "b2",
  name: "tried",
  mode: QuotaMode.SHADOW,
  scope: { on: { case: "organization" as const, value: {} } },
  standing: { window: december, limit: 10n * dollar, spent: 13n * dollar },
};
const rate = {
  ...search,
  id: "l1",
  name: "per-minute",
  kind: QuotaKind.LIMIT,
  unit: QuotaUnit.REQUESTS,
  standing: { limit: 600n, held: 150n, free: 450n },
};
const budget = {
  id: "b1",
  name: "search",
  scope: search.scope,
  amountNanoUsd: 100n * dollar,
  window: { window: { case: "calendar" as const, value: { period: CalendarPeriod.MONTH, timeZone: "Europe/Berlin" } } },
  mode: QuotaMode.HARD,
  currentWindow: december,
  etag: "7",
};

function open(path: string, services: (r: ConnectRouter) => void = () => undefined, permissions = everything) {
  return openConsole(
    path,
    (r) => {
      r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }] }));
      r.rpc(listQuotas, ({ kind }) => ({ quotas: [search, shadow, rate].filter((q) => kind === QuotaKind.UNSPECIFIED || q.kind === kind) }));
      r.rpc(getQuota, () => ({ quota: search }));
      r.rpc(listBudgets, () => ({ budgets: [budget] }));
      r.rpc(getBudget, () => ({ budget }));
      r.rpc(listLimits, () => ({ limits: [{ id: "l1", name: "per-minute", window: LimitWindow.MINUTE }] }));
      r.rpc(listQuotaHistory, () => ({}));
      r.rpc(HistoryService.method.listEvents, () => ({}));
      services(r);
    },
    permissions,
  );
}

const row = async (name: string) => {
  const header = await screen.findByRole("rowheader", { name: new RegExp(`^${name}`) });
  return header.closest("tr")?.textContent;
};

describe("the_list", () => {
  test("loading", async () => {
    open("/budgets", (r) => r.rpc(listQuotas, stall));
    expect(await screen.findByRole("status", { name: "Loading budgets and limits" })).toBeTruthy();
  });

  test("error", async () => {
    open("/budgets", (r) => r.rpc(listQuotas, refuse));
    expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
  });

  test("empty_says_what_to_do", async () => {
    open("/budgets", (r) => r.rpc(listQuotas, () => ({})));
    expect(await screen.findByRole("heading", { name: "No budgets or limits yet" })).toBeTruthy();
    expect(screen.getByText(/Begin with one in shadow mode/)).toBeTruthy();
  });

  test("says_what_is_spent_held_stranded_and_free_and_when_it_ends", async () => {
    open("/budgets");
    await waitFor(async () => expect(await row("search")).toContain("Project Shop"));
    const text = await row("search");
    expect(text).toContain("$61.000000001 of $100.00 spent (61.0 %)");
    expect(text).toContain("$9.00 held, $2.00 of it stranded, $29.999999999 free");
    expect(text).toContain("Used up Tuesday 2026-12-15 14:00 at this pace");
    await waitFor(async () => expect(await row("search")).toContain("Each month, Europe/Berlinuntil 2027-01-01 00:00"));
  });

  test("a_shadow_says_what_it_would_have_refused_and_a_rate_what_is_given_out", async () => {
    open("/budgets");
    expect(await row("tried")).toContain("A hard one would have refused $3.00");
    expect(await row("per-minute")).toContain("150 of 600 requests given to agents");
  });

  test("filters_are_in_the_url_and_asked_of_the_server", async () => {
    const asked: string[] = [];
    const router = open("/budgets?mode=%22shadow%22&on=%22end-user%22", (r) =>
      r.rpc(listQuotas, ({ filter, page }) => {
        asked.push(`${filter}${page?.token}`);
        return { quotas: [filter.includes("shadow") ? shadow : search], nextPageToken: "2" };
      }),
    );
    await row("tried");
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Mode" }), "Hard");
    await row("search");
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "On" }), "On anything");
    await waitFor(() => expect(router.state.location.search).toEqual({ mode: "hard" }));
    await waitFor(() => expect(asked).toEqual(["mode = shadow AND on = end_user", "mode = hard AND on = end_user", "mode = hard"]));
  });

  test("filters_that_nothing_fits_are_no_empty_organization", async () => {
    open("/budgets?mode=%22off%22", (r) => r.rpc(listQuotas, () => ({})));
    expect(await screen.findByRole("heading", { name: "Nothing fits these filters" })).toBeTruthy();
    expect(screen.queryByText(/Begin with one in shadow mode/)).toBeNull();
  });

  test("near_its_end_leaves_out_what_has_time", async () => {
    const calm = { ...search, id: "b3", name: "calm", standing: { limit: 100n * dollar, spent: 1n, free: 99n * dollar, window: december } };
    open("/budgets?near=true", (r) => r.rpc(listQuotas, ({ page }) => (page?.token ? { quotas: [search] } : { quotas: [calm], nextPageToken: "2" })));
    await row("search");
    expect(screen.queryByRole("rowheader", { name: /^calm/ })).toBeNull();
  });

  test("a_role_that_only_reads_is_offered_nothing_else", async () => {
    open("/budgets?quota=b1", undefined, ["quotas.list", "quotas.get", "budgets.get", "budgets.list"]);
    await screen.findByRole("heading", { name: "How it stands" });
    await waitFor(() => expect(screen.getAllByText("Each month, Europe/Berlin").length).toBe(2)); // in the list and the details
    for (const name of ["Create budget", "Create limit", "Raise for a while", "Change", "Delete"]) expect(screen.queryByText(name)).toBeNull();
  });
});

describe("the_details", () => {
  const lease = { agentId: "a1", boot: "boot-1", window: "2026-12", held: 2n * dollar, granted: 3n * dollar, spent: dollar, stranded: true };
  const living = { ...lease, agentId: "a2", boot: "boot-2", held: 7n * dollar, stranded: false };

  test("lead_to_the_alerts_about_it", async () => {
    open("/budgets?quota=b1");
    expect((await screen.findByRole("link", { name: "Alerts about it" })).getAttribute("href")).toBe("/alerts?budget=b1");
  });

  test("a_stranded_lease_is_written_off_with_a_reason", async () => {
    const sent: WriteOffLeaseRequest[] = [];
    open("/budgets?quota=b1", (r) => {
      r.rpc(getQuota, () => ({ quota: search, leases: [lease, living] }));
      r.rpc(writeOffLease, (request) => {
        sent.push(request);
        return {};
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: /^Write off what/ }));
    const dialog = await screen.findByRole("alertdialog");
    expect(dialog.textContent).toContain("$2.00 become free for other agents");
    await userEvent.click(within(dialog).getByRole("button", { name: "Write off" }));
    expect(sent).toHaveLength(0); // a reason is required
    await userEvent.type(within(dialog).getByLabelText(/^Reason/), "the host burnt down");
    await userEvent.click(within(dialog).getByRole("button", { name: "Write off" }));
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({ id: "b1", agentId: "a1", boot: "boot-1", window: "2026-12", reason: "the host burnt down" });
  });

  test("a_release_says_what_may_be_spent_twice_before_it_is_done", async () => {
    const sent: ReleaseLeasesRequest[] = [];
    const waits = { ...search, standing: { ...search.standing, waitingAgentIds: ["a1", "a2"] } };
    open("/budgets?quota=b1", (r) => {
      r.rpc(getQuota, () => ({ quota: waits }));
      r.rpc(releaseLeases, (request) => {
        sent.push(request);
        return { mayBeOutstanding: 30n * dollar, knownHeld: 9n * dollar };
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Wait no longer" }));
    const dialog = await screen.findByRole("alertdialog");
    expect(await within(dialog).findByText("$30.00")).toBeTruthy();
    expect(sent.map((request) => request.mutation?.validateOnly)).toEqual([true]);
    await userEvent.type(within(dialog).getByLabelText(/^Reason/), "both agents are gone");
    await userEvent.click(within(dialog).getByRole("button", { name: "Wait no longer" }));
    await waitFor(() => expect(sent).toHaveLength(2));
    expect(sent[1]).toMatchObject({ id: "b1", reason: "both agents are gone", mutation: { validateOnly: false } });
  });

  test("a_raise_is_exact_and_for_a_reason", async () => {
    const sent: RaiseBudgetRequest[] = [];
    open("/budgets?quota=b1", (r) => {
      r.rpc(raiseBudget, (request) => {
        sent.push(request);
        return {};
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Raise for a while" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Raise search for a while" }));
    await userEvent.type(dialog.getByLabelText("Add, dollars"), "1,000.000000001");
    expect(dialog.getByText("Exactly $1,000.000000001.")).toBeTruthy();
    const until = dialog.getByLabelText("Until");
    await userEvent.clear(until);
    await userEvent.type(until, "2026-12-20T11:00");
    await userEvent.type(dialog.getByLabelText(/^Reason/), "launch week");
    await userEvent.click(dialog.getByRole("button", { name: "Raise budget" }));
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({ id: "b1", amountNanoUsd: 1_000_000_000_001n, expiresAt: at("2026-12-20T10:00:00Z"), reason: "launch week" });
  });

  test("past_windows_have_a_table_and_raises_are_told", async () => {
    open("/budgets?quota=b1", (r) => {
      r.rpc(listQuotaHistory, () => ({
        windows: [{ window: { startsAt: at("2026-10-31T23:00:00Z"), endsAt: at("2026-11-30T23:00:00Z") }, limit: 100n * dollar, spent: 99n * dollar + 5n }],
      }));
      r.rpc(HistoryService.method.listEvents, () => ({
        events: [
          {
            version: 9n,
            kind: "BudgetRaised",
            recordedAt: at("2026-11-28T09:00:00Z"),
            actor: { kind: "member", id: "m1" },
            body: { amountNanoUsd: "10000000000", expiresAt: "2026-12-20T10:00:00Z", reason: "launch week" },
          },
        ],
      }));
    });
    await userEvent.click(await screen.findByRole("button", { name: "Table" }));
    const past = screen.getByRole("region", { name: "Spent and allowed, table" });
    expect(within(past).getByRole("row", { name: /2026-11-01 00:00 \$99\.000000005 \$100\.00/ })).toBeTruthy();
    const raises = await screen.findByRole("region", { name: "Raises" });
    expect(raises.textContent).toContain("+$10.00 until 2026-12-20 11:00launch week2026-11-28 10:00by a member");
  });

  test("subjects_that_are_counted_apart_open_each", async () => {
    const apart = { ...search, scope: { on: { case: "endUser" as const, value: {} } }, standing: undefined };
    const asked: string[] = [];
    const router = open("/budgets?quota=b1", (r) => {
      r.rpc(getQuota, ({ subject }) => {
        asked.push(subject);
        return { quota: subject ? { ...apart, standing: { ...search.standing, subject } } : apart };
      });
      r.rpc(listQuotaSubjects, () => ({ subjects: [{ ...search.standing, subject: "user-17" }] }));
    });
    await userEvent.click(await screen.findByRole("link", { name: "user-17" }));
    expect(await screen.findByText(/is shown, as it is counted apart/)).toBeTruthy();
    expect(router.state.location.search).toEqual({ quota: "b1", subject: "user-17" });
    expect(asked).toContain("user-17");
    await userEvent.click(screen.getByRole("button", { name: "Show all" }));
    expect(await screen.findByRole("region", { name: "Counted apart" })).toBeTruthy();
  });

  test.each([
    ["one_key", ["h1.15e48d93.lRe_2bZaN3UgF6UQKcBlXw", "h1.15e48d93.aaaa_2bZaN3UgF6UQKcBlXw", "user-17"], 0],
    ["two_keys", ["h1.15e48d93.lRe_2bZaN3UgF6UQKcBlXw", "h1.00e48d93.lRe_2bZaN3UgF6UQKcBlXw"], 1],
  ])("end_users_that_agents_hash_differently_are_told: %s", async (_, subjects, notices) => {
    const apart = { ...search, scope: { on: { case: "endUser" as const, value: {} } }, standing: undefined };
    open("/budgets?quota=b1", (r) => {
      r.rpc(getQuota, () => ({ quota: apart }));
      r.rpc(listQuotaSubjects, () => ({ subjects: subjects.map((subject) => ({ ...search.standing, subject })) }));
    });
    const apartFrom = within(await screen.findByRole("region", { name: "Counted apart" }));
    expect(await apartFrom.findAllByRole("link")).toHaveLength(subjects.length);
    expect(apartFrom.queryAllByText("Agents hash end users with 2 different keys.")).toHaveLength(notices);
  });

  test("deleting_says_what_it_does_and_closes", async () => {
    const sent: unknown[] = [];
    const router = open("/budgets?quota=b1", (r) => {
      r.rpc(deleteBudget, ({ id, mutation }) => {
        sent.push([id, mutation?.etag]);
        return {};
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Delete" }));
    const dialog = await screen.findByRole("alertdialog", { name: "Delete search?" });
    expect(dialog.textContent).toContain("Nothing is counted, refused or told by this budget any more");
    await userEvent.click(within(dialog).getByRole("button", { name: "Delete budget" }));
    await waitFor(() => expect(router.state.location.search).toEqual({}));
    expect(sent).toEqual([["b1", "7"]]);
  });
});

describe("the_forms", () => {
  async function dialogOf(button: string, title = button) {
    await userEvent.click(await screen.findByRole("button", { name: button }));
    return within(await screen.findByRole("dialog", { name: title }));
  }

  test("a_budget_is_made_to_the_nano_dollar_and_opened", async () => {
    const sent: CreateBudgetRequest[] = [];
    const router = open("/budgets", (r) =>
      r.rpc(createBudget, (request) => {
        sent.push(request);
        return { budget };
      }),
    );
    const dialog = await dialogOf("Create budget");
    await userEvent.type(dialog.getByLabelText("Name"), "shop-weekly");
    await userEvent.selectOptions(dialog.getByLabelText("What it is about"), "A project");
    await userEvent.selectOptions(await dialog.findByLabelText("Project"), "Shop");
    await userEvent.type(dialog.getByLabelText("Amount, dollars"), "9007199.254740993");
    await userEvent.selectOptions(dialog.getByLabelText("Window"), "Each week");
    await userEvent.click(dialog.getByRole("switch", { name: "Carry over" }));
    await userEvent.selectOptions(dialog.getByLabelText("Mode"), "Soft");
    await userEvent.selectOptions(dialog.getByLabelText("While the control plane is away"), "Refuse requests");
    await userEvent.click(dialog.getByRole("button", { name: "Create budget" }));
    await waitFor(() => expect(router.state.location.search).toEqual({ quota: "b1" }));
    expect(sent[0]).toMatchObject({
      name: "shop-weekly",
      scope: { on: { case: "projectId", value: "p1" } },
      amountNanoUsd: 9_007_199_254_740_993n, // which no float holds
      window: { window: { case: "calendar", value: { period: CalendarPeriod.WEEK, timeZone: "Europe/Berlin" } } },
      carryOver: true,
      mode: QuotaMode.SOFT,
      whenUnreachable: WhenUnreachable.REFUSE,
    });
  });

  test("what_the_server_refuses_stands_at_its_field", async () => {
    open("/budgets", (r) =>
      r.rpc(createBudget, () => {
        throw new ConnectError("scope.project_id: no project p1", Code.NotFound);
      }),
    );
    const dialog = await dialogOf("Create budget");
    await userEvent.type(dialog.getByLabelText("Name"), "shop");
    await userEvent.selectOptions(dialog.getByLabelText("What it is about"), "A project");
    const project = await dialog.findByLabelText("Project");
    await userEvent.selectOptions(project, "Shop");
    await userEvent.type(dialog.getByLabelText("Amount, dollars"), "5");
    await userEvent.click(dialog.getByRole("button", { name: "Create budget" }));
    await waitFor(() => expect(project.getAttribute("aria-invalid")).toBe("true"));
    expect(dialog.getByText("no project p1")).toBeTruthy();
  });

  test("a_change_by_somebody_else_is_shown_and_can_be_overruled", async () => {
    const sent: UpdateBudgetRequest[] = [];
    let now = budget;
    open("/budgets?quota=b1", (r) => {
      r.rpc(getBudget, () => ({ budget: now }));
      r.rpc(updateBudget, (request) => {
        sent.push(request);
        if (request.budget?.etag !== now.etag) throw new ConnectError("it was changed", Code.Aborted);
        return { budget: now };
      });
    });
    const dialog = await dialogOf("Change", "Change search");
    now = { ...budget, amountNanoUsd: 300n * dollar, etag: "8" };
    const amount = dialog.getByLabelText("Amount, dollars");
    await userEvent.clear(amount);
    await userEvent.type(amount, "200");
    await userEvent.click(dialog.getByRole("button", { name: "Save budget" }));
    const amounts = within(await dialog.findByRole("group", { name: "Amount" }));
    expect(amounts.getByRole("radio", { name: "Mine: $200.00" })).toHaveProperty("checked", true);
    expect(amounts.getByRole("radio", { name: "Theirs: $300.00" })).toHaveProperty("checked", false);
    expect(dialog.getByRole("button", { name: "Save budget" })).toHaveProperty("disabled", true);
    await userEvent.click(dialog.getByRole("button", { name: "Go on with this choice" }));
    await userEvent.click(dialog.getByRole("button", { name: "Save budget" }));
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Change search" })).toBeNull());
    expect(sent.map(({ budget }) => [budget?.etag, budget?.amountNanoUsd])).toEqual([
      ["7", 200n * dollar],
      ["8", 200n * dollar],
    ]);
    expect(sent[0]?.updateMask?.paths).not.toContain("scope");
  });

  test("a_limit_of_requests_at_once_has_no_window", async () => {
    const sent: CreateLimitRequest[] = [];
    open("/budgets", (r) =>
      r.rpc(createLimit, (request) => {
        sent.push(request);
        return {};
      }),
    );
    const dialog = await dialogOf("Create limit");
    await userEvent.type(dialog.getByLabelText("Name"), "at-once");
    await userEvent.selectOptions(dialog.getByLabelText("What it counts"), "Requests at once");
    expect(dialog.queryByLabelText("Window")).toBeNull();
    await userEvent.type(dialog.getByLabelText("At most"), "40");
    await userEvent.click(dialog.getByRole("button", { name: "Create limit" }));
    await waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({ metric: LimitMetric.CONCURRENT_REQUESTS, amount: 40n, window: LimitWindow.UNSPECIFIED, whenUnreachable: WhenUnreachable.ALLOW });
  });
});

describe("bars", () => {
  const standing = (of: object) => create(QuotaStandingSchema, of);
  const parts = (of: object, mode: QuotaMode) => {
    const { parts, limitAt } = barOf(standing(of), mode);
    return [parts.map(({ name, permille }) => `${name} ${permille}`).join(", "), limitAt];
  };

  test("what_is_spent_held_and_stranded_fill_it_in_that_order", () => {
    expect(parts({ limit: 100n, spent: 40n, held: 30n, stranded: 10n }, QuotaMode.HARD)).toEqual(["spent 400, held 200, stranded 100", undefined]);
  });

  test("beyond_the_limit_it_is_longer_and_the_limit_is_marked", () => {
    expect(parts({ limit: 100n, spent: 150n, held: 50n }, QuotaMode.HARD)).toEqual(["spent 750, held 250", 500]);
  });

  test("what_is_held_of_a_soft_one_fills_what_is_left", () => {
    expect(parts({ limit: 100n, spent: 40n, held: 9_000n }, QuotaMode.SOFT)).toEqual(["spent 400, held 600", undefined]);
  });
});
