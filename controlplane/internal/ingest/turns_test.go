package ingest

import (
	"context"
	"errors"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// A cluster's table that was busy refuses no record; one that was so until the lease ran
// out makes the next lease longer.
func TestIsRefusal_is_not_of_a_busy_table(t *testing.T) {
	var busy error = &driver.Exception{Code: 286}
	for what, c := range map[string]struct {
		err           error
		refusal, late bool
	}{
		"busy":           {busy, false, false},
		"busy to an end": {errors.Join(busy, context.DeadlineExceeded), false, true},
		"too old":        {&driver.Exception{Code: 469, Message: "lease_not_over"}, false, true},
		"a constraint":   {&driver.Exception{Code: 469}, true, false},
	} {
		if err := inClickHouse(c.err, "insert"); isRefusal(err) != c.refusal || isLate(err) != c.late {
			t.Errorf("%s: refusal %v, late %v", what, isRefusal(err), isLate(err))
		}
	}
}

// On a cluster each insert of ingest waits for its table's turn.
func TestIngest_inserts_in_turn(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	var name string
	if err := w.clickhouse.QueryRow(t.Context(), "SELECT currentDatabase()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.OpenWriter(chtest.URL(t), name, "weir")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	w.config.ClickHouse = conn
	in := w.newIngest()
	for table, insert := range map[string]func(ctx context.Context) error{
		"usage_event": func(ctx context.Context) error { return in.sink.insert(ctx, block{}) },
		"usage_range": func(ctx context.Context) error {
			return in.sink.settle(ctx, span{}, judged{dead: []deadLetter{{unbelieved: &signedSeqs{seqs: seqs{{1, 2}}}}}}, false)
		},
		"agent_tail": func(ctx context.Context) error { return in.sink.copyTails(ctx, []Tail{{LastSeq: 1}}) },
	} {
		err := conn.InTurn(t.Context(), table, func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			return insert(ctx)
		})
		if !errors.Is(err, context.DeadlineExceeded) || !isLate(err) {
			t.Errorf("%s, while another insert is under way: %v", table, err)
		}
	}
}
