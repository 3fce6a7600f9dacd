import { Interval, mayReadReports, Measure, useMetrics } from "../../api/report";
import { viewerZone } from "../../format/time";
import { useNow } from "../../ui/useNow";
import { monthStart } from "../overview/month";
import { useMay } from "../session/permission";

type Grouping = "project" | "route" | "provider";

// More stand alone in no answer.
const most = 50;
const minuteMs = 60_000;
const [spend, hour] = [[Measure.SPEND], [Measure.REQUESTS, Measure.ERRORS]];

export interface MonthSpend {
  /** November */
  month: string;
  /** Nano-dollars that were spent this month; undefined: not known. Projects go by their ids, routes and providers by their names. */
  of: (group: string) => bigint | undefined;
}

/** useMonthSpend is what each group spent this month, as far as it is among the 50 that spent the most; undefined where the role may not know. */
export function useMonthSpend(by: Grouping): MonthSpend | undefined {
  const allowed = useMay()(mayReadReports);
  const now = useNow(minuteMs);
  const zone = viewerZone();
  const groups = useGroups(by, spend, monthStart(now, zone), Interval.MONTH, allowed);
  if (!allowed) return undefined;
  const month = new Intl.DateTimeFormat("en", { month: "long", timeZone: zone }).format(now);
  return { month, of: (group) => groups(group)?.[0] };
}

/** Hour is what came in the last hour. */
export interface Hour {
  requests: bigint;
  errors: bigint;
}

/** useLastHour is what came to each group, as far as it is among the 50 busiest; undefined where the role may not know. */
export function useLastHour(by: Grouping): ((group: string) => Hour | undefined) | undefined {
  const allowed = useMay()(mayReadReports);
  const minute = Math.floor(useNow(minuteMs).getTime() / minuteMs);
  const groups = useGroups(by, hour, new Date((minute - 60) * minuteMs), Interval.HOUR, allowed);
  if (!allowed) return undefined;
  return (group) => {
    const [requests, errors] = groups(group) ?? [];
    return requests === undefined || errors === undefined ? undefined : { requests, errors };
  };
}

function useGroups(by: Grouping, measures: readonly Measure[], from: Date, interval: Interval, enabled: boolean) {
  const { data } = useMetrics({ measures, groupBy: by, top: most, from, interval, timeZone: viewerZone() }, enabled);
  const known = new Map(data?.series.map(({ group, totals }) => [group[0], totals.map(({ value }) => value ?? 0n)]));
  const rest = data && !data.other ? measures.map(() => 0n) : undefined;
  return (group: string) => known.get(group) ?? rest;
}
