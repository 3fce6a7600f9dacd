import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";

import { Role } from "../../gen/weir/admin/v1/common_pb";
import type { InviteMemberRequest, RemoveMemberRequest, UpdateMemberRequest } from "../../gen/weir/admin/v1/member_pb";
import { MemberService, MemberState } from "../../gen/weir/admin/v1/member_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import type { CreateRoleBindingRequest } from "../../gen/weir/admin/v1/role_binding_pb";
import { RoleBindingService } from "../../gen/weir/admin/v1/role_binding_pb";
import type { CreateServiceAccountTokenRequest } from "../../gen/weir/admin/v1/service_account_pb";
import { ServiceAccountService } from "../../gen/weir/admin/v1/service_account_pb";
import { SessionService } from "../../gen/weir/admin/v1/session_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";
import { browserName } from "./browser";
import { projectRolesUpTo, rolesUpTo } from "./role";

const ada = { id: "me", name: "Ada", email: "ada@example.com", role: Role.OWNER, state: MemberState.ACTIVE, etag: "2" };
const grace = { id: "m2", name: "Grace", email: "grace@example.com", role: Role.OPERATOR, state: MemberState.ACTIVE, etag: "7" };
const invited = { id: "m3", email: "linus@example.com", role: Role.PROJECTS_ONLY, state: MemberState.INVITED, invitationExpiresAt: timestampFromDate(new Date(Date.now() - 60_000)) };
const ci = { id: "a1", name: "ci", role: Role.ADMIN, etag: "9", tokens: [{ id: "t1", name: "main", suffix: "x9Qd" }] };
const members = [ada, grace, invited];

function surroundings(r: ConnectRouter) {
  r.rpc(MemberService.method.listMembers, () => ({ members }));
  r.rpc(MemberService.method.getMember, ({ id }) => ({ member: members.find((one) => one.id === id) }));
  r.rpc(MemberService.method.listJoinDomains, () => ({}));
  r.rpc(MemberService.method.listMemberSessions, () => ({}));
  r.rpc(ServiceAccountService.method.listServiceAccounts, () => ({ serviceAccounts: [ci] }));
  r.rpc(RoleBindingService.method.listRoleBindings, ({ principalId }) => ({
    roleBindings: principalId === "" || principalId === "m2" ? [{ id: "b1", principal: { case: "memberId", value: "m2" }, role: Role.ADMIN, projectId: "p1" }] : [],
  }));
  r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }, { id: "p2", name: "search" }] }));
  r.rpc(SessionService.method.listSessions, () => ({ sessions: [{ id: "s1", current: true, address: "192.0.2.1" }, { id: "s2", address: "192.0.2.2" }] }));
}

function open(path: string, services: (r: ConnectRouter) => void = () => undefined, permissions?: string[]) {
  return openConsole(
    path,
    (r) => {
      surroundings(r);
      services(r);
    },
    permissions,
  );
}

test("loading_and_error_are_of_each_part", async () => {
  open("/people", (r) => {
    r.rpc(MemberService.method.listMembers, stall);
    r.rpc(ServiceAccountService.method.listServiceAccounts, refuse);
  });
  expect(await screen.findByRole("status", { name: "Loading people" })).toBeTruthy();
  expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
});

test("people_have_their_roles_in_the_organization_and_on_projects", async () => {
  open("/people");
  const row = async (name: RegExp) => (await screen.findByRole("rowheader", { name })).closest("tr");
  expect((await row(/^Ada/))?.textContent).toContain("Ada (you)ada@example.comOwner");
  await waitFor(async () => expect((await row(/^Grace/))?.textContent).toMatch(/Operator.*Active.*Shop: Admin/));
  expect((await row(/^linus/))?.textContent).toContain("Invitation expired");
});

test("a_role_without_permissions_sees_its_own_logins_and_what_roles_are", async () => {
  open("/people", () => undefined, ["reports.read"]);
  expect(await screen.findByText("This one")).toBeTruthy();
  expect(screen.getByRole("region", { name: "What roles may do" }).textContent).toContain("OperatorRuns the traffic");
  expect(screen.queryByRole("region", { name: "People" })).toBeNull();
  expect(screen.queryByRole("region", { name: "Service accounts" })).toBeNull();
  expect(screen.getByRole("link", { name: "People" })).toBeTruthy();
});

