import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import type { GetOverviewRequest } from "../../gen/weir/admin/v1/report_pb";
import { Interval, Measure, ReportService } from "../../gen/weir/admin/v1/report_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { getOverview, listRequests, queryMetrics } = ReportService.method;

const totals = {
  requests: 1_200n,
  errors: 12n,
  inputTokens: 1_000_000n,
  outputTokens: 234_567n,
  costNanoUsd: 1_284_193_217n,
  durationP95Us: 1_893_311n,
  timeToFirstTokenP95Us: 341_200n,
};

function answer() {
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  return {
    totals,
    series: [{ start: timestampFromDate(new Date(hour)), totals }],
    timeZone: "Europe/Berlin",
  };
}

test("loading", async () => {
  openConsole("/", (r) => r.rpc(getOverview, stall));
  expect(await screen.findByRole("status", { name: "Loading overview" })).toBeTruthy();
});

test("error", async () => {
  openConsole("/", (r) => r.rpc(getOverview, refuse));
  expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
});

test("empty_while_there_were_requests_before", async () => {
  openConsole("/", (r) => {
    r.rpc(getOverview, () => ({}));
    r.rpc(listRequests, () => ({ requests: [{ requestId: "q1" }] }));
  });
  expect(await screen.findByRole("heading", { name: "No requests in this period" })).toBeTruthy();
});

test("data_with_exact_totals", async () => {
  openConsole("/", (r) => r.rpc(getOverview, answer));
  const spend = (await screen.findAllByRole("term")).find((t) => t.textContent === "Spend");
  expect(spend?.nextElementSibling?.textContent).toBe("$1.284193217");
  expect(screen.getByText("1,234,567")).toBeTruthy();
  expect(screen.getByText("1.89 s")).toBeTruthy();
  expect(screen.getByText("341 ms")).toBeTruthy();
});

test("what_has_no_price_is_not_shown_as_free", async () => {
  const unpriced = { ...totals, costNanoUsd: 0n, unpricedRequests: 1_200n };
  const { series, timeZone } = answer();
  openConsole("/", (r) =>
    r.rpc(getOverview, () => ({ totals: unpriced, series: series.map((p) => ({ ...p, totals: unpriced })), timeZone })),
  );
  expect(await tile("Spend")).toBe("unpriced");
  expect(screen.getByText("1,200 requests unpriced")).toBeTruthy();
  await userEvent.click(within(await screen.findByRole("group", { name: "Show Spend as" })).getByRole("button", { name: "Table" }));
  const twin = screen.getByRole("region", { name: "Spend, table" });
  expect(within(twin).getAllByText("unpriced")).toHaveLength(1);
  expect(within(twin).getAllByText("$0.00").length).toBeGreaterThanOrEqual(23);
});

test("what_shadows_cost_stands_apart", async () => {
  const both = { ...totals, shadows: 3n, shadowCostNanoUsd: 284_193_217n, unpricedShadows: 1n };
  const { series, timeZone } = answer();
  openConsole("/", (r) =>
    r.rpc(getOverview, () => ({ totals: both, series: series.map((p) => ({ ...p, totals: both })), timeZone })),
  );
  expect(await tile("Spend")).toBe("$1.284193217");
  expect(screen.getByText("$0.284193217 of it for 3 shadows, 1 shadow unpriced")).toBeTruthy();
  expect(await tile("Requests")).toBe("1,200");
  await userEvent.click(within(await screen.findByRole("group", { name: "Show Spend as" })).getByRole("button", { name: "Table" }));
  expect(screen.getByRole("columnheader", { name: "of which shadows" })).toBeTruthy();
});

test("shadows_without_a_price_are_not_shown_as_free", async () => {
  const unpriced = { ...totals, shadows: 2n, unpricedShadows: 2n };
  const { series, timeZone } = answer();
  openConsole("/", (r) =>
    r.rpc(getOverview, () => ({ totals: unpriced, series: series.map((p) => ({ ...p, totals: unpriced })), timeZone })),
  );
  expect(await screen.findByText("2 shadows unpriced")).toBeTruthy();
  await userEvent.click(within(await screen.findByRole("group", { name: "Show Spend as" })).getByRole("button", { name: "Table" }));
  expect(within(screen.getByRole("region", { name: "Spend, table" })).getAllByText("unpriced")).toHaveLength(1);
});

