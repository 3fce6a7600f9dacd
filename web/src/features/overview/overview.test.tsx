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

test("the_table_twin_has_every_interval_and_says_its_zone", async () => {
  openConsole("/", (r) => r.rpc(getOverview, answer));
  const choice = await screen.findByRole("group", { name: "Show Spend as" });
  await userEvent.click(within(choice).getByRole("button", { name: "Table" }));
  const twin = screen.getByRole("region", { name: "Spend, table" });
  expect(within(twin).getByRole("columnheader", { name: "From (Europe/Berlin)" })).toBeTruthy();
  expect(within(twin).getAllByRole("row").length).toBeGreaterThanOrEqual(25);
  expect(within(twin).getByText("$1.284193217")).toBeTruthy();
});
