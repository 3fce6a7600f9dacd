package rollout

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const maxReason = 500

func (r Rollout) change(body proto.Message) []eventlog.Change {
	return []eventlog.Change{{Subject: r.ID, Body: body}}
}

// Promote lets the agents of the next step have the candidate, or all.
func (s Stage) Promote(r Rollout, all bool, look Look) ([]eventlog.Change, error) {
	if err := r.underWay(); err != nil {
		return nil, err
	}
	if all {
		return r.finish(), nil
	}
	if look.Configuration > r.Candidate {
		return nil, fault.Because(fault.Precondition, "newer_configuration", "version %d of the configuration waits, and would begin with one agent at once: "+
			"resume the rollout, which then begins with it, promote to all, or go back", look.Configuration)
	}
	return s.advance(r, look), nil
}

// HoldAt stops it where it is; one that was held for another reason stays when the
// configuration changes, too, from then on.
func (r Rollout) HoldAt(reason string) ([]eventlog.Change, error) {
	if err := r.underWay(); err != nil {
		return nil, err
	}
	if len(reason) > maxReason {
		return nil, fault.Field("reason", "want at most %d bytes", maxReason)
	}
	if r.heldByPerson() {
		return nil, nil
	}
	return r.hold(Hold{Cause: eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REQUESTED, Reason: reason}), nil
}

// Resume lets it go on.
func (r Rollout) Resume() ([]eventlog.Change, error) {
	if err := r.underWay(); err != nil {
		return nil, err
	}
	if r.State != Held {
		return nil, nil
	}
	return r.change(&eventv1.RolloutResumed{}), nil
}

func (r Rollout) underWay() error {
	switch {
	case r.State == Pinned:
		return fault.Because(fault.Precondition, "gateway_pinned",
			"this is a going back, not a rollout: the gateway is pinned at version %d; GoForward ends that", r.Base)
	case !r.Open():
		return fault.Because(fault.Precondition, "rollout_over", "the rollout is over (%s)", r.State)
	}
	return nil
}

// GoBack pins the gateway at a past version; id is for the going back.
func (s Stage) GoBack(id, gateway uuid.UUID, version int64, reason string) ([]eventlog.Change, error) {
	if len(reason) > maxReason {
		return nil, fault.Field("reason", "want at most %d bytes", maxReason)
	}
	if s.Pinned() && s.Last.Base == version {
		return nil, nil // said twice, true once
	}
	back := eventlog.Change{Subject: id, Body: &eventv1.GatewayWentBack{GatewayId: gateway.String(), Version: version, Reason: reason}}
	return append(s.End("somebody went back to another version"), back), nil
}

// GoForward ends a going back.
func (s Stage) GoForward() ([]eventlog.Change, error) {
	if !s.Pinned() {
		return nil, fault.Because(fault.Precondition, "gateway_not_pinned", "nobody went back: the gateway follows the present configuration")
	}
	return s.End(""), nil
}

// End abandons what is under way; reason is why.
func (s Stage) End(reason string) []eventlog.Change {
	switch open := s.Open(); {
	case open == nil:
		return nil
	case open.State == Pinned:
		return open.change(&eventv1.GatewayWentForward{})
	default:
		return open.change(&eventv1.RolloutAbandoned{Reason: reason})
	}
}

// Unstage ends a rollout whose gateway gives every change to all agents at once from
// now on. Who went back stays there.
func (s Stage) Unstage() []eventlog.Change {
	if open := s.Open(); open != nil && open.staging() {
		return open.finish()
	}
	return nil
}
