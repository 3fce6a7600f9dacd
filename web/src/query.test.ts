import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { newQueryClient } from "./query";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

// exhausted is a refusal with a reason, as the server says it.
function exhausted(reason: string): ConnectError {
  const error = new ConnectError("4 queries of the organization run already", Code.ResourceExhausted);
  error.details.push({ type: "google.rpc.ErrorInfo", value: new BinaryWriter().tag(1, WireType.LengthDelimited).string(reason).finish() });
  return error;
}

// ask asks until it is answered or given up, and says how often that was.
async function ask(answers: (() => string)[], options = {}) {
  let asked = 0;
  const observer = new QueryObserver(newQueryClient(), { queryKey: ["usage"], queryFn: () => answers[Math.min(asked++, answers.length - 1)]?.() ?? "", ...options });
  const leave = observer.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  const { data, error } = observer.getCurrentResult();
  leave();
  return { asked, data, error };
}

const fail = (error: unknown) => () => {
  throw error;
};

test("what_had_no_place_is_asked_again_soon", async () => {
  const crowded = fail(exhausted("too_many_queries"));
  expect(await ask([crowded, crowded, crowded, crowded, () => "spend"])).toEqual({ asked: 5, data: "spend", error: null });
});

test("what_stays_crowded_is_given_up", async () => {
  const { asked, error } = await ask([fail(exhausted("too_many_queries"))]);
  expect(asked).toBe(11);
  expect(error).toBeInstanceOf(ConnectError);
});

test("what_asks_too_much_is_not_asked_again", async () => {
  expect((await ask([fail(exhausted("query_too_large"))])).asked).toBe(1);
});

test("trouble_that_may_pass_is_asked_twice_more", async () => {
  expect((await ask([fail(new ConnectError("too slow", Code.DeadlineExceeded))])).asked).toBe(3);
});

test("what_the_control_plane_was_away_for_shows_once_it_is_back", async () => {
  const away = fail(new ConnectError("away", Code.Unavailable));
  expect(await ask([...Array.from({ length: 7 }, () => away), () => "spend"])).toEqual({ asked: 8, data: "spend", error: null });
});

test("what_is_asked_once_is_not_asked_again", async () => {
  expect((await ask([fail(new ConnectError("away", Code.Unavailable))], { retry: false })).asked).toBe(1);
});
