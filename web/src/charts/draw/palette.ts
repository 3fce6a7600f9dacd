export interface Palette {
  series: string[];
  axis: string;
  grid: string;
  font: string;
}

/** readPalette asks the style sheet for the colours that hold right now. */
export function readPalette(within: HTMLElement): Palette {
  const probe = document.createElement("span");
  within.append(probe);
  const colour = (property: string) => {
    probe.style.color = `var(${property})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    series: Array.from({ length: 8 }, (_, i) => colour(`--series-${i + 1}`)),
    axis: colour("--text-muted"),
    grid: colour("--grid"),
    font: `11px ${getComputedStyle(within).fontFamily}`,
  };
  probe.remove();
  return palette;
}
