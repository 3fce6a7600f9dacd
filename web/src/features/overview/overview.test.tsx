import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { getOverview } = ReportService.method;

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
    routes: [{ route: "demo", totals }],
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

test("empty", async () => {
  openConsole("/", (r) => r.rpc(getOverview, () => ({})));
  expect(await screen.findByRole("heading", { name: "No requests in this period" })).toBeTruthy();
});

test("data_with_exact_totals", async () => {
  openConsole("/", (r) => r.rpc(getOverview, answer));
  const spend = (await screen.findAllByRole("term")).find((t) => t.textContent === "Spend");
  expect(spend?.nextElementSibling?.textContent).toBe("$1.284193217");
  expect(screen.getByText("1,234,567")).toBeTruthy();
  expect(screen.getByText("1.89 s")).toBeTruthy();
  expect(screen.getByText("341 ms")).toBeTruthy();
  expect(within(screen.getByRole("region", { name: "Top routes by spend" })).getByText("demo")).toBeTruthy();
});

test("what_has_no_price_is_not_shown_as_free", async () => {
  const unpriced = { ...totals, costNanoUsd: 0n, unpricedRequests: 1_200n };
  const partly = { ...totals, unpricedRequests: 1n };
  const { series, timeZone } = answer();
  openConsole("/", (r) =>
    r.rpc(getOverview, () => ({
      totals: unpriced,
      series: series.map((p) => ({ ...p, totals: unpriced })),
      routes: [{ route: "demo", totals: unpriced }, { route: "partly", totals: partly }],
      timeZone,
    })),
  );
  expect(await tile("Spend")).toBe("unpriced");
  expect(screen.getAllByText("1,200 requests unpriced")).toHaveLength(2);
  const top = within(screen.getByRole("region", { name: "Top routes by spend" }));
  expect(top.getByRole("row", { name: /^demo/ }).textContent).toBe("demo–1,200 requests unpriced1,200unpriced");
  expect(top.getByRole("row", { name: /^demo/ }).textContent).not.toContain("$0");
  expect(top.getByRole("row", { name: /^partly/ }).textContent).toBe("partly0.0 %1 request unpriced1,200$1.284193217");
  await userEvent.click(within(await screen.findByRole("group", { name: "Show Spend as" })).getByRole("button", { name: "Table" }));
  const twin = screen.getByRole("region", { name: "Spend, table" });
  expect(within(twin).getAllByText("unpriced")).toHaveLength(1);
  expect(within(twin).getAllByText("$0.00").length).toBeGreaterThanOrEqual(23);
});

test("what_shadows_cost_stands_apart", async () => {
  const both = { ...totals, shadows: 3n, shadowCostNanoUsd: 284_193_217n, unpricedShadows: 1n };
  const { series, routes, timeZone } = answer();
  openConsole("/", (r) =>
    r.rpc(getOverview, () => ({ totals: both, series: series.map((p) => ({ ...p, totals: both })), routes, timeZone })),
  );
  expect(await tile("Spend")).toBe("$1.284193217");
  expect(screen.getByText("$0.284193217 of it for 3 shadows, 1 shadow unpriced")).toBeTruthy();
  expect(await tile("Requests")).toBe("1,200");
  await userEvent.click(within(await screen.findByRole("group", { name: "Show Spend as" })).getByRole("button", { name: "Table" }));
  expect(screen.getByRole("columnheader", { name: "of which shadows" })).toBeTruthy();
});

test("shadows_without_a_price_are_not_shown_as_free", async () => {
  const unpriced = { ...totals, shadows: 2n, unpricedShadows: 2n };
  const { series, routes, timeZone } = answer();
  openConsole("/", (r) =>
    r.rpc(getOverview, () => ({ totals: unpriced, series: series.map((p) => ({ ...p, totals: unpriced })), routes, timeZone })),
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