test("who_only_reads_people_is_offered_no_change", async () => {
  open("/people?member=m2", () => undefined, ["members.list", "members.get"]);
  const drawer = await screen.findByRole("dialog", { name: "Person" });
  expect(await within(drawer).findByText("Operator")).toBeTruthy();
  expect(within(drawer).queryByRole("button", { name: "Remove" })).toBeNull();
  expect(within(drawer).queryByRole("combobox")).toBeNull();
});

test("an_invitation_says_that_nothing_is_mailed", async () => {
  const seen: InviteMemberRequest[] = [];
  open("/people", (r) =>
    r.rpc(MemberService.method.inviteMember, (request) => {
      seen.push(request);
      return { member: { id: "m9" } };
    }),
  );
  await userEvent.click(await screen.findByRole("button", { name: "Invite somebody" }));
  const dialog = await screen.findByRole("dialog", { name: "Invite somebody" });
  await userEvent.type(within(dialog).getByLabelText("Email address"), "new@example.com");
  await userEvent.selectOptions(within(dialog).getByLabelText("Role in the organization"), "Analyst");
  expect(dialog.textContent).toContain("asks in SQL");
  await userEvent.click(within(dialog).getByRole("button", { name: "Invite" }));
  expect((await screen.findByRole("dialog", { name: "Invited" })).textContent).toContain("new@example.com may log in now. Nothing is sent by mail");
  expect(seen[0]).toMatchObject({ email: "new@example.com", role: Role.ANALYST });
  expect(seen[0]?.mutation?.requestId).toMatch(/^[0-9a-f]{32}$/);
});

describe("the_last_owner", () => {
  const refuseLast = () => {
    throw new ConnectError("this is the organization's last owner; make somebody else an owner first", Code.FailedPrecondition);
  };

  test("is_not_removed", async () => {
    open("/people?member=me", (r) => r.rpc(MemberService.method.removeMember, refuseLast));
    await userEvent.click(await screen.findByRole("button", { name: "Remove" }));
    const dialog = await screen.findByRole("alertdialog", { name: "Remove Ada?" });
    expect(dialog.textContent).toContain("This is you: you are logged out at once.");
    await userEvent.click(within(dialog).getByRole("button", { name: "Remove" }));
    expect((await within(dialog).findByRole("alert")).textContent).toContain("Not possible as things are. this is the organization's last owner; make somebody else an owner first");
  });

  test("stays_owner", async () => {
    open("/people?member=me", (r) => r.rpc(MemberService.method.updateMember, refuseLast));
    await userEvent.selectOptions(await screen.findByLabelText("Role in the organization"), "Viewer");
    await userEvent.click(screen.getByRole("button", { name: "Save role" }));
    expect((await screen.findByRole("alert")).textContent).toContain("make somebody else an owner first");
  });
});

test("a_changed_role_is_held_to_what_was_seen_and_a_conflict_shows_the_present_one", async () => {
  const seen: UpdateMemberRequest[] = [];
  let present = grace;
  open("/people?member=m2", (r) => {
    r.rpc(MemberService.method.getMember, () => ({ member: present }));
    r.rpc(MemberService.method.updateMember, (request) => {
      seen.push(request);
      present = { ...grace, role: Role.ANALYST, etag: "8" };
      throw new ConnectError("it has another etag", Code.Aborted);
    });
  });
  const role = await screen.findByLabelText<HTMLSelectElement>("Role in the organization");
  await userEvent.selectOptions(role, "Viewer");
  await userEvent.click(screen.getByRole("button", { name: "Save role" }));
  await waitFor(() => expect(seen[0]?.member).toMatchObject({ id: "m2", role: Role.VIEWER, etag: "7" }));
  expect(seen[0]?.updateMask?.paths).toEqual(["role"]);
  await waitFor(() => expect(screen.getByLabelText<HTMLSelectElement>("Role in the organization").value).toBe(String(Role.ANALYST)));
  expect(screen.getByRole("alert").textContent).toContain("Somebody else changed this meanwhile");
});

