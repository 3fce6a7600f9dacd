import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { UpdateOrganizationRequest } from "../../gen/weir/admin/v1/organization_pb";
import { EndUsers, OrganizationService } from "../../gen/weir/admin/v1/organization_pb";
import { openConsole, refuse, stall } from "../../test/console";

const { getOrganization, updateOrganization } = OrganizationService.method;
const permissions = ["organization.get", "organization.update"];
const organization = { id: "o1", etag: "7", usage: { endUsers: EndUsers.HASHED, labels: [{ name: "team", maxBytes: 64 }] } };

async function open(services: (r: ConnectRouter) => void) {
  openConsole("/nowhere", services, permissions);
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Usage settings" }));
  return user;
}

test("plain_end_users_are_warned_of_and_sent_with_the_labels", async () => {
  const sent: UpdateOrganizationRequest[] = [];
  const user = await open((r) => {
    r.rpc(getOrganization, () => ({ organization }));
    r.rpc(updateOrganization, (request) => {
      sent.push(request);
      return { organization };
    });
  });
  const users = await screen.findByRole("combobox", { name: "End users are named" });
  expect(screen.queryByText(/Names of people/)).toBeNull();
  await user.selectOptions(users, "As applications name them");
  expect(screen.getByText(/Names of people/)).toBeTruthy();

  await user.click(screen.getByRole("button", { name: "Add label" }));
  const added = within(screen.getByRole("group", { name: "New label" }));
  await user.type(added.getByRole("textbox", { name: "Label" }), "ticket");
  await user.type(added.getByRole("textbox", { name: "Pattern (RE2)" }), "T-.+");
  await user.click(screen.getByRole("button", { name: "Remove team" }));
  await user.click(screen.getByRole("button", { name: "Save settings" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent).toHaveLength(1);
  const [request] = sent;
  expect(request?.organization?.usage).toMatchObject({ endUsers: EndUsers.PLAIN, labels: [{ name: "ticket", maxBytes: 64, pattern: "T-.+" }] });
  expect([request?.updateMask?.paths, request?.mutation?.etag]).toEqual([["usage"], "7"]);
});

test("settings_that_somebody_changed_meanwhile_show_both_versions", async () => {
  const sent: UpdateOrganizationRequest[] = [];
  let now = organization;
  const user = await open((r) => {
    r.rpc(getOrganization, () => ({ organization: now }));
    r.rpc(updateOrganization, (request) => {
      sent.push(request);
      if (request.mutation?.etag === "8") return {};
      now = { ...organization, etag: "8", usage: { ...organization.usage, labels: [{ name: "ticket", maxBytes: 32 }] } };
      throw new ConnectError("etag", Code.Aborted);
    });
  });
  await user.selectOptions(await screen.findByRole("combobox", { name: "End users are named" }), "As applications name them");
  await user.click(screen.getByRole("button", { name: "Save settings" }));
  expect(await screen.findByRole("radio", { name: "Theirs: ticket (32 bytes)" })).toHaveProperty("checked", true);
  await user.click(screen.getByRole("button", { name: "Go on with this choice" }));
  await user.click(screen.getByRole("button", { name: "Save settings" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent[1]?.organization?.usage).toMatchObject({ endUsers: EndUsers.PLAIN, labels: [{ name: "ticket", maxBytes: 32 }] });
});

test("a_refusal_is_shown", async () => {
  const user = await open((r) => {
    r.rpc(getOrganization, () => ({ organization }));
    r.rpc(updateOrganization, refuse);
  });
  await user.click(await screen.findByRole("button", { name: "Save settings" }));
  expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
});

test("while_it_loads_and_when_it_fails", async () => {
  await open((r) => r.rpc(getOrganization, stall));
  expect(await screen.findByRole("status", { name: "Loading settings" })).toBeTruthy();
});

test("only_who_may_change_them_is_offered_settings", async () => {
  openConsole("/nowhere", () => undefined, ["organization.get"]);
  await screen.findByRole("button", { name: "Log out" });
  expect(screen.queryByRole("button", { name: "Usage settings" })).toBeNull();
});
