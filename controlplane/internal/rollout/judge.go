package rollout

import (
	"fmt"
	"strings"
	"time"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// fault is what is wrong with the agents that have the candidate; nil: nothing.
func (s Stage) fault(r Rollout, members []Agent, look Look) *Hold {
	silent := look.Now.Sub(r.StepAt) > lost
	for _, a := range members {
		if reason := a.refusal(); reason != "" {
			return &Hold{eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REJECTED, reason, a.ID}
		}
		if reason := a.rise(s.Settings); reason != "" {
			return &Hold{eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_ERROR_RATE, reason, a.ID}
		}
		silent = silent && look.Now.Sub(a.SeenAt) > lost
	}
	if !silent {
		return nil
	}
	held := &Hold{Cause: eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_LOST}
	held.Reason = fmt.Sprintf("no agent that has the new configuration was seen for %v; look whether it runs, then resume", lost)
	if len(members) == 1 {
		held.AgentID = members[0].ID
	}
	return held
}

// refusal is why the agent refused the candidate; empty: it did not.
func (a Agent) refusal() string {
	if a.Baseline == nil || len(a.Reasons) == 0 || a.Rejected == a.Baseline.Rejected {
		return ""
	}
	return fmt.Sprintf("agent %q refused the policy: %s", a.Name, strings.Join(a.Reasons, "; "))
}

// rise tells of failures that became more; empty: they did not, or there were too few
// requests to tell.
func (a Agent) rise(s Settings) string {
	if a.Baseline == nil || a.Baseline.AppliedAt.IsZero() {
		return ""
	}
	under := a.under()
	before, now := a.Baseline.Before.rate(), under.rate()
	if under.Requests < int64(s.MinRequests) || now-before <= float64(s.MaxErrorRise) {
		return ""
	}
	return fmt.Sprintf("agent %q: %d of %d requests failed (%.1f %%), %.1f %% did before; at most %d points more are allowed",
		a.Name, under.Failures, under.Requests, now, before, s.MaxErrorRise)
}

// baked tells whether the step's agents, those that are connected, have had the
// candidate for long enough, and said how it went since. None of them is not enough.
func (r Rollout) baked(members []Agent, look Look, s Settings) bool {
	bake := time.Duration(s.BakeSeconds) * time.Second
	ready := false
	for _, a := range members {
		if !look.connected(a) {
			continue
		}
		if a.Baseline == nil || a.Baseline.AppliedAt.IsZero() || a.SeenAt.Sub(a.Baseline.AppliedAt) < bake || a.SeenAt.Sub(r.StepAt) < bake {
			return false
		}
		ready = true
	}
	return ready
}
