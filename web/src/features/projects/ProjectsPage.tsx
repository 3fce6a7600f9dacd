import "./projects.css";

import { getRouteApi } from "@tanstack/react-router";

import { mayCreateProject, mayGetProject, useProjects } from "../../api/project";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay, useMaySomewhere } from "../session/permission";
import { ProjectDialog } from "./ProjectDialog";
import { ProjectDrawer } from "./ProjectDrawer";
import { ProjectTable } from "./ProjectTable";

const route = getRouteApi("/projects");

/** ProjectsPage lists the teams and use cases that keys and spend attach to, and makes new ones. */
export function ProjectsPage() {
  const { create, project } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const maySomewhere = useMaySomewhere();
  const projects = useProjects();
  const open = (id: string | undefined) => void navigate({ search: id ? { project: id } : {} });
  return (
    <Page
      title="Projects"
      about={`Teams and use cases: each has keys of its own, and what they spend is counted together. Times in ${viewerZone()}.`}
      actions={
        may(mayCreateProject) && (
          <button type="button" className="button button-primary" onClick={() => void navigate({ search: { create: true } })}>
            Create project
          </button>
        )
      }
    >
      <Panel>
        <Async result={projects} what="projects" isEmpty={(d) => d.pages[0]?.projects.length === 0} empty={<NoProjects mayCreate={may(mayCreateProject)} />}>
          {(data) => <ProjectTable projects={data.pages.flatMap((page) => page.projects)} />}
        </Async>
        <LoadMore query={projects} />
      </Panel>
      {create && may(mayCreateProject) && <ProjectDialog onClose={() => open(undefined)} onSaved={open} />}
      {project && maySomewhere(mayGetProject) && <ProjectDrawer id={project} onClose={() => open(undefined)} />}
    </Page>
  );
}

function NoProjects({ mayCreate }: { mayCreate: boolean }) {
  return (
    <Empty title="No projects yet">
      <p>
        {mayCreate
          ? "Create one for each team or use case, then keys in it: reports, budgets and limits can tell them apart."
          : "Your role may not create projects; ask an admin of your organization."}
      </p>
    </Empty>
  );
}
