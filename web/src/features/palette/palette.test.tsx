import type { ConnectRouter } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test } from "vitest";

import { Role } from "../../gen/weir/admin/v1/common_pb";
import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { SessionService } from "../../gen/weir/admin/v1/session_pb";
import { everything, openConsole } from "../../test/console";
import { matching } from "./commands";

const filters: string[] = [];

function serve(r: ConnectRouter) {
  filters.length = 0;
  r.rpc(KeyService.method.listKeys, ({ filter }) => {
    filters.push(filter);
    return { keys: [{ id: "k1", name: "checkout" }] };
  });
  r.rpc(RouteService.method.listRoutes, () => ({ routes: [{ id: "r1", name: "check-all" }] }));
  r.rpc(ProjectService.method.listProjects, () => ({}));
}

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});

const open = async (permissions = everything) => {
  const router = openConsole("/nowhere", serve, permissions);
  await screen.findByRole("button", { name: /^Go to…/ });
  return router;
};

describe("the_palette", () => {
  test("finds_a_key_by_a_part_of_its_name_with_the_keyboard_alone", async () => {
    const router = await open();
    await userEvent.keyboard("{Control>}k{/Control}");
    const field = await screen.findByRole("combobox", { name: "Page, action or name" });
    await waitFor(() => expect(document.activeElement).toBe(field));
    await userEvent.keyboard('ChecK"');
    await waitFor(() => expect(filters.at(-1)).toBe('name:"ChecK\\""'));
    await userEvent.keyboard("{Backspace}");
    const option = await screen.findByRole("option", { name: /checkout/ });
    expect(field.getAttribute("aria-activedescendant")).toBe(option.id);
    await userEvent.keyboard("{ArrowDown}");
    expect(screen.getByRole("option", { name: /check-all/ }).getAttribute("aria-selected")).toBe("true");
    await userEvent.keyboard("{ArrowUp}{Enter}");
    await waitFor(() => expect(router.state.location.href).toBe("/keys?key=k1"));
    await userEvent.keyboard("{Escape}");
  });

  test("what_is_found_later_moves_nothing_under_the_hand", async () => {
    let answer: () => void = () => undefined;
    const router = openConsole("/nowhere", (r) => {
      r.rpc(KeyService.method.listKeys, async () => {
        await new Promise<void>((resolve) => (answer = resolve));
        return { keys: [{ id: "k1", name: "checkout" }] };
      });
      r.rpc(RouteService.method.listRoutes, () => ({ routes: [{ id: "r0", name: "check-none" }, { id: "r1", name: "check-all" }] }));
    });
    await screen.findByRole("button", { name: /^Go to…/ });
    await userEvent.keyboard("{Control>}k{/Control}");
    await waitFor(() => expect(document.activeElement?.getAttribute("role")).toBe("combobox"));
    await userEvent.keyboard("check");
    await screen.findByRole("option", { name: /check-all/ });
    await userEvent.keyboard("{ArrowDown}");
    answer();
    await screen.findByRole("option", { name: /checkout/ });
    expect(screen.getByRole("option", { name: /check-all/ }).getAttribute("aria-selected")).toBe("true");
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(router.state.location.href).toBe("/routing?route=r1"));
  });

  test("remembers_where_it_led", async () => {
    const router = await open();
    await userEvent.click(screen.getByRole("button", { name: /^Go to…/ }));
    const field = await screen.findByRole("combobox");
    await waitFor(() => expect(document.activeElement).toBe(field));
    await userEvent.keyboard("create ke{Enter}");
    await waitFor(() => expect(router.state.location.href).toBe("/keys?create=true"));
    await userEvent.click(await screen.findByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await userEvent.keyboard("{Control>}k{/Control}");
    const recent = await screen.findByRole("group", { name: "Recent" });
    expect(within(recent).getAllByRole("option").map((one) => one.textContent)).toEqual(["Create keyAction"]);
  });

  test("offers_what_the_role_may_do_and_asks_for_nothing_else", async () => {
    await open(["routes.list"]);
    await userEvent.keyboard("{Control>}k{/Control}");
    await screen.findByRole("option", { name: /^Routes and providers/ });
    expect(screen.queryByRole("option", { name: /Create|Keys/ })).toBeNull();
    await userEvent.keyboard("check");
    await screen.findByRole("option", { name: /check-all/ });
    expect(filters).toEqual([]);
  });

  test("offers_what_a_role_on_a_project_opens", async () => {
    openConsole("/nowhere", (r) => {
      serve(r);
      const projects = [{ projectId: "p1", role: Role.ADMIN, permissions: ["keys.list", "keys.create"] }];
      r.rpc(SessionService.method.whoAmI, () => ({ kind: "member", id: "me", display: "ada", role: Role.PROJECTS_ONLY, permissions: ["self"], projects }));
    });
    await screen.findByRole("link", { name: "Keys" });
    await userEvent.keyboard("{Control>}k{/Control}");
    await screen.findByRole("option", { name: /^Keys/ });
    expect(screen.getByRole("option", { name: /^Create key/ })).toBeTruthy();
    expect(screen.queryByRole("option", { name: /^(Requests|Create route)/ })).toBeNull();
    const field = screen.getByRole("combobox");
    await waitFor(() => expect(document.activeElement).toBe(field));
    await userEvent.keyboard("check");
    await screen.findByRole("option", { name: /^checkout/ });
  });

  test("says_that_nothing_is_named_so", async () => {
    await open(["people.none"]);
    await userEvent.keyboard("{Control>}k{/Control}");
    const field = await screen.findByRole("combobox");
    await waitFor(() => expect(document.activeElement).toBe(field));
    await userEvent.keyboard("zzz");
    expect(await screen.findByText("Nothing here has that name.")).toBeTruthy();
    expect(screen.getByRole("combobox").getAttribute("aria-expanded")).toBe("false");
  });
});

