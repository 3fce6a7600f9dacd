package rollout

import (
	"time"

	"github.com/google/uuid"
)

const (
	// connected is how long after its last report an agent counts as connected; it
	// reports every 5 s.
	connected = 30 * time.Second
	// lost is for how long none of the agents that have a candidate may be silent: a
	// policy that kills its agent is never refused.
	lost = time.Minute
)

// Look is what is known of a gateway at one moment.
type Look struct {
	Now time.Time
	// Configuration is the version of the newest change of what is staged.
	Configuration int64
	// Agents are the gateway's living ones, by id.
	Agents []Agent
}

// Agent is what one said of itself last.
type Agent struct {
	ID   uuid.UUID
	Name string
	// SeenAt of zero: never.
	SeenAt time.Time
	// Rejected counts the policies that it refused since its start; Reasons are why it
	// refuses the newest.
	Rejected int64
	Reasons  []string
	Counters
	// Baseline is from before it had the candidate; nil: none was noted.
	Baseline *Baseline
}

// Counters of an agent's requests since its start.
type Counters struct{ Requests, Failures int64 }

// Baseline of an agent in a rollout.
type Baseline struct {
	// Before it had the candidate.
	Before Counters
	// Rejected is its count when the candidate was given to it.
	Rejected int64
	// Since are its counters when it was first seen with the candidate; AppliedAt of zero:
	// it was not yet.
	Since     Counters
	AppliedAt time.Time
}

func (l Look) connected(a Agent) bool { return l.Now.Sub(a.SeenAt) <= connected }

// reachable are the agents that are connected.
func (l Look) reachable() []Agent {
	var found []Agent
	for _, a := range l.Agents {
		if l.connected(a) {
			found = append(found, a)
		}
	}
	return found
}

// members are the living agents that have the candidate.
func (l Look) members(r Rollout) []Agent {
	has := map[uuid.UUID]bool{}
	for _, id := range r.Agents {
		has[id] = true
	}
	var found []Agent
	for _, a := range l.Agents {
		if has[a.ID] {
			found = append(found, a)
		}
	}
	return found
}

// under are the counters that an agent counted with the candidate. An agent that
// started anew since counts from 0.
func (a Agent) under() Counters {
	since := a.Baseline.Since
	if a.Requests < since.Requests || a.Failures < since.Failures {
		return a.Counters
	}
	return Counters{a.Requests - since.Requests, a.Failures - since.Failures}
}

// rate of failures in percent; without requests 0.
func (c Counters) rate() float64 {
	if c.Requests == 0 {
		return 0
	}
	return 100 * float64(c.Failures) / float64(c.Requests)
}
