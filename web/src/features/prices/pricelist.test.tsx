import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import type { CreatePriceOverrideRequest, GetPriceRequest, ListPricesRequest, UpdatePriceOverrideRequest } from "../../gen/weir/admin/v1/price_override_pb";
import { PriceCandidate_Standing as Standing, PriceOverrideService } from "../../gen/weir/admin/v1/price_override_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import type { RerateUsageRequest } from "../../gen/weir/admin/v1/rerate_pb";
import { RerateService } from "../../gen/weir/admin/v1/rerate_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";

const { createPriceOverride, deletePriceOverride, getPrice, getPriceOverride, listPrices, updatePriceOverride } = PriceOverrideService.method;
const at = (text: string) => timestampFromDate(new Date(text));

const builtIn = { priceList: "openai", model: "gpt-5", rates: { input: "1.25", cacheRead: "0.125", output: "10" }, maxInputTokens: 400_000n, aliases: ["gpt-5-latest"] };
const own = {
  priceList: "openai",
  model: "gpt-5",
  providerId: "v1",
  priceOverrideId: "o1",
  rates: { input: "1", output: "8" },
  effectiveFrom: at("2026-11-01T00:00:00Z"),
  serviceTiers: [{ name: "batch", factor: { numerator: 1n, denominator: 2n } }],
  builtIn,
};
const override = { ...own, id: "o1", etag: "7", priceOverrideId: undefined, builtIn: undefined };
const found = {
  price: own,
  candidates: [
    { price: own, standing: Standing.COUNTS },
    { price: builtIn, standing: Standing.BEHIND },
  ],
  priceBookVersion: "builtin-2026-07.2+o7",
  priceList: "openai",
  region: "",
};

function open(path: string, services: (r: ConnectRouter) => void = () => undefined, permissions = everything) {
  return openConsole(
    path,
    (r) => {
      r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }] }));
      r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "v1", name: "azure-eu", priceList: "openai" }] }));
      r.rpc(ReportService.method.runQuery, () => ({}));
      r.rpc(listPrices, () => ({ prices: [builtIn, own], priceBookVersion: "builtin-2026-07.2+o7" }));
      r.rpc(getPrice, () => found);
      r.rpc(getPriceOverride, () => ({ priceOverride: override }));
      services(r);
    },
    permissions,
  );
}

// At once: the form has many fields, and each key would draw them all.
async function write(field: HTMLElement, text: string) {
  await userEvent.clear(field);
  await userEvent.click(field);
  await userEvent.paste(text);
}

const drawerOf = "/prices?price=gpt-5&of=v1";

