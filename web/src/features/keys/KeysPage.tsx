import "./keys.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Key } from "../../api/key";
import { mayCreateKey, mayGetKey, useKeys } from "../../api/key";
import type { Names } from "../../api/names";
import { mayListProjects, useProjectNames } from "../../api/project";
import { mayListRoutes, useRouteNames } from "../../api/route";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay, useMaySomewhere } from "../session/permission";
import { StartLink } from "../start/StartLink";
import { CreateKeyDialog } from "./CreateKeyDialog";
import { KeyDrawer } from "./KeyDrawer";
import { keyNames, KeyTable } from "./KeyTable";
import { RevokeKeyDialog } from "./RevokeKeyDialog";

const route = getRouteApi("/keys");

/** KeysPage lists virtual keys, makes new ones, gives them new secrets and ends old ones. */
export function KeysPage() {
  const { create, key, project } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const maySomewhere = useMaySomewhere();
  const keys = useKeys(true, project ?? "");
  const projects = useProjectNames(maySomewhere(mayListProjects));
  const routes = useRouteNames(may(mayListRoutes));
  const names = keyNames(projects, routes);
  const [revoking, setRevoking] = useState<Key>();
  // Who closes the dialog has decided already: nothing asks again.
  const setCreating = (open: boolean) =>
    void navigate({ search: (s) => ({ ...(s.project && { project: s.project }), ...(open && { create: true as const }) }), ignoreBlocker: true });
  const open = (id: string | undefined) => void navigate({ search: (s) => ({ ...(s.project && { project: s.project }), ...(id && { key: id }) }) });
  const mayOpen = ({ projectId }: Key) => may(mayGetKey, projectId);
  return (
    <Page
      title="Keys"
      about={`What applications authenticate with. Times in ${viewerZone()}.`}
      actions={maySomewhere(mayCreateKey) && projects?.size !== 0 && <CreateButton onClick={() => setCreating(true)} />}
    >
      <Panel>
        <ProjectChoice projects={projects} value={project} onChange={(next) => void navigate({ search: next ? { project: next } : {}, replace: true })} />
        <Async result={keys} what="keys" isEmpty={(d) => d.pages[0]?.keys.length === 0} empty={<NoKeys projects={projects} filtered={project !== undefined} />}>
          {(data) => <KeyTable keys={data.pages.flatMap((page) => page.keys)} names={names} mayOpen={mayOpen} onRevoke={setRevoking} />}
        </Async>
        <LoadMore query={keys} />
      </Panel>
      {create && maySomewhere(mayCreateKey) && <CreateKeyDialog projectId={project} projects={projects} routes={routes} onClose={() => setCreating(false)} />}
      {key && maySomewhere(mayGetKey) && <KeyDrawer id={key} names={names} routes={routes} onClose={() => open(undefined)} />}
      {revoking && (
        <RevokeKeyDialog
          subject={revoking}
          onClose={() => setRevoking(undefined)}
          onRevoked={() => mayOpen(revoking) && open(revoking.id)}
        />
      )}
    </Page>
  );
}

function CreateButton({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="button button-primary" onClick={onClick}>
      Create key
    </button>
  );
}

interface ProjectChoiceProps {
  projects: Names;
  value: string | undefined;
  onChange: (projectId: string | undefined) => void;
}

// With one project there is nothing to choose.
function ProjectChoice({ projects, value, onChange }: ProjectChoiceProps) {
  if (!projects || (projects.size < 2 && value === undefined)) return null;
  return (
    <div className="keys-filter" role="search" aria-label="Filter keys">
      <select className="select-small" aria-label="Project" value={value ?? ""} onChange={(event) => onChange(event.target.value || undefined)}>
        <option value="">Every project</option>
        {[...projects].map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        {value !== undefined && !projects.has(value) && <option value={value}>A project that is not there any more</option>}
      </select>
    </div>
  );
}

function NoKeys({ projects, filtered }: { projects: Names; filtered: boolean }) {
  const maySomewhere = useMaySomewhere();
  if (projects?.size === 0) {
    return (
      <Empty title="No keys yet">
        <p>
          A key belongs to a project: <Link to="/projects">create a project</Link> first.
        </p>
        <p>
          <StartLink>First steps</StartLink> say what else a request needs.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title={filtered ? "No keys in this project yet" : "No keys yet"}>
      <p>
        {maySomewhere(mayCreateKey)
          ? "Create the first one: it is shown once, with a line to paste."
          : "Your role may not create keys; ask an admin of your organization."}
      </p>
      <p>
        <StartLink>First steps</StartLink> say what else a request needs.
      </p>
    </Empty>
  );
}
