import { Link } from "@tanstack/react-router";

import { mayListEvents } from "../../api/history";
import { useMay } from "../session/permission";

/** HistoryLink leads to all that ever happened to one resource, where the role may see the log. */
export function HistoryLink({ id }: { id: string }) {
  if (!useMay()(mayListEvents)) return null;
  return (
    <Link to="/history" search={{ resource: id }}>
      History of this
    </Link>
  );
}
