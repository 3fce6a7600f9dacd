import "./language";
import "uplot/dist/uPlot.min.css";

import { useEffect, useRef } from "react";
import uPlot from "uplot";

import type { ResultData, ResultMark } from "../prepare/result";
import { stacked } from "../prepare/result";
import { readPalette } from "./palette";
import { useRepaint } from "./repaint";
import { resultOptions } from "./resultOptions";

interface ResultCanvasProps {
  data: ResultData;
  mark: ResultMark;
  zone: string;
  formatTick: (value: number) => string;
  onPoint: (index: number | null) => void;
}

const height = 300;

/** ResultCanvas draws a prepared result. It is decoration for assistive technology: the table beside it has the values. */
export default function ResultCanvas({ data, mark, zone, formatTick, onPoint }: ResultCanvasProps) {
  const host = useRef<HTMLDivElement>(null);
  const repaint = useRepaint();
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const look = { mark, zone, formatTick, onPoint, palette: readPalette(element) };
    const drawn = new uPlot(resultOptions(data, { width: element.clientWidth, height }, look), columns(data, mark), element);
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [data, mark, zone, formatTick, onPoint, repaint]);
  return <div ref={host} className="chart-canvas" aria-hidden="true" />;
}

function columns(data: ResultData, mark: ResultMark): uPlot.AlignedData {
  return [data.xs, ...(mark === "stacked" ? stacked(data.series).reverse() : data.series.map(({ values }) => values))];
}
