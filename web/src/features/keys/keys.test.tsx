import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { CreateKeyRequest, RevokeKeyRequest } from "../../gen/weir/admin/v1/key_pb";
import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { RouteService } from "../../gen/weir/admin/v1/route_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { createKey, listKeys, revokeKey } = KeyService.method;
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
  const row = (await screen.findByRole("rowheader", { name: "demo" })).closest("tr");
  await waitFor(() => expect(row?.textContent).toContain("Shop"));
  expect(row?.textContent).toContain("Active");
  expect(screen.queryByRole("button", { name: "Revoke old" })).toBeNull();
});

test("a_role_that_only_reads_is_offered_nothing_else", async () => {
  open((r) => r.rpc(listKeys, () => ({ keys: [demo] })), ["keys.list"]);
  await screen.findByRole("rowheader", { name: "demo" });
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
  await userEvent.click(screen.getByRole("button", { name: "Done" }));
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

async function create(name: string) {
  await userEvent.click(await screen.findByRole("button", { name: "Create key" }));
  const dialog = await screen.findByRole("dialog", { name: "Create key" });
  await within(dialog).findByRole("option", { name: "Shop" });
  await userEvent.type(within(dialog).getByLabelText("Name"), name);
  await userEvent.click(within(dialog).getByRole("button", { name: "Create key" }));
}
