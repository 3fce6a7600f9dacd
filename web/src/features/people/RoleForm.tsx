import { useState } from "react";

import type { Role } from "../../api/session";
import { FormError } from "../../ui/Form";
import { rolesUpTo } from "./role";
import { RoleSelect } from "./RoleSelect";

interface RoleFormProps {
  role: Role;
  /** The viewer's own: nobody gives one above it. */
  own: Role;
  change: { isPending: boolean; error: unknown };
  onSubmit: (role: Role) => void;
}

/** RoleForm changes somebody's role in the organization. */
export function RoleForm({ role, own, change, onSubmit }: RoleFormProps) {
  const [chosen, setChosen] = useState(role);
  return (
    <form action={() => onSubmit(chosen)} className="form">
      <RoleSelect label="Role in the organization" roles={rolesUpTo(own)} value={chosen} onChange={setChosen} />
      <FormError error={change.error} />
      {chosen !== role && (
        <div className="form-actions">
          <button type="button" className="button" disabled={change.isPending} onClick={() => setChosen(role)}>
            Leave it
          </button>
          <button type="submit" className="button button-primary" disabled={change.isPending}>
            {change.isPending ? "Saving…" : "Save role"}
          </button>
        </div>
      )}
    </form>
  );
}