describe("the_price_list", () => {
  test("loading", async () => {
    open("/prices", (r) => r.rpc(listPrices, stall));
    expect(await screen.findByRole("status", { name: "Loading prices" })).toBeTruthy();
  });

  test("error", async () => {
    open("/prices", (r) => r.rpc(listPrices, refuse));
    expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
  });

  test("says_what_each_model_costs_and_who_says_so", async () => {
    open("/prices");
    const [, first, second] = within(await screen.findByRole("region", { name: "Price list, table" })).getAllByRole("row");
    expect(first?.textContent).toContain("gpt-5openai$1.25$0.125–$10.00–○Built-in book");
    await waitFor(() => expect(second?.textContent).toContain("openai, only at azure-eu"));
    expect(second?.textContent).toContain("$1.00––$8.00batch●Your ownsince 2026-11-01");
    expect(screen.getByText("builtin-2026-07.2+o7")).toBeTruthy();
  });

  test("draws_only_the_rows_near_the_window_of_a_long_one", async () => {
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        observe() {}
        unobserve() {}
      },
    );
    onTestFinished(() => void vi.unstubAllGlobals());
    const prices = Array.from({ length: 200 }, (_, i) => ({ ...builtIn, model: `model-${i}` }));
    open("/prices", (r) => r.rpc(listPrices, () => ({ prices, priceBookVersion: "b" })));
    const table = within(await screen.findByRole("region", { name: "Price list, table" }));
    expect(table.getAllByRole("rowheader")).toHaveLength(50);
    expect(table.getByRole("table").getAttribute("aria-rowcount")).toBe("201");
  });

  test("is_searched_by_name_and_provider_and_the_url_holds_it", async () => {
    const asked: ListPricesRequest[] = [];
    const router = open("/prices", (r) =>
      r.rpc(listPrices, (request) => {
        asked.push(request);
        return { prices: [builtIn, own], priceBookVersion: "b" };
      }),
    );
    await userEvent.type(await screen.findByRole("searchbox", { name: "Model or price list" }), 'gpt"5*');
    await waitFor(() => expect(router.state.location.search).toEqual({ q: 'gpt"5*' }));
    await waitFor(() => expect(asked.at(-1)?.filter).toBe('name:"gpt\\"5\\*"'));
    await userEvent.selectOptions(await screen.findByRole("combobox", { name: "Provider" }), "What azure-eu costs");
    await waitFor(() => expect(asked.at(-1)?.filter).toBe('name:"gpt\\"5\\*" AND (provider_id = "v1" OR NOT provider_id:*) AND price_list = "openai"'));
    // What was negotiated there stands for the list's price.
    await waitFor(() => expect(within(screen.getByRole("region", { name: "Price list, table" })).getAllByRole("row")).toHaveLength(2));
    expect(asked[0]?.asOf).toBeUndefined();
    expect(Number(asked[0]?.effectiveAt?.seconds) % 60).toBe(0);
  });

  test("of_the_past_is_as_it_was_and_of_the_future_as_it_is_settled", async () => {
    const asked: ListPricesRequest[] = [];
    const answer = (r: ConnectRouter) =>
      r.rpc(listPrices, (request) => {
        asked.push(request);
        return { prices: [builtIn], priceBookVersion: "builtin-2026-07.2" };
      });
    const router = open("/prices?at=2026-08-01T10:00:00.000Z", answer);
    expect((await screen.findByText(/^As prices were then/)).textContent).toContain("2026-08-01 12:00.");
    expect(asked.at(-1)).toMatchObject({ effectiveAt: at("2026-08-01T10:00:00Z"), asOf: { point: { case: "time", value: at("2026-08-01T10:00:00Z") } } });
    await userEvent.click(screen.getByRole("button", { name: "Show present prices" }));
    expect(router.state.location.search).toEqual({});
    await router.navigate({ to: "/prices", search: { at: "2199-01-01T00:00:00.000Z" } });
    expect(await screen.findByText(/^As far as it is settled now/)).toBeTruthy();
    await waitFor(() => expect(asked.at(-1)?.effectiveAt).toEqual(at("2199-01-01T00:00:00Z")));
    expect(asked.at(-1)?.asOf).toBeUndefined();
  });

  test("of_a_book_that_usage_names", async () => {
    const asked: ListPricesRequest[] = [];
    open("/prices?at=2026-08-01T10:00:00.000Z&book=builtin-2026-06%2Bo17", (r) =>
      r.rpc(listPrices, (request) => {
        asked.push(request);
        return { prices: [builtIn], priceBookVersion: "builtin-2026-07.2+o17" };
      }),
    );
    expect(await screen.findByText(/This server has another built-in book, builtin-2026-07.2/)).toBeTruthy();
    expect(asked.at(-1)?.asOf).toMatchObject({ point: { case: "version", value: 17n } });
  });

  test("nothing_fits", async () => {
    const router = open("/prices?q=none", (r) => r.rpc(listPrices, () => ({})));
    await userEvent.click(await screen.findByRole("button", { name: "Show all prices" }));
    expect(router.state.location.search).toEqual({});
  });

  test("a_role_that_only_reads_changes_nothing", async () => {
    open(drawerOf, undefined, ["prices.list", "prices.get", "price_overrides.get"]);
    const drawer = within(await screen.findByRole("dialog", { name: "Price" }));
    await drawer.findByRole("heading", { name: "Arithmetic" });
    for (const name of ["Set a price", "Import prices", "Change", "Set another price", "Delete"]) {
      expect(screen.queryByRole("button", { name, hidden: true })).toBeNull();
    }
  });
});

describe("models_without_a_price", () => {
  const rows = [["v1", "azure-eu", "gpt-9", "12", "1500", "300"], ["v1", "azure-eu", "gpt-5", "3", "1", "1"]].map((row) => ({
    values: row.map((value) => ({ kind: { case: "stringValue" as const, value } })),
  }));

  test("lead_to_setting_one", async () => {
    const router = open("/prices", (r) => {
      r.rpc(ReportService.method.runQuery, () => ({ rows }));
      r.rpc(getPrice, ({ model }) => (model === "gpt-5" ? found : { priceList: "openai" }));
    });
    const table = within(await screen.findByRole("region", { name: "Models without a price, table" }));
    await waitFor(() => expect(table.getAllByRole("row")[2]?.textContent).toContain("Has a price"));
    await userEvent.click(await table.findByRole("link", { name: "Set a price for gpt-9" }));
    expect(router.state.location.search).toEqual({ set: "gpt-9", of: "v1" });
    const dialog = within(await screen.findByRole("dialog", { name: "Set a price of your own" }));
    expect(dialog.getByLabelText("Model")).toHaveProperty("value", "gpt-9");
    expect(dialog.getByLabelText("Price list")).toHaveProperty("value", "openai");
  });

  test("are_found_by_the_names_that_alerts_have", async () => {
    open("/prices?set=gpt-9&by=azure-eu");
    const dialog = within(await screen.findByRole("dialog", { name: "Set a price of your own" }));
    expect(dialog.getByLabelText("Price list")).toHaveProperty("value", "openai");
    await waitFor(() => expect(dialog.getByLabelText("Provider")).toHaveProperty("value", "v1"));
  });
});