async function tile(label: string) {
  return (await screen.findAllByRole("term")).find((t) => t.textContent === label)?.nextElementSibling?.textContent;
}

test("the_table_twin_has_every_interval_and_says_its_zone", async () => {
  openConsole("/", (r) => r.rpc(getOverview, answer));
  const choice = await screen.findByRole("group", { name: "Show Spend as" });
  await userEvent.click(within(choice).getByRole("button", { name: "Table" }));
  const twin = screen.getByRole("region", { name: "Spend, table" });
  expect(within(twin).getByRole("columnheader", { name: "From (Europe/Berlin)" })).toBeTruthy();
  expect(within(twin).getAllByRole("row").length).toBeGreaterThanOrEqual(25);
  expect(within(twin).getByText("$1.284193217")).toBeTruthy();
});

describe("the_breakdown", () => {
  // Values in the order in which they were asked for.
  const values = (measures: readonly Measure[], known: Partial<Record<Measure, bigint>>) =>
    measures.map((m) => (known[m] === undefined ? {} : { value: known[m] }));
  const asked: { measures: Measure[]; groupBy: string[]; comparePrevious: boolean }[] = [];
  const serve = (router: ConnectRouter) => {
    asked.length = 0;
    router.rpc(getOverview, answer);
    router.rpc(listRequests, ({ filter }) => {
      filters.push(filter);
      return {};
    });
    router.rpc(queryMetrics, ({ measures, groupBy, comparePrevious }) => {
      asked.push({ measures, groupBy, comparePrevious });
      const known = { [Measure.SPEND]: 900_000_000n, [Measure.REQUESTS]: 70n, [Measure.ERRORS]: 2n, [Measure.TOKENS]: 123_456n, [Measure.DURATION_P95]: 1_500_000n };
      return {
        series: [
          { group: ["gpt-4o"], sharePpm: 750_000, totals: values(measures, known), previousTotals: values(measures, { [Measure.SPEND]: 600_000_000n }) },
          { group: [""], sharePpm: 50_000, totals: values(measures, { ...known, [Measure.SPEND]: 0n, [Measure.UNPRICED_REQUESTS]: 4n }), previousTotals: values(measures, { [Measure.SPEND]: 0n }) },
        ],
        other: { sharePpm: 200_000, totals: values(measures, known), previousTotals: values(measures, { [Measure.SPEND]: 1_200_000_000n }) },
      };
    });
  };
  const filters: string[] = [];

  test("says_share_change_and_what_has_no_price", async () => {
    openConsole("/?by=model", serve);
    const table = within(await screen.findByRole("region", { name: "Breakdown, table" }));
    expect(table.getByRole("row", { name: /^gpt-4o/ }).textContent).toBe("gpt-4o75.0 %+50.0 %702123,4561.50 s$0.900000000");
    expect(table.getByRole("row", { name: /^\(no model\)/ }).textContent).toBe("(no model)5.0 %same702123,4561.50 sunpriced");
    expect(table.getByRole("row", { name: /^all others/ }).textContent).toContain("−25.0 %");
    expect(asked.find((a) => a.groupBy.length > 0)).toMatchObject({ groupBy: ["model"], comparePrevious: true, measures: expect.arrayContaining([Measure.SPEND]) as unknown });
  });

  test("ranks_by_what_the_chart_shows_and_the_url_holds_it", async () => {
    const router = openConsole("/?metric=tokens", serve);
    const region = within(await screen.findByRole("region", { name: "Breakdown" }));
    await userEvent.selectOptions(region.getByRole("combobox"), "Project");
    expect(router.state.location.search).toMatchObject({ by: "project", metric: "tokens" });
    await vi.waitFor(() => expect(asked.at(-1)).toMatchObject({ groupBy: ["project"] }));
    expect(asked.at(-1)?.measures[0]).toBe(Measure.TOKENS);
    await userEvent.selectOptions(region.getByRole("combobox"), "Label");
    const name = await screen.findByRole("textbox", { name: "Name of the label" });
    await userEvent.clear(name);
    await userEvent.type(name, "env{Enter}");
    expect(router.state.location.search).toMatchObject({ by: "label:env" });
  });

  test("reads_no_figures_by_a_question_that_they_do_not_answer", async () => {
    openConsole("/?by=model", (r) => {
      serve(r);
      r.rpc(queryMetrics, ({ measures, groupBy }) => {
        if (measures[0] === Measure.TOKENS) return stall();
        return { series: [{ group: groupBy, totals: values(measures, { [Measure.SPEND]: 900_000_000n, [Measure.REQUESTS]: 70n }) }] };
      });
    });
    const rowOfModel = async () => (await screen.findByRole("row", { name: /^model/ })).textContent;
    expect(await rowOfModel()).toBe("model–7000–$0.900000000");
    await userEvent.click(within(screen.getByRole("group", { name: "Metric" })).getByRole("button", { name: "Tokens" }));
    await vi.waitFor(() => expect(screen.getByRole("region", { name: "Breakdown, table" }).closest('[aria-busy="true"]')).toBeTruthy());
    expect(await rowOfModel()).toBe("model–7000–$0.900000000");
  });

  test("leads_to_the_requests_behind_a_row", async () => {
    const router = openConsole("/?by=model&from=1780000000000&to=1780003600000", serve);
    await userEvent.click(await screen.findByRole("link", { name: "gpt-4o" }));
    const filter = `model = "gpt-4o" AND started_at >= "${new Date(1780000000000).toISOString()}" AND started_at < "${new Date(1780003600000).toISOString()}"`;
    expect(router.state.location).toMatchObject({ pathname: "/requests", search: { filter, paused: true } });
    expect(await screen.findByRole("heading", { name: "No request fits the filter" })).toBeTruthy();
    expect(filters).toEqual([filter]);
  });
});

