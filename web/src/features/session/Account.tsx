import { lazy, Suspense, useState } from "react";

import type { WhoAmIResponse } from "../../api/session";
import { logoutUrl, roleName } from "../../api/session";
import type { Theme } from "../../ui/theme";
import { useTheme } from "../../ui/theme";
import { useMay } from "./permission";

const UsageDialog = lazy(async () => ({ default: (await import("../organization/UsageDialog")).UsageDialog }));

/** Account shows who is logged in and where, the theme, and the way out. */
export function Account({ viewer }: { viewer: WhoAmIResponse }) {
  return (
    <div className="account">
      <div className="account-who">
        <span className="truncate" title={viewer.display}>
          {viewer.display}
        </span>
        <span className="muted truncate" title={viewer.organizationName}>
          {viewer.organizationName} · {roleName(viewer.role)}
        </span>
      </div>
      <div className="account-tools">
        <ThemeChoice />
        <UsageSettings />
        <form method="post" action={logoutUrl}>
          <button type="submit" className="button button-small">
            Log out
          </button>
        </form>
      </div>
    </div>
  );
}

// As the API has them: the dialog loads the service, everybody's first page does not.
const usagePermissions = ["organization.get", "organization.update"];

function UsageSettings() {
  const may = useMay();
  const [open, setOpen] = useState(false);
  if (!usagePermissions.every((permission) => may(permission))) return null;
  return (
    <>
      <button type="button" className="button button-small" onClick={() => setOpen(true)}>
        Usage settings
      </button>
      <Suspense>{open && <UsageDialog onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}

function ThemeChoice() {
  const [theme, choose] = useTheme();
  return (
    <select
      className="select-small"
      aria-label="Theme"
      value={theme}
      onChange={(event) => choose(event.target.value as Theme)}
    >
      <option value="system">System</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  );
}