test("removing_says_what_ends_and_sends_the_etag", async () => {
  const seen: RemoveMemberRequest[] = [];
  open("/people?member=m2", (r) =>
    r.rpc(MemberService.method.removeMember, (request) => {
      seen.push(request);
      return {};
    }),
  );
  await userEvent.click(await screen.findByRole("button", { name: "Remove" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Remove Grace?" });
  expect(dialog.textContent).toContain("Every login of theirs ends at once");
  expect(seen).toHaveLength(0);
  await userEvent.click(within(dialog).getByRole("button", { name: "Remove" }));
  await waitFor(() => expect(seen[0]).toMatchObject({ id: "m2", mutation: { etag: "7" } }));
});

test("a_role_on_a_project_is_given_and_taken", async () => {
  const given: CreateRoleBindingRequest[] = [];
  const taken: string[] = [];
  open("/people?member=m2", (r) => {
    r.rpc(RoleBindingService.method.createRoleBinding, (request) => {
      given.push(request);
      return {};
    });
    r.rpc(RoleBindingService.method.deleteRoleBinding, ({ id }) => {
      taken.push(id);
      return {};
    });
  });
  const part = await screen.findByRole("region", { name: "Roles on projects" });
  await userEvent.click(await within(part).findByRole("button", { name: "Give a role on a project" }));
  expect([...within(part).getByLabelText<HTMLSelectElement>("Project").options].map((o) => o.text)).toEqual(["search"]);
  await userEvent.selectOptions(within(part).getByLabelText("Role on it"), "Admin");
  await userEvent.click(within(part).getByRole("button", { name: "Give role" }));
  await waitFor(() => expect(given[0]).toMatchObject({ principal: { case: "memberId", value: "m2" }, projectId: "p2", role: Role.ADMIN }));
  await userEvent.click(within(part).getByRole("button", { name: "Take away the role on Shop" }));
  await waitFor(() => expect(taken).toEqual(["b1"]));
});

test("a_token_is_shown_once_and_stays_until_it_is_copied", async () => {
  const seen: CreateServiceAccountTokenRequest[] = [];
  open("/people?account=a1", (r) =>
    r.rpc(ServiceAccountService.method.createServiceAccountToken, (request) => {
      seen.push(request);
      return { token: { id: "t2", name: request.name }, secret: "weirsa_secret" };
    }),
  );
  await userEvent.click(await screen.findByRole("button", { name: "Create token" }));
  const dialog = await screen.findByRole("dialog", { name: "Create a token of ci" });
  await userEvent.type(within(dialog).getByLabelText("Name"), "deploy");
  await userEvent.click(within(dialog).getByRole("button", { name: "Create token" }));
  expect(await screen.findByText("weirsa_secret")).toBeTruthy();
  expect(seen[0]).toMatchObject({ serviceAccountId: "a1", name: "deploy" });
  expect(Number(seen[0]?.expiresAt?.seconds) - Date.now() / 1_000).toBeGreaterThan(89 * 86_400);
  await userEvent.keyboard("{Escape}");
  expect(screen.getByText("weirsa_secret")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "I have copied the token" }));
  await waitFor(() => expect(screen.queryByText("weirsa_secret")).toBeNull());
});

test("other_logins_end_after_a_question", async () => {
  const kept: boolean[] = [];
  open("/people", (r) =>
    r.rpc(SessionService.method.revokeAllSessions, ({ keepCurrent }) => {
      kept.push(keepCurrent);
      return { revoked: 1 };
    }),
  );
  const part = await screen.findByRole("region", { name: "Your logins" });
  expect(await within(part).findAllByRole("button", { name: /^End the login/ })).toHaveLength(1);
  await userEvent.click(within(part).getByRole("button", { name: "End all others" }));
  expect(kept).toEqual([]);
  await userEvent.click(await screen.findByRole("button", { name: "End them" }));
  await waitFor(() => expect(kept).toEqual([true]));
});

test("nobody_is_offered_a_role_above_their_own", () => {
  expect(rolesUpTo(Role.OWNER)[0]).toBe(Role.OWNER);
  expect(rolesUpTo(Role.ADMIN)).not.toContain(Role.OWNER);
  expect(projectRolesUpTo(Role.OWNER)).toEqual([Role.ADMIN, Role.OPERATOR, Role.ANALYST, Role.VIEWER]);
  expect(rolesUpTo(Role.UNSPECIFIED)).toEqual([]);
  expect(everything).toContain("members.list");
});

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36", "Chrome on Linux"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/605.1.15", "Safari on macOS"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147 Safari/537.36 Edg/147", "Edge on Windows"],
  ["curl/8.5", "curl/8.5"],
])("%s is %s", (userAgent, want) => {
  expect(browserName(userAgent)).toBe(want);
});
