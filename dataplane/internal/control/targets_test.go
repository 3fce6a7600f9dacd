package control_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Reports carry targets when a state changed: figures that each request changes, and their
// order, are no reason.
func TestTargetsInReports(t *testing.T) {
	l, p := newLiar(t), &plane{}
	status := func(model string, state agentv1.TargetStatus_State, figure int64) *agentv1.TargetStatus {
		return &agentv1.TargetStatus{ProviderId: "p", Model: model, State: state, SinceMs: figure,
			TimeToFirstTokenUs: figure, TimePerTokenUs: figure, InFlight: figure}
	}
	say := func(targets ...*agentv1.TargetStatus) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.targets = &agentv1.TargetReport{Targets: targets}
	}
	hear := func(want agentv1.TargetStatus_State) (silent int) {
		t.Helper()
		for tooLate := time.After(15 * time.Second); ; {
			select {
			case r := <-l.reports:
				if r.GetTargets() == nil {
					silent++
				} else if got := r.GetTargets().GetTargets()[0].GetState(); got == want {
					return silent
				} else {
					t.Fatalf("%v was said again", got)
				}
			case <-tooLate:
				t.Fatalf("%v is not in a report", want)
			}
		}
	}
	const closed, open = agentv1.TargetStatus_STATE_CLOSED, agentv1.TargetStatus_STATE_OPEN
	say(status("a", closed, 2), status("b", closed, 1))
	config := p.config(l.url, t.TempDir())
	config.Timing = control.Timing{Report: 5 * time.Millisecond}
	run(t, config)
	hear(closed)
	say(status("b", closed, 9), status("a", closed, 3))
	eventually(t, "reports go on", func() bool { return len(l.reports) > 5 })
	say(status("b", open, 9), status("a", closed, 3))
	if silent := hear(open); silent < 5 {
		t.Errorf("%d reports without targets", silent)
	}
}
