package ingest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
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

// An agent that enrolled anew is told what is settled of the batches that it has from the
// former one; nobody else is, and of no other organization.
func TestSettled_of_a_former_agent(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	former, present := w.agent(), w.agent()
	present.OrganizationID = former.OrganizationID
	stranger := w.agent()
	w.start()
	w.send(0, w.batch(former, usage(1, 5)...))
	w.send(1, w.batch(present, usage(6, 8)...))
	w.settled(0, 1)
	w.settled(1, 1)
	for _, a := range []testAgent{present, stranger} {
		w.reported(a, testBoot, 8, true, 0)
		err := w.db.System(t.Context(), func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE agent_tail SET former_agent_ids = $2 WHERE agent_id = $1`, a.ID, []uuid.UUID{former.ID})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := Settled(t.Context(), w.db, []string{former.ID.String(), present.ID.String(), stranger.ID.String()})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]*agentv1.SettledRange{
		former.ID.String():  {{Boot: testBoot, FirstSeq: 1, LastSeq: 5}},
		present.ID.String(): {{Boot: testBoot, FirstSeq: 6, LastSeq: 8}, {Boot: testBoot, FirstSeq: 1, LastSeq: 5, AgentId: former.ID.String()}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}
