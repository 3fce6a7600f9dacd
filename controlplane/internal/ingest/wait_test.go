package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// seen are metrics of one partition.
type seen struct {
	Records, Seconds float64
	Waits            string
}

func (w *world) seen(in *running, partition string) (s seen) {
	w.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(in.metrics.lags)
	families, err := registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			of := map[string]string{}
			for _, l := range m.GetLabel() {
				of[l.GetName()] = l.GetValue()
			}
			switch value := m.GetGauge().GetValue(); {
			case of["partition"] != partition:
			case f.GetName() == "weir_ingest_lag_offsets":
				s.Records = value
			case f.GetName() == "weir_ingest_lag_seconds":
				s.Seconds = value
			default:
				s.Waits = of["part"]
			}
		}
	}
	return s
}

func (w *world) topicID() uuid.UUID {
	t, err := w.newIngest().broker.check(context.Background())
	if err != nil {
		w.t.Error(err)
	}
	return t.id
}

// ClickHouse answers, and takes nothing: usage waits, is seen to wait, and none is put
// aside or lost when it does again.
func TestIngest_waits_while_clickhouse_takes_nothing(t *testing.T) {
	for name, c := range map[string]struct{ stop, mend string }{
		"disk_full":      {"ALTER TABLE usage_event MODIFY SETTING min_free_disk_bytes_to_perform_insert = 4611686018427387904", "ALTER TABLE usage_event RESET SETTING min_free_disk_bytes_to_perform_insert"},
		"too_many_parts": {"ALTER TABLE usage_event MODIFY SETTING parts_to_delay_insert = 0, parts_to_throw_insert = 1", "ALTER TABLE usage_event RESET SETTING parts_to_delay_insert, parts_to_throw_insert"},
		"no_table":       {"RENAME TABLE usage_event TO usage_event_away", "RENAME TABLE usage_event_away TO usage_event"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chtest.Open(t))
			w.config.Lease = 2 * time.Second
			a := w.agent()
			in := w.start()
			w.send(0, w.batch(a, usage(1, 5)...))
			w.settled(0, 1)
			if err := w.clickhouse.Exec(t.Context(), c.stop); err != nil {
				t.Fatal(err)
			}
			w.send(0, w.batch(a, usage(6, 7)...))
			w.eventually("it waits", func() bool { return w.seen(in, "0").Waits != "" })
			w.send(0, w.batch(a, usage(8, 9)...), w.batch(a, usage(10, 10)...))
			w.eventually("it is seen to wait", func() bool {
				s := w.seen(in, "0")
				return s.Waits == partClickHouse && s.Records == 3 && s.Seconds > 6
			})
			if next := w.nextOffset(0); next != 1 {
				t.Errorf("went on to offset %d", next)
			}
			if err := w.clickhouse.Exec(t.Context(), c.mend); err != nil {
				t.Fatal(err)
			}
			w.settled(0, 4)
			if diff := cmp.Diff(counts{10, 10}, w.rows(a)); diff != "" {
				t.Error(diff)
			}
			w.eventually("nothing waits", func() bool { return w.seen(in, "0") == seen{} })
			if dead := w.deadReasons(); len(dead) > 0 {
				t.Errorf("dead letters %v", dead)
			}
		})
	}
}

// A user that may only read, as in a profile that somebody changed.
func TestIngest_clickhouse_is_read_only(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.config.Lease = 2 * time.Second
	a := w.agent()
	writable := w.config.ClickHouse
	w.config.ClickHouse = w.open("?readonly=1")
	in := w.start()
	w.send(0, w.batch(a, usage(1, 5)...))
	w.eventually("it waits", func() bool { return w.seen(in, "0").Waits == partClickHouse && w.seen(in, "0").Seconds > 5 })
	in.stop()
	w.config.ClickHouse = writable
	w.start()
	w.settled(0, 1)
	if diff := cmp.Diff(counts{5, 5}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if dead := w.deadReasons(); len(dead) > 0 {
		t.Errorf("dead letters %v", dead)
	}
}

// open connects to the world's database with other settings.
func (w *world) open(settings string) *clickhouse.Conn {
	w.t.Helper()
	var name string
	if err := w.clickhouse.QueryRow(w.t.Context(), "SELECT currentDatabase()").Scan(&name); err != nil {
		w.t.Fatal(err)
	}
	conn, err := clickhouse.OpenDatabase(chtest.URL(w.t)+settings, name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Each insert takes longer than ClickHouse is given for it at first.
func TestIngest_clickhouse_is_slow(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.config.Lease = 2 * time.Second
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 5)...))
	w.send(1, w.batch(a, usage(6, 9)...))
	if err := w.clickhouse.Exec(t.Context(), "ALTER TABLE usage_event ADD CONSTRAINT slow CHECK sleep(3) = 0"); err != nil {
		t.Fatal(err)
	}
	in := w.start()
	w.eventually("it is behind", func() bool { return w.seen(in, "0").Seconds > 3 })
	w.settled(0, 1)
	w.settled(1, 1)
	if diff := cmp.Diff(counts{9, 9}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}
