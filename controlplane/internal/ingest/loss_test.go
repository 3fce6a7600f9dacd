package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// tombstone sums up 7 requests and 2 copies with 12 attempts, some of them unpriced.
func tombstone(seq, unpriced int64, change ...func(*usagev1.Loss)) *usagev1.UsageRecord {
	r := usage(seq, seq)[0]
	loss := &usagev1.Loss{
		Requests: 7, Shadows: 2, Attempts: 12, UnpricedAttempts: unpriced, CostNanoUsd: 3_000_000_001,
		Usage: &usagev1.TokenUsage{Input: 100, CacheRead: 1, CacheWrite_5M: 2, CacheWrite_1H: 3, Output: 40, Reasoning: 5, InputAudio: 6, OutputAudio: 7},
	}
	for _, c := range change {
		c(loss)
	}
	return &usagev1.UsageRecord{
		Seq: seq, RequestId: r.GetRequestId(), StartedAtUs: r.GetStartedAtUs(), DurationUs: 60_000_000,
		Kind: usagev1.Kind_KIND_TOMBSTONE, Loss: loss,
	}
}

// losses are the columns that a tombstone fills.
type losses struct {
	Seq                                     int64
	Kind                                    string
	Requests, Shadows, Attempts, Unpriced   int64
	Text, Read, Write5m, Write1h, AudioIn   int64
	Out, Reasoning, AudioOut                int64
	Cost, Priced                            string
	Rows                                    uint64
	DurationUS                              int64
	Project, Provider, Outcome, SurfaceName string
}

func (w *world) losses(a testAgent) (out []losses) {
	w.t.Helper()
	rows, err := w.clickhouse.Query(w.t.Context(), `SELECT seq, kind, lost_requests, lost_shadows, lost_attempts, lost_unpriced_attempts,
		text_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, audio_input_tokens,
		text_output_tokens, reasoning_tokens, audio_output_tokens,
		ifNull(toString(cost_usd), 'unpriced'), toString(priced_cost_usd), toUInt64(length(attempt.provider)), duration_us,
		if(empty(project_id), '', 'some'), provider, outcome, surface FROM usage_event WHERE agent_id = ? ORDER BY seq`, a.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		var l losses
		if err := rows.Scan(&l.Seq, &l.Kind, &l.Requests, &l.Shadows, &l.Attempts, &l.Unpriced,
			&l.Text, &l.Read, &l.Write5m, &l.Write1h, &l.AudioIn, &l.Out, &l.Reasoning, &l.AudioOut,
			&l.Cost, &l.Priced, &l.Rows, &l.DurationUS, &l.Project, &l.Provider, &l.Outcome, &l.SurfaceName); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func TestIngest_stores_what_was_lost(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	value := w.batch(a, usage(1, 1)[0], tombstone(2, 0), tombstone(3, 4))
	w.send(0, value, value)
	w.start()
	w.settled(0, 2)
	stone := losses{
		Seq: 2, Kind: "tombstone", Requests: 7, Shadows: 2, Attempts: 12,
		Text: 100, Read: 1, Write5m: 2, Write1h: 3, AudioIn: 6, Out: 40, Reasoning: 5, AudioOut: 7,
		Cost: "3.000000001", Priced: "3.000000001", DurationUS: 60_000_000, Outcome: "unspecified", SurfaceName: "unspecified",
	}
	unpriced := stone
	unpriced.Seq, unpriced.Unpriced, unpriced.Cost = 3, 4, "unpriced"
	want := []losses{{
		Seq: 1, Kind: "request", Text: 10, Read: 4, Out: 20, Reasoning: 5, Cost: "0.001234567", Priced: "0.001234567",
		Rows: 1, DurationUS: 1500, Project: "some", Provider: "openai", Outcome: "ok", SurfaceName: "openai_chat",
	}, stone, unpriced}
	if diff := cmp.Diff(want, w.losses(a)); diff != "" {
		t.Error(diff)
	}
}

func TestLoss_bounds(t *testing.T) {
	full := func(l *usagev1.Loss) {
		l.Requests, l.Shadows, l.Attempts, l.UnpricedAttempts = batch.MaxLossCount, batch.MaxLossCount, batch.MaxLossCount, batch.MaxLossCount
		l.CostNanoUsd, l.Usage = batch.MaxLossCostNanoUSD, &usagev1.TokenUsage{
			Input: batch.MaxTokens, CacheRead: batch.MaxTokens, CacheWrite_5M: batch.MaxTokens, CacheWrite_1H: batch.MaxTokens,
			Output: batch.MaxTokens, Reasoning: batch.MaxTokens, InputAudio: batch.MaxTokens, OutputAudio: batch.MaxTokens,
		}
	}
	for name, c := range map[string]struct {
		change func(*usagev1.UsageRecord)
		want   string
	}{
		"all_at_their_bounds": {func(r *usagev1.UsageRecord) { full(r.Loss) }, ""},
		"says_nothing":        {func(r *usagev1.UsageRecord) { r.Loss = nil }, "a tombstone has a loss"},
		"requests":            {func(r *usagev1.UsageRecord) { r.Loss.Requests = batch.MaxLossCount + 1 }, "loss.requests"},
		"shadows":             {func(r *usagev1.UsageRecord) { r.Loss.Shadows = -1 }, "loss.shadows"},
		"attempts":            {func(r *usagev1.UsageRecord) { r.Loss.Attempts = batch.MaxLossCount + 1 }, "loss.attempts"},
		"unpriced":            {func(r *usagev1.UsageRecord) { r.Loss.UnpricedAttempts = 13 }, "loss.unpriced_attempts"},
		"cost":                {func(r *usagev1.UsageRecord) { r.Loss.CostNanoUsd = batch.MaxLossCostNanoUSD + 1 }, "loss.cost_nano_usd"},
		"tokens":              {func(r *usagev1.UsageRecord) { r.Loss.Usage.Reasoning = batch.MaxTokens + 1 }, "tokens"},
		"attempts_of_its_own": {func(r *usagev1.UsageRecord) { r.Attempts = []*usagev1.Attempt{{CostNanoUsd: proto.Int64(1)}} }, "no attempts of its own"},
		"of_no_tombstone":     {func(r *usagev1.UsageRecord) { r.Kind = usagev1.Kind_KIND_SHADOW }, "no tombstone"},
		"without_a_name":      {func(r *usagev1.UsageRecord) { r.RequestId = uuid.Nil.String() }, "request_id is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			r := tombstone(1, 0)
			c.change(r)
			_, err := fromProtoRecord(r)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
