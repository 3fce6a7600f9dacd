package ingest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// written collects a log.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) count(line string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.text.String(), line)
}

// What an agent gave out and did not deliver is told once with agent, boot and numbers,
// holes and the end alike; it is taken when it comes, and the alarm ends.
func TestIngest_tells_of_gaps(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	log := &written{}
	w.config.Log = slog.New(slog.NewTextHandler(log, nil))
	w.config.GapsEvery, w.config.GapsAfter = 100*time.Millisecond, 2*time.Second
	w.send(0, w.batch(a, usage(1, 5)...), w.batch(a, usage(9, 12)...))
	w.reported(a, testBoot, 15, false, 0)
	first, second := w.start(), w.start()
	w.settled(0, 2)
	records := func() float64 { return gauge(first.metrics.gaps.WithLabelValues("records")) }
	if got := records(); got != 0 {
		t.Errorf("an alarm for %v records that are missing for a moment", got)
	}
	w.eventually("the gap is an alarm", func() bool { return records() == 6 && gauge(second.metrics.gaps.WithLabelValues("boots")) == 1 })
	told := "agent_id=" + a.ID.String() + " boot=" + testBoot + " seqs=6-8,13-15 records=6"
	w.eventually("the gap is told", func() bool { return log.count(told) == 1 })

	w.send(1, w.batch(a, usage(6, 8)...))
	w.eventually("the hole is filled", func() bool { return records() == 3 && w.rows(a) == counts{12, 12} })
	w.send(1, w.batch(a, usage(13, 15)...))
	w.eventually("nothing is missing", func() bool {
		return records() == 0 && gauge(second.metrics.gaps.WithLabelValues("boots")) == 0 && w.number(`SELECT count(*) FROM ingest_gap`) == 0
	})
	if n := log.count("usage is missing"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A boot that reported no tail is known by what is settled of it: only a hole in that is
// missing, not every number that there could be.
func TestIngest_tells_of_holes_without_a_tail(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 5)...), w.batch(a, usage(9, 12)...))
	in := w.start()
	w.settled(0, 2)
	gaps, err := in.store.gaps(t.Context(), 0)
	if err != nil || len(gaps) != 1 {
		t.Fatalf("gaps %v, %v", gaps, err)
	}
	if missing := gaps[0].seqs.String(); missing != "6-8" {
		t.Errorf("missing %s, want 6-8", missing)
	}
}
