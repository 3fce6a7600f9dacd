import { readdirSync } from "node:fs";

import type { JsonValue, MessageInitShape } from "@bufbuild/protobuf";
import { create, fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";

import type { Event } from "../../api/history";
import { fits } from "../../api/history";
import { EventSchema } from "../../gen/weir/admin/v1/history_pb";
import { differencesOf, leavesOf } from "./differences";
import { happeningGroups, kindsOf } from "./happenings";
import { actorName, dayName, gather, noNames, plainWords, whatHappened } from "./words";

function event(version: bigint, requestId: string, more: Exclude<MessageInitShape<typeof EventSchema>, Event> = {}): Event {
  return create(EventSchema, { version, requestId, kind: "RouteUpdated", actor: { kind: "member", id: "m1" }, resource: { kind: "route", id: "r1" }, ...more });
}

test.each([
  ["RouteUpdated", "route", "changed"],
  ["RouteArchived", "route", "deleted"],
  ["RouteRestored", "route", "brought back"],
  ["GatewayWentBack", "gateway", "went back"],
  ["ServiceAccountTokenRevoked", "service_account_token", "revoked"],
  ["MemberRoleChanged", "member", "role changed"],
  ["AgentEnrolled", "agent", "enrolled"],
])("%s of a %s is %s", (kind, resource, words) => {
  expect(whatHappened(event(1n, "", { kind, resource: { $typeName: "weir.admin.v1.ResourceRef", kind: resource, id: "x", name: "" } }))).toBe(words);
});

test("only_the_last_word_of_a_kind_is_its_verb", () => {
  expect(plainWords("BudgetLeaseWrittenOff")).toBe("budget lease written off");
});

describe("changes_of_one_request_stand_together", () => {
  const grouped = (...events: Event[]) => gather(events).map((one) => one.events.map(({ version }) => Number(version)));

  test("where_they_follow_each_other", () => {
    expect(grouped(event(5n, "b"), event(4n, "a"), event(3n, "a"), event(2n, "b"))).toEqual([[5], [4, 3], [2]]);
  });

  test("but_not_those_without_a_request_id_or_of_somebody_else", () => {
    expect(grouped(event(3n, ""), event(2n, ""))).toEqual([[3], [2]]);
    expect(grouped(event(3n, "a"), event(2n, "a", { actor: { $typeName: "weir.admin.v1.Actor", kind: "member", id: "m2" } }))).toEqual([[3], [2]]);
  });
});

test("a_new_event_is_held_against_the_filter_as_the_server_does", () => {
  const at = new Date("2026-11-24T14:00:00Z");
  const one = event(7n, "req", { recordedAt: { $typeName: "google.protobuf.Timestamp", seconds: BigInt(at.getTime() / 1_000), nanos: 0 } });
  expect(fits(one, {})).toBe(true);
  expect(fits(one, { resourceId: "r1", kinds: ["KeyRevoked", "RouteUpdated"], actor: "member:m1", requestId: "req", from: at })).toBe(true);
  expect(fits(one, { resourceId: "r2" })).toBe(false);
  expect(fits(one, { kinds: ["KeyRevoked"] })).toBe(false);
  expect(fits(one, { actor: "operator" })).toBe(false);
  expect(fits(one, { requestId: "other" })).toBe(false);
  expect(fits(one, { before: at })).toBe(false);
  expect(fits(one, { from: new Date(at.getTime() + 1) })).toBe(false);
});

describe("a_field_shows_only_what_differs_inside_it", () => {
  const change = (path: string, before: JsonValue | undefined, after: JsonValue | undefined) => {
    const value = (json: JsonValue | undefined) => (json === undefined ? undefined : fromJson(ValueSchema, json));
    return differencesOf([{ $typeName: "weir.admin.v1.FieldChange", path, before: value(before), after: value(after) }]);
  };

  test("target_by_target", () => {
    const before: JsonValue = [{ model: "small", weight: 1 }, { model: "other" }];
    const after: JsonValue = [{ model: "large", weight: 1 }, { model: "other" }, { model: "third", weight: 2 }];
    expect(change("targets", before, after)).toEqual([
      { path: "targets[0].model", before: "small", after: "large" },
      { path: "targets[2].model", before: undefined, after: "third" },
      { path: "targets[2].weight", before: undefined, after: 2 },
    ]);
  });

  test("a_list_of_plain_values_is_one", () => {
    expect(change("models", ["a"], ["a", "b"])).toEqual([{ path: "models", before: ["a"], after: ["a", "b"] }]);
  });

  test("what_is_gone_is_taken_apart_too", () => {
    expect(change("timeouts", { idle: "3s", total: "9s" }, undefined)).toEqual([
      { path: "timeouts.idle", before: "3s", after: undefined },
      { path: "timeouts.total", before: "9s", after: undefined },
    ]);
  });
});

test("a_resource_is_taken_apart_by_path", () => {
  expect(leavesOf({ name: "x", timeouts: { idle: "3s" }, targets: [{ model: "a" }], tags: ["b", "c"] })).toEqual([
    { path: "name", value: "x" },
    { path: "timeouts.idle", value: "3s" },
    { path: "targets[0].model", value: "a" },
    { path: "tags", value: ["b", "c"] },
  ]);
});

test("days_are_called_as_people_do", () => {
  expect(dayName("2026-11-28", "2026-11-28")).toBe("Today");
  expect(dayName("2026-11-27", "2026-11-28")).toBe("Yesterday");
  expect(dayName("2026-11-24", "2026-11-28")).toBe("Tuesday 2026-11-24");
  expect(dayName("2026-10-25", "2026-11-28")).toBe("Sunday 2026-10-25");
});

test("who_is_not_known_by_name_is_still_told_apart", () => {
  const id = "01a21fa7-8d78-7e86-83b6-14ac6c92e85b";
  expect(actorName({ $typeName: "weir.admin.v1.Actor", kind: "member", id }, noNames)).toBe("Member …6c92e85b");
  expect(actorName({ $typeName: "weir.admin.v1.Actor", kind: "operator", id: "" }, noNames)).toBe("The installation's operator");
  expect(actorName({ $typeName: "weir.admin.v1.Actor", kind: "service_account", id }, new Map([[id, "ci"]]))).toBe("ci (service account)");
});

test("a_filter_about_a_thing_takes_all_that_happens_to_it", () => {
  expect(kindsOf("")).toEqual([]);
  expect(kindsOf("KeyRevoked")).toEqual(["KeyRevoked"]);
  expect(kindsOf("ServiceAccount*")).toEqual(["ServiceAccountArchived", "ServiceAccountCreated", "ServiceAccountUpdated"]);
});

// The log keeps a stored form of every kind of event there.
test("every_kind_of_event_that_the_log_knows_can_be_filtered", () => {
  const known = new Set(readdirSync("../controlplane/internal/eventlog/testdata").map((file) => file.split(".")[0]));
  const offered = happeningGroups.flatMap(({ happenings }) => happenings.map(({ kind }) => kind));
  expect([...offered].sort()).toEqual([...known].sort());
});
