import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

import type { GetOverviewResponse } from "../../api/report";
import { Chart } from "../../charts/Chart";
import { bucketStarts } from "../../charts/prepare/bucket";
import type { Metric } from "../../routes/search";
import { metrics } from "../../routes/search";
import { Panel } from "../../ui/Page";
import { Segmented } from "../../ui/Segmented";
import { metricShapes, prepareMetric } from "./metric";
import type { Period } from "./period";

const route = getRouteApi("/");
/** What is shorter can't be drawn in minutes. */
const shortest = 5 * 60_000;
const choices = metrics.map((value) => ({ value, label: metricShapes[value].label }));

interface TrendProps {
  data: GetOverviewResponse;
  period: Period;
}

/** Trend draws one metric over the period, in the zone in which the server cut it; what is drawn over is zoomed into. */
export function Trend({ data, period }: TrendProps) {
  const { metric = "spend" } = route.useSearch();
  const navigate = route.useNavigate();
  const zone = data.timeZone || "UTC";
  const [fromMs, toMs] = [period.from.getTime(), period.to.getTime()];
  const chart = useMemo(
    () => prepareMetric(data.series, bucketStarts(new Date(fromMs), new Date(toMs), period.step, zone), metric),
    [data.series, fromMs, toMs, period.step, zone, metric],
  );
  const choose = (next: Metric) => void navigate({ search: (s) => ({ ...s, metric: next }), replace: true });
  const zoom = useCallback(
    (from: number, to: number) => {
      if (to - from < shortest) return;
      void navigate({ search: (s) => ({ ...s, from, to }) });
    },
    [navigate],
  );
  const shape = metricShapes[metric];
  return (
    <Panel title="Over time" aside={<Segmented label="Metric" options={choices} value={metric} onChange={choose} />}>
      <Chart
        title={shape.label}
        data={chart}
        mark={shape.mark}
        zone={zone}
        precision={period.precision}
        formatValue={shape.formatValue}
        formatTick={shape.formatTick}
        absent={shape.absent}
        onZoom={period.step === "minute" ? undefined : zoom}
      />
    </Panel>
  );
}
