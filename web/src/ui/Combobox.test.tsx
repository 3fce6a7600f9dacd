import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

import { Combobox } from "./Combobox";

const options = [{ value: "k1", label: "worker" }];

const { getComputedStyle } = window;
beforeEach(() => {
  // jsdom has no styles of pseudo-elements.
  vi.spyOn(window, "getComputedStyle").mockImplementation((element) => getComputedStyle(element));
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
});

// As e2e/accessible.ts has it, without what is the page's.
async function complaints() {
  const ofThePage = ["document-title", "html-has-lang", "page-has-heading-one"].map((rule) => [rule, { enabled: false }]);
  const { violations } = await axe.run(document, {
    runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
    rules: Object.fromEntries(ofThePage),
  });
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
}

test.each([
  ["open", "", "worker"],
  ["without_a_match", "zzz", ""],
])("its_list_is_accessible_%s", async (_, typed, option) => {
  render(
    <main id="main">
      <Combobox label="Key" any="Any key" options={options} value={undefined} onChange={() => undefined} />
    </main>,
  );
  await userEvent.click(screen.getByRole("combobox", { name: "Key" }));
  if (typed) await userEvent.type(screen.getByRole("combobox", { name: "Key" }), typed);
  if (option) expect(await screen.findByRole("option", { name: option })).toBeTruthy();
  else expect(await screen.findByText("No key is called so.")).toBeTruthy();
  expect(await complaints()).toEqual([]);
});
