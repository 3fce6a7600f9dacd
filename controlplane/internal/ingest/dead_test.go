package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// A forger who may write to the topic must not make an agent drop its rows.
func TestIngest_settles_only_what_its_agent_signed(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a, imposter := w.agent(), w.agent()
	imposter.ID = a.ID // signs with a key of its own
	other := &usagev1.SignedBatch{}
	if err := proto.Unmarshal(w.batch(a, usage(6, 9)...), other); err != nil {
		t.Fatal(err)
	}
	other.Payload = []byte("anything") // under a header that the agent did sign
	unsigned := &usagev1.SignedBatch{Header: other.Header, Payload: other.Payload}
	in := w.start()
	w.send(0, w.batch(imposter, usage(1, 5)...), w.marshal(other), w.marshal(unsigned), []byte("no batch at all"))
	w.settled(0, 4)
	if got := w.settledOf(a); got != "" {
		t.Errorf("settled %s", got)
	}
	for _, reason := range []string{reasonSignature, reasonPayload, reasonMalformed} {
		if n := gauge(in.metrics.unsettled.WithLabelValues(reason)); n == 0 {
			t.Errorf("%s raises no alarm", reason)
		}
	}

	w.send(0, w.signed(a, testBoot, seqRange{10, 12}, []byte("no records")), w.batch(a, usage(1, 9)...))
	w.settled(0, 6)
	if diff := cmp.Diff([]string{"1-12", "1-9", "10-12"}, []string{w.settledOf(a), w.outcomes(a, false), w.outcomes(a, true)}); diff != "" {
		t.Error(diff)
	}
}

func TestIngest_one_bad_record_is_put_aside_alone(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	records := usage(1, 10)
	records[2].KeyId = "someone"
	records[4].Attempts[0].Outcome = 99
	records[5].DurationUs = -1
	records[6].StartedAtUs = 1
	w.send(0, w.batch(a, records...), w.batch(a, usage(11, 12)...), w.batch(a, records...))
	w.start()
	w.settled(0, 3)
	want := []string{"1-12", "1-2,4,8-10,11-12", "3,5-6,7"}
	if diff := cmp.Diff(want, []string{w.settledOf(a), w.outcomes(a, false), w.outcomes(a, true)}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(counts{8, 8}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bad_record", "bad_clock"}, w.deadReasons()); diff != "" {
		t.Error(diff)
	}
}

// Whoever stole a key signs with it after the revocation, too.
func TestIngest_usage_signed_after_the_revocation_is_put_aside(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a, other := w.agent(), w.agent()
	in := w.start()
	before := w.batch(a, usage(1, 3)...)
	w.send(0, before)
	w.settled(0, 1)

	w.registry.revoke(a)
	w.send(0, w.batch(a, usage(4, 6)...), before, w.batch(a, usage(3, 9)...), w.batch(other, usage(1, 2)...))
	w.settled(0, 5)
	if diff := cmp.Diff([]string{"1-3", "1-3", "", "1-2"}, []string{w.settledOf(a), w.outcomes(a, false), w.outcomes(a, true), w.settledOf(other)}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{reasonRevoked, reasonRevoked}, w.deadReasons()); diff != "" {
		t.Error(diff)
	}
	if n := gauge(in.metrics.unsettled.WithLabelValues(reasonRevoked)); n != 2 {
		t.Errorf("%v letters raise an alarm, want 2", n)
	}
}

// A block that was noted before the revocation is made again as it was.
func TestIngest_a_noted_block_survives_the_revocation(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	killed := make(chan struct{})
	w.start(func(in *Ingest, kill context.CancelFunc) {
		in.sink = &fragile{sink: in.sink, beforeInsert: func(context.Context, block) error {
			kill()
			close(killed)
			return errKilled
		}}
	})
	w.send(0, w.batch(a, usage(1, 3)...))
	<-killed
	w.registry.revoke(a)
	w.start()
	w.settled(0, 1)
	if diff := cmp.Diff(counts{3, 3}, w.rows(a)); diff != "" || w.settledOf(a) != "1-3" {
		t.Errorf("settled %s%s", w.settledOf(a), diff)
	}
}

// What the dead-letter topic did not take whole is not safe there.
func TestIngest_a_stripped_dead_letter_settles_nothing(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.config.DeadTopic += ".small"
	w.create(w.config.DeadTopic, 1, "delete", kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "1200"})
	records := usage(1, 20)
	records[6].KeyId = "someone"
	value := w.batch(a, records...)
	w.send(0, value)
	w.start()
	w.settled(0, 1)
	if diff := cmp.Diff([]string{"1-6,8-20", ""}, []string{w.settledOf(a), w.outcomes(a, true)}); diff != "" {
		t.Error(diff)
	}
	if _, err := w.kafka.IncrementalAlterConfigs(t.Context(), &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: w.config.DeadTopic,
		Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "max.message.bytes", Value: "1000000", ConfigOperation: kafka.ConfigOperationSet}},
	}}}); err != nil {
		t.Fatal(err)
	}
	w.send(0, value) // as the agent does after ten minutes
	w.settled(0, 2)
	if diff := cmp.Diff([]string{"1-20", "7"}, []string{w.settledOf(a), w.outcomes(a, true)}); diff != "" {
		t.Error(diff)
	}
}

