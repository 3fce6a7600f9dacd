import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { ImportPricesRequest } from "../../gen/weir/admin/v1/price_override_pb";
import { ImportedPrice_Change as Change, PriceOverrideService } from "../../gen/weir/admin/v1/price_override_pb";
import { ProviderService } from "../../gen/weir/admin/v1/provider_pb";
import { openConsole } from "../../test/console";
import { entriesOf, partsOf, readPriceFile } from "./litellm";
import type { PriceFile } from "./litellm";

const { importPrices, listPrices } = PriceOverrideService.method;

const text = `{
  "sample_spec": {"litellm_provider": "one of many"},
  "gpt-5": {"litellm_provider": "openai", "input_cost_per_token": 1.250000000000000000001e-06},
  "a\\"b,}": {"litellm_provider": "openai", "mode": "}{", "list": [1, {"x": "]"}]},
  "claude": {"litellm_provider": "anthropic", "input_cost_per_token": 3e-06},
  "text": "no model", "bare": {}
}`;

function read(from = text): PriceFile {
  const file = readPriceFile("prices.json", from);
  if (typeof file === "string") throw new Error(file);
  return file;
}

test("a_file_is_cut_without_reading_its_numbers", () => {
  expect(entriesOf(text).map(({ name }) => name)).toEqual(["sample_spec", "gpt-5", 'a"b,}', "claude", "text", "bare"]);
  for (const { json } of entriesOf(text)) JSON.parse(json);
  const file = read();
  expect([...file.providers].map(([name, models]) => [name, models.length])).toEqual([["anthropic", 1], ["openai", 2]]);
  const [part] = partsOf(file, new Map([["openai", "mine"]]));
  expect(part?.litellm).toContain("1.250000000000000000001e-06");
  expect(part?.lists).toEqual([{ litellmProvider: "openai", priceList: "mine" }]);
});

test("what_goes_into_one_list_is_one_request_as_far_as_it_fits", () => {
  const of = (provider: string, models: number, padding: number) =>
    Array.from({ length: models }, (_, i) => `"${provider}/m${i}": {"litellm_provider": "${provider}", "x": "${"x".repeat(padding)}"}`);
  const file = read(`{${[...of("a", 2, 10), ...of("b", 2, 10)].join(",")}}`);
  const together = partsOf(file, new Map([["a", "l"], ["b", "l"]]));
  expect(together).toHaveLength(1);
  expect(Object.keys(JSON.parse(together[0]?.litellm ?? "") as object)).toEqual(["a/m0", "b/m0", "a/m1", "b/m1"]);
  const large = partsOf(read(`{${of("a", 20, 100_000).join(",")}}`), new Map([["a", "l"]]));
  expect(large.length).toBeGreaterThan(1);
  expect(large.flatMap(({ litellm }) => Object.keys(JSON.parse(litellm) as object))).toHaveLength(20);
  for (const part of large) expect(JSON.stringify(part).length).toBeLessThan(1_000_000);
});

test.each([
  ["{", "It is no JSON"],
  ["[]", "It is no object of models"],
  ['{"m": {"mode": "chat"}}', "None of its entries has a litellm_provider"],
])("no_price_file_%#", (from, why) => {
  expect(readPriceFile("x", from)).toContain(why);
});

const gpt5 = { priceList: "openai", model: "gpt-5", rates: { input: "1.3", output: "10" } };
const answer = {
  prices: [
    { change: Change.CREATED, priceOverride: { ...gpt5, model: "gpt-6" } },
    { change: Change.UPDATED, priceOverride: gpt5, was: { ...gpt5, id: "o1", rates: { input: "1.25", output: "10", cacheRead: "0.1" } } },
    { change: Change.NONE, priceOverride: { ...gpt5, model: "same" } },
  ],
  notImported: [{ name: "gpt-7", field: "input_cost_per_token", reason: "finer than a pico-dollar per token" }],
};

async function open(services: (r: ConnectRouter) => void) {
  openConsole("/prices", (r) => {
    r.rpc(ProviderService.method.listProviders, () => ({ providers: [{ id: "v1", name: "oa", priceList: "openai" }] }));
    r.rpc(listPrices, () => ({}));
    services(r);
  });
  await screen.findByRole("heading", { name: "No price fits" });
  await userEvent.click(screen.getByRole("button", { name: "Import prices" }));
  return within(await screen.findByRole("dialog", { name: "Import prices" }));
}

