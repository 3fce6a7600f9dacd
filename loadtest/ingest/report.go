package ingest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

// report is what was measured, in its order.
type report struct {
	out io.Writer

	At      time.Time `json:"at"`
	Machine string    `json:"machine"`
	Rows    []row     `json:"rows"`
}

// row is one number.
type row struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Limit is what Value is held against; 0: nothing.
	Limit float64 `json:"limit,omitempty"`
}

func newReport(out io.Writer) *report {
	r := &report{out: out, At: time.Now().UTC(), Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	fmt.Fprintf(out, "%s; ingest has GOMAXPROCS=1\n", r.Machine)
	return r
}

func (r *report) add(what string, value float64, unit string, limit float64) {
	r.Rows = append(r.Rows, row{what, value, unit, limit})
	fmt.Fprintf(r.out, "%-72s %12.2f %s", what, value, unit)
	if limit > 0 {
		fmt.Fprintf(r.out, "   %.2f of %.0f", value/limit, limit)
	}
	fmt.Fprintln(r.out)
}

func (r *report) took(what string, d, limit time.Duration) {
	r.add(what, float64(d.Microseconds())/1000, "ms", float64(limit.Microseconds())/1000)
}

// save writes the rows as JSON; an empty path: nowhere.
func (r *report) save(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
