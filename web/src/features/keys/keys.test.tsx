import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import type { CreateKeyRequest, RevokeKeyRequest } from "../../gen/weir/admin/v1/key_pb";
import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { openConsole, refuse, stall } from "../../test/console";
import { baseAddress } from "./snippet";

const { createKey, getKey, getKeyRevocation, listKeys, revokeKey } = KeyService.method;
const demo = { id: "k1", name: "demo", projectId: "p1", suffix: "x9Qd" };

function surroundings(r: ConnectRouter) {
  r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }] }));
  r.rpc(RouteService.method.listRoutes, () => ({ routes: [{ id: "r1", name: "fast" }] }));
}

function open(services: (r: ConnectRouter) => void, permissions?: string[]) {
  return openConsole(
    "/keys",
    (r) => {
      surroundings(r);
      services(r);
    },
    permissions,
  );
}

test("loading", async () => {
  open((r) => r.rpc(listKeys, stall));
  expect(await screen.findByRole("status", { name: "Loading keys" })).toBeTruthy();
});

test("error", async () => {
  open((r) => r.rpc(listKeys, refuse));
  expect(await screen.findByRole("alert")).toBeTruthy();
});

test("empty", async () => {
  open((r) => r.rpc(listKeys, () => ({})));
  expect(await screen.findByRole("heading", { name: "No keys yet" })).toBeTruthy();
});

test("data_names_project_and_state", async () => {
  open((r) => r.rpc(listKeys, () => ({ keys: [demo, { ...demo, id: "k2", name: "old", revokedAt: timestampFromDate(new Date()) }] })));
  const row = (await screen.findByRole("rowheader", { name: /^demo/ })).closest("tr");
  await waitFor(() => expect(row?.textContent).toContain("Shop"));
  expect(row?.textContent).toContain("Active");
  expect(screen.queryByRole("button", { name: "Revoke old" })).toBeNull();
});