// jsdom's files can't be read so.
const fileOf = (content: string) =>
  Object.assign(new File([content], "prices.json", { type: "application/json" }), { text: () => Promise.resolve(content) });

test("a_file_is_shown_before_it_is_applied_and_nothing_is_sent_twice", async () => {
  const sent: ImportPricesRequest[] = [];
  let down = true;
  const dialog = await open((r) =>
    r.rpc(importPrices, (request) => {
      sent.push(request);
      if (!request.mutation?.validateOnly && request.lists[0]?.priceList === "openai" && down) {
        down = false;
        throw new ConnectError("away", Code.Internal);
      }
      return request.lists[0]?.priceList === "openai" ? answer : {};
    }),
  );
  await userEvent.upload(dialog.getByLabelText("Price file"), fileOf(text));
  // What providers here have is chosen from the start.
  expect(await dialog.findByRole("checkbox", { name: "openai" })).toHaveProperty("checked", true);
  expect(dialog.getByRole("checkbox", { name: "anthropic" })).toHaveProperty("checked", false);
  await userEvent.click(dialog.getByRole("checkbox", { name: "anthropic" }));
  await userEvent.click(dialog.getByRole("button", { name: "Show what it would do" }));
  expect(await dialog.findByRole("button", { name: "New 1" })).toBeTruthy();
  expect(sent.every(({ mutation }) => mutation?.validateOnly)).toBe(true);
  expect(sent.map(({ lists }) => lists[0]?.priceList)).toEqual(["openai", "anthropic"]);
  await userEvent.click(dialog.getByRole("button", { name: "Changed 1" }));
  expect(dialog.getByRole("region", { name: "Changed, table" }).textContent).toContain("Input $1.25 → $1.30, Cache read $0.10 → unpriced");
  await userEvent.click(dialog.getByRole("button", { name: "The same 1" }));
  await userEvent.click(dialog.getByRole("button", { name: "Left out 1" }));
  expect(dialog.getByRole("region", { name: "Left out, table" }).textContent).toContain("gpt-7its field input_cost_per_tokenfiner than a pico-dollar");

  await userEvent.click(dialog.getByRole("button", { name: "Set 2 prices" }));
  expect((await dialog.findByRole("alert")).textContent).toContain("away");
  await userEvent.click(dialog.getByRole("button", { name: "Set 2 prices" }));
  expect((await dialog.findByText("Done.")).parentElement?.textContent).toContain("2 prices set");
  const applied = sent.slice(2).map(({ lists, mutation }) => [lists[0]?.priceList, mutation?.requestId]);
  expect(applied.map(([list]) => list)).toEqual(["openai", "openai", "anthropic"]);
  expect(applied[0]?.[1]).toBe(applied[1]?.[1]);
  expect(applied[1]?.[1]).not.toBe(applied[2]?.[1]);
});

test("a_bad_file_leaves_what_was_chosen", async () => {
  const dialog = await open((r) => r.rpc(importPrices, () => answer));
  await userEvent.upload(dialog.getByLabelText("Price file"), fileOf(text));
  await userEvent.clear(await dialog.findByLabelText("Price list for openai"));
  await userEvent.type(dialog.getByLabelText("Price list for openai"), "mine");
  await userEvent.click(dialog.getByRole("button", { name: "Show what it would do" }));
  await dialog.findByRole("button", { name: "New 1" });
  await userEvent.upload(dialog.getByLabelText("Price file"), fileOf("{"));
  expect((await dialog.findByRole("alert")).textContent).toContain("It is no JSON");
  expect(dialog.getByLabelText("Price list for openai")).toHaveProperty("value", "mine");
  expect(dialog.getByRole("button", { name: "Set 2 prices" })).toBeTruthy();
  // Another choice has to be looked at again.
  await userEvent.click(dialog.getByRole("checkbox", { name: "anthropic" }));
  await waitFor(() => expect(dialog.getByRole("button", { name: "Show what it would do" })).toBeTruthy());
});
