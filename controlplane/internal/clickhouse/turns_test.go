package clickhouse

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

var busy = &clickhouse.Exception{Code: 286, Name: "DB::Exception", Message: "Quorum for previous write has not been satisfied yet."}

func TestConn_InTurn_sends_again_what_came_too_early(t *testing.T) {
	conn := &Conn{turns: newTurns()}
	answers := []error{busy, busy, nil}
	err := conn.InTurn(t.Context(), "usage_event", func() error {
		answer := answers[0]
		answers = answers[1:]
		return answer
	})
	if err != nil || len(answers) != 0 {
		t.Errorf("%v, %d answers are left", err, len(answers))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := conn.InTurn(ctx, "usage_event", func() error { return busy }); !errors.Is(err, context.DeadlineExceeded) || !IsBusy(err) {
		t.Errorf("busy to the end: %v", err)
	}
	refused := &clickhouse.Exception{Code: 469}
	if err := conn.InTurn(t.Context(), "usage_event", func() error { return refused }); !errors.Is(err, refused) {
		t.Errorf("refused: %v", err)
	}
}

func TestConn_InTurn_one_at_a_time(t *testing.T) {
	conn := &Conn{turns: newTurns()}
	var all sync.WaitGroup
	var within, most atomic.Int64
	for range 8 {
		all.Go(func() {
			_ = conn.InTurn(t.Context(), "usage_event", func() error {
				most.Store(max(most.Load(), within.Add(1)))
				time.Sleep(5 * time.Millisecond)
				within.Add(-1)
				// Another table's do not wait for it.
				return conn.InTurn(t.Context(), "usage_range", func() error { return nil })
			})
		})
	}
	all.Wait()
	if n := most.Load(); n != 1 {
		t.Errorf("%d at once", n)
	}
}
