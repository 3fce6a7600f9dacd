import { Link } from "@tanstack/react-router";

/** StartLink leads from what is empty to how it is filled. */
export function StartLink({ children }: { children: string }) {
  return <Link to="/start">{children}</Link>;
}
