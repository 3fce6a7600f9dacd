import { Link } from "@tanstack/react-router";
import { memo } from "react";

import type { Names } from "../../api/names";
import type { Request } from "../../api/report";
import { dateOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatCount } from "../../format/number";
import { Named } from "../../ui/Named";
import { RowBlocks } from "../../ui/RowBlocks";
import { Scroller } from "../../ui/Scroller";
import { Money, Time } from "../../ui/Value";
import { Outcome, RouteName } from "./Outcome";

interface Column {
  label: string;
  /** Where a narrow screen stacks more below it. */
  stacked?: string;
  className?: string;
}

const columns: readonly Column[] = [
  { label: "Time", className: "wide-only" },
  { label: "Route", stacked: ", model, outcome, key" },
  { label: "Key", className: "wide-only" },
  { label: "Model", className: "wide-only" },
  { label: "Outcome", className: "wide-only" },
  { label: "Cost", stacked: ", tokens, latency, time", className: "num" },
  { label: "Tokens in", className: "num wide-only" },
  { label: "Tokens out", className: "num wide-only" },
  { label: "Latency", className: "num wide-only" },
  { label: "First token", className: "num roomy-only" },
];

interface RequestTableProps {
  requests: readonly Request[];
  keys: Names;
}

/** RequestTable lists requests; a row opens its details. A narrow screen stacks what a wide one has in columns. */
export const RequestTable = memo(function RequestTable({ requests, keys }: RequestTableProps) {
  return (
    <Scroller label="Requests" className="panel">
      <table className="table table-rows" aria-rowcount={requests.length + 1}>
        <thead>
          <tr>
            {columns.map(({ label, stacked, className }) => (
              <th key={label} scope="col" className={className}>
                {label}
                {stacked && <span className="narrow-only">{stacked}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <RowBlocks items={requests} columns={columns.length}>
          {(request) => <Row key={request.requestId} request={request} keys={keys} />}
        </RowBlocks>
      </table>
    </Scroller>
  );
});

const Row = memo(function Row({ request, keys }: { request: Request; keys: Names }) {
  const firstToken = request.timeToFirstTokenUs;
  return (
    <tr>
      <td className="wide-only">
        <Time at={dateOf(request.startedAt)} />
      </td>
      <td className="request-what">
        <Link to="/requests" search={(s) => ({ ...s, request: request.requestId })} className="row-link truncate">
          <RouteName request={request} />
        </Link>
        <StackedWhat request={request} keys={keys} />
      </td>
      <td className="wide-only">
        <span className="truncate">
          <Named id={request.keyId} names={keys} />
        </span>
      </td>
      <td className="wide-only">
        <span className="truncate" title={request.model}>
          {request.model || <span className="muted">–</span>}
        </span>
      </td>
      <td className="nowrap wide-only">
        <Outcome request={request} />
      </td>
      <td className="num">
        <Cost nano={request.costNanoUsd} />
        <StackedNumbers request={request} />
      </td>
      <td className="num wide-only">{formatCount(request.inputTokens)}</td>
      <td className="num wide-only">{formatCount(request.outputTokens)}</td>
      <td className="num wide-only">{formatDuration(request.durationUs)}</td>
      <td className="num roomy-only">
        {firstToken === undefined ? <span className="muted">–</span> : formatDuration(firstToken)}
      </td>
    </tr>
  );
});

function StackedWhat({ request, keys }: { request: Request; keys: Names }) {
  return (
    <div className="narrow-only">
      <div className="truncate">{request.model || <span className="muted">no model</span>}</div>
      <Outcome request={request} />
      <div className="muted truncate">
        Key <Named id={request.keyId} names={keys} />
      </div>
    </div>
  );
}

function StackedNumbers({ request: r }: { request: Request }) {
  return (
    <div className="narrow-only">
      <div>{`${formatCount(r.inputTokens)} in, ${formatCount(r.outputTokens)} out`}</div>
      <div>{formatDuration(r.durationUs)}</div>
      <div className="muted">
        <Time at={dateOf(r.startedAt)} />
      </div>
    </div>
  );
}

function Cost({ nano }: { nano: bigint | undefined }) {
  return nano === undefined ? <span className="muted">unpriced</span> : <Money nano={nano} look="column" />;
}
