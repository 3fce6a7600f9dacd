package fleet

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A small fleet goes through everything that a large one does.
func TestRun(t *testing.T) {
	var out strings.Builder
	config := Config{
		Agents: []int{3, 6}, Changes: 2, Every: 100 * time.Millisecond, Idle: 200 * time.Millisecond, StateDir: t.TempDir(),
		Storm: true, StormWithin: 30 * time.Second, P99: 250 * time.Millisecond,
	}
	if err := Run(t.Context(), config, &out); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, want := range []string{"6  change: called to served, p99", "6  revocation: called to served, p99", "6  storm: killed to all of them current"} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("nothing says %q", want)
		}
	}
}

func TestQuantile(t *testing.T) {
	var spans []time.Duration
	for i := range 100 {
		spans = append(spans, time.Duration(100-i))
	}
	spans = sorted(spans)
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := quantile(spans, q); got != want {
			t.Errorf("quantile %v: %d, want %d", q, got, want)
		}
	}
}
