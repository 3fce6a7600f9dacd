import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { openConsole, openLoggedOut } from "../../test/console";

test("without_a_session_the_login_page_leads_back_here", async () => {
  openLoggedOut("/requests?paused=true");
  const link = await screen.findByRole("link", { name: "Log in" });
  expect(link.getAttribute("href")).toBe(`/auth/login?return_to=${encodeURIComponent("/requests?paused=true")}`);
  expect(screen.queryByRole("navigation")).toBeNull();
});

test("logging_out_posts_a_form", async () => {
  openConsole("/nowhere", () => undefined);
  const form = (await screen.findByRole("button", { name: "Log out" })).closest("form");
  expect(form?.getAttribute("action")).toBe("/auth/logout");
  expect(form?.method).toBe("post");
});

test("only_pages_that_the_role_reads_are_offered", async () => {
  openConsole("/nowhere", () => undefined, ["routes.list"]);
  await screen.findByRole("link", { name: "Routes" });
  for (const name of ["Overview", "Requests", "Keys", "Agents", "SQL"]) {
    expect(screen.queryByRole("link", { name })).toBeNull();
  }
});
