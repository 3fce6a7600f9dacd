import uPlot from "uplot";

import type { ResultData, ResultMark } from "../prepare/result";
import { hasNegative } from "../prepare/result";
import type { Palette } from "./palette";

export interface ResultLook {
  mark: ResultMark;
  palette: Palette;
  zone: string;
  formatTick: (value: number) => string;
  onPoint: (index: number | null) => void;
}

// Lines that lie beside each other differ in more than colour.
const dashes: readonly number[][] = [[], [7, 4], [2, 3], [11, 4], [7, 3, 2, 3], [4, 4], [1, 4], [14, 3, 3, 3]];

/** resultOptions says how uPlot draws a result whose axis is a clock or a line of numbers. */
export function resultOptions(data: ResultData, size: { width: number; height: number }, look: ResultLook): uPlot.Options {
  const { palette, mark } = look;
  const onClock = data.axis !== "number";
  const step = smallestStep(data);
  const bars = mark !== "line";
  const axis = { stroke: palette.axis, font: palette.font, ticks: { show: false } };
  const lowest = hasNegative(data.series);
  const order = data.series.map((_, i) => i);
  if (mark === "stacked") order.reverse(); // the highest edge first, so that the others lie over it
  return {
    ...size,
    ms: 1,
    tzDate: (ms) => uPlot.tzDate(new Date(ms), data.axis === "day" ? "UTC" : look.zone),
    legend: { show: false },
    cursor: { y: false, points: { show: !bars, size: 6 }, drag: { x: false, y: false } },
    padding: [8, 20, 0, 0],
    scales: {
      x: { time: onClock, range: (_u, min, max) => (bars ? [min - step / 2, max + step / 2] : min === max ? [min - step / 2, max + step / 2] : [min, max]) },
      y: { range: (_u, min, max) => [lowest ? Math.min(0, min) * 1.08 : 0, max > 0 ? max * 1.08 : lowest ? 0 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 72, size: 42, ...(onClock ? { values: clockTicks } : { values: (_u: uPlot, ticks: number[]) => ticks.map(look.formatTick) }) },
      { ...axis, grid: { stroke: palette.grid, width: 1 }, size: tickWidth, values: (_u, ticks) => ticks.map(look.formatTick) },
    ],
    series: [{}, ...order.map((i) => seriesOptions(data, i, step, look))],
    hooks: { setCursor: [(u) => look.onPoint(u.cursor.idx ?? null)] },
  };
}

function seriesOptions(data: ResultData, i: number, step: number, { mark, palette }: ResultLook): uPlot.Series {
  const colour = palette.series[i] ?? palette.axis;
  const common = { label: data.series[i]?.label ?? "", stroke: colour };
  if (mark === "line") {
    return { ...common, width: 1.75, dash: dashes[i] ?? [], spanGaps: false, points: { show: data.xs.length <= 400, size: 4, fill: colour } };
  }
  const width = (step * 0.8) / (mark === "bar" ? data.series.length : 1);
  const left = mark === "bar" ? -step * 0.4 + i * width : -width / 2;
  const paths = uPlot.paths.bars?.({
    align: 1,
    disp: {
      x0: { unit: ofTheScale, values: (u: uPlot) => Array.from(u.data[0], (x) => x + left) },
      size: { unit: ofTheScale, values: (u: uPlot) => Array.from(u.data[0], () => width * 0.94) },
    },
  });
  return { ...common, width: 0, fill: colour, points: { show: false }, ...(paths && { paths }) };
}

// uPlot declares its enumeration for types alone: there is none to import.
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const ofTheScale = 1 as uPlot.Series.BarsPathBuilderFacetUnit.ScaleValue;

// Where there is one place alone a bar is as wide as a day, an hour or one.
const alone = { day: 86_400_000, time: 3_600_000, number: 1, category: 1 };

function smallestStep({ xs, axis }: ResultData): number {
  let step = Infinity;
  for (let i = 1; i < xs.length; i++) step = Math.min(step, (xs[i] ?? 0) - (xs[i - 1] ?? 0));
  return Number.isFinite(step) && step > 0 ? step : alone[axis];
}

const clockTicks: uPlot.Axis.Values = [
  [86_400_000, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
  [60_000, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
];

function tickWidth(_u: uPlot, ticks: string[] | null): number {
  // The first label of the other axis hangs over by half of it.
  return Math.max(44, 18 + Math.max(0, ...(ticks ?? []).map((tick) => tick.length)) * 6.5);
}
