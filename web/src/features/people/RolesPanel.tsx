import { roleName } from "../../api/session";
import { Panel } from "../../ui/Page";
import { roleWords } from "./role";

/** RolesPanel explains the roles. */
export function RolesPanel() {
  return (
    <Panel title="What roles may do">
      <dl className="roles">
        {roleWords.map(({ role, about, project }) => (
          <div key={role}>
            <dt>{roleName(role)}</dt>
            <dd>
              {about}
              {project && <div className="muted">On a single project: {project.charAt(0).toLowerCase() + project.slice(1)}</div>}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
