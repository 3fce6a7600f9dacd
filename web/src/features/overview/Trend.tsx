import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";

import type { GetOverviewResponse } from "../../api/report";
import { Chart } from "../../charts/Chart";
import { bucketStarts } from "../../charts/prepare/bucket";
import type { Metric } from "../../routes/search";
import { metrics } from "../../routes/search";
import { Panel } from "../../ui/Page";
import { Segmented } from "../../ui/Segmented";
import { metricShapes, prepareMetric } from "./metric";
import { rangeShapes } from "./range";

const route = getRouteApi("/");
const choices = metrics.map((value) => ({ value, label: metricShapes[value].label }));

interface TrendProps {
  data: GetOverviewResponse;
  /** The period, milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
}

/** Trend draws one metric over the period, in the zone in which the server cut it. */
export function Trend({ data, fromMs, toMs }: TrendProps) {
  const { range = "24h", metric = "spend" } = route.useSearch();
  const navigate = route.useNavigate();
  const { step, precision } = rangeShapes[range];
  const zone = data.timeZone || "UTC";
  const chart = useMemo(
    () => prepareMetric(data.series, bucketStarts(new Date(fromMs), new Date(toMs), step, zone), metric),
    [data.series, fromMs, toMs, step, zone, metric],
  );
  const choose = (next: Metric) => void navigate({ search: (s) => ({ ...s, metric: next }), replace: true });
  const shape = metricShapes[metric];
  return (
    <Panel title="Over time" aside={<Segmented label="Metric" options={choices} value={metric} onChange={choose} />}>
      <Chart
        title={shape.label}
        data={chart}
        mark={shape.mark}
        zone={zone}
        precision={precision}
        formatValue={shape.formatValue}
        formatTick={shape.formatTick}
        absent={shape.absent}
      />
    </Panel>
  );
}
