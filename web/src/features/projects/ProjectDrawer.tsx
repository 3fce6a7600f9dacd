import { Code, ConnectError } from "@connectrpc/connect";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { mayCreateKey, mayGetKey, mayListKeys, useKeys } from "../../api/key";
import type { Project } from "../../api/project";
import { mayDeleteProject, mayUpdateProject, useProject } from "../../api/project";
import { mayListRoutes, useRoutes } from "../../api/route";
import { dateOf } from "../../api/time";
import { formatUntil } from "../../format/duration";
import { viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { LoadMore } from "../../ui/LoadMore";
import { Drawer } from "../../ui/Overlay";
import { Async, Empty, Failure } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { QuotasOn } from "../budgets/QuotasOn";
import { HistoryLink } from "../history/HistoryLink";
import { oldSecretEnds } from "../keys/OldSecret";
import { keyStatus } from "../keys/status";
import { useMay } from "../session/permission";
import { UsageFacts } from "../usage/UsageFacts";
import { ArchiveProjectDialog } from "./ArchiveProjectDialog";
import { ProjectDialog } from "./ProjectDialog";

interface ProjectDrawerProps {
  id: string;
  onClose: () => void;
}

/** ProjectDrawer shows one project, its keys, what they cost and what holds them, and changes it. */
export function ProjectDrawer({ id, onClose }: ProjectDrawerProps) {
  const result = useProject(id);
  return (
    <Drawer title="Project" open onClose={onClose}>
      <Async
        result={result}
        what="project"
        isEmpty={(d) => !d.project}
        empty={null}
        failure={(error) => (ConnectError.from(error).code === Code.NotFound ? <Gone id={id} /> : <Failure error={error} onRetry={result.refetch} />)}
      >
        {({ project }) => project && <Details project={project} onClose={onClose} />}
      </Async>
    </Drawer>
  );
}

function Gone({ id }: { id: string }) {
  return (
    <Empty title="This project is not there">
      <p>It was archived, or the address is wrong. What it spent is still in reports.</p>
      <HistoryLink id={id} />
    </Empty>
  );
}

interface DetailsProps {
  project: Project;
  onClose: () => void;
}

function Details({ project, onClose }: DetailsProps) {
  const may = useMay();
  const { id } = project;
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>{project.displayName || project.name}</b>
          <div>
            <code>{id}</code>
          </div>
        </div>
        <CopyButton text={id} what="id of the project" label="Copy id" />
      </div>
      <HistoryLink id={id} />
      <Tools project={project} onClose={onClose} />
      <Facts title={`Project, times in ${viewerZone()}`}>
        <Fact name="Name">
          <code>{project.name}</code>
        </Fact>
        <Fact name="Weight">{project.weight || 1}</Fact>
        <Fact name="Created">
          <Time at={dateOf(project.createdAt)} />
        </Fact>
        {may(mayListRoutes) && <OwnRoutes id={id} />}
      </Facts>
      <UsageFacts filter={`project_id = "${id}"`} search={{ project: id }} />
      {may(mayListKeys, id) && <Keys id={id} />}
      <QuotasOn projectId={id} />
    </>
  );
}

// Routes that are only for some projects, and this one is among them.
function OwnRoutes({ id }: { id: string }) {
  const routes = useRoutes().data?.pages.flatMap((page) => page.routes) ?? [];
  const own = routes.filter(({ allowedProjectIds }) => allowedProjectIds.includes(id));
  if (own.length === 0) return null;
  return (
    <Fact name="Routes of its own">
      {own.map((route) => (
        <div key={route.id}>
          <Link to="/routing" search={{ route: route.id }}>
            {route.name}
          </Link>
        </div>
      ))}
    </Fact>
  );
}

function Tools({ project, onClose }: DetailsProps) {
  const may = useMay();
  const [open, setOpen] = useState<"change" | "archive">();
  const close = () => setOpen(undefined);
  const { id } = project;
  if (!may(mayUpdateProject, id) && !may(mayDeleteProject)) return null;
  return (
    <>
      <div className="project-tools">
        {may(mayUpdateProject, id) && (
          <button type="button" className="button button-small" onClick={() => setOpen("change")}>
            Change
          </button>
        )}
        {may(mayDeleteProject) && (
          <button type="button" className="button button-small button-danger" onClick={() => setOpen("archive")}>
            Archive
          </button>
        )}
      </div>
      {open === "change" && <ProjectDialog subject={project} onClose={close} />}
      {open === "archive" && <Archive project={project} onClose={close} onArchived={onClose} />}
    </>
  );
}

function Archive({ project, onClose, onArchived }: DetailsProps & { onArchived: () => void }) {
  const allowed = useMay()(mayListKeys, project.id);
  const keys = useKeys(allowed, project.id).data?.pages.flatMap((page) => page.keys);
  return <ArchiveProjectDialog subject={project} living={keys?.filter(({ revokedAt }) => !revokedAt).length} onClose={onClose} onArchived={onArchived} />;
}

function Keys({ id }: { id: string }) {
  const may = useMay();
  const now = useNow(60_000);
  const result = useKeys(true, id);
  const keys = result.data?.pages.flatMap((page) => page.keys) ?? [];
  return (
    <section className="facts" aria-label="Keys">
      <div className="project-head">
        <h3>Keys</h3>
        {may(mayCreateKey, id) && (
          <Link to="/keys" search={{ project: id, create: true }} className="button button-small">
            Create key
          </Link>
        )}
      </div>
      <Async result={result} what="keys" isEmpty={() => keys.length === 0} empty={<p className="muted">None yet: applications call with a key of the project.</p>}>
        {() => (
          <ul className="project-keys">
            {keys.map((key) => {
              const { label, tone } = keyStatus(key, now);
              const oldEnds = oldSecretEnds(key, now);
              return (
                <li key={key.id}>
                  <span>
                    {may(mayGetKey, id) ? (
                      <Link to="/keys" search={{ key: key.id }}>
                        {key.name}
                      </Link>
                    ) : (
                      key.name
                    )}{" "}
                    <code className="muted">…{key.suffix}</code>
                    {oldEnds && <div className="muted">old secret ends {formatUntil(oldEnds, now)}</div>}
                  </span>
                  <Badge tone={tone}>{label}</Badge>
                </li>
              );
            })}
          </ul>
        )}
      </Async>
      <LoadMore query={result} />
    </section>
  );
}
