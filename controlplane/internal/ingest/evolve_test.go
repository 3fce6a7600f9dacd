package ingest

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// newer is a record of an agent that tells more than this build knows.
func newer(r *usagev1.UsageRecord) {
	more := func(m proto.Message) {
		raw := protowire.AppendTag(m.ProtoReflect().GetUnknown(), 4000, protowire.BytesType)
		m.ProtoReflect().SetUnknown(protowire.AppendString(raw, "of a newer agent"))
	}
	more(r)
	more(r.Attempts[0])
	r.Kind, r.Attempts[0].Cause = 99, 98
	r.Candidates = []*usagev1.Candidate{{Provider: "openai", Model: "gpt-5", Verdict: 97}}
}

// An agent that is newer loses nothing: fields that nobody knows here are passed over,
// values on which no sum depends are stored by their number, and a record with another
// outcome than there is waits in the dead-letter topic for a build that knows it. One that
// is older says less.
func TestIngest_takes_usage_of_newer_and_older_agents(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	a := w.agent()
	outcome := func(r *usagev1.UsageRecord) { r.Outcome = 42 }
	whole := usage(4, 4)[0]
	older := &usagev1.UsageRecord{Seq: 4, RequestId: whole.GetRequestId(), StartedAtUs: whole.GetStartedAtUs()}
	w.send(0, w.batch(a, usage(1, 1)[0], usage(2, 2, newer)[0], usage(3, 3, outcome)[0], older))
	in := w.start()
	w.settled(0, 1)

	type stored struct {
		Seq              int64
		Kind, Outcome    string
		Causes, Verdicts []string
	}
	read := func() (out []stored) {
		rows, err := w.clickhouse.Query(t.Context(), "SELECT seq, kind, outcome, attempt.cause, candidate.verdict FROM usage_event ORDER BY seq")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var s stored
			if err := rows.Scan(&s.Seq, &s.Kind, &s.Outcome, &s.Causes, &s.Verdicts); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return out
	}
	want := []stored{
		{Seq: 1, Kind: "request", Outcome: "ok", Causes: []string{"unspecified"}, Verdicts: []string{}},
		{Seq: 2, Kind: "unknown_99", Outcome: "ok", Causes: []string{"unknown_98"}, Verdicts: []string{"unknown_97"}},
		{Seq: 4, Kind: "request", Outcome: "unspecified", Causes: []string{}, Verdicts: []string{}},
	}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bad_record"}, w.deadReasons()); diff != "" {
		t.Error(diff)
	}

	in.stop() // and a build that knows more takes over
	was := outcomes
	t.Cleanup(func() { outcomes = was })
	outcomes = append(slices.Clone(was), make([]string, 42-len(was)+1)...)
	outcomes[42] = "postponed"
	if _, err := Replay(context.Background(), w.config, Wanted{Reason: reasonRecord}, true); err != nil {
		t.Fatal(err)
	}
	again := w.start()
	w.settled(0, 2)
	again.stop() // before the names are those of this build again
	want = slices.Insert(want, 2, stored{Seq: 3, Kind: "request", Outcome: "postponed", Causes: []string{"unspecified"}, Verdicts: []string{}})
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("1-4", w.settledOf(a)); diff != "" {
		t.Error(diff)
	}
}
