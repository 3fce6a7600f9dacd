package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// found is a report with something of everything.
func found() *Report {
	r := &Report{
		At: time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC), Command: "go run ./loadtest gateway", Placement: "each proxy alone on core [0]", Rounds: 3, Slice: 500,
		Machine: Machine{OS: "linux/amd64", CPU: "A CPU", Cores: 2, Go: "go1.26.8", Commit: "0123456789ab", Load: 0.2, Others: 0.01},
		Targets: []Target{{Name: "direct", URL: "http://127.0.0.1:1", SameBytes: true}, {Name: "bare", URL: "http://127.0.0.1:2", SameBytes: true},
			{Name: "weir", URL: "http://127.0.0.1:3", SameBytes: true}, {Name: "<peer>", URL: "http://127.0.0.1:4"}},
		Notes: []string{"the machine was noisy"},
	}
	times := func(scale float64) (all []Quantile) {
		for _, q := range []float64{0, 0.5, 0.9, 0.99} {
			all = append(all, Quantile{q, scale * (1 + q)})
		}
		return all
	}
	add := func(result Result, l *Limit) {
		if l != nil {
			result.Hold(*l)
		}
		r.Results = append(r.Results, result)
	}
	add(Result{Measurement: "latency", Shape: "1 KB", Target: "direct", Value: 0.02, Unit: "ms", Requests: 9000, Quantiles: times(0.02)}, nil)
	add(Result{Measurement: "latency", Shape: "1 KB", Target: "bare", Value: 0.1, Unit: "ms", Ratio: 1, Rounds: []float64{0.1, 0.12},
		Quantiles: times(0.1)}, nil)
	add(Result{Measurement: "latency", Shape: "1 KB", Target: "weir", Value: 0.125, Unit: "ms", Ratio: 1.25, Quantiles: times(0.125)}, &Limit{Bound: 1.3})
	add(Result{Measurement: "throughput", Shape: "1 KB", Target: "direct", Value: 80000, Unit: "/s", Ratio: 8}, nil)
	add(Result{Measurement: "throughput", Shape: "1 KB", Target: "bare", Value: 10000, Unit: "/s", Ratio: 1}, nil)
	add(Result{Measurement: "throughput", Shape: "1 KB", Target: "weir", Value: 6500, Unit: "/s", Ratio: 0.65}, &Limit{Bound: 0.7, AtLeast: true})
	add(Result{Measurement: "throughput", Shape: "1 KB", Target: "<peer>", Value: 2000, Unit: "/s", Ratio: 0.2, Failed: 3, Errors: map[string]int64{"EOF": 3}}, nil)
	add(Result{Measurement: "open-loop", Shape: "1 KB", Target: "weir", Value: 0.4, Unit: "ms", Offered: 3250, Quantiles: times(0.2)}, &Limit{Bound: 2, Unit: "ms"})
	add(Result{Measurement: "memory", Shape: "8000 streams", Target: "weir", Value: 399.5, Unit: "MB", Memory: []Point{{0, 40}, {1, 399.5}}}, &Limit{Bound: 400, Unit: "MB"})
	add(Result{Measurement: "soak", Shape: "1 KB", Target: "weir", Value: -1.2, Unit: "MB/h", Says: "memory flat"}, nil)
	return r
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (go test ./loadtest/gateway/report -update):\n%s", name, diff)
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := found().JSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", b.Bytes())
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(found(), &back); diff != "" {
		t.Error(diff)
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := found().Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.Bytes())
}

