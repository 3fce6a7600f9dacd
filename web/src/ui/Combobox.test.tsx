import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, test, vi } from "vitest";

import { Combobox } from "./Combobox";

const options = [{ value: "k1", label: "worker" }];

beforeEach(() => {
  const styleOf = window.getComputedStyle.bind(window);
  // jsdom has no styles of pseudo-elements.
  vi.spyOn(window, "getComputedStyle").mockImplementation((element) => styleOf(element));
});

// As e2e/accessible.ts has it, without what is the page's.
async function complaints() {
  const { violations } = await axe.run(document, {
    runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
    rules: { "document-title": { enabled: false }, "html-has-lang": { enabled: false }, "page-has-heading-one": { enabled: false } },
  });
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
}

test.each([
  ["open", "", "worker"],
  ["without_a_match", "zzz", ""],
])("its_list_is_accessible_%s", async (_, typed, option) => {
  render(
    <main id="main">
      <a href="#main">Somewhere else</a>
      <Combobox label="Key" any="Any key" options={options} value={undefined} onChange={() => undefined} />
    </main>,
  );
  await userEvent.click(screen.getByRole("combobox", { name: "Key" }));
  if (typed) await userEvent.type(screen.getByRole("combobox", { name: "Key" }), typed);
  if (option) expect(await screen.findByRole("option", { name: option })).toBeTruthy();
  else expect(await screen.findByText("No key is called so.")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Somewhere else" })).toBeTruthy();
  expect(await complaints()).toEqual([]);
});

test.each([
  ["Escape", "{Escape}"],
  ["leaving_the_field", "{Tab}"],
])("its_list_goes_by_%s", async (_, keys) => {
  render(<Combobox label="Key" any="Any key" options={options} value={undefined} onChange={() => undefined} />);
  await userEvent.type(screen.getByRole("combobox", { name: "Key" }), "work");
  expect(await screen.findByRole("option", { name: "worker" })).toBeTruthy();
  await userEvent.keyboard(keys);
  await waitFor(() => expect(screen.queryByRole("option")).toBeNull());
});

test("its_list_goes_with_a_choice_by_keyboard", async () => {
  const chosen: (string | undefined)[] = [];
  render(<Combobox label="Key" any="Any key" options={options} value={undefined} onChange={(value) => chosen.push(value)} />);
  await userEvent.type(screen.getByRole("combobox", { name: "Key" }), "work");
  await screen.findByRole("option", { name: "worker" });
  await userEvent.keyboard("{ArrowDown}{Enter}");
  expect(chosen).toEqual(["k1"]);
  await waitFor(() => expect(screen.queryByRole("option")).toBeNull());
});
