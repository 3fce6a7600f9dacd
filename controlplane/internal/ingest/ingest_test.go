package ingest

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestIngest_two_organizations(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a, b := w.agent(), w.agent()
	w.send(0, w.batch(a, usage(1, 10)...), w.batch(b, usage(1, 3)...))
	w.send(1, w.batch(b, usage(4, 7)...))
	w.send(0, w.batch(a, usage(11, 20)...))
	w.start()
	w.settled(0, 3)
	w.settled(1, 1)

	if diff := cmp.Diff([]counts{{20, 20}, {7, 7}}, []counts{w.rows(a), w.rows(b)}); diff != "" {
		t.Error(diff)
	}
	got, err := Settled(t.Context(), w.db, []string{a.ID.String(), b.ID.String()})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]*agentv1.SettledRange{
		a.ID.String(): {{Boot: testBoot, FirstSeq: 1, LastSeq: 20}},
		b.ID.String(): {{Boot: testBoot, FirstSeq: 1, LastSeq: 7}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestIngest_copies_what_the_record_says(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	records := usage(1, 2)
	second := records[1]
	second.Attempts = append(second.Attempts, &usagev1.Attempt{Provider: "azure", Model: "other", PriceBookVersion: "2026-08"})
	w.send(0, w.batch(a, records...))
	w.start()
	w.settled(0, 1)

	type stored struct {
		Seq                                   int64
		RequestID, Cost                       string
		Priced                                bool
		Input, CacheRead, Output, Reasoning   int64
		Provider, PriceBook, Outcome, Surface string
		Attempts                              []string
		FirstToken                            *int64
		Saved, SavedOfAll                     string
	}
	var got []stored
	rows, err := w.clickhouse.Query(t.Context(), `SELECT seq, toString(request_id), toString(ifNull(cost_usd, 0)), cost_usd IS NOT NULL,
		text_input_tokens, cache_read_tokens, text_output_tokens, reasoning_tokens, provider, price_book_version, outcome, surface,
		attempt.provider, time_to_first_token_us, toString(attempt.cache_saved_usd), toString(cache_saved_usd) FROM usage_event ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var s stored
		if err := rows.Scan(&s.Seq, &s.RequestID, &s.Cost, &s.Priced, &s.Input, &s.CacheRead, &s.Output, &s.Reasoning,
			&s.Provider, &s.PriceBook, &s.Outcome, &s.Surface, &s.Attempts, &s.FirstToken, &s.Saved, &s.SavedOfAll); err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	firstToken := int64(700)
	want := []stored{
		{1, records[0].RequestId, "0.001234567", true, 10, 4, 20, 5, "openai", "2026-07", "ok", "openai_chat", []string{"openai"}, &firstToken, "[-0.000000007]", "-0.000000007"},
		{2, records[1].RequestId, "0", false, 10, 4, 20, 5, "azure", "2026-08", "ok", "openai_chat", []string{"openai", "azure"}, &firstToken, "[-0.000000007,NULL]", "-0.000000007"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestIngest_dead_letters(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a, stranger, imposter := w.agent(), w.agent(), w.agent()
	delete(w.registry.known, stranger.ID)
	imposter.ID = a.ID // signs with a key of its own
	changed := usage(1, 5)
	w.send(0,
		w.batch(a, changed...),
		w.batch(stranger, usage(1, 1)...),
		w.batch(imposter, usage(6, 6)...),
		[]byte("no batch at all"),
		w.batch(a, usage(1, 5)...),
		w.batch(a, usage(4, 9)...),
		w.batch(a, changed...),
		w.batch(a, usage(6, 6, func(r *usagev1.UsageRecord) { r.StartedAtUs = 1 })...),
		w.batch(a, usage(6, 6, func(r *usagev1.UsageRecord) { r.KeyId = "someone" })...),
		w.batch(a, usage(6, 7)...),
	)
	w.start()
	w.settled(0, 10)

	want := []string{"conflict", "conflict", "bad_clock", "bad_record", "unknown_agent", "bad_signature", "malformed"}
	if diff := cmp.Diff(want, w.deadReasons()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(counts{7, 7}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("1-9", w.settledOf(a)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("6,6,6-9", w.outcomes(a, true)); diff != "" {
		t.Error(diff)
	}
	var request string
	if err := w.clickhouse.QueryRow(t.Context(), `SELECT toString(request_id) FROM usage_event WHERE seq = 1`).Scan(&request); err != nil || request != changed[0].RequestId {
		t.Errorf("seq 1 is %s, %v: the first content must stand", request, err)
	}
}

// Whoever may write to the topic must not be able to stop a partition for everybody.
func TestIngest_dead_letters_larger_than_their_topic_takes(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.config.DeadTopic += ".small"
	w.create(w.config.DeadTopic, 1, "delete", kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "2000"})
	for range 20 {
		w.send(0, bytes.Repeat([]byte{0xff}, 500))
	}
	w.send(0, bytes.Repeat([]byte{0xff}, 5000), w.batch(a, usage(1, 2)...))
	w.start()
	w.settled(0, 22)
	if dead := w.deadReasons(); len(dead) != 21 {
		t.Errorf("%d dead letters, want 21", len(dead))
	}
	if diff := cmp.Diff(counts{2, 2}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

// The agent's key is good, what it signs is not.
func TestIngest_names_and_numbers_that_no_store_takes(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	w.send(0,
		w.forged(a, "zero\x00byte", 1),
		w.forged(a, testBoot, math.MaxInt64),
		w.batch(a, usage(1, 2)...),
	)
	w.start()
	w.settled(0, 3)
	if diff := cmp.Diff([]string{"malformed", "malformed"}, w.deadReasons()); diff != "" {
		t.Error(diff)
	}
}

func TestIngest_repeats(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	one, two := w.batch(a, usage(1, 4)...), w.batch(a, usage(5, 6)...)
	w.send(0, one, two, one)
	w.start()
	w.settled(0, 3)
	w.send(1, one, two)
	w.send(0, two)
	w.settled(1, 2)
	w.settled(0, 4)
	if diff := cmp.Diff(counts{6, 6}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if dead := w.deadReasons(); len(dead) != 0 {
		t.Errorf("dead letters %v", dead)
	}
}

func TestIngest_months(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	records := usage(1, 4)
	records[1].StartedAtUs = time.Now().AddDate(0, -1, -3).UnixMicro()
	w.send(0, w.batch(a, records...))
	w.start()
	w.settled(0, 1)
	if diff := cmp.Diff(counts{4, 4}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
}

// Whatever the instant of the kill, the next process ends what the first began.
func TestIngest_killed(t *testing.T) {
	place := map[string]func(f *fragile, die func() error){
		"between_claim_and_insert": func(f *fragile, die func() error) {
			f.beforeInsert = func(context.Context, block) error { return die() }
		},
		"between_insert_and_range": func(f *fragile, die func() error) { f.afterInsert = func(block) error { return die() } },
		"between_range_and_done":   func(f *fragile, die func() error) { f.afterSettle = die },
	}
	for name, put := range place {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chtest.Open(t))
			a := w.agent()
			records := usage(1, 4)
			records[1].StartedAtUs = time.Now().AddDate(0, -1, -3).UnixMicro()
			more := usage(5, 11)
			more[2].KeyId = "someone"
			more[6].StartedAtUs = time.Now().Add(25 * time.Hour).UnixMicro() // right, when the next process looks
			w.send(0, w.batch(a, records...), []byte("dead"), w.batch(a, more...))

			killed := make(chan struct{})
			w.start(func(in *Ingest, kill context.CancelFunc) {
				f := &fragile{sink: in.sink}
				put(f, func() error {
					kill()
					close(killed)
					return errKilled
				})
				in.sink = f
			})
			<-killed
			if noted := w.number(`SELECT count(*) FROM ingest_block`); noted == 0 {
				t.Fatal("nothing was noted")
			}
			w.registry.mu.Lock()
			w.registry.down = errors.New("registry is down") // a replay needs none
			w.registry.mu.Unlock()
			w.start(func(in *Ingest, _ context.CancelFunc) {
				in.now = func() time.Time { return time.Now().Add(20 * time.Hour) }
			})
			w.settled(0, 3)
			if diff := cmp.Diff(counts{9, 9}, w.rows(a)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"1-4,5-6,8-10", "7,11", "1-11"}, []string{w.outcomes(a, false), w.outcomes(a, true), w.settledOf(a)}); diff != "" {
				t.Error(diff)
			}
			if noted := w.number(`SELECT count(*) FROM ingest_block`); noted != 0 {
				t.Errorf("%d blocks are still noted", noted)
			}
		})
	}
}
