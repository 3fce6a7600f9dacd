import { Link } from "@tanstack/react-router";

import { Interval, mayReadReports, Measure, useMetrics, useNewestRequest } from "../../api/report";
import { dateOf } from "../../api/time";
import { formatCount } from "../../format/number";
import { viewerZone } from "../../format/time";
import type { RequestsSearch } from "../../routes/search";
import { Fact, Facts } from "../../ui/Facts";
import { useNow } from "../../ui/useNow";
import { Ago, Money } from "../../ui/Value";
import { monthStart } from "../overview/month";
import { useMay } from "../session/permission";

const measures = [Measure.SPEND, Measure.REQUESTS, Measure.UNPRICED_REQUESTS];

interface UsageFactsProps {
  /** Which requests, as filters are written. */
  filter: string;
  /** The same for the page of requests. */
  search: RequestsSearch;
}

/** UsageFacts say what some requests cost this month, and when the last one was. */
export function UsageFacts({ filter, search }: UsageFactsProps) {
  const allowed = useMay()(mayReadReports);
  const now = useNow(10_000);
  const zone = viewerZone();
  const from = monthStart(now, zone);
  const metrics = useMetrics({ measures, filter, from, interval: Interval.MONTH, timeZone: zone }, allowed);
  const newest = useNewestRequest(filter, allowed);
  if (!allowed) return null;
  const [spend, requests, unpriced] = metrics.data?.total?.totals.map(({ value }) => value ?? 0n) ?? [];
  const last = dateOf(newest.data?.requests[0]?.startedAt);
  const failed = metrics.error ?? newest.error;
  return (
    <Facts title={`Use in ${new Intl.DateTimeFormat("en", { month: "long", timeZone: zone }).format(now)}`}>
      <Fact name="Spend">
        {spend === undefined ? <Unknown failed={failed} /> : <Money nano={spend} />}
        {unpriced !== undefined && unpriced > 0n && <div className="muted">and {formatCount(unpriced)} unpriced requests</div>}
      </Fact>
      <Fact name="Requests">{requests === undefined ? <Unknown failed={failed} /> : <Link to="/requests" search={search}>{formatCount(requests)}</Link>}</Fact>
      <Fact name="Last used">{newest.data ? last ? <Ago at={last} now={now > last ? now : last} /> : <span className="muted">never</span> : <Unknown failed={failed} />}</Fact>
    </Facts>
  );
}

function Unknown({ failed }: { failed: unknown }) {
  return <span className="muted">{failed ? "can't be read now" : "…"}</span>;
}
