package ingest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// reported writes tails as the fleet does, so long ago.
func (w *world) reported(a testAgent, boot string, lastSeq int64, closed bool, ago time.Duration) {
	w.t.Helper()
	err := w.db.System(w.t.Context(), func(tx pgx.Tx) error {
		_, err := tx.Exec(w.t.Context(), `INSERT INTO agent_tail (organization_id, agent_id, boot, last_seq, closed, reported_at)
			VALUES ($1, $2, $3, $4, $5, now() - $6::interval)
			ON CONFLICT (organization_id, agent_id, boot) DO UPDATE SET last_seq = $4, closed = $5, reported_at = now() - $6::interval`,
			a.OrganizationID, a.ID, boot, lastSeq, closed, ago)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// seenTails notes what is asked for and answered.
type seenTails struct {
	from  Tails
	since []time.Time
	rows  []int
}

func (s *seenTails) Tails(ctx context.Context, since time.Time) ([]Tail, time.Time, error) {
	tails, looked, err := s.from.Tails(ctx, since)
	s.since, s.rows = append(s.since, since), append(s.rows, len(tails))
	return tails, looked, err
}

// Boots that are over are read once: there are ever more of them.
func TestTails_of_boots_that_are_over(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	seen := &seenTails{from: PostgresTails{w.db}}
	w.config.Tails, w.config.Metrics = seen, prometheus.NewRegistry()
	in, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	const old = "00000001-00000000000000aa"
	w.reported(a, old, 9, true, time.Hour)
	w.reported(a, testBoot, 17, false, 0)
	var done copied
	for range 2 {
		if err := in.copyChanged(t.Context(), &done); err != nil {
			t.Fatal(err)
		}
	}
	w.reported(a, old, 11, true, time.Minute) // a report that was committed late
	if err := in.copyChanged(t.Context(), &done); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen.rows, []int{2, 1, 2}) || len(done.tails) != 2 || !seen.since[0].IsZero() {
		t.Errorf("read %v tails since %v, %d are remembered", seen.rows, seen.since, len(done.tails))
	}
	copies := map[string]int64{}
	rows, err := w.clickhouse.Query(t.Context(), `SELECT boot, max(last_seq) FROM agent_tail WHERE agent_id = ? GROUP BY boot`, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var boot string
		var lastSeq int64
		if err := rows.Scan(&boot, &lastSeq); err != nil {
			t.Fatal(err)
		}
		copies[boot] = lastSeq
	}
	if copies[old] != 11 || copies[testBoot] != 17 {
		t.Errorf("copied %v", copies)
	}
}
