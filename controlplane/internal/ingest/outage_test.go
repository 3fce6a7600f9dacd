package ingest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// A process that was paused between its claim and its insert wakes up after another
// one took over: ClickHouse itself refuses what it sends.
func TestIngest_paused_twin(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 5)...))

	paused, wake, said := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	twin := w.start(func(in *Ingest, _ context.CancelFunc) {
		real := in.sink
		in.sink = &fragile{sink: real, beforeInsert: func(_ context.Context, b block) error {
			close(paused)
			<-wake
			// Another token, so that nothing but the lease stands in the way.
			b.noted.token = "another"
			err := real.insert(context.Background(), b)
			said <- err
			return err
		}}
	})
	<-paused
	w.start()
	w.settled(0, 1)
	close(wake)
	if err := <-said; err == nil || !strings.Contains(err.Error(), "lease_not_over") {
		t.Errorf("the late insert: %v", err)
	}
	twin.stop()
	if diff := cmp.Diff(counts{5, 5}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

func TestIngest_clickhouse_restarts(t *testing.T) {
	server := chtest.Start(t)
	w := newWorld(t, server.Admin(t))
	a := w.agent()
	w.start(func(in *Ingest, _ context.CancelFunc) {
		in.sink = &fragile{sink: in.sink, afterInsert: func(b block) error {
			if b.span.partition == 0 && b.span.first == 10 {
				server.Kill()
				return errKilled
			}
			return nil
		}}
	})
	for i := range int64(40) {
		w.send(0, w.batch(a, usage(i*10+1, i*10+10)...))
		if i == 9 {
			w.settled(0, 10)
		}
	}
	time.Sleep(time.Second) // it stays down while the attempts fail
	server.Restart(t)
	w.settled(0, 40)
	if diff := cmp.Diff(counts{400, 400}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if n := w.ranges(a); n != 40 {
		t.Errorf("%d ranges, want 40", n)
	}
}

func TestIngest_part_of_a_block_stops_the_partition(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 5)...))
	killed := make(chan struct{})
	w.start(func(in *Ingest, kill context.CancelFunc) {
		in.sink = &fragile{sink: in.sink, afterInsert: func(block) error {
			kill()
			close(killed)
			return errKilled
		}}
	})
	<-killed
	if err := w.clickhouse.Exec(t.Context(), `ALTER TABLE usage_event DELETE WHERE seq = 3 SETTINGS mutations_sync = 1`); err != nil {
		t.Fatal(err)
	}
	in := w.start()
	w.eventually("the partition stops", func() bool { return gauge(in.metrics.stopped.WithLabelValues("0")) == 1 })
	if next := w.nextOffset(0); next != 0 {
		t.Errorf("went on to offset %d", next)
	}
}

// Postgres came back from a backup that knows nothing of what is in ClickHouse.
func TestIngest_postgres_restored(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 5)...), w.batch(a, usage(6, 9)...))
	first := w.start()
	w.settled(0, 2)
	first.stop()

	w.db = pgtest.Open(t)
	w.config.Postgres = w.db
	w.send(0, w.batch(a, usage(10, 12)...))
	w.start()
	w.settled(0, 3)
	if diff := cmp.Diff(counts{12, 12}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

type fixedTails []Tail

func (f fixedTails) Tails(context.Context, time.Time) ([]Tail, time.Time, error) {
	return f, time.Now(), nil
}

func TestIngest_tails(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.config.Tails = fixedTails{{Organization: a.OrganizationID, Agent: a.ID, Boot: testBoot, LastSeq: 17}}
	w.start()
	w.eventually("the tail is copied", func() bool { return lastSeq(t, w.clickhouse, a) == 17 })
}

func lastSeq(t *testing.T, conn driver.Conn, a testAgent) (n int64) {
	err := conn.QueryRow(context.Background(), `SELECT max(last_seq) FROM agent_tail WHERE agent_id = ? AND organization_id = ? AND gateway_id = ?`,
		a.ID, a.OrganizationID, a.GatewayID).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func gauge(g prometheus.Metric) float64 {
	var m dto.Metric
	if err := g.Write(&m); err != nil {
		return -1
	}
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}
