import { useCallback, useMemo } from "react";

import type { PastQuotaWindow, Quota } from "../../api/quota";
import { QuotaUnit, useQuotaHistory } from "../../api/quota";
import { dateOf } from "../../api/time";
import { Chart } from "../../charts/Chart";
import type { ChartData } from "../../charts/prepare/series";
import { prepareChart } from "../../charts/prepare/series";
import { formatMoney } from "../../format/money";
import { formatTick } from "../../format/number";
import { LoadMore } from "../../ui/LoadMore";
import { Async } from "../../ui/State";
import { amountWords } from "./words";

interface QuotaHistoryProps {
  quota: Quota;
  subject: string;
  /** Whether its windows are the sixtieths that a rolling one moves on by. */
  rolls: boolean;
  /** Of its calendar. */
  zone: string;
}

/** QuotaHistory shows what past windows allowed and what was spent of them. */
export function QuotaHistory({ quota, subject, rolls, zone }: QuotaHistoryProps) {
  const result = useQuotaHistory(quota.id, subject, true);
  const windows = useMemo(() => result.data?.pages.flatMap((page) => page.windows) ?? [], [result.data]);
  const chart = useMemo(() => prepareHistory(windows, rolls), [windows, rolls]);
  const { unit } = quota;
  const formatValue = useCallback((value: bigint) => amountWords(unit, value), [unit]);
  return (
    <section className="facts" aria-label="Past windows">
      <h3>{rolls ? "What was spent until now" : "Past windows"}</h3>
      <Async result={result} what="past windows" isEmpty={() => windows.length === 0} empty={<p className="muted">No window has ended yet in which anything was asked for.</p>}>
        {() => (
          <Chart
            title={rolls ? "Spent" : "Spent and allowed"}
            data={chart}
            mark={rolls ? "bars" : "line"}
            zone={zone}
            precision="minute"
            formatValue={formatValue}
            formatTick={unit === QuotaUnit.NANO_USD ? dollarTick : formatTick}
          />
        )}
      </Async>
      <LoadMore query={result} />
    </section>
  );
}

function dollarTick(nano: number): string {
  return formatMoney(BigInt(Math.round(nano)));
}

/** prepareHistory lines past windows up. Windows in which nobody asked for anything are not there. */
export function prepareHistory(windows: readonly PastQuotaWindow[], rolls: boolean): ChartData {
  const of = (amount: (w: PastQuotaWindow) => bigint) =>
    windows.map((w) => ({ start: dateOf(w.window?.startsAt)?.getTime() ?? 0, value: amount(w) }));
  const series = [{ label: "Spent", missing: "gap" as const, measured: of((w) => w.spent) }];
  if (!rolls) series.push({ label: "Allowed", missing: "gap", measured: of((w) => w.limit) });
  if (windows.some((w) => w.overrun > 0n)) series.push({ label: "Overrun", missing: "gap", measured: of((w) => w.overrun) });
  return prepareChart([], series);
}
