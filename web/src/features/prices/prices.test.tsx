import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import { PriceOverrideService } from "../../gen/weir/admin/v1/price_override_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import type { RerateUsageRequest } from "../../gen/weir/admin/v1/rerate_pb";
import { RerateSchema, RerateService, RerateState } from "../../gen/weir/admin/v1/rerate_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";
import { progressOf } from "./words";

const { listPriceOverrides, listPrices } = PriceOverrideService.method;
const { getRerate, listRerates, rerateUsage } = RerateService.method;

const dollar = 1_000_000_000n;
const at = (text: string) => timestampFromDate(new Date(text));

const difference = {
  projectId: "p1",
  providerId: "v1",
  provider: "openai",
  model: "gpt-5",
  attempts: 100n,
  corrected: 90n,
  oldCostNanoUsd: 12n * dollar,
  newCostNanoUsd: 10n * dollar + 1n,
  leftOut: [{ reason: "no_price", attempts: 1n }],
};
const found = {
  from: at("2026-11-01T00:00:00Z"),
  until: at("2026-11-05T00:00:00Z"),
  coveredUntil: at("2026-11-28T09:00:00Z"),
  reason: "the contract of November",
  total: difference,
  differences: [{ ...difference, leftOut: [] }],
};
const running = { ...found, id: "r1", state: RerateState.RUNNING, reached: at("2026-11-02T00:00:00Z"), createdAt: at("2026-11-28T09:00:10Z") };
const override = { id: "o1", priceList: "openai", model: "gpt-5", providerId: "v1", rates: { input: "1.25", output: "10" }, perRequest: "0.001" };

function open(path = "/prices?show=rerates", services: (r: ConnectRouter) => void = () => undefined, permissions = everything) {
  return openConsole(
    path,
    (r) => {
      r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }] }));
      r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "v1", name: "azure-eu" }] }));
      r.rpc(listPriceOverrides, () => ({ priceOverrides: [override] }));
      r.rpc(listPrices, () => ({}));
      r.rpc(listRerates, () => ({}));
      services(r);
    },
    permissions,
  );
}

describe("prices_of_your_own", () => {
  const own = "/prices?show=own";

  test("loading", async () => {
    open(own, (r) => r.rpc(listPriceOverrides, stall));
    expect(await screen.findByRole("status", { name: "Loading prices" })).toBeTruthy();
  });

  test("error_of_one_list_leaves_the_others", async () => {
    const router = open(own, (r) => r.rpc(listPriceOverrides, refuse));
    expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
    await userEvent.click(screen.getByRole("button", { name: "Priced anew" }));
    expect(await screen.findByRole("heading", { name: "Nothing was priced anew" })).toBeTruthy();
    expect(router.state.location.search).toEqual({ show: "rerates" });
  });

  test("empty", async () => {
    open(own, (r) => r.rpc(listPriceOverrides, () => ({})));
    expect(await screen.findByRole("heading", { name: "No prices of your own" })).toBeTruthy();
  });

  test("say_what_they_are_for_exactly", async () => {
    const router = open(own);
    const table = await screen.findByRole("region", { name: "Prices, table" });
    await waitFor(() => expect(table.textContent).toContain("gpt-5openai, only of azure-eu"));
    expect(table.textContent).toContain("Input$1.25Output$10.00$0.001 a requestalways");
    await userEvent.click(within(table).getByRole("link", { name: "gpt-5" }));
    expect(router.state.location.search).toEqual({ show: "own", price: "gpt-5", of: "v1" });
  });
});

