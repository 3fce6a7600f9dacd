import "./people.css";

import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";

import { mayInviteMember, mayListJoinDomains, mayListMembers, useMembers } from "../../api/member";
import { mayListProjects, useProjectNames } from "../../api/project";
import { mayListRoleBindings, useRoleBindings } from "../../api/roleBinding";
import { mayCreateServiceAccount, mayListServiceAccounts, useServiceAccounts } from "../../api/serviceAccount";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { AccountDrawer } from "./AccountDrawer";
import { AccountTable } from "./AccountTable";
import { CreateAccountDialog } from "./CreateAccountDialog";
import { InviteDialog } from "./InviteDialog";
import { JoinDomains } from "./JoinDomains";
import { MemberDrawer } from "./MemberDrawer";
import { MemberTable } from "./MemberTable";
import { RolesPanel } from "./RolesPanel";
import { YourSessions } from "./YourSessions";

const route = getRouteApi("/people");

/** PeoplePage is about who may do what: people, service accounts, and the viewer's own logins. */
export function PeoplePage() {
  const may = useMay();
  return (
    <Page title="People and access" about={`Who may do what, and the logins that are open. Times in ${viewerZone()}.`}>
      {may(mayListMembers) && <People />}
      {may(mayListServiceAccounts) && <Accounts />}
      {may(mayListJoinDomains) && <JoinDomains />}
      <YourSessions />
      <RolesPanel />
    </Page>
  );
}

function People() {
  const may = useMay();
  const { member, removed = false } = route.useSearch();
  const navigate = route.useNavigate();
  const members = useMembers(removed);
  const bindings = useRoleBindings("", may(mayListRoleBindings)).data?.pages.flatMap((page) => page.roleBindings) ?? [];
  const projects = useProjectNames(may(mayListProjects));
  const [inviting, setInviting] = useState(false);
  const listed = members.data?.pages.flatMap((page) => page.members) ?? [];
  return (
    <Panel
      title="People"
      aside={
        <span className="panel-aside">
          <label className="choice">
            <input
              type="checkbox"
              checked={removed}
              onChange={(event) => void navigate({ search: (s) => ({ ...s, removed: event.target.checked || undefined }) })}
            />
            Show who left
          </label>
          {may(mayInviteMember) && (
            <button type="button" className="button button-small" onClick={() => setInviting(true)}>
              Invite somebody
            </button>
          )}
        </span>
      }
    >
      <Async result={members} what="people" isEmpty={() => listed.length === 0} empty={<Empty title="Nobody yet">Invite the first person.</Empty>}>
        {() => <MemberTable members={listed} bindings={bindings} projects={projects} />}
      </Async>
      <LoadMore query={members} />
      {member && <MemberDrawer id={member} projects={projects} onClose={() => void navigate({ search: (s) => ({ ...s, member: undefined }) })} />}
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
    </Panel>
  );
}

function Accounts() {
  const may = useMay();
  const { account } = route.useSearch();
  const navigate = route.useNavigate();
  const accounts = useServiceAccounts(true);
  const projects = useProjectNames(may(mayListProjects));
  const [creating, setCreating] = useState(false);
  const listed = accounts.data?.pages.flatMap((page) => page.serviceAccounts) ?? [];
  const open = listed.find(({ id }) => id === account);
  const create = may(mayCreateServiceAccount);
  return (
    <Panel
      title="Service accounts"
      aside={
        create && (
          <button type="button" className="button button-small" onClick={() => setCreating(true)}>
            Create service account
          </button>
        )
      }
    >
      <Async result={accounts} what="service accounts" isEmpty={() => listed.length === 0} empty={<NoAccounts />}>
        {() => <AccountTable accounts={listed} />}
      </Async>
      <LoadMore query={accounts} />
      {open && <AccountDrawer subject={open} projects={projects} onClose={() => void navigate({ search: (s) => ({ ...s, account: undefined }), ignoreBlocker: true })} />}
      {creating && <CreateAccountDialog onClose={() => setCreating(false)} onCreated={(id) => void navigate({ search: (s) => ({ ...s, account: id }) })} />}
    </Panel>
  );
}

function NoAccounts() {
  return (
    <Empty title="No service accounts yet">
      <p>What calls the API without a person has one: scripts, pipelines, Terraform. It has a role, and tokens that end.</p>
    </Empty>
  );
}
