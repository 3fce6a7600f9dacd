package ingest

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// replay returns what becomes of the wanted letters.
func (w *world) replay(wanted Wanted, send bool) Tally {
	w.t.Helper()
	tally, err := Replay(w.t.Context(), w.config, wanted, send)
	if err != nil {
		w.t.Fatal(err)
	}
	return tally
}

func (w *world) newBroker() *broker {
	w.t.Helper()
	b, err := newBroker(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// through waits until ingest is through with all that the usage topic has.
func (w *world) through() {
	w.t.Helper()
	for partition := range partitions {
		b := w.newBroker()
		_, next, err := b.bounds(w.t.Context(), partition)
		b.close()
		if err != nil {
			w.t.Fatal(err)
		}
		w.settled(partition, next)
	}
}

func TestReplay_refuses_reasons_that_there_are_not(t *testing.T) {
	_, err := Replay(t.Context(), Config{}, Wanted{Reason: "nonsense"}, false)
	if err == nil || !strings.Contains(err.Error(), `"nonsense"; there are agent_revoked, bad_clock,`) {
		t.Errorf("got %v", err)
	}
	if !slices.IsSorted(reasons) {
		t.Errorf("%v", reasons)
	}
}

func TestReplay_of_a_revoked_agents_usage(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a, other, thief := w.agent(), w.agent(), w.agent()
	thief.ID = a.ID // signs with a key of its own
	w.start()
	w.send(0, w.batch(a, usage(1, 3)...))
	w.settled(0, 1)
	w.registry.revoke(a)
	w.registry.revoke(other)
	late := w.batch(a, usage(4, 6)...)
	w.send(0, late, late, w.batch(a, usage(3, 9)...), w.batch(thief, usage(7, 9)...), []byte("no batch"))
	w.send(1, w.batch(a, usage(7, 9)...), w.batch(other, usage(1, 2)...))
	w.through()

	t.Run("is_told_apart", func(t *testing.T) {
		if diff := cmp.Diff([]string{"1-3", "", "4-6,4-6,4-9,7-9"}, []string{w.outcomes(a, false), w.outcomes(a, true), w.unbelieved(a)}); diff != "" {
			t.Error(diff)
		}
	})
	of := Wanted{Reason: reasonRevoked, Agent: a.ID}
	want := Tally{{reasonRevoked, FateSent}: 2, {reasonRevoked, FateRepeat}: 1, {reasonRevoked, FateConflict}: 1}
	t.Run("is_only_counted_without_a_word", func(t *testing.T) {
		if diff := cmp.Diff(want, w.replay(of, false)); diff != "" {
			t.Error(diff)
		}
		w.through()
		if diff := cmp.Diff(counts{3, 3}, w.rows(a)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("makes_rows_once", func(t *testing.T) {
		if diff := cmp.Diff(want, w.replay(of, true)); diff != "" {
			t.Error(diff)
		}
		w.through()
		again := Tally{{reasonRevoked, FateStored}: 2, {reasonRevoked, FateRepeat}: 1, {reasonRevoked, FateConflict}: 1}
		if diff := cmp.Diff(again, w.replay(of, true)); diff != "" {
			t.Errorf("a second time: %s", diff)
		}
		w.send(0, late) // and the agent itself, should it still try
		w.through()
		if diff := cmp.Diff([]counts{{9, 9}, {}}, []counts{w.rows(a), w.rows(other)}); diff != "" {
			t.Error(diff)
		}
		if got := []string{w.settledOf(a), w.outcomes(a, false), w.outcomes(a, true)}; !slices.Equal(got, []string{"1-9", "1-3,4-6,7-9", ""}) {
			t.Errorf("settled, stored, dead: %v", got)
		}
	})
	t.Run("accepts_nothing_else_of_that_agent", func(t *testing.T) {
		w.send(0, w.batch(a, usage(10, 12)...))
		w.through()
		if diff := cmp.Diff(counts{9, 9}, w.rows(a)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("leaves_what_nobody_can_verify", func(t *testing.T) {
		got := w.replay(Wanted{}, false)
		if got[Fated{reasonSignature, FateUnverifiable}] != 1 || got[Fated{reasonMalformed, FateUnverifiable}] != 1 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("by_organization_and_time", func(t *testing.T) {
		for name, wanted := range map[string]Wanted{
			"organization": {Organization: uuid.New()}, "before": {Before: time.Now().Add(-time.Hour)}, "after": {After: time.Now().Add(time.Hour)},
		} {
			if got := w.replay(wanted, false); len(got) != 0 {
				t.Errorf("%s: %v", name, got)
			}
		}
		now := Wanted{Organization: other.OrganizationID, After: time.Now().Add(-time.Hour), Before: time.Now().Add(time.Hour)}
		if diff := cmp.Diff(Tally{{reasonRevoked, FateRevoked}: 1}, w.replay(now, true)); diff != "" {
			t.Error(diff)
		}
	})
}

// A record that fits by now becomes a row; the others of its batch are rows already.
func TestReplay_of_other_reasons(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.change(`ADD CONSTRAINT no_poison CHECK model != 'poison'`)
	a, gone := w.agent(), w.agent()
	broken := usage(21, 22)
	broken[0].KeyId, broken[1].KeyId = "someone", "someone"
	early := usage(1, 1)
	early[0].StartedAtUs = time.Now().Add(30 * time.Hour).UnixMicro()
	w.send(0, w.batch(a, poisoned(1, 20, 3, 17)...), w.batch(a, broken...), w.batch(gone, early...))
	w.start()
	w.through()
	w.registry.revoke(gone)
	w.change(`DROP CONSTRAINT no_poison`)
	want := Tally{{reasonRefused, FateSent}: 1, {reasonRecord, FateNoRows}: 1, {reasonClock, FateNoRows}: 1}
	got := w.replay(Wanted{}, true)
	maps.DeleteFunc(got, func(kind Fated, _ int) bool { return kind.Fate == FateRepeat }) // each try of the slice put them aside
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.through()
	if diff := cmp.Diff([]string{"1-22", "1-2,3,4-16,17,18-20"}, []string{w.settledOf(a), w.outcomes(a, false)}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(counts{20, 20}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

// Nobody but an operator says that a batch is genuine.
func TestReplay_headers_of_a_record_accept_nothing(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.registry.revoke(a)
	w.start()
	response, err := w.kafka.Produce(t.Context(), &kafka.ProduceRequest{
		Topic: w.config.Topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{
			Value:   kafka.NewBytes(w.batch(a, usage(1, 2)...)),
			Headers: []kafka.Header{{Key: "weir-reason", Value: []byte(reasonRevoked)}, {Key: "weir-accepted", Value: []byte("1")}},
		}),
	})
	if err != nil || response.Error != nil {
		t.Fatal(err, response)
	}
	w.through()
	if diff := cmp.Diff(counts{}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}