func TestHold(t *testing.T) {
	for name, c := range map[string]struct {
		result Result
		limit  Limit
		held   bool
		met    bool
	}{
		"a_ratio_at_most":     {Result{Value: 9, Ratio: 1.3}, Limit{Bound: 1.3}, true, true},
		"a_ratio_above":       {Result{Value: 0, Ratio: 1.31}, Limit{Bound: 1.3}, true, false},
		"a_ratio_at_least":    {Result{Ratio: 0.7}, Limit{Bound: 0.7, AtLeast: true}, true, true},
		"a_ratio_below":       {Result{Value: 9, Ratio: 0.69}, Limit{Bound: 0.7, AtLeast: true}, true, false},
		"a_ratio_that_is_not": {Result{Value: 9}, Limit{Bound: 1.3}, false, false},
		"a_value":             {Result{Value: 2, Ratio: 9}, Limit{Bound: 2, Unit: "ms"}, true, true},
		"a_value_above":       {Result{Value: 2.1}, Limit{Bound: 2, Unit: "ms"}, true, false},
		"a_value_below_zero":  {Result{Value: -0.1}, Limit{Bound: 2, Unit: "ms"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			c.result.Hold(c.limit)
			if (c.result.Limit != nil) != c.held || c.held && c.result.Limit.Met != c.met {
				t.Errorf("%+v", c.result.Limit)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	values := []float64{3, 1, 2}
	if Median(values) != 2 || Median([]float64{4, 1, 2, 3}) != 2.5 || Median(nil) != 0 || values[0] != 3 {
		t.Error(values)
	}
}

// The page needs nothing from elsewhere, shows what there is, and takes names as text.
func TestHTML(t *testing.T) {
	var b bytes.Buffer
	if err := found().HTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if outside := regexp.MustCompile(`(src|href)=|url\(|@import|<script`).FindString(page); outside != "" {
		t.Errorf("the page has %s", outside)
	}
	for _, want := range []string{"Weir: 1 of 4 targets missed", "the machine was noisy", "0.125 ms", "1.25×", "≥ 0.7 × bare", "3 failed", "memory flat",
		"&lt;peer&gt;", "says the same as the upstream, in other bytes", "3250/s", "400 MB", "10000 (1.00×)", `<th scope="row">1 KB</th>`, `<th scope="col">weir</th>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "<peer>") {
		t.Error("a name is markup")
	}
	svgs := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	if len(svgs) != 4 { // latency, throughput, open loop, memory
		t.Errorf("%d plots", len(svgs))
	}
	for _, svg := range svgs {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("a number is none: %s", svg)
		}
	}
}

func TestEmptyReport(t *testing.T) {
	var b bytes.Buffer
	r := &Report{}
	if err := errors.Join(r.Text(&b), r.HTML(&b), r.JSON(&b)); err != nil || !strings.Contains(b.String(), "nothing was held against a target") {
		t.Errorf("%v: %s", err, &b)
	}
}

// Axes hold all that is drawn, with ticks enough to read it by.
func TestAxes(t *testing.T) {
	for _, most := range []float64{0.003, 0.9, 1, 5, 7.3, 10, 99, 101, 250, 1800} {
		a := linear("", most)
		if last := a.ticks[len(a.ticks)-1].value; a.at(most) > 1.0001 || a.at(most) < 0.6 || math.Abs(a.at(last)-1) > 0.001 || len(a.ticks) < 4 || len(a.ticks) > 12 {
			t.Errorf("to %v: %v at %v", most, a.ticks, a.at(most))
		}
	}
	for _, c := range [][2]float64{{0.02, 15}, {0.1, 0.11}, {0.001, 1000}, {3, 8}} {
		a := logarithmic("", c[0], c[1])
		if a.at(c[0]) != 0 || a.at(c[1]) > 1.0001 || len(a.ticks) < 1 {
			t.Errorf("%v: %v", c, a.ticks)
		}
	}
	if p := percentiles(""); p.at(0) != 0 || math.Abs(p.at(0.99)-0.5) > 1e-9 || p.at(1) != 1 {
		t.Error("percentiles")
	}
}

func TestLabelsDoNotCoverEachOther(t *testing.T) {
	moved := spread([]float64{100, 101, 50, 102, 400})
	for i, a := range moved {
		for j, b := range moved {
			if i != j && math.Abs(a-b) < 14.9 {
				t.Errorf("%v", moved)
			}
		}
	}
	if moved[2] != 50 || moved[4] != top+plotHeight {
		t.Errorf("%v", moved)
	}
}

func TestThin(t *testing.T) {
	var points []Point
	for i := range 5000 {
		points = append(points, Point{float64(i), float64(i % 700)})
	}
	kept := thin(points)
	most := 0.0
	for _, p := range kept {
		most = max(most, p.MB)
	}
	if len(kept) > 601 || most != 699 {
		t.Errorf("%d points, at most %v", len(kept), most)
	}
}
