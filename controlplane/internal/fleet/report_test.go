package fleet

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// A report that says nothing of credentials takes back nothing that waits to be stored.
func TestReportBufferKeepsCredentials(t *testing.T) {
	now := time.Now()
	said := map[string]Credential{"p": {State: 2, Reason: "gone"}}
	report := func(at time.Time, credentials map[string]Credential) Report {
		return Report{AgentID: uuid.UUID{1}, Status: Status{LastSeenAt: at, Credentials: credentials}, Tails: map[string]Tail{}}
	}
	for name, second := range map[string]Report{
		"a_later_one": report(now.Add(time.Second), nil), "an_earlier_one": report(now.Add(-time.Second), map[string]Credential{}),
	} {
		b := newReportBuffer()
		b.add(report(now, said))
		b.add(second)
		if diff := cmp.Diff(said, b.take()[0].Status.Credentials); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A report that says nothing of targets takes back nothing that waits to be stored.
func TestReportBufferKeepsTargets(t *testing.T) {
	now := time.Now()
	said := &Targets{Targets: []Target{{ProviderID: "p"}}}
	report := func(at time.Time, targets *Targets) Report {
		return Report{AgentID: uuid.UUID{1}, Status: Status{LastSeenAt: at, Targets: targets}, Tails: map[string]Tail{}}
	}
	for name, second := range map[string]Report{
		"a_later_one": report(now.Add(time.Second), nil), "an_earlier_one": report(now.Add(-time.Second), &Targets{}),
	} {
		b := newReportBuffer()
		b.add(report(now, said))
		b.add(second)
		if diff := cmp.Diff(said, b.take()[0].Status.Targets); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What an agent says of targets is taken as text that can be stored, in bounds, and once.
func TestTargetsOfALyingAgent(t *testing.T) {
	now := time.Now()
	lie := &agentv1.TargetStatus{
		ProviderId: "p\x00", Model: strings.Repeat("é", 200) + "\x00", State: agentv1.TargetStatus_STATE_OPEN, Reason: strings.Repeat("r", 2000) + "\xff",
		SinceMs: math.MaxInt64, TimeToFirstTokenUs: math.MaxInt64, TimePerTokenUs: math.MaxInt64, InFlight: math.MaxInt64,
	}
	fine := &agentv1.TargetStatus{ProviderId: "p", Model: "m", State: agentv1.TargetStatus_STATE_CLOSED, Reason: "none", SinceMs: 1000, InFlight: 1}
	got := fromProtoTargets(&agentv1.TargetReport{Targets: []*agentv1.TargetStatus{lie, fine, fine, lie}, LeftOut: math.MaxInt32}, now)
	day := (24 * time.Hour).Microseconds()
	want := &Targets{SaidAt: now, LeftOut: math.MaxInt32, Targets: []Target{
		{ProviderID: "p", Model: strings.Repeat("é", 200), State: agentv1.TargetStatus_STATE_OPEN, Reason: strings.Repeat("r", maxReasonBytes),
			Since: now.Add(-maxAge), TimeToFirstTokenUS: day, TimePerTokenUS: day, InFlight: math.MaxInt32},
		{ProviderID: "p", Model: "m", State: agentv1.TargetStatus_STATE_CLOSED, Since: now.Add(-time.Second), InFlight: 1},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if fromProtoTargets(nil, now) != nil {
		t.Error("nothing was said")
	}
}
