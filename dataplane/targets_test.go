package dataplane

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/proxy"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

func state(model string, standing balance.Standing, inFlight int64) proxy.TargetState {
	return proxy.TargetState{ProviderID: "p", Provider: "name", Model: model, Status: balance.Status{
		Standing: standing, Reason: "why", Since: time.Second, First: time.Millisecond, PerToken: time.Microsecond, InFlight: inFlight}}
}

// TestTargetsAreReported: those that are not well first, then the busiest, in figures of the
// contract's units.
func TestTargetsAreReported(t *testing.T) {
	report := targetReport([]proxy.TargetState{
		state("idle", balance.Closed, 0), state("busy", balance.Closed, 7), state("open", balance.Open, 0),
		state("due", balance.Due, 1), state("probed", balance.Probed, 2), state(strings.Repeat("x", 201), balance.Closed, 1),
	})
	status := func(model string, state agentv1.TargetStatus_State, inFlight int64) *agentv1.TargetStatus {
		return &agentv1.TargetStatus{ProviderId: "p", Model: model, State: state, Reason: "why", SinceMs: 1000,
			TimeToFirstTokenUs: 1000, TimePerTokenUs: 1, InFlight: inFlight}
	}
	const halfOpen = agentv1.TargetStatus_STATE_HALF_OPEN
	want := &agentv1.TargetReport{LeftOut: 1, Targets: []*agentv1.TargetStatus{
		status("probed", halfOpen, 2), status("due", halfOpen, 1), status("open", agentv1.TargetStatus_STATE_OPEN, 0),
		status("busy", agentv1.TargetStatus_STATE_CLOSED, 7), status("idle", agentv1.TargetStatus_STATE_CLOSED, 0),
	}}
	if diff := cmp.Diff(want, report, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// TestManyTargetsAreReported as far as there is room: one too many would have the control
// plane refuse the whole report.
func TestManyTargetsAreReported(t *testing.T) {
	states := []proxy.TargetState{state("last", balance.Open, 0)}
	for i := range 1500 {
		states = append([]proxy.TargetState{state(fmt.Sprint("model ", i), balance.Closed, 1)}, states...)
	}
	report := targetReport(states)
	if len(report.Targets) != 1000 || report.LeftOut != 501 || report.Targets[0].Model != "last" {
		t.Errorf("%d, %d left out, first %v", len(report.Targets), report.LeftOut, report.Targets[0])
	}
	if err := protovalidate.Validate(report); err != nil {
		t.Error(err)
	}
}
