import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { listRequests } = ReportService.method;

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

test("data_with_time_in_the_viewers_zone_and_exact_cost", async () => {
  openConsole("/requests", (r) => r.rpc(listRequests, () => ({ requests: [served, older] })));
  const [, first, second] = await screen.findAllByRole("row");
  expect(first?.textContent).toContain("2026-07-05 00:30:05");
  expect(first?.textContent).toContain("$0.00053415");
  expect(within(first as HTMLElement).getAllByTitle("2026-07-04 22:30:05.120 UTC")).not.toHaveLength(0);
  expect(second?.textContent).toContain("unpriced");
});

test("the_drawer_shows_the_arithmetic_and_the_url_holds_it", async () => {
  const router = openConsole("/requests", (r) => r.rpc(listRequests, () => ({ requests: [served] })));
  await userEvent.click(await screen.findByRole("link", { name: "demo" }));
  const drawer = await screen.findByRole("dialog", { name: "Request" });
  for (const text of ["1,204", "356", "1,560", "534,150 nano-dollars", "$0.00053415", "$0.342403846", "2026-07-01", "42"]) {
    expect(within(drawer).getByText(text)).toBeTruthy();
  }
  expect(router.state.location.search).toEqual({ request: served.requestId });
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
