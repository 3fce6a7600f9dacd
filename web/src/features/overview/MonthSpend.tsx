import { useMemo } from "react";

import { Interval, Measure, useMetrics } from "../../api/report";
import { dateOf } from "../../api/time";
import { viewerZone } from "../../format/time";
import { Money } from "../../ui/Value";
import { monthOf, monthStart } from "./month";
import { Tile } from "./Tiles";

const weekMs = 7 * 86_400_000;
const measures = [Measure.SPEND];

/** MonthSpend says what today and this month cost, and where the month will end. */
export function MonthSpend({ now }: { now: Date }) {
  const zone = viewerZone();
  const from = useMemo(() => {
    const week = new Date(now.getTime() - weekMs);
    const begins = monthStart(now, zone);
    return new Date(Math.floor(Math.min(week.getTime(), begins.getTime()) / 3_600_000) * 3_600_000);
  }, [now, zone]);
  const { data } = useMetrics({ measures, from, interval: Interval.DAY, timeZone: zone });
  if (!data) return null;
  const days = data.starts.map((start, i) => ({
    start: dateOf(start) ?? now,
    spend: data.total?.points[i]?.values[0]?.value ?? 0n,
  }));
  const month = monthOf(days, now, zone);
  const name = new Intl.DateTimeFormat("en", { month: "long", timeZone: zone }).format(now);
  return (
    <dl className="tiles tiles-month" aria-label="This month">
      <Tile label="Spend today" note={zone}>
        <Money nano={month.today} look="headline" />
      </Tile>
      <Tile label={`${name} to date`} note="of what is priced">
        <Money nano={month.toDate} look="headline" />
      </Tile>
      <Tile label={`${name} forecast`} note={pace(month.paceDays)}>
        {month.forecast === undefined ? "–" : <Money nano={rounded(month.forecast)} look="headline" />}
      </Tile>
    </dl>
  );
}

function pace(days: number): string {
  if (days === 0) return "there is no whole day to tell by";
  return days === 1 ? "at yesterday's pace" : `at the pace of the last ${days} whole days`;
}

// A forecast is no amount to the nano-dollar.
function rounded(nano: bigint): bigint {
  const cent = 10_000_000n;
  return ((nano + cent / 2n) / cent) * cent;
}
