import { formatTime, utcHint } from "../format/time";
import { Scroller } from "../ui/Scroller";
import type { ChartData } from "./prepare/series";

interface TableTwinProps {
  title: string;
  data: ChartData;
  zone: string;
  precision: "day" | "minute";
  formatValue: (value: bigint) => string;
  absent: string;
  onZoom?: ((fromMs: number, toMs: number) => void) | undefined;
}

/** TableTwin says in numbers what the chart says in a picture, newest first. */
export function TableTwin({ title, data, zone, precision, formatValue, absent, onZoom }: TableTwinProps) {
  const rows = data.starts.map((start, i) => ({ start, end: data.starts[i + 1], values: data.exact.map((values) => values[i]) })).reverse();
  return (
    <Scroller label={`${title}, table`} className="chart-table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">From ({zone})</th>
            {data.labels.map((label) => (
              <th key={label} scope="col" className="num">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ start, end, values }) => (
            <tr key={start}>
              <th scope="row" title={utcHint(new Date(start), zone)}>
                {onZoom && end !== undefined ? (
                  <button type="button" className="link" onClick={() => onZoom(start, end)}>
                    {formatTime(new Date(start), zone, precision)}
                  </button>
                ) : (
                  formatTime(new Date(start), zone, precision)
                )}
              </th>
              {values.map((value, i) => (
                <td key={data.labels[i]} className="num">
                  {value === undefined ? <span className="muted">{absent}</span> : formatValue(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
