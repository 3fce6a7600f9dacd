// Package report holds what a load test of gateways found, and shows it: as text in a
// terminal, as JSON, as a page with plots. It measures nothing.
package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Report is one run.
type Report struct {
	At        time.Time `json:"at"`
	Command   string    `json:"command"`
	Machine   Machine   `json:"machine"`
	Placement string    `json:"placement"`
	Rounds    int       `json:"rounds"`
	// Slice is how long a target's turn is, ms.
	Slice   int64    `json:"slice_ms"`
	Targets []Target `json:"targets"`
	Results []Result `json:"results"`
	// Notes are what makes results doubtful.
	Notes []string `json:"notes,omitempty"`
}

// Machine is what it ran on.
type Machine struct {
	OS     string `json:"os"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Go     string `json:"go"`
	Commit string `json:"commit"`
	// Load is the average of the minute before.
	Load float64 `json:"load"`
	// Others is which share (0 to 1) of all cores went to other work meanwhile.
	Others float64 `json:"others"`
}

// Target was measured.
type Target struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// SameBytes: it passes on the upstream's answer byte for byte.
	SameBytes bool `json:"same_bytes"`
}

// Result is one number of one target.
type Result struct {
	// Measurement it belongs to, as Measurements has it, and Shape of requests.
	Measurement string `json:"measurement"`
	Shape       string `json:"shape"`
	Target      string `json:"target"`
	// Value is the median of Rounds where there are several.
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"`
	Rounds []float64 `json:"rounds,omitempty"`
	// Ratio to the bare proxy, in the same rounds; 0: none.
	Ratio float64 `json:"ratio,omitempty"`
	// Limit is what Weir is held against.
	Limit *Limit `json:"limit,omitempty"`
	// Offered is the rate of an open loop, per second.
	Offered  float64          `json:"offered,omitempty"`
	Requests int64            `json:"requests,omitempty"`
	Failed   int64            `json:"failed,omitempty"`
	Errors   map[string]int64 `json:"errors,omitempty"`
	// Quantiles of times, ms, as far as there were requests enough to know them.
	Quantiles []Quantile `json:"quantiles,omitempty"`
	// Memory over time.
	Memory []Point `json:"memory,omitempty"`
	// Says is a verdict in words.
	Says string `json:"says,omitempty"`
}

// Limit is a target value.
type Limit struct {
	Bound float64 `json:"bound"`
	// Unit of Bound; empty: it is a ratio to the bare proxy.
	Unit string `json:"unit,omitempty"`
	// AtLeast: else at most.
	AtLeast bool `json:"at_least,omitempty"`
	Met     bool `json:"met"`
}

// Quantile is a time that the share Q (0 to 1) of requests did not exceed.
type Quantile struct {
	Q  float64 `json:"q"`
	MS float64 `json:"ms"`
}

// Point is resident memory at a time.
type Point struct {
	Seconds float64 `json:"s"`
	MB      float64 `json:"mb"`
}

// Measurement is what a group of results is about.
type Measurement struct {
	Name, Title, Explains string
}

// Measurements in the order in which they are shown.
var Measurements = []Measurement{
	{"latency", "Added latency, one connection", "p50 above that of the upstream itself, one request at a time"},
	{"throughput", "Throughput, saturated", "answers per second, each connection asks again at once"},
	{"processor", "Processor time of an answer",
		"what the proxy's process had of the processor while saturated, by answers; throughput on a quiet core is its reciprocal"},
	{"open-loop", "Latency at half of own capacity", "p99 above that of the upstream itself; from when a request was due, not from when it could be sent"},
	{"first-token", "Time to first token", "p95 above that of the upstream itself, streams whose events come 5 ms apart"},
	{"memory", "Memory with open streams", "most resident memory of the proxy while the streams were open"},
	{"soak", "Soak", "slope of resident memory while the upstream has faults"},
}

// Hold holds a result against a limit.
func (r *Result) Hold(l Limit) {
	value := r.Value
	if l.Unit == "" {
		if value = r.Ratio; value == 0 {
			return // noise left none
		}
	}
	l.Met = value <= l.Bound
	if l.AtLeast {
		l.Met = value >= l.Bound
	}
	r.Limit = &l
}

// String says what is wanted.
func (l Limit) String() string {
	sign := "≤"
	if l.AtLeast {
		sign = "≥"
	}
	if l.Unit == "" {
		return fmt.Sprintf("%s %v × bare", sign, l.Bound)
	}
	return fmt.Sprintf("%s %v %s", sign, l.Bound, l.Unit)
}

// Missed are the results that are not within their limits.
func (r *Report) Missed() (missed []Result) {
	for _, result := range r.Results {
		if result.Limit != nil && !result.Limit.Met {
			missed = append(missed, result)
		}
	}
	return missed
}

// of are the results of a measurement, by shape in order of appearance.
func (r *Report) of(measurement string) (shapes []string, results map[string][]Result) {
	results = map[string][]Result{}
	for _, result := range r.Results {
		if result.Measurement != measurement {
			continue
		}
		if !slices.Contains(shapes, result.Shape) {
			shapes = append(shapes, result.Shape)
		}
		results[result.Shape] = append(results[result.Shape], result)
	}
	return shapes, results
}

// JSON writes the report.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Save writes into a file; an empty path: nowhere.
func Save(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// Median of values, which stay as they are; 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, cmp.Compare[float64])
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
