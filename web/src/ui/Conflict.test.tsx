import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { Decision, Told } from "./Conflict";
import { Conflict } from "./Conflict";
import { mergeOf } from "./useDraft";

interface Draft {
  name: string;
  size: number;
  unit: string;
  hidden: string[];
}

const before: Draft = { name: "a", size: 1, unit: "s", hidden: [] };
const mine: Draft = { name: "mine", size: 1, unit: "s", hidden: ["x"] };
const theirs: Draft = { name: "theirs", size: 9, unit: "ms", hidden: [] };

function told({ name, size, unit }: Draft): Told<Draft> {
  return [
    ["Name", name, "name"],
    ["Size", `${size} ${unit}`, "size", "unit"],
  ];
}

function open(found: Draft | undefined, written: Draft = mine) {
  const decided: Decision<Draft>[] = [];
  render(<Conflict before={told(before)} mine={told(written)} theirs={found && told(found)} onDecide={(decision) => decided.push(decision)} />);
  return decided;
}

const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

test("what_only_they_changed_is_theirs_and_what_both_changed_mine_until_somebody_chooses", async () => {
  const decided = open(theirs);
  expect(screen.getByRole("radio", { name: "Mine: mine" })).toHaveProperty("checked", true);
  expect(screen.getByRole("radio", { name: "Mine, as it was: 1 s" })).toHaveProperty("checked", false);
  await press("Go on with this choice");
  await userEvent.click(screen.getByRole("radio", { name: "Theirs: theirs" }));
  await userEvent.click(screen.getByRole("radio", { name: "Mine, as it was: 1 s" }));
  await press("Go on with this choice");
  expect(decided.map((d) => Object.fromEntries(d))).toEqual([
    { name: "mine", size: "theirs", unit: "theirs" },
    { name: "theirs", size: "mine", unit: "mine" },
  ]);
});

test("all_of_one_side_can_be_taken", async () => {
  const decided = open(theirs);
  await press("All mine");
  await press("Go on with this choice");
  await press("All theirs");
  await press("Go on with this choice");
  expect(decided.map((d) => [...d.values()])).toEqual([
    ["mine", "mine", "mine"],
    ["theirs", "theirs", "theirs"],
  ]);
});

test("what_is_the_same_in_both_is_not_asked_about", async () => {
  const decided = open({ ...mine, hidden: ["y"] });
  expect(screen.queryByRole("radio")).toBeNull();
  expect(screen.getByText("What this form shows is the same in both.")).toBeTruthy();
  await press("Go on");
  expect(decided.map((d) => d.size)).toEqual([0]);
});

test("nothing_can_be_decided_before_their_version_is_there", () => {
  open(undefined);
  expect(screen.getByRole("status").textContent).toBe("Reading their version…");
  expect(screen.queryByRole("button")).toBeNull();
});

const decision = (field: keyof Draft, whose: "mine" | "theirs"): Decision<Draft> => new Map([[field, whose]]);

test("fields_that_nobody_asked_about_are_theirs_unless_they_were_touched", () => {
  const found = { ...theirs, hidden: ["y"] };
  expect(mergeOf(before, mine, found, decision("name", "theirs"))).toEqual({ name: "theirs", size: 9, unit: "ms", hidden: ["x"] });
  expect(mergeOf(before, { ...mine, hidden: [] }, found, decision("size", "mine"))).toEqual({ name: "mine", size: 1, unit: "ms", hidden: ["y"] });
});
