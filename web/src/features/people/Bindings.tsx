import { useState } from "react";

import type { Names } from "../../api/names";
import type { RoleBinding } from "../../api/roleBinding";
import { mayCreateRoleBinding, mayDeleteRoleBinding, useCreateRoleBinding, useDeleteRoleBinding, useRoleBindings } from "../../api/roleBinding";
import { Role, roleName } from "../../api/session";
import { newRequestId, useRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { LoadMore } from "../../ui/LoadMore";
import { Named } from "../../ui/Named";
import { Async } from "../../ui/State";
import { useMay, useViewer } from "../session/permission";
import { projectRolesUpTo } from "./role";
import { RoleSelect } from "./RoleSelect";

/** Principal is who has roles. */
export type Principal = { case: "memberId" | "serviceAccountId"; value: string };

interface BindingsProps {
  principal: Principal;
  projects: Names;
}

/** Bindings are somebody's roles on single projects, beside the one in the organization. */
export function Bindings({ principal, projects }: BindingsProps) {
  const may = useMay();
  const result = useRoleBindings(principal.value, true);
  const bound = result.data?.pages.flatMap((page) => page.roleBindings) ?? [];
  const free = [...(projects ?? [])].filter(([id]) => !bound.some(({ projectId }) => projectId === id));
  return (
    <section className="facts" aria-label="Roles on projects">
      <h3>Roles on projects</h3>
      <Async result={result} what="roles on projects" isEmpty={() => bound.length === 0} empty={<p className="muted">None: the role in the organization is all there is.</p>}>
        {() => (
          <ul className="people-list">
            {bound.map((one) => (
              <Binding key={one.id} binding={one} projects={projects} />
            ))}
          </ul>
        )}
      </Async>
      <LoadMore query={result} />
      {may(mayCreateRoleBinding) && result.data && free.length > 0 && <Bind key={bound.length} principal={principal} free={free} />}
    </section>
  );
}

function Binding({ binding, projects }: { binding: RoleBinding; projects: Names }) {
  const may = useMay();
  const [requestId] = useState(newRequestId);
  const remove = useDeleteRoleBinding();
  const project = projects?.get(binding.projectId) ?? binding.projectId;
  return (
    <li>
      <span>
        <Named id={binding.projectId} names={projects} />: {roleName(binding.role)}
      </span>
      {may(mayDeleteRoleBinding) && (
        <button
          type="button"
          className="button button-small"
          aria-label={`Take away the role on ${project}`}
          disabled={remove.isPending}
          onClick={() => remove.mutate({ id: binding.id, mutation: { requestId, etag: binding.etag } })}
        >
          Take away
        </button>
      )}
      <FormError error={remove.error} />
    </li>
  );
}

function Bind({ principal, free }: { principal: Principal; free: readonly (readonly [string, string])[] }) {
  const own = useViewer()?.role ?? Role.UNSPECIFIED;
  const requestId = useRequestId();
  const [open, setOpen] = useState(false);
  const [projectId, setProjectId] = useState(free[0]?.[0] ?? "");
  const [role, setRole] = useState(Role.VIEWER);
  const bind = useCreateRoleBinding();
  if (!open) {
    return (
      <div>
        <button type="button" className="button button-small" onClick={() => setOpen(true)}>
          Give a role on a project
        </button>
      </div>
    );
  }
  return (
    <form action={() => bind.mutate({ principal, projectId, role, mutation: { requestId: requestId({ projectId, role }) } })} className="form people-form">
      <label>
        Project
        <select value={projectId} onChange={(event) => setProjectId(event.target.value)}>
          {free.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <RoleSelect label="Role on it" roles={projectRolesUpTo(own)} value={role} project onChange={setRole} />
      <FormError error={bind.error} />
      <div className="form-actions">
        <button type="button" className="button" disabled={bind.isPending} onClick={() => setOpen(false)}>
          Cancel
        </button>
        <button type="submit" className="button button-primary" disabled={bind.isPending}>
          {bind.isPending ? "Giving…" : "Give role"}
        </button>
      </div>
    </form>
  );
}
