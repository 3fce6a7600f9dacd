package ingest

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// told is a record that says everything there is to say.
func told(seq int64) *usagev1.UsageRecord {
	r := usage(seq, seq)[0]
	r.Kind, r.ParentRequestId = usagev1.Kind_KIND_SHADOW, "0192a000-0000-7000-8000-000000000001"
	r.EndUser, r.RunId = "mallory", "run-7"
	r.Labels = []*usagev1.Label{{Name: "team", Value: "Ünï ☃ 'x'"}, {Name: "env", Value: ""}}
	r.Candidates = []*usagev1.Candidate{
		{Provider: "openai", Model: "gpt-5", Verdict: usagev1.Verdict_VERDICT_CHOSEN},
		{Provider: "azure", Model: "other", Verdict: usagev1.Verdict_VERDICT_BREAKER_OPEN},
	}
	r.Attempts[0].Cause = usagev1.Cause_CAUSE_FIRST
	r.Attempts = append(r.Attempts, &usagev1.Attempt{
		Provider: "azure", Model: "other", Cause: usagev1.Cause_CAUSE_HEDGE, Outcome: usagev1.Outcome_OUTCOME_OVERTAKEN,
	})
	return r
}

// facts are the columns of one row, as ClickHouse gives them back.
type facts struct {
	Seq                                           int64
	Kind, Parent, EndUser, RunID                  string
	Labels                                        map[string]string
	Names, Provider, Model, Verdict, Cause, Ended []string
}

