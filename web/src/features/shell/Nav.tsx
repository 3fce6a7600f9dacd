import type { LinkProps } from "@tanstack/react-router";
import { Link } from "@tanstack/react-router";

import { mayListGateways } from "../../api/gateway";
import { mayListEvents } from "../../api/history";
import { mayListKeys } from "../../api/key";
import { mayListProjects } from "../../api/project";
import { mayListQuotas } from "../../api/quota";
import { mayReadReports, mayRunQueries } from "../../api/report";
import { mayListRoutes } from "../../api/route";
import { useMaySomewhere } from "../session/permission";

interface Item {
  to: NonNullable<LinkProps["to"]>;
  label: string;
  /** Absent: everybody's. */
  permission?: string;
  icon: string;
}

const items: readonly Item[] = [
  { to: "/", label: "Overview", permission: mayReadReports, icon: "M3 17V9m5 8V4m5 13v-6m4 6V7" },
  { to: "/requests", label: "Requests", permission: mayReadReports, icon: "M3 5h14M3 10h14M3 15h9" },
  { to: "/routing", label: "Routes", permission: mayListRoutes, icon: "M3 10h5l4-5h5M8 10l4 5h5" },
  { to: "/projects", label: "Projects", permission: mayListProjects, icon: "M3 6.5V15a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V7.5a1 1 0 0 0-1-1h-6.5L8 4.5H4a1 1 0 0 0-1 1z" },
  { to: "/keys", label: "Keys", permission: mayListKeys, icon: "M12.5 11.5a4 4 0 1 0-4-4c0 .8.2 1.5.6 2.1L3 15.7V17h3l.5-2h2l.5-2 1.4-1.9c.6.3 1.3.4 2.1.4z" },
  { to: "/budgets", label: "Budgets", permission: mayListQuotas, icon: "M3 13a7 7 0 0 1 14 0M10 13l3.5-4M3 16h14" },
  { to: "/agents", label: "Agents", permission: mayListGateways, icon: "M4 4h12v5H4zM4 11h12v5H4zM7 6.5h.1M7 13.5h.1" },
  { to: "/history", label: "History", permission: mayListEvents, icon: "M10 5.5V10l3 2M3.6 7.2A7 7 0 1 1 3 10M3 4v3.5h3.5" },
  { to: "/reports", label: "Reports", permission: mayRunQueries, icon: "M4 5l4 4-4 4M10 14h6" },
  { to: "/people", label: "People", icon: "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2.3-5 5.5-5s5.5 2 5.5 5M13 3.8a3 3 0 0 1 0 5.4M15 12.5c2 .7 3 2.3 3 4.5" },
];

/** Nav offers the pages that the viewer's role can read. */
export function Nav() {
  const may = useMaySomewhere();
  return (
    <nav className="nav" aria-label="Pages">
      {items
        .filter((item) => item.permission === undefined || may(item.permission))
        .map((item) => (
          <Link key={item.to} to={item.to} activeOptions={{ exact: item.to === "/", includeSearch: false }}>
            <svg viewBox="0 0 20 20" aria-hidden="true">
              <path d={item.icon} />
            </svg>
            {item.label}
          </Link>
        ))}
    </nav>
  );
}
