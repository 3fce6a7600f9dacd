package fleet

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
	Agents int     `json:"agents"`
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	// Unit is ms, KiB or %.
	Unit string `json:"unit"`
	// Limit is what Value is held against; 0: nothing.
	Limit float64 `json:"limit,omitempty"`
}

func newReport(out io.Writer) *report {
	r := &report{out: out, At: time.Now().UTC(), Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	fmt.Fprintf(out, "%s; the control plane has GOMAXPROCS=1\n%7s  %-45s %12s\n", r.Machine, "agents", "what", "seen")
	return r
}

func (r *report) add(one row) {
	r.Rows = append(r.Rows, one)
	fmt.Fprintf(r.out, "%7d  %-45s %8.1f %s", one.Agents, one.What, one.Value, one.Unit)
	if one.Limit > 0 {
		fmt.Fprintf(r.out, "   %.2f of the limit, %.0f %s", one.Value/one.Limit, one.Limit, one.Unit)
	}
	fmt.Fprintln(r.out)
}

// took adds a time, held against a limit; 0: against none.
func (r *report) took(agents int, what string, d, limit time.Duration) {
	millis := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	r.add(row{Agents: agents, What: what, Value: millis(d), Unit: "ms", Limit: millis(limit)})
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
