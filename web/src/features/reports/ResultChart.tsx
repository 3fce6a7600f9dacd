import "../../charts/chart.css";

import { lazy, Suspense, useCallback, useMemo, useState } from "react";

import type { Cell, Column } from "../../api/statement";
import type { ResultData, ResultMark, ResultShape } from "../../charts/prepare/result";
import { hasNegative, prepareResult } from "../../charts/prepare/result";
import { formatTick } from "../../format/number";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { isMoney, isNumeric, showerOf } from "./cell";
import { guess, shapeOf } from "./chart";
import type { ChartChoice, ChartMark } from "./statement";

const ResultCanvas = lazy(() => import("../../charts/draw/ResultCanvas"));

interface ResultChartProps {
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  zone: string;
  /** As the statement says it; undefined: it says nothing. */
  choice: ChartChoice | undefined;
  onChoose: (choice: ChartChoice) => void;
}

/** ResultChart draws a result by a choice of its columns, and says the same as a table. */
export function ResultChart({ columns, rows, zone, choice, onChoose }: ResultChartProps) {
  const said = choice && shapeOf(choice, columns) ? choice : undefined;
  const chosen = said ?? guess(columns);
  const shape = chosen && shapeOf(chosen, columns);
  const key = JSON.stringify(shape ?? null); // a shape made anew that says the same draws nothing anew
  const data = useMemo(() => {
    const said = JSON.parse(key) as ResultShape | null;
    return said && prepareResult(rows, said);
  }, [rows, key]);
  if (!chosen || !shape || !data) {
    return <p className="chart-none muted">A chart needs a column of numbers, and one to lay them along. The result has none.</p>;
  }
  const mark: ResultMark = shape.mark === "stacked" && hasNegative(data.series) ? "bar" : shape.mark;
  const notes = [
    ...(choice && !said ? ["The statement's chart is of columns that the result does not have: this one is a guess."] : []),
    ...(mark !== shape.mark ? ["Negative values can't be stacked: they stand side by side."] : []),
    ...data.notes,
  ];
  const show = chosen.y.map((name) => columns.find((column) => column.name === name)).map((column) => column && showerOf(column, zone));
  const value = (exact: string | null, i: number) => (exact === null ? "no data" : (show[i % show.length]?.(exact).text ?? exact));
  const money = chosen.y.every((name) => columns.some((column) => column.name === name && isMoney(column)));
  return (
    <>
      <ChartChoices columns={columns} choice={chosen} sideways={shape.axis === "category"} onChoose={onChoose} />
      <figure className="chart" aria-label={`Chart of ${chosen.y.join(", ")}`}>
        {data.axis === "category" ? (
          <CategoryBars data={data} mark={mark} value={value} />
        ) : (
          <Plot data={data} mark={mark} zone={zone} money={money} value={value} place={(i) => placeText(columns, shape.x, data, i, zone)} />
        )}
        {notes.map((note) => (
          <p key={note} className="muted chart-note">
            {note}
          </p>
        ))}
        <details className="chart-twin">
          <summary>As a table</summary>
          <Twin data={data} head={chosen.x} value={value} place={(i) => placeText(columns, shape.x, data, i, zone)} />
        </details>
      </figure>
    </>
  );
}

type ValueText = (exact: string | null, series: number) => string;

function placeText(columns: readonly Column[], x: number, data: ResultData, i: number, zone: string): string {
  const column = columns[x];
  const name = data.names[i] ?? "";
  if (name === "") return "(empty)";
  return column ? showerOf(column, zone)(name).text : name;
}

interface PlotProps {
  data: ResultData;
  mark: ResultMark;
  zone: string;
  money: boolean;
  value: ValueText;
  place: (i: number) => string;
}

function Plot({ data, mark, zone, money, value, place }: PlotProps) {
  const [point, setPoint] = useState<number | null>(null);
  const onPoint = useCallback((index: number | null) => setPoint(index), []);
  const tick = useCallback((n: number) => `${n < 0 ? "-" : ""}${money ? "$" : ""}${tickText(Math.abs(n))}`, [money]);
  const clock = data.axis === "day" ? "Days as in the result" : data.axis === "time" ? `Time zone: ${zone}` : "";
  return (
    <>
      <div className="readout">
        {data.series.map(({ label, exact }, i) => (
          <span key={label} className="readout-series">
            <i className={`swatch swatch-${i + 1}`} />
            <Said text={label} />
            {point !== null && point < exact.length && <b>{value(exact[point] ?? null, i)}</b>}
          </span>
        ))}
        <span className="muted">{point !== null && point < data.xs.length ? place(point) : clock}</span>
      </div>
      <Suspense fallback={<div className="chart-canvas chart-waiting" />}>
        <ResultCanvas data={data} mark={mark} zone={zone} formatTick={tick} onPoint={onPoint} />
      </Suspense>
    </>
  );
}

function tickText(n: number): string {
  return n > 0 && n < 10 ? String(Number(n.toPrecision(3))) : formatTick(n);
}

