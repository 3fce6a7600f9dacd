import { Link } from "@tanstack/react-router";

import { destinations, isOpenTo } from "../../routes/pages";
import { useMaySomewhere } from "../session/permission";

/** Nav offers the pages that the viewer's role can read. */
export function Nav() {
  const may = useMaySomewhere();
  return (
    <nav className="nav" aria-label="Pages">
      {destinations.map(
        ({ path, nav, needs }) =>
          nav &&
          isOpenTo({ needs }, may) && (
            <Link key={path} to={path} activeOptions={{ exact: path === "/", includeSearch: false }}>
              <svg viewBox="0 0 20 20" aria-hidden="true">
                <path d={nav.icon} />
              </svg>
              {nav.label}
            </Link>
          ),
      )}
    </nav>
  );
}