test("a_role_that_only_reads_is_offered_nothing_else", async () => {
  open((r) => r.rpc(listKeys, () => ({ keys: [demo] })), ["keys.list"]);
  await screen.findByRole("rowheader", { name: /^demo/ });
  expect(screen.queryByRole("button", { name: "Create key" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Revoke demo" })).toBeNull();
});

test("revoking_asks_first_and_sends_the_reason", async () => {
  const seen: RevokeKeyRequest[] = [];
  open((r) => {
    r.rpc(listKeys, () => ({ keys: [demo] }));
    r.rpc(revokeKey, (request) => {
      seen.push(request);
      return {};
    });
  });
  await userEvent.click(await screen.findByRole("button", { name: "Revoke demo" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Revoke demo?" });
  expect(seen).toHaveLength(0);
  await userEvent.type(within(dialog).getByRole("textbox"), "leaked");
  await userEvent.click(within(dialog).getByRole("button", { name: "Revoke key" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]).toMatchObject({ id: "k1", reason: "leaked" });
  expect(seen[0]?.mutation?.requestId).toMatch(/^[0-9a-f]{32}$/);
});

describe("a_revoked_keys_receipts", () => {
  const at = (ms: number) => timestampFromDate(new Date(Date.UTC(2026, 10, 26, 12, 0, 0, ms)));
  const revoked = { ...demo, revokedAt: at(0) };

  function openRevoked(answer: (asked: number) => object) {
    let asked = 0;
    return openConsole("/keys?key=k1", (r) => {
      surroundings(r);
      r.rpc(listKeys, () => ({ keys: [revoked] }));
      r.rpc(getKey, () => ({ key: revoked }));
      r.rpc(getKeyRevocation, () => answer(++asked));
    });
  }

  test("loading", async () => {
    openRevoked(stall);
    expect(await screen.findByRole("status", { name: "Loading receipts" })).toBeTruthy();
  });

  test("error", async () => {
    openRevoked(refuse);
    expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
  });

  test("without_an_agent_there_is_none_to_wait_for", async () => {
    openRevoked(() => ({ revokedAt: at(0), complete: true }));
    expect(await screen.findByText("No agent has joined that could serve it")).toBeTruthy();
  });

  test("are_asked_for_until_every_agent_has_confirmed", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    const slow = { agentId: "a2", gatewayId: "g1", agentName: "edge-2" };
    const quick = { agentId: "a1", gatewayId: "g1", agentName: "edge-1", appliedAt: at(120) };
    const common = { revokedAt: at(0), version: 31n, agents: 2 };
    let asked = 0;
    openRevoked((n) => {
      asked = n;
      if (n === 1) return { ...common, agentsApplied: 1, receipts: [{ ...slow, lastSeenAt: at(0) }, quick] };
      return { ...common, agentsApplied: 2, complete: true, receipts: [{ ...slow, appliedAt: at(840) }, quick] };
    });
    const drawer = await screen.findByRole("dialog", { name: "Key" });
    await within(drawer).findByText("1 of 2 agents are known to refuse it");
    expect(drawer.textContent).toMatch(/Until the last receipt so far120 ms/);
    expect(drawer.textContent).toMatch(/edge-2 of …?g1▲Not confirmed yetlast seen .* ago; offline, it serves on/);
    await within(drawer).findByText("All 2 agents refuse it");
    expect(drawer.textContent).toMatch(/Until every agent refused it840 ms/);
    expect(drawer.textContent).toMatch(/edge-2 of …?g1●Refuses itsince 2026-11-26 13:00:00.840/);
    const settled = asked;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toBe(settled);
  });

  test("open_after_revoking", async () => {
    let lives = true;
    const router = open((r) => {
      r.rpc(listKeys, () => ({ keys: [demo] }));
      r.rpc(getKey, () => ({ key: lives ? demo : revoked }));
      r.rpc(getKeyRevocation, () => ({ revokedAt: at(0), agents: 1, agentsApplied: 1, complete: true }));
      r.rpc(revokeKey, () => {
        lives = false;
        return {};
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Revoke demo" }));
    await userEvent.click(await screen.findByRole("button", { name: "Revoke key" }));
    expect(await screen.findByText("The only agent refuses it")).toBeTruthy();
    expect(router.state.location.search).toEqual({ key: "k1" });
  });
});

test("a_new_key_is_shown_once_with_a_line_to_paste", async () => {
  open((r) => {
    r.rpc(listKeys, () => ({ keys: [demo] }));
    r.rpc(createKey, ({ name }) => ({ key: { ...demo, name }, secret: "weir_secret" }));
  });
  await create("checkout");
  expect(await screen.findByText("weir_secret")).toBeTruthy();
  const snippet = screen.getByText(/^curl/).textContent;
  expect(snippet).toContain("Authorization: Bearer weir_secret");
  expect(snippet).toContain('"model":"fast"');
  await userEvent.click(screen.getByRole("button", { name: "I have copied the key" }));
  await waitFor(() => expect(screen.queryByText("weir_secret")).toBeNull());
  await userEvent.click(screen.getByRole("button", { name: "Create key" }));
  await screen.findByRole("dialog", { name: "Create key" });
  expect(screen.queryByText("weir_secret")).toBeNull();
});

test("trying_the_same_draft_again_is_the_same_request", async () => {
  const seen: CreateKeyRequest[] = [];
  open((r) => {
    r.rpc(listKeys, () => ({ keys: [demo] }));
    r.rpc(createKey, (request) => {
      seen.push(request);
      throw new ConnectError("away for a moment", Code.Unavailable);
    });
  });
  await create("checkout");
  const dialog = screen.getByRole("dialog", { name: "Create key" });
  expect((await within(dialog).findByRole("alert")).textContent).toContain("can't be reached");
  await userEvent.click(within(dialog).getByRole("button", { name: "Create key" }));
  await waitFor(() => expect(seen).toHaveLength(2));
  expect(seen[1]?.mutation?.requestId).toBe(seen[0]?.mutation?.requestId);
  await waitFor(() => expect(within(dialog).getByRole("button", { name: "Create key" })).toHaveProperty("disabled", false));
  await userEvent.type(within(dialog).getByLabelText("Name"), "-b");
  await userEvent.click(within(dialog).getByRole("button", { name: "Create key" }));
  await waitFor(() => expect(seen).toHaveLength(3));
  expect(seen[2]?.mutation?.requestId).not.toBe(seen[0]?.mutation?.requestId);
});

describe("the_only_copy_of_a_secret", () => {
  const made = (r: ConnectRouter) => {
    r.rpc(listKeys, () => ({ keys: [demo] }));
    r.rpc(createKey, ({ name }) => ({ key: { ...demo, name }, secret: "weir_secret" }));
  };

  test("stays_when_escape_is_pressed_or_something_outside_is_clicked", async () => {
    open(made);
    await create("checkout");
    await screen.findByText("weir_secret");
    await userEvent.keyboard("{Escape}");
    await userEvent.click(document.querySelector(".backdrop") as HTMLElement);
    expect(screen.getByText("weir_secret")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Close" })).toBeNull();
  });

  test("stays_when_leaving_is_not_confirmed", async () => {
    const confirm = vi.spyOn(window, "confirm").mockReturnValue(false);
    const router = open(made);
    await create("checkout");
    await screen.findByText("weir_secret");
    void router.navigate({ to: "/requests" });
    await waitFor(() => expect(confirm).toHaveBeenCalledOnce());
    expect(screen.getByText("weir_secret")).toBeTruthy();
    expect(router.state.location.pathname).toBe("/keys");
  });

  test("is_not_lost_while_it_is_on_its_way", async () => {
    open((r) => {
      r.rpc(listKeys, () => ({ keys: [demo] }));
      r.rpc(createKey, stall);
    });
    await create("checkout");
    await userEvent.keyboard("{Escape}");
    expect(screen.getByRole("dialog", { name: "Create key" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Cancel" })).toHaveProperty("disabled", true);
  });

  test("leaves_the_form_free_to_close_before", async () => {
    open(made);
    await userEvent.click(await screen.findByRole("button", { name: "Create key" }));
    await screen.findByRole("dialog", { name: "Create key" });
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  test("comes_with_a_command_for_the_agent_that_the_viewer_names", async () => {
    open(made);
    await create("checkout");
    const address = await screen.findByRole("textbox", { name: /Address of an agent/ });
    expect(screen.getByText(/^curl/).textContent).toContain('"${WEIR_AGENT_URL:-http://127.0.0.1:8090}/v1/');
    expect(screen.getByText(/Until then it asks/)).toBeTruthy();
    await userEvent.type(address, "https://llm.internal:8090/");
    expect(screen.getByText(/^curl/).textContent).toContain('curl "https://llm.internal:8090/v1/chat/completions"');
  });
});

test.each([
  ["http://127.0.0.1:8090/v1/", "http://127.0.0.1:8090"],
  [" https://llm.internal/gateway ", "https://llm.internal/gateway"],
  ["http://[::1]:8090", "http://[::1]:8090"],
  ["llm.internal", undefined],
  ["http://x/$(id)", undefined],
  ['http://x/"; id; "', undefined],
])("an_agents_address_written_%s_is_%s", (written, want) => {
  expect(baseAddress(written)).toBe(want);
});

test("the_rule_for_a_keys_name_is_there_before_anything_is_wrong", async () => {
  open((r) => r.rpc(listKeys, () => ({ keys: [demo] })));
  await userEvent.click(await screen.findByRole("button", { name: "Create key" }));
  const name = within(await screen.findByRole("dialog", { name: "Create key" })).getByLabelText("Name");
  const rule = document.getElementById(name.getAttribute("aria-describedby") ?? "");
  expect(rule?.textContent).toBe("1 to 63 lower-case letters, digits and dashes; no dash first or last.");
});

async function create(name: string) {
  await userEvent.click(await screen.findByRole("button", { name: "Create key" }));
  const dialog = await screen.findByRole("dialog", { name: "Create key" });
  await within(dialog).findByRole("option", { name: "Shop" });
  await userEvent.type(within(dialog).getByLabelText("Name"), name);
  await userEvent.click(within(dialog).getByRole("button", { name: "Create key" }));
}