describe("one_price", () => {
  test("says_why_it_counts_and_what_a_request_comes_to", async () => {
    const asked: GetPriceRequest[] = [];
    open(drawerOf, (r) =>
      r.rpc(getPrice, (request) => {
        asked.push(request);
        return found;
      }),
    );
    const drawer = within(await screen.findByRole("dialog", { name: "Price" }));
    const table = await drawer.findByRole("region", { name: "Rates, table" });
    expect(table.textContent).toContain("Cache read–$0.125");
    expect(table.textContent).toContain("Output$8.00$10.00× 1/2");
    const why = drawer.getByRole("region", { name: "Why this price" });
    await waitFor(() => expect(why.textContent).toContain("Your price at azure-eu, from 2026-11-01 01:00●CountsInput $1.00, Output $8.00The built-in book○Behind"));
    // 1,000 × $1 and 500 × $8 a million
    expect(drawer.getByText("$0.005")).toBeTruthy();
    await userEvent.clear(drawer.getByLabelText("Input, tokens"));
    await userEvent.type(drawer.getByLabelText("Input, tokens"), "2,001");
    expect(drawer.getByText("$0.006001")).toBeTruthy();
    await userEvent.selectOptions(drawer.getByLabelText("Service tier"), "batch");
    expect(drawer.getByText("$0.0030005")).toBeTruthy();
    expect(asked.at(-1)).toMatchObject({ providerId: "v1", model: "gpt-5", priceList: "" });
  });

  test("that_there_is_not_says_so", async () => {
    open("/prices?price=gpt-9&list=openai", (r) => r.rpc(getPrice, () => ({ priceList: "openai", priceBookVersion: "b" })));
    const drawer = within(await screen.findByRole("dialog", { name: "Price" }));
    expect(await drawer.findByText("Unpriced.")).toBeTruthy();
    expect(drawer.queryByRole("heading", { name: "Arithmetic" })).toBeNull();
  });

  test("is_deleted_after_it_was_asked_and_what_was_behind_it_shows", async () => {
    const sent: unknown[] = [];
    open(drawerOf, (r) => {
      r.rpc(getPrice, () => (sent.length === 0 ? found : { ...found, price: builtIn, candidates: [{ price: builtIn, standing: Standing.COUNTS }] }));
      r.rpc(deletePriceOverride, ({ id, mutation }) => {
        sent.push([id, mutation?.etag]);
        return {};
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Delete" }));
    const asked = within(await screen.findByRole("alertdialog"));
    await userEvent.click(asked.getByRole("button", { name: "Delete price" }));
    const drawer = within(await screen.findByRole("dialog", { name: "Price" }));
    expect(await drawer.findByRole("button", { name: "Set a price of your own" })).toBeTruthy();
    expect(sent).toEqual([["o1", "7"]]);
  });

  test("that_does_not_count_yet_can_be_changed_too", async () => {
    const later = { ...own, priceOverrideId: "o2", effectiveFrom: at("2027-01-01T00:00:00Z") };
    open(drawerOf, (r) => {
      r.rpc(getPrice, () => ({ ...found, candidates: [{ price: later, standing: Standing.NOT_YET }, ...found.candidates] }));
      r.rpc(getPriceOverride, ({ id }) => ({ priceOverride: { ...override, id, effectiveFrom: at(id === "o2" ? "2027-01-01T00:00:00Z" : "2026-11-01T00:00:00Z") } }));
    });
    await userEvent.click(await screen.findByRole("button", { name: "Change the price from 2027-01-01 01:00" }));
    const dialog = await screen.findByRole("dialog", { name: "Change your price of gpt-5" });
    expect(dialog.textContent).toContain("from 2027-01-01 01:00 on the clock of Europe/Berlin");
  });
});

describe("setting_a_price", () => {
  test("begins_with_what_counts_and_says_what_can_not_be_read", async () => {
    const sent: CreatePriceOverrideRequest[] = [];
    const dry: RerateUsageRequest[] = [];
    open("/prices", (r) => {
      r.rpc(createPriceOverride, (request) => {
        sent.push(request);
        return {};
      });
      r.rpc(getPrice, () => ({ ...found, price: builtIn }));
      r.rpc(RerateService.method.rerateUsage, (request) => {
        dry.push(request);
        return { rerate: { from: request.from, until: request.until, total: { attempts: 2n, corrected: 2n, oldCostNanoUsd: 3_000_000_000n, newCostNanoUsd: 2_000_000_000n } } };
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Set a price" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Set a price of your own" }));
    await write(dialog.getByLabelText("Model"), "gpt-5");
    await write(dialog.getByLabelText("Price list"), "openai");
    await userEvent.click(await dialog.findByRole("button", { name: "Begin with it" }));
    expect(dialog.getByLabelText("Cache read")).toHaveProperty("value", "0.125");
    await write(dialog.getByLabelText("Input"), "1.2345678");
    expect(dialog.getByText("Dollars, six decimals at most: 1.25.")).toBeTruthy();
    expect(dialog.getByLabelText("Input").getAttribute("aria-invalid")).toBe("true");
    expect(dialog.getByRole("button", { name: "Set price" })).toHaveProperty("disabled", true);
    await write(dialog.getByLabelText("Input"), "$1,000.5");
    await userEvent.click(dialog.getByText("Service tiers: batch, flex, priority"));
    await userEvent.click(dialog.getByRole("button", { name: "Add service tier" }));
    await write(dialog.getByLabelText("Name"), "batch");
    await userEvent.type(dialog.getByLabelText("From (optional)"), "2026-12-01T00:00");

    await userEvent.click(dialog.getByRole("button", { name: "What would the last 7 days have cost?" }));
    expect(await dialog.findByText("-$1.00")).toBeTruthy();
    expect(dry[0]).toMatchObject({ model: "gpt-5", priceUnpriced: true, mutation: { validateOnly: true } });
    expect(dry[0]?.proposed[0]).toMatchObject({ model: "gpt-5", priceList: "openai", rates: { input: "1000.5", cacheRead: "0.125" }, effectiveFrom: dry[0]?.from });
    await write(dialog.getByLabelText("Output"), "101"); // what was found was of another price
    expect(dialog.queryByText("-$1.00")).toBeNull();

    await userEvent.click(dialog.getByRole("button", { name: "Set price" }));
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Set a price of your own" })).toBeNull());
    expect(sent[0]).toMatchObject({
      priceList: "openai",
      model: "gpt-5",
      rates: { input: "1000.5", cacheRead: "0.125", output: "101", cacheWrite5m: "" },
      effectiveFrom: at("2026-11-30T23:00:00Z"),
      serviceTiers: [{ name: "batch", factor: { numerator: 1n, denominator: 2n } }],
    });
  });

  test("a_refusal_stands_at_its_field", async () => {
    open("/prices?set=gpt-9&by=azure-eu", (r) =>
      r.rpc(createPriceOverride, () => {
        throw new ConnectError("price_list: want a slug", Code.InvalidArgument);
      }),
    );
    const dialog = within(await screen.findByRole("dialog", { name: "Set a price of your own" }));
    await write(dialog.getByLabelText("Input"), "1");
    await userEvent.click(dialog.getByRole("button", { name: "Set price" }));
    expect(await dialog.findByText("want a slug")).toBeTruthy();
    expect(dialog.getByLabelText("Input")).toHaveProperty("value", "1");
  });

  test("a_conflict_shows_both_and_keeps_what_was_written", async () => {
    const sent: UpdatePriceOverrideRequest[] = [];
    let theirs = override;
    open(drawerOf, (r) => {
      r.rpc(getPriceOverride, () => ({ priceOverride: theirs }));
      r.rpc(updatePriceOverride, (request) => {
        sent.push(request);
        if (request.priceOverride?.etag === "7") {
          theirs = { ...override, etag: "8", rates: { input: "0.9", output: "8" } };
          throw new ConnectError("it was changed", Code.Aborted);
        }
        return {};
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Change" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Change your price of gpt-5" }));
    await write(dialog.getByLabelText("Output"), "7.5");
    await userEvent.click(dialog.getByRole("button", { name: "Save price" }));
    expect(await dialog.findByRole("radio", { name: "Theirs: Input $0.90, Output $8.00" })).toHaveProperty("checked", false);
    expect(dialog.getByRole("radio", { name: "Mine: Input $1.00, Output $7.50" })).toHaveProperty("checked", true);
    await userEvent.click(dialog.getByRole("button", { name: "Go on with this choice" }));
    await userEvent.click(dialog.getByRole("button", { name: "Save price" }));
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Change your price of gpt-5" })).toBeNull());
    expect(sent[1]).toMatchObject({ priceOverride: { id: "o1", etag: "8", rates: { input: "1", output: "7.5" }, serviceTiers: [{ name: "batch" }] } });
    expect(sent[1]?.updateMask?.paths).toContain("service_tiers");
    expect(sent[1]?.updateMask?.paths).not.toContain("effective_from");
  });
});
