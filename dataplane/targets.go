package dataplane

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/proxy"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// What a report has room for.
const (
	maxTargets   = 1000
	maxModelName = 200 // characters
)

// targetReport puts those first that are not well, then the busiest, and leaves out what has
// no room.
func targetReport(states []proxy.TargetState) *agentv1.TargetReport {
	report := &agentv1.TargetReport{}
	for _, t := range states {
		if utf8.RuneCountInString(t.Model) > maxModelName {
			report.LeftOut++ // one name that does not fit would have the whole report refused
			continue
		}
		report.Targets = append(report.Targets, &agentv1.TargetStatus{
			ProviderId: t.ProviderID, Model: t.Model, State: toProtoStanding(t.Standing), Reason: shortened(t.Reason),
			SinceMs: t.Since.Milliseconds(), TimeToFirstTokenUs: t.First.Microseconds(), TimePerTokenUs: t.PerToken.Microseconds(),
			InFlight: max(0, t.InFlight),
		})
	}
	closed := func(t *agentv1.TargetStatus) int {
		if t.State == agentv1.TargetStatus_STATE_CLOSED {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(report.Targets, func(a, b *agentv1.TargetStatus) int {
		return cmp.Or(cmp.Compare(closed(a), closed(b)), cmp.Compare(b.InFlight, a.InFlight))
	})
	if n := len(report.Targets); n > maxTargets {
		report.Targets, report.LeftOut = report.Targets[:maxTargets], report.LeftOut+int32(n-maxTargets)
	}
	return report
}

func toProtoStanding(standing balance.Standing) agentv1.TargetStatus_State {
	switch standing {
	case balance.Open:
		return agentv1.TargetStatus_STATE_OPEN
	case balance.Due, balance.Probed:
		return agentv1.TargetStatus_STATE_HALF_OPEN
	}
	return agentv1.TargetStatus_STATE_CLOSED
}
