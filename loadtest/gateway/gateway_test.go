package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/loadtest/gateway/report"
)

// free is an address nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	ports, err := engine.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return loopback(ports[0])
}

// nothingLeft fails where a process that has the upstream's address on its command line
// runs, or somebody answers there.
func nothingLeft(t *testing.T, address string) {
	t.Helper()
	if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		_ = c.Close()
		t.Errorf("somebody listens on %s", address)
	}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), address) {
			t.Errorf("%s runs: %q", file, line)
		}
	}
}

// A short run goes through everything that a long one does, with the real agent.
func TestRun(t *testing.T) {
	c, dir := config(), t.TempDir()
	c.Upstream, c.JSON, c.HTML = free(t), filepath.Join(dir, "r.json"), filepath.Join(dir, "r.html")
	var out, progress strings.Builder
	if err := Run(t.Context(), c, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	t.Log(out.String())
	nothingLeft(t, c.Upstream)
	raw, err := os.ReadFile(c.JSON)
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, result := range r.Results {
		seen[result.Measurement+" "+result.Target]++
		if result.Measurement == "processor" {
			if result.Value < 1 || result.Ratio == 0 {
				t.Errorf("an answer of %s took %v µs, %v of that of bare", result.Target, result.Value, result.Ratio)
			}
			continue
		}
		// On a slow machine nothing at all may be due in an open loop so short.
		if result.Failed > 0 || result.Requests == 0 && result.Measurement != openLoop {
			t.Errorf("%s, %s, %s: %d answers, %d failed: %v", result.Measurement, result.Shape, result.Target, result.Requests, result.Failed, result.Errors)
		}
	}
	for _, what := range append(measurements, "processor") {
		for _, target := range []string{direct, bare, weir} {
			want := map[string]int{firstToken: 1, memory: 1}[what]
			if want == 0 {
				want = 2
			}
			if (what == memory || what == "processor") && target == direct {
				want = 0
			}
			if seen[what+" "+target] != want {
				t.Errorf("%s of %s: %d results, want %d", what, target, seen[what+" "+target], want)
			}
		}
	}
	page, err := os.ReadFile(c.HTML)
	if err != nil || !strings.Contains(string(page), "Time to first token") {
		t.Errorf("page: %v", err)
	}
	for _, target := range r.Targets {
		if !target.SameBytes {
			t.Errorf("%s changes what passes", target.Name)
		}
	}
}

func TestSoak(t *testing.T) {
	c := config()
	c.Upstream, c.Soak, c.FaultEvery = free(t), 10*time.Second, 20
	var out, progress strings.Builder
	if err := Run(t.Context(), c, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	t.Log(out.String())
	if text := out.String(); !strings.Contains(text, "weir: memory ") || !strings.Contains(text, "failed)") {
		t.Error("nothing about memory, or no faults")
	}
	nothingLeft(t, c.Upstream)
}

// A run that is stopped, or can't begin, leaves nothing behind.
func TestRunsThatEndEarly(t *testing.T) {
	t.Run("stopped", func(t *testing.T) {
		c, stop := config(), errors.New("stop")
		c.Upstream, c.Rounds = free(t), 1000
		ctx, cancel := context.WithCancelCause(t.Context())
		err := Run(ctx, c, &strings.Builder{}, writer(func(text string) {
			if strings.Contains(text, "round 2 ") {
				cancel(stop)
			}
		}))
		if !errors.Is(err, stop) {
			t.Errorf("error %v", err)
		}
		nothingLeft(t, c.Upstream)
	})
	t.Run("a_dead_target", func(t *testing.T) {
		c := config()
		c.Upstream, c.Target = free(t), []string{"peer=http://" + free(t)}
		var out strings.Builder
		err := Run(t.Context(), c, &out, &strings.Builder{})
		want := fmt.Sprintf("target peer (http://%s/v1/chat/completions)", strings.TrimPrefix(c.Target[0], "peer=http://"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "nobody answers") || out.Len() > 0 {
			t.Errorf("error %v", err)
		}
		nothingLeft(t, c.Upstream)
	})
	t.Run("a_taken_address", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		c := config()
		c.Upstream = taken.Addr().String()
		if err := Run(t.Context(), c, &strings.Builder{}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "choose another --upstream") {
			t.Errorf("error %v", err)
		}
	})
}

type writer func(text string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}
