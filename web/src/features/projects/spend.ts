import { Interval, mayReadReports, Measure, useMetrics } from "../../api/report";
import { viewerZone } from "../../format/time";
import { useNow } from "../../ui/useNow";
import { monthStart } from "../overview/month";
import { useMay } from "../session/permission";

const measures = [Measure.SPEND];
const most = 50;

export interface MonthSpend {
  /** November */
  month: string;
  /** Nano-dollars that a project spent this month; undefined: not known. */
  of: (projectId: string) => bigint | undefined;
}

/** useMonthSpend is what each project spent this month, as far as it is among the 50 that spent the most; undefined where the role may not know. */
export function useMonthSpend(): MonthSpend | undefined {
  const allowed = useMay()(mayReadReports);
  const now = useNow(60_000);
  const zone = viewerZone();
  const from = monthStart(now, zone);
  const { data } = useMetrics({ measures, groupBy: "project", top: most, from, interval: Interval.MONTH, timeZone: zone }, allowed);
  if (!allowed) return undefined;
  const known = new Map(data?.series.map(({ group, totals }) => [group[0], totals[0]?.value ?? 0n]));
  const rest = data && !data.other ? 0n : undefined;
  return {
    month: new Intl.DateTimeFormat("en", { month: "long", timeZone: zone }).format(now),
    of: (projectId) => known.get(projectId) ?? rest,
  };
}
