import uPlot from "uplot";

import type { Palette } from "./palette";

export type Mark = "bars" | "line";

export interface Look {
  mark: Mark;
  palette: Palette;
  zone: string;
  formatTick: (value: number) => string;
  onPoint: (index: number | null) => void;
  onZoom: ((fromMs: number, toMs: number) => void) | undefined;
}

/** chartOptions says how uPlot draws; what it draws was prepared before. */
export function chartOptions(labels: readonly string[], size: { width: number; height: number }, look: Look): uPlot.Options {
  const { palette, mark } = look;
  const axis = { stroke: palette.axis, font: palette.font, ticks: { show: false } };
  const grid = { stroke: palette.grid, width: 1 };
  return {
    ...size,
    ms: 1,
    tzDate: (ms) => uPlot.tzDate(new Date(ms), look.zone),
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: look.onZoom !== undefined, y: false, setScale: false, dist: 8 }, dataIdx: mark === "bars" ? barUnder : nearest },
    padding: [8, 20, 0, 0],
    scales: { x: { time: true, range: mark === "bars" ? withLastBar : undefined }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, space: 72, size: 42, values: timeTicks },
      { ...axis, grid, size: tickWidth, values: (_u, ticks) => ticks.map(look.formatTick) },
    ],
    series: [{}, ...labels.map((label, i) => seriesOptions(label, palette.series[i] ?? palette.axis, look.mark))],
    hooks: { setCursor: [(u) => look.onPoint(u.cursor.idxs?.[1] ?? null)], setSelect: [(u) => zoom(u, look)] },
  };
}

function zoom(u: uPlot, { onZoom }: Look) {
  const { left, width } = u.select;
  if (width <= 0) return;
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false); // it is of the range before
  onZoom?.(Math.round(u.posToVal(left, "x")), Math.round(u.posToVal(left + width, "x")));
}

// A bar stands to the right of its interval's start, so the axis ends one interval later.
function withLastBar(u: uPlot, min: number, max: number): uPlot.Range.MinMax {
  const starts = u.data[0];
  const first = starts[0] ?? min;
  const second = starts[1] ?? first + 60_000;
  return [min, max + (second - first)];
}

function barUnder(u: uPlot, _series: number, closest: number, x: number): number {
  return (u.data[0][closest] ?? x) > x ? Math.max(0, closest - 1) : closest;
}

function nearest(_u: uPlot, _series: number, closest: number): number {
  return closest;
}

const timeTicks: uPlot.Axis.Values = [
  [86_400_000, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
  [3_600_000, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
  [60_000, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
];

function tickWidth(_u: uPlot, ticks: string[] | null): number {
  const longest = Math.max(0, ...(ticks ?? []).map((t) => t.length));
  return 18 + longest * 6.5;
}

function seriesOptions(label: string, colour: string, mark: Mark): uPlot.Series {
  const common = { label, stroke: colour, points: { show: false } };
  if (mark === "line") return { ...common, width: 1.75, spanGaps: false, points: { show: true, size: 4, fill: colour } };
  const bars = uPlot.paths.bars?.({ size: [0.72, 48], align: 1, radius: 0.12 });
  return { ...common, width: 0, fill: colour, ...(bars && { paths: bars }) };
}
