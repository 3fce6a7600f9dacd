import { useId } from "react";

import type { Role } from "../../api/session";
import { roleName } from "../../api/session";
import { roleWords } from "./role";

interface RoleSelectProps {
  label: string;
  /** Those on offer; what is chosen already is, too. */
  roles: readonly Role[];
  value: Role;
  /** Whether it is a role on a project. */
  project?: boolean;
  onChange: (role: Role) => void;
}

/** RoleSelect chooses a role and says what it may do. */
export function RoleSelect({ label, roles, value, project = false, onChange }: RoleSelectProps) {
  const below = useId();
  const words = roleWords.find(({ role }) => role === value);
  const offered = roles.includes(value) ? roles : [value, ...roles];
  const choose = (text: string) => {
    const role = offered.find((one) => String(one) === text);
    if (role !== undefined) onChange(role);
  };
  return (
    <div className="field">
      <label>
        {label}
        <select aria-describedby={below} value={value} onChange={(event) => choose(event.target.value)}>
          {offered.map((role) => (
            <option key={role} value={role}>
              {roleName(role)}
            </option>
          ))}
        </select>
      </label>
      <p id={below} className="muted">
        {project ? words?.project : words?.about}
      </p>
    </div>
  );
}
