import type { Request } from "../../api/report";
import { Badge } from "../../ui/Badge";
import { meaningOf } from "./errorCode";
import { outcomeShape } from "./outcome";

/** Outcome says how a request ended and, where it did not end well, the code that its caller got. */
export function Outcome({ request: r }: { request: Request }) {
  const { label, tone } = outcomeShape(r.outcome);
  if (tone === "good") return <Badge tone={tone}>{label}</Badge>;
  return (
    <span className="outcome" title={meaningOf(r.errorCode)}>
      <Badge tone={tone}>{label}</Badge> <Code request={r} label={label} />
    </span>
  );
}

// A code that only says the label again is left out.
function Code({ request: r, label }: { request: Request; label: string }) {
  if (!r.errorCode) return <span className="muted">{r.status}</span>;
  return r.errorCode === label.toLowerCase().replaceAll(" ", "_") ? null : <code>{r.errorCode}</code>;
}

/** RouteName is a request's route, or that it came to none. */
export function RouteName({ request: r }: { request: Request }) {
  return r.route ? r.route : <span title={whyNoRoute(r)}>(no route)</span>;
}

/** whyNoRoute explains a request without a route. */
export function whyNoRoute({ errorCode }: Request): string {
  return errorCode === "route_unknown"
    ? "The name asked for is no route of the gateway."
    : "Refused before its route was looked up.";
}
