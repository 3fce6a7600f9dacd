// Package rollout decides how a changed configuration comes to a gateway's agents:
// first to one, then to some, then to all; when it is held, and what going back to a
// past one means. It reads no store and no clock.
package rollout

import (
	"time"

	"github.com/google/uuid"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// State of a rollout, or of a going back.
type State string

// The first two and Pinned are open: a gateway has at most one that is.
const (
	Running   State = "running"
	Held      State = "held"
	Finished  State = "finished"
	Abandoned State = "abandoned"
	Pinned    State = "pinned"
	Unpinned  State = "unpinned"
)

// Rollout is one configuration on its way to the agents of a gateway, or a going back.
type Rollout struct {
	ID        uuid.UUID `json:"id"`
	GatewayID uuid.UUID `json:"gateway_id"`
	State     State     `json:"state"`
	// Base is the version of the log whose configuration the other agents have; of a
	// going back, all.
	Base int64 `json:"base"`
	// Candidate is the version whose configuration Agents have; 0: it is a going back.
	Candidate int64 `json:"candidate,omitempty"`
	// Step counts from 0, which is one agent; Percent of the agents is what a later one is for.
	Step    int32 `json:"step,omitempty"`
	Percent int32 `json:"percent,omitempty"`
	// Agents have the candidate, the canary first; none when it is over.
	Agents []uuid.UUID `json:"agents,omitempty"`
	Hold   *Hold       `json:"hold,omitempty"`
	// Reason of a going back, or why it was abandoned.
	Reason    string    `json:"reason,omitempty"`
	StartedAt time.Time `json:"started_at"`
	StepAt    time.Time `json:"step_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	// Started is the version it began at.
	Started int64 `json:"started"`
	// StableSince and CandidateSince are the versions that last moved agents to a track:
	// none of its releases is older. 0: there was no such version.
	StableSince    int64 `json:"stable_since,omitempty"`
	CandidateSince int64 `json:"candidate_since,omitempty"`
	Version        int64 `json:"version"`
}

// Hold is why a rollout stands still.
type Hold struct {
	Cause  eventv1.RolloutHoldCause `json:"cause"`
	Reason string                   `json:"reason"`
	// AgentID of uuid.Nil: it is about no agent.
	AgentID uuid.UUID `json:"agent_id,omitzero"`
}

// Open tells whether it goes on.
func (r Rollout) Open() bool {
	return r.State == Running || r.State == Held || r.State == Pinned
}

// staging tells whether there are two configurations at once.
func (r Rollout) staging() bool { return r.State == Running || r.State == Held }

// heldByPerson tells whether somebody wants it to stay where it is.
func (r Rollout) heldByPerson() bool {
	return r.State == Held && r.Hold.Cause == eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REQUESTED
}
