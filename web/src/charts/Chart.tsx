import "./chart.css";

import { lazy, Suspense, useCallback, useState } from "react";

import { formatTime, utcHint } from "../format/time";
import { Segmented } from "../ui/Segmented";
import type { Mark } from "./draw/options";
import type { ChartData } from "./prepare/series";
import { TableTwin } from "./TableTwin";

const Canvas = lazy(() => import("./draw/Canvas"));

interface ChartProps {
  title: string;
  data: ChartData;
  mark: Mark;
  zone: string;
  precision: "day" | "minute";
  formatValue: (value: bigint) => string;
  formatTick: (value: number) => string;
  /** What stands for a value that there is none of. */
  absent?: string;
  /** Offered where it is given: the period that was drawn over, or one interval of the table. */
  onZoom?: ((fromMs: number, toMs: number) => void) | undefined;
}

const views = [
  { value: "chart", label: "Chart" },
  { value: "table", label: "Table" },
] as const;

/** Chart shows prepared data as a picture or as its table twin, and the zone it is cut in. */
export function Chart({ title, data, mark, zone, precision, formatValue, formatTick, absent = "no data", onZoom }: ChartProps) {
  const [view, setView] = useState<"chart" | "table">("chart");
  const [point, setPoint] = useState<number | null>(null);
  const onPoint = useCallback((index: number | null) => setPoint(index), []);
  return (
    <figure className="chart" aria-label={`${title} over time`}>
      <figcaption className="chart-head">
        <Readout data={data} index={point} zone={zone} precision={precision} formatValue={formatValue} absent={absent} />
        <Segmented label={`Show ${title} as`} options={views} value={view} onChange={setView} />
      </figcaption>
      {view === "chart" ? (
        <Suspense fallback={<div className="chart-canvas chart-waiting" />}>
          <Canvas data={data} mark={mark} zone={zone} height={300} formatTick={formatTick} onPoint={onPoint} onZoom={onZoom} />
        </Suspense>
      ) : (
        <TableTwin title={title} data={data} zone={zone} precision={precision} formatValue={formatValue} absent={absent} onZoom={onZoom} />
      )}
    </figure>
  );
}

interface ReadoutProps {
  data: ChartData;
  index: number | null;
  zone: string;
  precision: "day" | "minute";
  formatValue: (value: bigint) => string;
  absent: string;
}

function Readout({ data, index, zone, precision, formatValue, absent }: ReadoutProps) {
  const start = index === null ? undefined : data.starts[index];
  const at = start === undefined ? undefined : new Date(start);
  return (
    <div className="readout">
      {data.labels.map((label, i) => (
        <span key={label} className="readout-series">
          <i className={`swatch swatch-${i + 1}`} />
          {label}
          {index !== null && at && <b>{valueText(data.exact[i]?.[index], formatValue, absent)}</b>}
        </span>
      ))}
      <span className="muted" title={at && utcHint(at, zone)}>
        {at ? `${formatTime(at, zone, precision)} · ${zone}` : `Time zone: ${zone}`}
      </span>
    </div>
  );
}

function valueText(value: bigint | undefined, formatValue: (value: bigint) => string, absent: string): string {
  return value === undefined ? absent : formatValue(value);
}
