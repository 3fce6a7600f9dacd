import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { openConsole } from "../test/console";
import { only, overviewSearch, requestsSearch } from "./search";

// Services that answer nothing: what is shown is read from the URL alone.
const nothing = () => undefined;

test("what_a_page_can't_read_of_its_address_does_not_reach_it", async () => {
  const router = openConsole("/requests?request=123&filter=true&key=%5B1%5D&paused=yes&other=1", nothing);
  expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe("Requests");
  expect(Object.values(router.state.matches.at(-1)?.search ?? {}).filter((value) => value !== undefined)).toEqual([]);
});

test.each([123, -1, 1e20, true, null, "", { a: { b: 1 } }, ["x"]])("%j_is_nothing_that_a_request_is_called", (value) => {
  const raw = { request: value, key: value, project: value, filter: value };
  expect(only(requestsSearch)(raw)).toStrictEqual({ request: undefined, key: undefined, project: undefined, filter: undefined });
});

test("a_period_ends_where_times_do", () => {
  expect(overviewSearch({ from: 0, to: Number.MAX_SAFE_INTEGER })).toEqual({});
  expect(overviewSearch({ from: 1, to: Date.UTC(2026, 10, 28) })).toEqual({ from: 1, to: Date.UTC(2026, 10, 28) });
});