describe("shortcuts", () => {
  test("go_to_pages_and_show_their_list", async () => {
    const router = await open();
    await userEvent.keyboard("gk");
    await waitFor(() => expect(router.state.location.pathname).toBe("/keys"));
    await userEvent.keyboard("?");
    expect(await screen.findByRole("dialog", { name: "Keyboard shortcuts" })).toBeTruthy();
  });

  test("do_nothing_while_somebody_types", async () => {
    const router = await open();
    const field = document.body.appendChild(document.createElement("input"));
    field.focus();
    await userEvent.keyboard("gk?");
    expect(field.value).toBe("gk?");
    expect(router.state.location.pathname).toBe("/nowhere");
    expect(screen.queryByRole("dialog")).toBeNull();
    field.remove();
  });

  // Event times begin with the page.
  test("leave_alone_what_is_pressed_right_after_the_page_came", async () => {
    const router = await open();
    const event = new KeyboardEvent("keydown", { key: "k", bubbles: true, cancelable: true });
    Object.defineProperty(event, "timeStamp", { value: 300 });
    document.body.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    expect(router.state.location.pathname).toBe("/nowhere");
  });

  test("can_be_switched_off_for_good", async () => {
    const router = await open();
    await userEvent.keyboard("?");
    await userEvent.click(await screen.findByRole("switch", { name: "Shortcuts of single keys" }));
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await userEvent.keyboard("gk?");
    expect(router.state.location.pathname).toBe("/nowhere");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(localStorage.getItem("weir.shortcuts")).toBe("off");
  });
});

test("what_begins_with_the_word_comes_first", () => {
  const command = (label: string) => ({ href: `/${label}`, label, kind: "Page" });
  expect(matching([command("Dry run"), command("Routes"), command("Run")], "ru").map(({ label }) => label)).toEqual(["Run", "Dry run"]);
});