describe("pricing_anew", () => {
  async function fill() {
    await userEvent.click(await screen.findByRole("button", { name: "Price usage anew" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Price usage anew" }));
    for (const [label, value] of [["From", "2026-11-01T01:00"], ["Until", "2026-11-05T01:00"]] as const) {
      await userEvent.clear(dialog.getByLabelText(label));
      await userEvent.type(dialog.getByLabelText(label), value);
    }
    await userEvent.selectOptions(await dialog.findByLabelText("Project"), "Shop");
    await userEvent.type(dialog.getByLabelText(/^Reason/), "the contract of November");
    return dialog;
  }

  test("is_dry_first_and_then_of_the_same_rows", async () => {
    const sent: RerateUsageRequest[] = [];
    const router = open(undefined, (r) => {
      r.rpc(rerateUsage, (request) => {
        sent.push(request);
        return { rerate: request.mutation?.validateOnly ? found : running };
      });
      r.rpc(getRerate, () => ({ rerate: running }));
    });
    const dialog = await fill();
    await userEvent.click(dialog.getByRole("button", { name: "Run dry" }));
    const table = await dialog.findByRole("region", { name: "Differences, table" });
    expect(table.textContent).toContain("Shopgpt-5 at openai90 of 100$12.00$10.000000001-$1.999999999");
    expect(dialog.getByText("1 attempt left as before")).toBeTruthy();
    await userEvent.click(dialog.getByRole("button", { name: "Apply these differences" }));
    await waitFor(() => expect(router.state.location.search).toEqual({ show: "rerates", rerate: "r1" }));
    expect(sent.map((request) => request.mutation?.validateOnly)).toEqual([true, false]);
    expect(sent[1]).toMatchObject({ projectId: "p1", from: found.from, until: found.until, coveredUntil: found.coveredUntil, reason: found.reason });
    expect((await screen.findByRole("progressbar", { name: "Looked at" })).getAttribute("value")).toBe("25");
  });

  test("what_was_found_goes_when_something_else_is_asked", async () => {
    open(undefined, (r) => r.rpc(rerateUsage, () => ({ rerate: found })));
    const dialog = await fill();
    await userEvent.click(dialog.getByRole("button", { name: "Run dry" }));
    await dialog.findByRole("button", { name: "Apply these differences" });
    await userEvent.type(dialog.getByLabelText("Model (optional)"), "gpt-4o");
    expect(dialog.getByRole("button", { name: "Run dry" })).toBeTruthy();
    expect(dialog.queryByRole("region", { name: "Differences, table" })).toBeNull();
  });

  test("without_a_difference_there_is_nothing_to_apply", async () => {
    open(undefined, (r) => r.rpc(rerateUsage, () => ({ rerate: { ...found, total: { ...difference, corrected: 0n } } })));
    const dialog = await fill();
    await userEvent.click(dialog.getByRole("button", { name: "Run dry" }));
    expect(await dialog.findByRole("button", { name: "Apply these differences" })).toHaveProperty("disabled", true);
  });

  test("without_usage_there_is_nothing_to_apply_either", async () => {
    open(undefined, (r) => r.rpc(rerateUsage, () => ({ rerate: { ...found, total: undefined, differences: [] } })));
    const dialog = await fill();
    await userEvent.click(dialog.getByRole("button", { name: "Run dry" }));
    expect(await dialog.findByText("No usage of that time was found.")).toBeTruthy();
    expect(dialog.getByRole("button", { name: "Apply these differences" })).toHaveProperty("disabled", true);
  });

  test("a_refusal_is_shown", async () => {
    open(undefined, (r) =>
      r.rpc(rerateUsage, () => {
        throw new ConnectError("one runs already", Code.FailedPrecondition);
      }),
    );
    const dialog = await fill();
    await userEvent.click(dialog.getByRole("button", { name: "Run dry" }));
    expect((await dialog.findByRole("alert")).textContent).toContain("one runs already");
  });

  test("progress_is_asked_for_until_it_is_done", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    open("/prices?rerate=r1", (r) =>
      r.rpc(getRerate, () => {
        asked += 1;
        return { rerate: asked < 3 ? running : { ...running, state: RerateState.DONE, finishedAt: at("2026-11-28T09:01:00Z") } };
      }),
    );
    const drawer = await screen.findByRole("dialog", { name: "Usage priced anew" });
    await within(drawer).findByText("Running");
    await vi.advanceTimersByTimeAsync(4_000);
    await within(drawer).findByText("Done");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toBe(3);
  });

  test("a_role_that_only_reads_is_not_offered_it", async () => {
    open(undefined, undefined, ["price_overrides.list", "rerates.list"]);
    await screen.findByRole("heading", { name: "Nothing was priced anew" });
    expect(screen.queryByRole("button", { name: "Price usage anew" })).toBeNull();
  });
});

test.each([
  [{}, 25],
  [{ reached: undefined }, 0],
  [{ state: RerateState.DONE, reached: undefined }, 100],
  [{ reached: at("2027-01-01T00:00:00Z") }, 100],
])("progress_%#", (of, want) => {
  expect(progressOf(create(RerateSchema, { ...running, ...of }))).toBe(want);
});