const mostBars = 40;

// Names are read best beside their bars, which lie on their side.
function CategoryBars({ data, mark, value }: { data: ResultData; mark: ResultMark; value: ValueText }) {
  const stack = mark === "stacked";
  const places = data.names.slice(0, mostBars).map((_, i) => i);
  const totals = places.map((i) => data.series.reduce((sum, { values }) => sum + Math.max(0, values[i] ?? 0), 0));
  const widest = stack ? Math.max(0, ...totals) : Math.max(0, ...data.series.flatMap(({ values }) => places.map((i) => Math.abs(values[i] ?? 0))));
  const part = (n: number) => `${widest > 0 ? (100 * Math.abs(n)) / widest : 0}%`;
  return (
    <>
      {data.series.length > 1 && (
        <div className="readout">
          {data.series.map(({ label }, i) => (
            <span key={label} className="readout-series">
              <i className={`swatch swatch-${i + 1}`} />
              <Said text={label} />
            </span>
          ))}
        </div>
      )}
      <ul className="category-bars">
        {places.map((place) => (
          <li key={data.names[place]}>
            <span className="category-name" title={data.names[place]}>
              <Said text={data.names[place] || "(empty)"} />
            </span>
            <span className={stack ? "category-stack" : "category-group"}>
              {data.series.map(({ label, values, exact }, i) => {
                const n = values[place] ?? null;
                if (n === null) return null;
                return (
                  <span key={label} className="category-bar" title={`${label}: ${value(exact[place] ?? null, i)}`}>
                    <i className={`swatch-${i + 1} ${n < 0 ? "category-negative" : ""}`} style={{ width: part(n) }} hidden={n === 0} />
                    {!stack && <span>{value(exact[place] ?? null, i)}</span>}
                  </span>
                );
              })}
            </span>
          </li>
        ))}
      </ul>
      {data.names.length > mostBars && <p className="muted chart-note">{`The first ${mostBars} of ${data.names.length} are drawn; the rows have all.`}</p>}
    </>
  );
}

const mostTwinRows = 500;

function Twin({ data, head, value, place }: { data: ResultData; head: string; value: ValueText; place: (i: number) => string }) {
  return (
    <Scroller label="Chart, table" className="chart-table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{head}</th>
            {data.series.map(({ label }) => (
              <th key={label} scope="col" className="num">
                <Said text={label} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.names.slice(0, mostTwinRows).map((name, i) => (
            <tr key={name}>
              <th scope="row">
                <Said text={place(i)} />
              </th>
              {data.series.map(({ label, exact }, j) => (
                <td key={label} className="num">
                  {value(exact[i] ?? null, j)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {data.names.length > mostTwinRows && <p className="muted chart-note">{`The first ${mostTwinRows} of ${data.names.length}; the rows have all.`}</p>}
    </Scroller>
  );
}

interface ChartChoicesProps {
  columns: readonly Column[];
  choice: ChartChoice;
  /** Whether it is of names, which no line joins. */
  sideways: boolean;
  onChoose: (choice: ChartChoice) => void;
}

const markNames: Record<ChartMark, string> = { line: "Lines", bar: "Bars", stacked: "Stacked bars" };

function ChartChoices({ columns, choice, sideways, onChoose }: ChartChoicesProps) {
  const numbers = columns.filter(({ type }) => isNumeric(type));
  const marked = choice.y.length > 1 ? [...new Set([choice.y.join(","), ...numbers.map(({ name }) => name)])] : numbers.map(({ name }) => name);
  const ways = (Object.entries(markNames) as [ChartMark, string][]).filter(([mark]) => mark !== "line" || !sideways);
  const way = sideways && choice.mark === "line" ? "bar" : choice.mark;
  return (
    <div className="chart-choices" role="group" aria-label="What the chart shows">
      <Pick label="Chart" value={way} options={ways} onPick={(mark) => onChoose({ ...choice, mark: mark as ChartMark })} />
      <Pick label="Along" value={choice.x} options={columns.map(({ name }) => [name, name])} onPick={(x) => onChoose({ ...choice, x })} />
      <Pick label="Value" value={choice.y.join(",")} options={marked.map((name) => [name, name.replaceAll(",", " and ")])} onPick={(name) => onChoose({ ...choice, y: name === choice.y.join(",") ? choice.y : [name] })} />
      <Pick
        label="A series for each"
        value={choice.by ?? ""}
        options={[["", "–"], ...columns.filter(({ name }) => name !== choice.x && !choice.y.includes(name)).map(({ name }): [string, string] => [name, name])]}
        onPick={(by) => onChoose({ ...choice, by: by === "" ? undefined : by })}
      />
    </div>
  );
}

interface PickProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onPick: (value: string) => void;
}

function Pick({ label, value, options, onPick }: PickProps) {
  return (
    <label className="pick">
      <span className="muted">{label}</span>
      <select className="select-small" value={value} onChange={(event) => onPick(event.target.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
