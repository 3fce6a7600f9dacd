package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func (w *world) owners() int64 {
	return w.number(`SELECT count(DISTINCT owner) FROM ingest_partition WHERE owned_until > now()`)
}

func (w *world) owned() int64 {
	return w.number(`SELECT count(*) FROM ingest_partition WHERE owned_until > now()`)
}

// Processes that are added take their share, those that go or die leave it to the others,
// and all the while nothing is lost or doubled.
func TestIngest_shares_partitions_among_processes(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.config.Topic += ".wide"
	w.create(w.config.Topic, 4, "delete")
	w.config.OwnFor = 6 * time.Second // longer than a machine that is busy stalls: none is lost by silence
	a := w.agent()
	seq := int64(0)
	more := func() {
		for i := range 8 {
			w.send(i%4, w.batch(a, usage(seq+1, seq+25)...))
			seq += 25
		}
	}
	first := w.start()
	w.eventually("one has all", func() bool { more(); return w.owned() == 4 && w.owners() == 1 })
	second := w.start()
	w.eventually("two have two each", func() bool { more(); return w.owned() == 4 && w.owners() == 2 })
	w.start()
	w.start()
	w.eventually("four have one each", func() bool { more(); return w.owned() == 4 && w.owners() == 4 })
	first.stop()
	second.stop()
	w.eventually("the two that are left have two each", func() bool { more(); return w.owned() == 4 && w.owners() == 2 })
	w.eventually("all is there", func() bool { return w.rows(a).Rows == uint64(seq) })
	if diff := cmp.Diff(counts{uint64(seq), uint64(seq)}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if dead := w.deadReasons(); len(dead) > 0 {
		t.Errorf("dead letters %v", dead)
	}
}

// A partition that stopped is not held: those below it are given up to a process that is added.
func TestIngest_shares_what_a_stopped_partition_leaves(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.config.Topic += ".wide"
	w.create(w.config.Topic, 4, "delete")
	a := w.agent()
	first := w.start(func(in *Ingest, _ context.CancelFunc) {
		in.sink = &fragile{sink: in.sink, beforeInsert: func(_ context.Context, b block) error {
			if b.span.partition == 3 {
				return errStop
			}
			return nil
		}}
	})
	w.eventually("one has all", func() bool { return w.owned() == 4 && w.owners() == 1 })
	w.send(3, w.batch(a, usage(1, 5)...))
	w.eventually("the highest has stopped", func() bool { return gauge(first.metrics.stopped.WithLabelValues(label(3))) == 1 })
	w.start()
	w.eventually("two have two each", func() bool {
		return w.owned() == 4 && w.number(`SELECT count(*) FROM ingest_partition WHERE owned_until > now() AND owner = $1`, first.owner) == 2
	})
	w.eventually("what it left is there", func() bool { return w.rows(a) == counts{5, 5} })
}

// One that lives and can't take its share does not keep it from the others.
func TestShare_beyond_is_taken_after_a_while(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	idle := w.newIngest()
	keep := time.NewTicker(200 * time.Millisecond)
	defer keep.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			_, _ = idle.store.live(t.Context(), idle.owner, w.topicID())
			<-keep.C
		}
	}()
	w.start()
	w.send(0, w.batch(a, usage(1, 5)...))
	w.send(1, w.batch(a, usage(6, 9)...))
	w.settled(0, 1)
	w.settled(1, 1)
	if diff := cmp.Diff(counts{9, 9}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	<-done
}

// Late, out of order, and from two partitions after agents chose another one.
func TestIngest_late_out_of_order_and_repartitioned(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	late := func(r *usagev1.UsageRecord) { r.StartedAtUs = time.Now().Add(-90 * 24 * time.Hour).UnixMicro() }
	one, two, three := w.batch(a, usage(1, 5, late)...), w.batch(a, usage(6, 9)...), w.batch(a, usage(10, 12)...)
	w.send(0, three, one)
	w.send(1, one, two, three)
	w.start()
	w.settled(0, 2)
	w.settled(1, 3)
	if diff := cmp.Diff(counts{12, 12}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1-12", "1-5,6-9,10-12"}, []string{w.settledOf(a), w.outcomes(a, false)}); diff != "" {
		t.Error(diff)
	}
	if dead := w.deadReasons(); len(dead) > 0 {
		t.Errorf("dead letters %v", dead)
	}
}
