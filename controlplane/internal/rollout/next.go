package rollout

import (
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Next is what follows by itself from what is seen of the gateway: nothing, mostly.
// id is for a rollout that begins.
func (s Stage) Next(id, gateway uuid.UUID, look Look) []eventlog.Change {
	open := s.Open()
	switch {
	case !s.Settings.Staged():
		return nil
	case open == nil && look.Configuration > s.Configuration(Stable):
		return s.start(id, gateway, look)
	case open == nil || open.State == Pinned:
		return nil
	case len(look.Agents) == 0:
		return open.finish() // nobody is left to try it on
	case look.Configuration > open.Candidate && !open.heldByPerson():
		return open.restart(look)
	case open.State == Held:
		return nil
	}
	return s.judge(*open, look)
}

// start begins with one agent. Without any there is nothing to stage, and without one
// that is connected nothing happens yet.
func (s Stage) start(id, gateway uuid.UUID, look Look) []eventlog.Change {
	begin := &eventv1.RolloutStarted{
		GatewayId: gateway.String(), BaseVersion: s.Configuration(Stable), CandidateVersion: look.Configuration,
	}
	began := []eventlog.Change{{Subject: id, Body: begin}}
	if len(look.Agents) == 0 {
		return append(began, eventlog.Change{Subject: id, Body: &eventv1.RolloutFinished{}})
	}
	reachable := look.reachable()
	if len(reachable) == 0 {
		return nil
	}
	begin.AgentIds = []string{reachable[0].ID.String()}
	return began
}

// restart gives the newer configuration to the same agent that had the one before.
func (r Rollout) restart(look Look) []eventlog.Change {
	canary := uuid.Nil
	for _, a := range look.reachable() {
		if canary == uuid.Nil || len(r.Agents) > 0 && a.ID == r.Agents[0] {
			canary = a.ID
		}
	}
	if canary == uuid.Nil {
		return nil
	}
	return r.change(&eventv1.RolloutRestarted{CandidateVersion: look.Configuration, AgentIds: []string{canary.String()}})
}

// judge holds a running rollout, lets it go on, or waits.
func (s Stage) judge(r Rollout, look Look) []eventlog.Change {
	members := look.members(r)
	if hold := s.fault(r, members, look); hold != nil {
		return r.hold(*hold)
	}
	if !r.baked(members, look, s.Settings) {
		return nil
	}
	return s.advance(r, look)
}

// advance goes to the next step that has an agent more, or to all.
func (s Stage) advance(r Rollout, look Look) []eventlog.Change {
	has := map[uuid.UUID]bool{}
	for _, id := range r.Agents {
		has[id] = true
	}
	reachable := look.reachable()
	var others []uuid.UUID
	for _, a := range reachable {
		if !has[a.ID] {
			others = append(others, a.ID)
		}
	}
	for step := int(r.Step) + 1; step <= len(s.Settings.Steps); step++ {
		percent := s.Settings.Steps[step-1]
		wanted := (len(reachable)*int(percent) + 99) / 100
		more := wanted - (len(reachable) - len(others))
		if more > 0 {
			return r.change(&eventv1.RolloutAdvanced{Step: int32(step), Percent: percent, AgentIds: texts(others[:more])})
		}
	}
	return r.finish()
}

func (r Rollout) finish() []eventlog.Change { return r.change(&eventv1.RolloutFinished{}) }

func (r Rollout) hold(h Hold) []eventlog.Change {
	held := &eventv1.RolloutHeld{Cause: h.Cause, Reason: h.Reason}
	if h.AgentID != uuid.Nil {
		held.AgentId = h.AgentID.String()
	}
	return r.change(held)
}
