import { getRouteApi, Link } from "@tanstack/react-router";

import type { MetricSeries, QueryMetricsResponse } from "../../api/report";
import { useMetrics } from "../../api/report";
import { formatDuration } from "../../format/duration";
import { formatCount, formatTenths } from "../../format/number";
import { viewerZone } from "../../format/time";
import { Panel } from "../../ui/Page";
import { Scroller } from "../../ui/Scroller";
import { Async, Empty } from "../../ui/State";
import { Money } from "../../ui/Value";
import type { RequestNames } from "../requests/names";
import { useRequestNames } from "../requests/names";
import { useAnswer } from "./answer";
import type { Change, Dimension } from "./breakdown";
import { dimensionOf, dimensions, labelOf, measuresOf, requestsOf, rowOf } from "./breakdown";
import { LabelChoice } from "./LabelChoice";
import type { Period } from "./period";

const route = getRouteApi("/");

/** Breakdown says who it was: the groups with the most of what the page looks at, and how that changed. */
export function Breakdown({ period }: { period: Period }) {
  const { metric = "spend", by = "route" } = route.useSearch();
  const navigate = route.useNavigate();
  const dimension = dimensionOf(by);
  const measures = measuresOf(metric);
  const result = useMetrics({
    measures,
    groupBy: dimension.value,
    from: period.from,
    to: period.open ? undefined : period.to,
    interval: period.interval,
    timeZone: viewerZone(),
    compared: true,
  });
  const { answer, waiting } = useAnswer(result, { dimension, measures, period }, `${period.name} ${dimension.value} ${metric}`);
  const choose = (next: string) => void navigate({ search: (s) => ({ ...s, by: next }), replace: true });
  return (
    <Panel
      title="Breakdown"
      aside={
        <span className="breakdown-choice">
          <label>
            By{" "}
            <select className="select-small" value={labelOf(by) === undefined ? dimension.value : "label"} onChange={(event) => choose(event.target.value === "label" ? "label:team" : event.target.value)}>
              {dimensions.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
              <option value="label">Label</option>
            </select>
          </label>
          {labelOf(by) !== undefined && <LabelChoice key={by} name={labelOf(by) ?? ""} onChange={(name) => choose(`label:${name}`)} />}
        </span>
      }
    >
      <Async result={{ ...result, data: answer }} what="breakdown" isEmpty={({ data }) => data.series.length === 0} empty={<Nothing />}>
        {({ data, question }) => (
          <div className="answer" aria-busy={waiting}>
            <Groups data={data} {...question} />
          </div>
        )}
      </Async>
    </Panel>
  );
}

function Nothing() {
  return (
    <Empty title="No requests to break down">
      <p>Choose a longer period.</p>
    </Empty>
  );
}

interface GroupsProps {
  data: QueryMetricsResponse;
  dimension: Dimension;
  period: Period;
  measures: ReturnType<typeof measuresOf>;
}

function Groups({ data, dimension, period, measures }: GroupsProps) {
  const names = useRequestNames();
  return (
    <Scroller label="Breakdown, table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{dimension.label} and share</th>
            <th scope="col" className="num wide-only" title="Beside the period of the same length before">
              Change
            </th>
            <th scope="col" className="num">Requests</th>
            <th scope="col" className="num wide-only">Errors</th>
            <th scope="col" className="num wide-only">Tokens</th>
            <th scope="col" className="num wide-only">p95</th>
            <th scope="col" className="num">Spend</th>
          </tr>
        </thead>
        <tbody>
          {data.series.map((series) => (
            <GroupRow key={series.group[0]} series={series} measures={measures}>
              <GroupName dimension={dimension} value={series.group[0] ?? ""} names={names} period={period} />
            </GroupRow>
          ))}
          {data.other && (
            <GroupRow series={data.other} measures={measures}>
              <span className="muted">all others</span>
            </GroupRow>
          )}
        </tbody>
      </table>
    </Scroller>
  );
}

interface GroupRowProps {
  series: MetricSeries;
  measures: ReturnType<typeof measuresOf>;
  children: React.ReactNode;
}

function GroupRow({ series, measures, children }: GroupRowProps) {
  const row = rowOf(series, measures);
  return (
    <tr>
      <th scope="row" className="share-cell">
        {children}
        {row.share !== undefined && (
          <span className="share-line">
            <meter className="share" min={0} max={1_000_000} value={row.share} aria-hidden="true" />
            {formatTenths(Math.round(row.share / 1000))}
          </span>
        )}
      </th>
      <td className="num wide-only">
        <ChangeText change={row.change} />
      </td>
      <td className="num">{formatCount(row.requests)}</td>
      <td className={row.errors > 0n ? "num wide-only bad" : "num wide-only"}>{formatCount(row.errors)}</td>
      <td className="num wide-only">{formatCount(row.tokens)}</td>
      <td className="num wide-only">{row.latency === undefined ? "–" : formatDuration(row.latency)}</td>
      <td className="num">{row.spend === undefined ? <span className="muted">unpriced</span> : <Money nano={row.spend} look="column" />}</td>
    </tr>
  );
}

function ChangeText({ change }: { change: Change }) {
  if (change.kind === "tenths") return <>{change.tenths > 0 ? `+${formatTenths(change.tenths)}` : `−${formatTenths(-change.tenths)}`}</>;
  return <span className="muted">{{ new: "new", same: "same", none: "–" }[change.kind]}</span>;
}

interface GroupNameProps {
  dimension: Dimension;
  value: string;
  names: RequestNames;
  period: Period;
}

function GroupName({ dimension, value, names, period }: GroupNameProps) {
  const known = { project: names.projects, key: names.keys, gateway: names.gateways }[dimension.value]?.get(value);
  const text = known ?? (value === "" ? `(no ${dimension.label.toLowerCase()})` : value);
  const filter = requestsOf(dimension, value, period.from, period.open ? undefined : period.to);
  return (
    <Link to="/requests" search={{ filter, paused: true }} className="truncate" title={`Requests: ${text}`}>
      {text}
    </Link>
  );
}