func (w *world) facts(a testAgent) (out []facts) {
	w.t.Helper()
	rows, err := w.clickhouse.Query(w.t.Context(), `SELECT seq, kind, toString(parent_request_id), end_user, run_id, labels, mapKeys(labels),
		candidate.provider, candidate.model, candidate.verdict, attempt.cause, attempt.outcome FROM usage_event WHERE agent_id = ? ORDER BY seq`, a.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		var f facts
		if err := rows.Scan(&f.Seq, &f.Kind, &f.Parent, &f.EndUser, &f.RunID, &f.Labels, &f.Names,
			&f.Provider, &f.Model, &f.Verdict, &f.Cause, &f.Ended); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// An estimated price is no exact cost of the request, and the tier is told of each attempt.
func TestIngest_stores_how_attempts_were_priced(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	plain, tiered := usage(1, 1)[0], usage(2, 2)[0]
	tiered.Attempts[0].ServiceTier, tiered.Attempts[0].PriceEstimated = usagev1.ServiceTier_SERVICE_TIER_FLEX, true
	tiered.Attempts[0].Usage = &usagev1.TokenUsage{Input: 3, InputImage: 4, Output: 5, OutputImage: 6}
	w.send(0, w.batch(a, plain, tiered))
	w.start()
	w.settled(0, 1)
	rows, err := w.clickhouse.Query(t.Context(), `SELECT estimated, attempt.service_tier, attempt.price_estimated, text_input_tokens, text_output_tokens
		FROM usage_event WHERE agent_id = ? ORDER BY seq`, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rows.Next() {
		var estimated bool
		var tier []string
		var price []bool
		var input, output int64
		if err := rows.Scan(&estimated, &tier, &price, &input, &output); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(estimated, tier, price))
		if len(got) == 2 && (input != 7 || output != 11) {
			t.Errorf("%d and %d tokens", input, output)
		}
	}
	if diff := cmp.Diff([]string{"false [unspecified] [false]", "true [flex] [true]"}, got); diff != "" {
		t.Error(diff)
	}
}

// Ids of quotas are 16 bytes with the agent and UUIDs here; none is the zero one.
func TestIngest_stores_what_quotas_did(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	refused, beyond := usage(2, 2)[0], usage(3, 3)[0]
	monthly, shadow := uuid.New(), uuid.New()
	refused.RefusedByQuotaId = monthly[:]
	beyond.BeyondQuotaIds, beyond.QueuedUs = [][]byte{shadow[:], monthly[:]}, 1_250_000
	w.send(0, w.batch(a, usage(1, 1)[0], refused, beyond))
	w.start()
	w.settled(0, 1)
	rows, err := w.clickhouse.Query(t.Context(), `SELECT refused_by_quota_id, beyond_quota_ids, queued_us FROM usage_event WHERE agent_id = ? ORDER BY seq`, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	type did struct {
		By     uuid.UUID
		Beyond []uuid.UUID
		Queued int64
	}
	var got []did
	for rows.Next() {
		var one did
		if err := rows.Scan(&one.By, &one.Beyond, &one.Queued); err != nil {
			t.Fatal(err)
		}
		got = append(got, one)
	}
	want := []did{{Beyond: []uuid.UUID{}}, {By: monthly, Beyond: []uuid.UUID{}}, {Beyond: []uuid.UUID{shadow, monthly}, Queued: 1_250_000}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestIngest_stores_what_was_told_of_a_request(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	newer := usage(3, 3)[0]
	newer.Kind, newer.Attempts[0].Cause = 90, 91
	newer.Candidates = []*usagev1.Candidate{{Provider: "openai", Model: "gpt-5", Verdict: 92}}
	w.send(0, w.batch(a, usage(1, 1)[0], told(2), newer))
	w.start()
	w.settled(0, 1)
	none := uuid.Nil.String()
	want := []facts{
		{1, "request", none, "", "", map[string]string{}, []string{}, []string{}, []string{}, []string{}, []string{"unspecified"}, []string{"ok"}},
		{2, "shadow", "0192a000-0000-7000-8000-000000000001", "mallory", "run-7",
			map[string]string{"team": "Ünï ☃ 'x'", "env": ""}, []string{"env", "team"},
			[]string{"openai", "azure"}, []string{"gpt-5", "other"}, []string{"chosen", "breaker_open"}, []string{"first", "hedge"}, []string{"ok", "overtaken"}},
		{3, "unknown_90", none, "", "", map[string]string{}, []string{},
			[]string{"openai"}, []string{"gpt-5"}, []string{"unknown_92"}, []string{"unknown_91"}, []string{"ok"}},
	}
	if diff := cmp.Diff(want, w.facts(a)); diff != "" {
		t.Error(diff)
	}
}

// The process dies when its insert has happened: the block is made again, found, and not
// sent twice. One that dies before it sends the same.
func TestIngest_tells_once_what_was_told(t *testing.T) {
	for name, sent := range map[string]bool{"inserted": true, "noted": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, chtest.Open(t))
			a := w.agent()
			w.send(0, w.batch(a, told(1), told(2)))
			killed := make(chan struct{})
			w.start(func(in *Ingest, kill context.CancelFunc) {
				f := &fragile{sink: in.sink}
				die := func(block) error {
					kill()
					close(killed)
					return errKilled
				}
				if f.afterInsert = die; !sent {
					f.beforeInsert = func(_ context.Context, b block) error { return die(b) }
				}
				in.sink = f
			})
			<-killed
			w.start()
			w.settled(0, 1)
			got := w.facts(a)
			if len(got) != 2 || got[1].Labels["team"] != "Ünï ☃ 'x'" || got[1].Cause[1] != "hedge" || got[1].Verdict[1] != "breaker_open" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// The agent's key is good; what it says is longer than the contract lets it.
func TestIngest_puts_aside_what_is_too_long_and_keeps_the_rest(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	records := usage(1, 4)
	records[1].EndUser = strings.Repeat("x", batch.MaxCallerIDBytes+1)
	records[2].Labels = []*usagev1.Label{{Name: "prompt", Value: strings.Repeat("secret ", 100)}}
	records[3].EndUser, records[3].RunId = "\x00\x1b[31m\u202e'; DROP--", strings.Repeat("é", batch.MaxCallerIDBytes/2)
	value := w.batch(a, records...)
	w.send(0, value, value)
	w.start()
	w.settled(0, 2)
	if diff := cmp.Diff([]string{"1,4", "2-3"}, []string{w.outcomes(a, false), w.outcomes(a, true)}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{reasonRecord}, w.deadReasons()); diff != "" {
		t.Error(diff)
	}
	got := w.facts(a)
	if len(got) != 2 || got[1].EndUser != records[3].EndUser || got[1].RunID != records[3].RunId {
		t.Errorf("got %+v", got)
	}
}

func TestFacts_bounds(t *testing.T) {
	many := func(n int, name func(i int) string) (out []*usagev1.Label) {
		for i := range n {
			out = append(out, &usagev1.Label{Name: name(i), Value: strings.Repeat("v", batch.MaxLabelValueBytes)})
		}
		return out
	}
	numbered := func(i int) string { return strings.Repeat("n", batch.MaxLabelNameBytes-1) + string(rune('a'+i)) }
	named := func(name string) *usagev1.UsageRecord {
		return &usagev1.UsageRecord{Labels: []*usagev1.Label{{Name: name}}}
	}
	beyond := func(n, bytes int) (ids [][]byte) {
		for range n {
			ids = append(ids, make([]byte, bytes))
		}
		return ids
	}
	of := func(u *usagev1.TokenUsage) *usagev1.UsageRecord {
		r := usage(1, 1)[0]
		r.Attempts[0].Usage, r.Attempts[0].CostNanoUsd = u, nil
		return r
	}
	for name, c := range map[string]struct {
		record *usagev1.UsageRecord
		want   string
	}{
		"all_at_their_bounds": {&usagev1.UsageRecord{
			EndUser: strings.Repeat("u", batch.MaxCallerIDBytes), RunId: strings.Repeat("r", batch.MaxCallerIDBytes), Labels: many(batch.MaxLabels, numbered),
			Candidates: make([]*usagev1.Candidate, maxCandidates),
		}, ""},
		"end_user":         {&usagev1.UsageRecord{EndUser: strings.Repeat("u", batch.MaxCallerIDBytes+1)}, "end_user of 129 bytes"},
		"run_id":           {&usagev1.UsageRecord{RunId: strings.Repeat("é", batch.MaxCallerIDBytes)}, "run_id of 256 bytes"},
		"labels":           {&usagev1.UsageRecord{Labels: many(batch.MaxLabels+1, numbered)}, "17 labels"},
		"label_twice":      {&usagev1.UsageRecord{Labels: many(2, func(int) string { return "a" })}, "twice"},
		"label_name_long":  {named(strings.Repeat("n", batch.MaxLabelNameBytes+1)), "name of 65 bytes"},
		"label_name_empty": {named(""), "a label's name wants"},
		"label_name_space": {named("a b"), "a label's name wants"},
		"label_name_other": {named("é"), "a label's name wants"},
		"label_value": {&usagev1.UsageRecord{
			Labels: []*usagev1.Label{{Name: "a", Value: strings.Repeat("v", batch.MaxLabelValueBytes+1)}},
		}, "value of 257 bytes"},
		"images_at_their_bounds": {of(&usagev1.TokenUsage{Input: maxCount, InputImage: maxCount, Output: 1, OutputImage: maxCount}), ""},
		"images":                 {of(&usagev1.TokenUsage{InputImage: maxCount + 1}), "usage.input_image"},
		"negative_images":        {of(&usagev1.TokenUsage{Output: 9, OutputImage: -1}), "usage.output_image"},
		"hidden_by_images":       {of(&usagev1.TokenUsage{Input: -5, InputImage: 10}), "usage.input"},
		"text":                   {of(&usagev1.TokenUsage{Input: maxCount + 1}), "tokens"},
		"candidates":             {&usagev1.UsageRecord{Candidates: make([]*usagev1.Candidate, maxCandidates+1)}, "65 candidates"},
		"candidate_long":         {&usagev1.UsageRecord{Candidates: []*usagev1.Candidate{{Model: strings.Repeat("m", maxText+1)}}}, "text of 513 bytes"},
		"quotas_at_their_bounds": {&usagev1.UsageRecord{RefusedByQuotaId: make([]byte, 16), BeyondQuotaIds: beyond(maxQuotas, 16), QueuedUs: maxCount}, ""},
		"refused_by":             {&usagev1.UsageRecord{RefusedByQuotaId: []byte("monthly")}, "refused_by_quota_id is no UUID"},
		"beyond":                 {&usagev1.UsageRecord{BeyondQuotaIds: beyond(1, 17)}, "beyond_quota_ids holds"},
		"beyond_many":            {&usagev1.UsageRecord{BeyondQuotaIds: beyond(maxQuotas+1, 16)}, "beyond 1001 quotas"},
		"queued":                 {&usagev1.UsageRecord{QueuedUs: -1}, "queued_us"},
		"parent":                 {&usagev1.UsageRecord{ParentRequestId: "someone"}, "parent_request_id is no UUID"},
	} {
		t.Run(name, func(t *testing.T) {
			c.record.RequestId = uuid.NewString()
			_, err := fromProtoRecord(c.record)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A record as agents wrote it before they told any of this.
func TestFacts_of_a_former_agent(t *testing.T) {
	raw, err := hex.DecodeString(formerRecord)
	if err != nil {
		t.Fatal(err)
	}
	record := &usagev1.UsageRecord{}
	if err := proto.Unmarshal(raw, record); err != nil {
		t.Fatal(err)
	}
	r, err := fromProtoRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	if r.kind != kindRequest || r.parent != uuid.Nil || r.endUser+r.runID != "" || r.labels != nil || r.candidates != nil {
		t.Errorf("it told %+v", r)
	}
	if len(r.attempts) != 1 || r.attempts[0].cause != "unspecified" || r.attempts[0].model != "gpt-5" || r.costUSD.Value != 1_234_567 {
		t.Errorf("attempts %+v, cost %v", r.attempts, r.costUSD)
	}
}

// A block that the build before noted must be found, and not made again, by this one.
func TestToken_is_that_of_former_builds(t *testing.T) {
	s := span{topicID: uuid.MustParse("0192a000-0000-7000-8000-000000000001"), partition: 3, first: 10, last: 20}
	if got := s.token(202611, []place{{12, 7}}); got != formerToken {
		t.Errorf("token %s", got)
	}
}