func poisoned(first, last int64, at ...int64) []*usagev1.UsageRecord {
	records := usage(first, last)
	for _, seq := range at {
		attempts := records[seq-first].Attempts
		attempts[len(attempts)-1].Model = "poison"
	}
	return records
}

// ClickHouse itself refuses some rows; the process dies at each step of finding out.
func TestIngest_refused_by_clickhouse(t *testing.T) {
	for name, kill := range map[string]bool{"alive": false, "killed_after_the_search": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chtest.Open(t))
			w.change(`ADD CONSTRAINT no_poison CHECK model != 'poison'`)
			a, b := w.agent(), w.agent()
			first := poisoned(1, 20, 3, 17)
			first[4].StartedAtUs = time.Now().AddDate(0, -1, -3).UnixMicro()
			batches := [][]byte{w.batch(a, first...), w.batch(b, poisoned(1, 2, 1, 2)...), w.batch(b, usage(3, 4)...)}
			w.send(0, batches...)
			killed := make(chan struct{})
			w.start(func(in *Ingest, die context.CancelFunc) {
				in.sink = &fragile{sink: in.sink, beforeInsert: func(_ context.Context, b block) error {
					if kill && len(b.rows) == 19 {
						die()
						close(killed)
						return errKilled
					}
					return nil
				}}
			})
			if kill {
				<-killed
				w.start()
			}
			w.settled(0, 3)
			want := []string{"1-20", "1-2,4-16,18-20", "3,17", "1-4", "3-4", "1-2"}
			got := []string{w.settledOf(a), w.outcomes(a, false), w.outcomes(a, true), w.settledOf(b), w.outcomes(b, false), w.outcomes(b, true)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]counts{{18, 18}, {2, 2}}, []counts{w.rows(a), w.rows(b)}); diff != "" {
				t.Error(diff)
			}

			w.change(`DROP CONSTRAINT no_poison`)
			w.send(0, batches...) // as an operator replays dead letters
			w.send(1, batches...)
			w.settled(0, 6)
			w.settled(1, 3)
			if diff := cmp.Diff([]counts{{20, 20}, {4, 4}}, []counts{w.rows(a), w.rows(b)}); diff != "" {
				t.Errorf("replayed: %s", diff)
			}
			if left := w.number(`SELECT count(*) FROM ingest_dead`); left != 0 {
				t.Errorf("%d are still noted as dead", left)
			}
		})
	}
}

// A replay of dead letters is cut off as well.
func TestIngest_killed_while_dead_letters_are_replayed(t *testing.T) {
	for name, put := range map[string]func(f *fragile, die func() error){
		"before_insert": func(f *fragile, die func() error) {
			f.beforeInsert = func(context.Context, block) error { return die() }
		},
		"after_insert": func(f *fragile, die func() error) { f.afterInsert = func(block) error { return die() } },
		"after_range":  func(f *fragile, die func() error) { f.afterSettle = die },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chtest.Open(t))
			a := w.agent()
			records := usage(1, 6)
			for _, r := range records[3:5] {
				r.StartedAtUs = time.Now().Add(30 * time.Hour).UnixMicro()
			}
			value := w.batch(a, records...)
			w.send(0, value)
			first := w.start()
			w.settled(0, 1)
			first.stop()

			later := func(in *Ingest, _ context.CancelFunc) {
				in.now = func() time.Time { return time.Now().Add(10 * time.Hour) }
			}
			killed := make(chan struct{})
			w.send(0, value, value)
			w.start(later, func(in *Ingest, kill context.CancelFunc) {
				f := &fragile{sink: in.sink}
				put(f, func() error { kill(); close(killed); return errKilled })
				in.sink = f
			})
			<-killed
			w.send(1, value)
			w.start(later)
			w.settled(0, 3)
			w.settled(1, 1)
			if diff := cmp.Diff(counts{6, 6}, w.rows(a)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"1-3,4-5,6", "1-6"}, []string{w.outcomes(a, false), w.settledOf(a)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A server that takes nothing is waited for: that is no reason to put rows aside.
func TestIngest_refused_as_a_whole(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.change(`ADD CONSTRAINT nothing CHECK seq < 0`)
	tried := make(chan struct{}, 100)
	w.send(0, w.batch(a, usage(1, 5)...))
	w.start(func(in *Ingest, _ context.CancelFunc) {
		in.sink = &fragile{sink: in.sink, beforeInsert: func(context.Context, block) error {
			tried <- struct{}{}
			return nil
		}, afterTry: func(err error) error {
			tried <- struct{}{}
			return err
		}}
	})
	for range refusedBefore + 2 {
		<-tried
	}
	if dead := w.deadReasons(); len(dead) != 0 {
		t.Errorf("dead letters %v", dead)
	}
	w.change(`DROP CONSTRAINT nothing`)
	w.settled(0, 1)
	if diff := cmp.Diff(counts{5, 5}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

// The table of trials must refuse what the real one does.
func TestTrialTable_has_the_columns_of_usage_event(t *testing.T) {
	conn := chtest.Open(t)
	var other uint64
	err := conn.QueryRow(t.Context(), `SELECT count() FROM (
		SELECT name, type, position FROM system.columns WHERE database = currentDatabase() AND table IN ('usage_event', 'usage_trial')
		GROUP BY name, type, position HAVING count() != 2)`).Scan(&other)
	if err != nil || other != 0 {
		t.Errorf("%d columns differ, %v", other, err)
	}
}
