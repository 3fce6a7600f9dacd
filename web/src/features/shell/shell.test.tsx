import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";

import { openConsole } from "../../test/console";

const drawn = vi.hoisted(() => ({ page: (): string => "people" }));
vi.mock("../people/PeoplePage", () => ({ PeoplePage: () => drawn.page() }));

// React and the router say on the console what broke.
function silence() {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
}

test("a_page_that_breaks_leaves_the_others_within_reach", async () => {
  silence();
  drawn.page = () => {
    throw new RangeError("Invalid language tag: en-US@posix");
  };
  openConsole("/people", () => undefined);
  expect((await screen.findByRole("alert")).textContent).toContain("Invalid language tag: en-US@posix");
  expect(screen.getByRole("heading", { level: 1, name: "This page broke" })).toBeTruthy();
  fireEvent.click(within(screen.getByRole("navigation", { name: "Pages" })).getByRole("link", { name: "Projects" }));
  expect(await screen.findByRole("heading", { level: 1, name: "Projects" })).toBeTruthy();
});

test("a_page_whose_script_is_gone_says_to_reload", async () => {
  silence();
  drawn.page = () => {
    throw new TypeError("Failed to fetch dynamically imported module: /assets/PeoplePage-1.js");
  };
  openConsole("/people", () => undefined);
  expect(await screen.findByRole("heading", { level: 1, name: "A part of the console is missing" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeTruthy();
});