describe("what_goes_on", () => {
  const setVisible = (state: DocumentVisibilityState) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  };

  test("is_asked_again_while_it_is_seen_and_not_behind_other_tabs", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    onTestFinished(() => {
      vi.useRealTimers();
      Reflect.deleteProperty(document, "visibilityState");
    });
    let asked = 0;
    openConsole("/", (r) =>
      r.rpc(getOverview, () => {
        asked++;
        return answer();
      }),
    );
    expect(await screen.findByText(/^[0-2] s ago$/)).toBeTruthy();
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(screen.getByText(/^1[4-7] s ago$/)).toBeTruthy();
    await vi.advanceTimersByTimeAsync(6_000);
    await screen.findByText(/^[0-2] s ago$/);
    expect(asked).toBe(2);
    setVisible("hidden");
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toBe(2);
    setVisible("visible");
    await vi.waitFor(() => expect(asked).toBeGreaterThan(2));
  });

  test("is_not_shown_as_another_period", async () => {
    openConsole("/", (r) => r.rpc(getOverview, ({ interval }) => (interval === Interval.DAY ? stall() : answer())));
    expect(await tile("Requests")).toBe("1,200");
    await userEvent.click(within(screen.getByRole("group", { name: "Period" })).getByRole("button", { name: "30d" }));
    await vi.waitFor(() => expect(document.querySelectorAll('.answer[aria-busy="true"]')).toHaveLength(2));
    expect(screen.getByText("Last 30 days")).toBeTruthy();
    expect(screen.queryByText(/ago$/)).toBeNull();
  });

  test("is_gone_where_another_period_can_not_be_read", async () => {
    openConsole("/", (r) => r.rpc(getOverview, ({ interval }) => (interval === Interval.DAY ? refuse() : answer())));
    expect(await tile("Requests")).toBe("1,200");
    await userEvent.click(within(screen.getByRole("group", { name: "Period" })).getByRole("button", { name: "30d" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
    expect(screen.queryByText("1,200")).toBeNull();
  });
});

test("a_row_of_the_table_zooms_in_and_back", async () => {
  const asked: GetOverviewRequest[] = [];
  const router = openConsole("/", (r) =>
    r.rpc(getOverview, (request) => {
      asked.push(request);
      return answer();
    }),
  );
  const choice = await screen.findByRole("group", { name: "Show Spend as" });
  await userEvent.click(within(choice).getByRole("button", { name: "Table" }));
  const twin = within(screen.getByRole("region", { name: "Spend, table" }));
  const rows = twin.getAllByRole("button");
  await userEvent.click(rows[1] as HTMLElement);
  const { from, to } = router.state.location.search as { from: number; to: number };
  expect(to - from).toBe(3_600_000);
  await vi.waitFor(() => expect(asked.at(-1)).toMatchObject({ interval: Interval.MINUTE, from: timestampFromDate(new Date(from)), to: timestampFromDate(new Date(to)) }));
  await userEvent.click(await screen.findByRole("link", { name: "Zoom out" }));
  expect(router.state.location.search).toEqual({});
});
