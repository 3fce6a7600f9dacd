package ingest

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

func TestIngest_merges_old_claims(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.config.MergeAfter = 20 * time.Millisecond
	records := usage(11, 14)
	records[1].KeyId = "someone"
	one, two, three := w.batch(a, usage(1, 10)...), w.batch(a, records...), w.batch(a, usage(21, 30)...)
	w.send(0, one, two, three)
	w.start()
	w.settled(0, 3)
	w.eventually("claims are merged", func() bool { return w.number(`SELECT count(*) FROM ingest_claim`) == 0 })
	if n := w.number(`SELECT count(*) FROM ingest_boot, unnest(merged) WHERE merged = '{[1,15),[21,31)}'`); n != 2 {
		t.Errorf("%d ranges", n)
	}

	w.send(0, three, two, one, w.batch(a, usage(1, 10)...), w.batch(a, usage(13, 16)...), w.batch(a, usage(15, 20)...))
	w.send(1, one, two)
	w.settled(0, 9)
	w.settled(1, 2)
	if diff := cmp.Diff(counts{29, 29}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bad_record", "conflict"}, w.deadReasons()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("1-30", w.settledOf(a)); diff != "" {
		t.Error(diff)
	}
}

// What was noted and is not done needs its claims, however old.
func TestMerge_leaves_claims_of_unsettled_offsets(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 10)...))
	first := w.start()
	w.settled(0, 1)
	first.stop()
	w.send(0, w.batch(a, usage(11, 20)...))
	killed := make(chan struct{})
	in := w.start(w.dies(killed))
	<-killed
	if err := in.store.merge(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if n := w.number(`SELECT count(*) FROM ingest_claim`); n != 1 {
		t.Errorf("%d claims", n)
	}
	w.start()
	w.settled(0, 2)
	if diff := cmp.Diff(counts{20, 20}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

func TestSettled_leaves_out_boots_that_the_agent_has_forgotten(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 10)...))
	w.start()
	w.settled(0, 1)
	whole := []*agentv1.SettledRange{{Boot: testBoot, FirstSeq: 1, LastSeq: 10}}
	for _, c := range []struct {
		name   string
		last   int64
		closed bool
		ago    time.Duration
		want   []*agentv1.SettledRange
	}{
		{"named_just_now", 10, true, time.Minute, whole},
		{"over_and_said_to_have_given_out_nothing", 0, true, 2 * time.Hour, nil},
		{"over_and_said_to_have_given_out_too_much", math.MaxInt64, true, 2 * time.Hour, whole},
		{"is_open", 10, false, 2 * time.Hour, whole},
		{"is_not_settled_to_its_end", 11, true, 2 * time.Hour, whole},
		{"forgotten", 10, true, 2 * time.Hour, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := w.db.System(t.Context(), func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), `
					INSERT INTO agent_tail (organization_id, agent_id, boot, last_seq, closed, reported_at) VALUES ($1, $2, $3, $4, $5, $6)
					ON CONFLICT (organization_id, agent_id, boot) DO UPDATE
					SET last_seq = excluded.last_seq, closed = excluded.closed, reported_at = excluded.reported_at`,
					a.OrganizationID, a.ID, testBoot, c.last, c.closed, time.Now().Add(-c.ago))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := Settled(t.Context(), w.db, []string{a.ID.String()})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got[a.ID.String()], protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIngest_takes_up_new_partitions(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.config.PartitionsEvery = 50 * time.Millisecond
	w.config.MetadataTTL = 100 * time.Millisecond
	w.send(0, w.batch(a, usage(1, 3)...))
	w.start()
	w.settled(0, 1)
	response, err := w.kafka.CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: w.config.Topic, Count: partitions + 1}},
	})
	if err != nil || response.Errors[w.config.Topic] != nil {
		t.Fatal(err, response)
	}
	w.kafka.Transport = &kafka.Transport{} // without what it knew of the topic
	w.send(partitions, w.batch(a, usage(4, 5)...))
	w.settled(partitions, 1)
	if diff := cmp.Diff(counts{5, 5}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}
