import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Names } from "../../api/names";
import { mayCreateProject, mayListProjects, useCreateProject, useProjects } from "../../api/project";
import { useRequestId } from "../../api/transport";
import { FormError, NameField } from "../../ui/Form";
import { Loading } from "../../ui/State";
import { CreateKeyDialog } from "../keys/CreateKeyDialog";
import { useMay } from "../session/permission";
import type { StepProps } from "./FirstSteps";

/** KeyStep makes what an application authenticates with, and the project that it belongs to. */
export function KeyStep({ step, progress }: StepProps) {
  const may = useMay();
  const [open, setOpen] = useState(false);
  const { keys = [], routes = [] } = progress;
  const result = useProjects(step.mine && may(mayListProjects));
  const projects = result.data?.pages.flatMap((page) => page.projects) ?? [];
  const close = () => {
    setOpen(false);
    progress.refresh();
  };
  return (
    <>
      {step.state === "done" ? (
        <p>
          {keys
            .slice(0, 5)
            .map(({ name }) => name)
            .join(", ")}{" "}
          <Link to="/keys">All keys</Link>
        </p>
      ) : (
        <>
          <p>An application sends it in place of the provider&apos;s. Usage and budgets are counted by key and by project.</p>
          {result.isLoading && <Loading what="projects" shape="table" />}
          {result.data && projects.length === 0 && <FirstProject mayCreate={may(mayCreateProject)} primary={step.state === "next"} />}
          {projects.length > 0 && (
            <div className="start-actions">
              <button type="button" className={step.state === "next" ? "button button-primary" : "button"} onClick={() => setOpen(true)}>
                Create key
              </button>
            </div>
          )}
        </>
      )}
      {open && <CreateKeyDialog projects={namesOf(projects)} routes={namesOf(routes)} onClose={close} />}
    </>
  );
}

function namesOf(all: readonly { id: string; name: string }[]): Names {
  return new Map(all.map(({ id, name }) => [id, name]));
}

function FirstProject({ mayCreate, primary }: { mayCreate: boolean; primary: boolean }) {
  const create = useCreateProject();
  const requestId = useRequestId();
  const [name, setName] = useState("default");
  if (!mayCreate) return <p className="muted">It needs a project, which your role may not create. Ask an owner or admin of your organization.</p>;
  return (
    <form action={() => create.mutate({ name, mutation: { requestId: requestId(name) } })} className="form start-form">
      <p>A key belongs to a project: name the first one.</p>
      <NameField placeholder="default" value={name} onChange={setName} />
      <FormError error={create.error} />
      <div className="start-actions">
        <button type="submit" className={primary ? "button button-primary" : "button"} disabled={create.isPending}>
          {create.isPending ? "Creating…" : "Create project"}
        </button>
      </div>
    </form>
  );
}
