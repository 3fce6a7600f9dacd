import { createMemoryHistory } from "@tanstack/react-router";
import { expect, test } from "vitest";

import { newRouter } from "./router";

const { stringifySearch, parseSearch } = newRouter(createMemoryHistory()).options;

test("a_text_in_an_address_stays_a_text", () => {
  const texts = ["12", "12 ", " 1", "-0.5e+3", "-", "1.", "01", "0x1f", "true", "true ", "truly", "null", "nullable", '"', '"a"', "[", "[1]", "{}", "{", "019a2b3c-0000-7000-8000-000000000001", "3 models", "\u00a012", ""];
  for (const q of texts) expect(parseSearch(stringifySearch({ q })), JSON.stringify(q)).toEqual({ q });
  expect(parseSearch(stringifySearch({ from: 1, open: true, with: { a: "1" } }))).toEqual({ from: 1, open: true, with: { a: "1" } });
});

test("an_id_stands_in_an_address_as_it_is", () => {
  expect(stringifySearch({ key: "019a2b3c-0000-7000-8000-000000000001" })).toBe("?key=019a2b3c-0000-7000-8000-000000000001");
});
