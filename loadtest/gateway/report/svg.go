package report

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// The size of a plot, and of the frame around what is drawn.
const (
	width, height                  = 720.0, 300.0
	left, right, top, bottom       = 64.0, 128.0, 16.0, 40.0
	plotWidth, plotHeight          = width - left - right, height - top - bottom
	barHeight, barGap              = 18.0, 4.0
	labelRoom, barLeft, valueRight = 12.0, 150.0, 110.0
)

// line is a curve, its points already in the units of the axes.
type line struct {
	class, name string
	points      []point
}

type point struct{ x, y float64 }

// axis turns values into 0 to 1, and says what stands where.
type axis struct {
	title string
	at    func(float64) float64
	ticks []tick
}

type tick struct {
	value float64
	text  string
}

// plot draws lines, each named at its end.
func plot(label string, x, y axis, lines []line) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, width, height, html.EscapeString(label))
	for _, t := range y.ticks {
		v := top + plotHeight*(1-y.at(t.value))
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text class="tick" x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			left, left+plotWidth, v, v, left-8, v+4, t.text)
	}
	for _, t := range x.ticks {
		h := left + plotWidth*x.at(t.value)
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`,
			h, h, top, top+plotHeight, h, top+plotHeight+18, t.text)
	}
	fmt.Fprintf(&b, `<text class="title" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, left+plotWidth/2, height-4, html.EscapeString(x.title))
	fmt.Fprintf(&b, `<text class="title" transform="translate(14 %.1f) rotate(-90)" text-anchor="middle">%s</text>`, top+plotHeight/2, html.EscapeString(y.title))
	var ends []float64
	for _, l := range lines {
		var path strings.Builder
		var v float64
		for i, p := range l.points {
			v = top + plotHeight*(1-y.at(p.y))
			fmt.Fprintf(&path, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], left+plotWidth*x.at(p.x), v)
		}
		fmt.Fprintf(&b, `<path class="line %s" d="%s"/>`, l.class, path.String())
		ends = append(ends, v)
	}
	for i, v := range spread(ends) {
		fmt.Fprintf(&b, `<text class="name %s" x="%.1f" y="%.1f">%s</text>`, lines[i].class, left+plotWidth+labelRoom, v+4, html.EscapeString(lines[i].name))
	}
	b.WriteString("</svg>")
	return b.String()
}

// spread moves labels apart that would cover each other, each as little as it can.
func spread(at []float64) []float64 {
	const apart = 15.0
	order := make([]int, len(at))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	moved := make([]float64, len(at))
	before := math.Inf(-1)
	for _, i := range order {
		moved[i] = max(at[i], before+apart)
		before = moved[i]
	}
	after := top + plotHeight + apart
	for _, i := range slices.Backward(order) {
		moved[i] = min(moved[i], after-apart)
		after = moved[i]
	}
	return moved
}

// percentiles is the axis of quantiles, on which each further nine takes the same room.
func percentiles(title string) axis {
	const most = 4.0 // 99.99 %
	return axis{
		title: title,
		at:    func(q float64) float64 { return math.Min(most, -math.Log10(1-q)) / most },
		ticks: []tick{{0, "0"}, {0.5, "50"}, {0.9, "90"}, {0.99, "99"}, {0.999, "99.9"}, {0.9999, "99.99 %"}},
	}
}

// logarithmic is an axis from least to most, both above 0, with ticks at 1, 2 and 5.
func logarithmic(title string, least, most float64) axis {
	a := axis{title: title}
	low, high := math.Log10(least), math.Log10(math.Max(most, least*2))
	a.at = func(v float64) float64 { return (math.Log10(math.Max(v, least)) - low) / (high - low) }
	steps := []float64{1, 2, 5}
	if high-low > 2.5 {
		steps = []float64{1}
	}
	for decade := math.Floor(low); decade <= high; decade++ {
		for _, step := range steps {
			if v := step * math.Pow(10, decade); v >= least*0.999 && math.Log10(v) <= high {
				a.ticks = append(a.ticks, tick{v, short(v)})
			}
		}
	}
	return a
}

// linear is an axis from 0 to at least most.
func linear(title string, most float64) axis {
	step := math.Pow(10, math.Floor(math.Log10(math.Max(most, 1e-9))))
	for _, finer := range []float64{5, 2} { // at least four steps
		if most/step < 4 {
			step /= 10 / finer
			if most/step < 4 && finer == 5 {
				step = step * 2 / 5
			}
			break
		}
	}
	end := math.Ceil(most/step-1e-9) * step
	a := axis{title: title, at: func(v float64) float64 { return v / end }}
	for v := 0.0; v <= end*1.001; v += step {
		a.ticks = append(a.ticks, tick{v, short(v)})
	}
	return a
}

func short(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), ".")
}

// bar is one of a group.
type bar struct {
	class, name, text string
	value             float64
}

// bars draws groups of them, each with a heading, on one scale.
func bars(label string, headings []string, groups [][]bar) string {
	most, tall := 0.0, 0.0
	for _, g := range groups {
		for _, one := range g {
			most = math.Max(most, one.value)
		}
		tall += float64(len(g))*(barHeight+barGap) + 30
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, width, tall, html.EscapeString(label))
	y := 0.0
	for i, g := range groups {
		fmt.Fprintf(&b, `<text class="heading" x="0" y="%.1f">%s</text>`, y+14, html.EscapeString(headings[i]))
		y += 22
		for _, one := range g {
			wide := (width - barLeft - valueRight) * one.value / math.Max(most, 1e-9)
			fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="end">%s</text><rect class="bar %s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`+
				`<text class="value" x="%.1f" y="%.1f">%s</text>`, barLeft-10, y+13, html.EscapeString(one.name), one.class, barLeft, y, math.Max(wide, 1), barHeight,
				barLeft+wide+8, y+13, html.EscapeString(one.text))
			y += barHeight + barGap
		}
		y += 8
	}
	b.WriteString("</svg>")
	return b.String()
}
