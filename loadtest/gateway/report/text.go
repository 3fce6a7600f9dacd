package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Text writes tables with the targets side by side.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	r.head(&b)
	for _, m := range Measurements {
		shapes, results := r.of(m.Name)
		if len(shapes) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n  %s\n", m.Title, m.Explains)
		r.table(&b, shapes, results)
		if m.Name == "open-loop" {
			quantiles(&b, shapes, results)
		}
		for _, shape := range shapes {
			for _, result := range results[shape] {
				if result.Says != "" {
					fmt.Fprintf(&b, "  %s: %s\n", result.Target, result.Says)
				}
			}
		}
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s", note)
	}
	missed := r.Missed()
	fmt.Fprintf(&b, "\n%s\n", summary(len(missed), r.held()))
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) head(b *strings.Builder) {
	fmt.Fprintf(b, "%s, %d cores, %s, %s\ncommit %s, %s, load average before %.1f, other work %.0f %%\n%s\n%d rounds of %d ms each, targets in turns\n",
		r.Machine.CPU, r.Machine.Cores, r.Machine.OS, r.Machine.Go, r.Machine.Commit, r.At.UTC().Format("2006-01-02 15:04 UTC"), r.Machine.Load, 100*r.Machine.Others,
		r.Placement, r.Rounds, r.Slice)
}

func (r *Report) held() (n int) {
	for _, result := range r.Results {
		if result.Limit != nil {
			n++
		}
	}
	return n
}

func summary(missed, held int) string {
	switch {
	case held == 0:
		return "nothing was held against a target"
	case missed == 0:
		return fmt.Sprintf("all of %d targets met", held)
	}
	return fmt.Sprintf("%d of %d targets missed", missed, held)
}

// table has a row per shape and a column per target.
func (r *Report) table(b *strings.Builder, shapes []string, results map[string][]Result) {
	rows := [][]string{{""}}
	for _, t := range r.Targets {
		rows[0] = append(rows[0], t.Name)
	}
	for _, shape := range shapes {
		row, limit := []string{shape}, ""
		for _, t := range r.Targets {
			cell := "-"
			if i := slices.IndexFunc(results[shape], func(x Result) bool { return x.Target == t.Name }); i >= 0 {
				cell = results[shape][i].Cell()
				if l := results[shape][i].Limit; l != nil {
					limit = verdict(*l)
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, append(row, limit))
	}
	align(b, rows)
}

func verdict(l Limit) string {
	if l.Met {
		return "ok      " + l.String()
	}
	return "MISSED  " + l.String()
}

// Cell is a result in few characters.
func (r Result) Cell() string {
	text := Number(r.Value) + " " + r.Unit
	if r.Ratio != 0 {
		text += fmt.Sprintf("  %.2f×", r.Ratio)
	}
	if r.Failed > 0 {
		text += fmt.Sprintf("  (%d failed)", r.Failed)
	}
	return text
}

// Number has three digits that count.
func Number(v float64) string {
	abs := max(v, -v)
	switch {
	case abs >= 100:
		return fmt.Sprintf("%.0f", v)
	case abs >= 10:
		return fmt.Sprintf("%.1f", v)
	case abs >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func quantiles(b *strings.Builder, shapes []string, results map[string][]Result) {
	rows := [][]string{{"", "offered", "p50", "p90", "p99", "p99.9"}}
	for _, shape := range shapes {
		for _, result := range results[shape] {
			row := []string{shape + ", " + result.Target, Number(result.Offered) + "/s"}
			for _, q := range []float64{0.5, 0.9, 0.99, 0.999} {
				row = append(row, result.at(q))
			}
			rows = append(rows, row)
		}
	}
	align(b, rows)
}

// at is the time at a quantile, "-" where it is not known.
func (r Result) at(q float64) string {
	for _, one := range r.Quantiles {
		if one.Q == q {
			return Number(one.MS) + " ms"
		}
	}
	return "-"
}

func align(b *strings.Builder, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := " "
		for i, cell := range row {
			room := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i == 0:
				line += " " + cell + room
			case i == len(rows[0]): // a verdict
				line += "    " + cell
			default:
				line += "   " + room + cell
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
