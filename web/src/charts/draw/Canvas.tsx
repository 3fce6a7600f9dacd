import "./language";
import "uplot/dist/uPlot.min.css";

import { useEffect, useRef } from "react";
import uPlot from "uplot";

import type { ChartData } from "../prepare/series";
import type { Mark } from "./options";
import { chartOptions } from "./options";
import { readPalette } from "./palette";
import { useRepaint } from "./repaint";

interface CanvasProps {
  data: ChartData;
  mark: Mark;
  zone: string;
  height: number;
  formatTick: (value: number) => string;
  onPoint: (index: number | null) => void;
  onZoom?: ((fromMs: number, toMs: number) => void) | undefined;
}

/** Canvas draws prepared data. It is decoration for assistive technology: the table twin has the values. */
export default function Canvas({ data, mark, zone, height, formatTick, onPoint, onZoom }: CanvasProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const repaint = useRepaint();
  const labels = data.labels.join("\n");

  const latest = useRef(data);
  useEffect(() => {
    latest.current = data;
    plot.current?.setData(columns(data));
  }, [data]);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const look = { mark, zone, formatTick, onPoint, onZoom, palette: readPalette(element) };
    const size = { width: element.clientWidth, height };
    const drawn = new uPlot(chartOptions(labels.split("\n"), size, look), columns(latest.current), element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [labels, mark, zone, height, formatTick, onPoint, onZoom, repaint]);

  return <div ref={host} className="chart-canvas" aria-hidden="true" />;
}

function columns(data: ChartData): uPlot.AlignedData {
  return [data.starts, ...data.plotted];
}
