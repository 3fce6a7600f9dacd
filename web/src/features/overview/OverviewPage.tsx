import "./overview.css";

import { getRouteApi, Link } from "@tanstack/react-router";

import type { GetOverviewResponse } from "../../api/report";
import { useOverview } from "../../api/report";
import { viewerZone } from "../../format/time";
import { ranges } from "../../routes/search";
import { Page, Panel } from "../../ui/Page";
import { Segmented } from "../../ui/Segmented";
import { Async, Empty } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { rangeShapes, rangeStart } from "./range";
import { Tiles } from "./Tiles";
import { TopRoutes } from "./TopRoutes";
import { Trend } from "./Trend";

const route = getRouteApi("/");

/** OverviewPage answers who spent what, and is it healthy. */
export function OverviewPage() {
  const { range = "24h" } = route.useSearch();
  const navigate = route.useNavigate();
  const now = useNow(60_000);
  const from = rangeStart(range, now);
  const overview = useOverview({ from, interval: rangeShapes[range].interval, timeZone: viewerZone() });
  const choices = ranges.map((value) => ({ value, label: value }));
  const choose = (next: typeof range) => void navigate({ search: (s) => ({ ...s, range: next }), replace: true });
  return (
    <Page
      title="Overview"
      about={`Last ${rangeShapes[range].label}`}
      actions={<Segmented label="Period" options={choices} value={range} onChange={choose} />}
    >
      <Async result={overview} what="overview" skeleton="tiles" isEmpty={hasNoRequests} empty={<NoRequests />}>
        {(data) => <Overview data={data} from={from} to={now} />}
      </Async>
    </Page>
  );
}

function hasNoRequests({ totals }: GetOverviewResponse): boolean {
  return !totals || totals.requests === 0n;
}

interface OverviewProps {
  data: GetOverviewResponse;
  from: Date;
  to: Date;
}

function Overview({ data, from, to }: OverviewProps) {
  return (
    <>
      {data.totals && <Tiles totals={data.totals} />}
      <div className="overview-columns">
        <Trend data={data} fromMs={from.getTime()} toMs={to.getTime()} />
        <Panel title="Top routes by spend" aside={<Link to="/requests">All requests</Link>}>
          <TopRoutes routes={data.routes} total={data.totals?.costNanoUsd ?? 0n} />
        </Panel>
      </div>
    </>
  );
}

function NoRequests() {
  return (
    <Empty title="No requests in this period">
      <p>Point an application at an agent with one of your keys. Its requests show up here within seconds.</p>
      <p>
        <Link to="/keys">Create a key</Link> or choose a longer period.
      </p>
    </Empty>
  );
}
