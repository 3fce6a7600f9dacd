import { Link } from "@tanstack/react-router";
import { memo } from "react";

import type { Request } from "../../api/report";
import { dateOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Scroller } from "../../ui/Scroller";
import { Money, Time } from "../../ui/Value";
import { outcomeShape } from "./outcome";

const columns: readonly { label: string; className?: string }[] = [
  { label: "Time", className: "wide-only" },
  { label: "Route" },
  { label: "Model", className: "wide-only" },
  { label: "Outcome", className: "wide-only" },
  { label: "Cost", className: "num" },
  { label: "Tokens in", className: "num wide-only" },
  { label: "Tokens out", className: "num wide-only" },
  { label: "Latency", className: "num wide-only" },
  { label: "First token", className: "num wide-only" },
];

/** RequestTable lists requests; a row opens its details. */
export function RequestTable({ requests }: { requests: readonly Request[] }) {
  return (
    <Scroller label="Requests" className="panel">
      <table className="table table-rows">
        <thead>
          <tr>
            {columns.map(({ label, className }) => (
              <th key={label} scope="col" className={className}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {requests.map((request) => (
            <Row key={request.requestId} request={request} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

const Row = memo(function Row({ request }: { request: Request }) {
  const { label, tone } = outcomeShape(request.outcome);
  const firstToken = request.timeToFirstTokenUs;
  return (
    <tr>
      <td className="wide-only">
        <Time at={dateOf(request.startedAt)} />
      </td>
      <td>
        <Link to="/requests" search={(s) => ({ ...s, request: request.requestId })} className="row-link truncate">
          {request.route || "(no route)"}
        </Link>
        <span className="narrow-only muted">
          <Time at={dateOf(request.startedAt)} />
        </span>
      </td>
      <td className="wide-only">
        <span className="truncate">{request.model || <span className="muted">–</span>}</span>
      </td>
      <td className="nowrap wide-only">
        <Badge tone={tone}>{label}</Badge> {tone !== "good" && <span className="muted">{request.status}</span>}
      </td>
      <td className="num">
        <Cost nano={request.costNanoUsd} />
        <div className="narrow-only">
          <Badge tone={tone}>{label}</Badge>
        </div>
      </td>
      <td className="num wide-only">{formatCount(request.inputTokens)}</td>
      <td className="num wide-only">{formatCount(request.outputTokens)}</td>
      <td className="num wide-only">{formatDuration(request.durationUs)}</td>
      <td className="num wide-only">
        {firstToken === undefined ? <span className="muted">–</span> : formatDuration(firstToken)}
      </td>
    </tr>
  );
});

function Cost({ nano }: { nano: bigint | undefined }) {
  return nano === undefined ? <span className="muted">unpriced</span> : <Money nano={nano} look="column" />;
}
