package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows.
type page struct {
	*Report
	Date, Summary string
	Missing       int
	Sections      []section
}

type section struct {
	Measurement
	Rows  []row
	Wants string
	Tail  []tail
	Says  []string
	Plots []figure
}

type row struct {
	Shape string
	Cells []cell
	// Limit is nil where nothing was held against one.
	Limit *Limit
}

type cell struct{ Text, Ratio, Failed string }

// tail are the quantiles of an open loop.
type tail struct {
	Shape, Target, Offered string
	Times                  []string
}

type figure struct {
	Title string
	SVG   template.HTML // made here from numbers, names are escaped
}

// HTML writes a page that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	p := page{Report: r, Date: r.At.UTC().Format("2 January 2006, 15:04 UTC"), Missing: len(r.Missed())}
	p.Summary = summary(p.Missing, r.held())
	for _, m := range Measurements {
		if shapes, results := r.of(m.Name); len(shapes) > 0 {
			p.Sections = append(p.Sections, r.section(m, shapes, results))
		}
	}
	return pageTemplate.Execute(w, p)
}

func (r *Report) section(m Measurement, shapes []string, results map[string][]Result) section {
	s := section{Measurement: m}
	for _, shape := range shapes {
		one := row{Shape: shape}
		for _, t := range r.Targets {
			c := cell{Text: "–"}
			if i := slices.IndexFunc(results[shape], func(x Result) bool { return x.Target == t.Name }); i >= 0 {
				c = cellOf(results[shape][i])
				if l := results[shape][i].Limit; l != nil {
					one.Limit = l
				}
			}
			one.Cells = append(one.Cells, c)
		}
		s.Rows = append(s.Rows, one)
		for _, result := range results[shape] {
			if result.Says != "" {
				s.Says = append(s.Says, result.Target+": "+result.Says)
			}
			if m.Name == "open-loop" {
				s.Tail = append(s.Tail, tailOf(result))
			}
		}
	}
	s.Plots = r.figures(m, shapes, results)
	return s
}

func cellOf(r Result) cell {
	c := cell{Text: Number(r.Value) + " " + r.Unit}
	if r.Ratio != 0 {
		c.Ratio = fmt.Sprintf("%.2f×", r.Ratio)
	}
	if r.Failed > 0 {
		c.Failed = fmt.Sprintf("%d failed", r.Failed)
	}
	return c
}

func tailOf(r Result) tail {
	t := tail{Shape: r.Shape, Target: r.Target, Offered: Number(r.Offered) + "/s"}
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999} {
		t.Times = append(t.Times, r.at(q))
	}
	return t
}

func (r *Report) figures(m Measurement, shapes []string, results map[string][]Result) (all []figure) {
	if m.Name == "throughput" {
		return []figure{{"Answers per second", r.rates(shapes, results)}}
	}
	for _, shape := range shapes {
		if svg := r.times(m, shape, results[shape]); svg != "" {
			all = append(all, figure{shape + ": " + timed(m), svg})
		}
		if svg := r.memory(m, shape, results[shape]); svg != "" {
			all = append(all, figure{shape + ": memory over time", svg})
		}
	}
	return all
}

// color is a class that a target has in every plot.
func (r *Report) color(target string) string {
	switch target {
	case "direct", "bare", "weir":
		return target
	}
	i := slices.IndexFunc(r.Targets, func(t Target) bool { return t.Name == target })
	return fmt.Sprintf("peer%d", (i+5)%5)
}

func (r *Report) rates(shapes []string, results map[string][]Result) template.HTML {
	var groups [][]bar
	for _, shape := range shapes {
		var group []bar
		for _, result := range results[shape] {
			if result.Target == "direct" {
				continue // its bar would be all that is seen
			}
			text := fmt.Sprintf("%.0f", result.Value)
			if result.Ratio != 0 {
				text += fmt.Sprintf(" (%.2f×)", result.Ratio)
			}
			group = append(group, bar{class: r.color(result.Target), name: result.Target, text: text, value: result.Value})
		}
		groups = append(groups, group)
	}
	return template.HTML(bars("answers per second of each target", shapes, groups))
}

func timed(m Measurement) string {
	if m.Name == "first-token" {
		return "time to first token by percentile"
	}
	return "time to the whole answer by percentile"
}

func (r *Report) times(m Measurement, shape string, results []Result) template.HTML {
	least, most := math.Inf(1), 0.0
	var lines []line
	for _, result := range results {
		l := line{class: r.color(result.Target), name: result.Target}
		for _, q := range result.Quantiles {
			if q.MS <= 0 {
				continue
			}
			l.points = append(l.points, point{q.Q, q.MS})
			least, most = math.Min(least, q.MS), math.Max(most, q.MS)
		}
		if len(l.points) > 0 {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return template.HTML(plot(m.Title+", "+shape, percentiles("percentile"), logarithmic("ms, logarithmic", least, most), lines))
}

func (r *Report) memory(m Measurement, shape string, results []Result) template.HTML {
	var long, most float64
	var lines []line
	for _, result := range results {
		l := line{class: r.color(result.Target), name: result.Target}
		for _, p := range thin(result.Memory) {
			l.points = append(l.points, point{p.Seconds, p.MB})
			long, most = math.Max(long, p.Seconds), math.Max(most, p.MB)
		}
		if len(l.points) > 1 {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return template.HTML(plot(m.Title+", "+shape+", memory", linear("seconds", long), linear("MB", most), lines))
}

// thin keeps what a plot can show: the largest of each stretch.
func thin(points []Point) []Point {
	const shown = 600
	every := len(points)/shown + 1
	var kept []Point
	for chunk := range slices.Chunk(points, every) {
		kept = append(kept, slices.MaxFunc(chunk, func(a, b Point) int { return int(math.Copysign(1, a.MB-b.MB)) }))
	}
	return kept
}
