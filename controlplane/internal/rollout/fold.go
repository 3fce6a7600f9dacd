package rollout

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into a rollout's state.
func Apply(r Rollout, e eventlog.Event) (Rollout, error) {
	var err error
	switch body := e.Body.(type) {
	case *eventv1.RolloutStarted:
		r, err = started(body, e)
	case *eventv1.RolloutRestarted:
		r.State, r.Hold, r.Candidate, r.Step, r.Percent = Running, nil, body.GetCandidateVersion(), 0, 0
		r.StepAt, r.StableSince, r.CandidateSince = e.RecordedAt, e.Version, e.Version
		r.Agents, err = parse(body.GetAgentIds())
	case *eventv1.RolloutAdvanced:
		r.State, r.Hold, r.Step, r.Percent, r.StepAt, r.CandidateSince = Running, nil, body.GetStep(), body.GetPercent(), e.RecordedAt, e.Version
		var more []uuid.UUID
		more, err = parse(body.GetAgentIds())
		r.Agents = append(append([]uuid.UUID{}, r.Agents...), more...)
	case *eventv1.RolloutHeld:
		r.State, r.Hold, err = held(body)
	case *eventv1.RolloutResumed:
		r.State, r.Hold, r.StepAt = Running, nil, e.RecordedAt
	case *eventv1.RolloutFinished:
		r = r.over(Finished, e)
	case *eventv1.RolloutAbandoned:
		r = r.over(Abandoned, e)
		r.Reason = body.GetReason()
	case *eventv1.GatewayWentBack:
		r = Rollout{
			ID: e.Subject, State: Pinned, Base: body.GetVersion(), Reason: body.GetReason(),
			StartedAt: e.RecordedAt, Started: e.Version, StableSince: e.Version,
		}
		r.GatewayID, err = uuid.Parse(body.GetGatewayId())
	case *eventv1.GatewayWentForward:
		r = r.over(Unpinned, e)
	default:
		err = eventlog.ErrUnknownKind
	}
	if err != nil {
		return r, fmt.Errorf("fold rollout %s: %s: %w", e.Subject, e.Kind, err)
	}
	r.Version = e.Version
	return r, nil
}

func started(body *eventv1.RolloutStarted, e eventlog.Event) (r Rollout, err error) {
	r = Rollout{
		ID: e.Subject, State: Running, Base: body.GetBaseVersion(), Candidate: body.GetCandidateVersion(),
		StartedAt: e.RecordedAt, StepAt: e.RecordedAt, Started: e.Version, CandidateSince: e.Version,
	}
	if r.GatewayID, err = uuid.Parse(body.GetGatewayId()); err != nil {
		return r, err
	}
	r.Agents, err = parse(body.GetAgentIds())
	return r, err
}

func held(body *eventv1.RolloutHeld) (state State, hold *Hold, err error) {
	hold = &Hold{Cause: body.GetCause(), Reason: body.GetReason()}
	if body.GetAgentId() != "" {
		hold.AgentID, err = uuid.Parse(body.GetAgentId())
	}
	return Held, hold, err
}

func (r Rollout) over(state State, e eventlog.Event) Rollout {
	r.State, r.Hold, r.Agents, r.EndedAt, r.StableSince = state, nil, nil, e.RecordedAt, e.Version
	return r
}

func parse(texts []string) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, 0, len(texts))
	for _, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func texts(ids []uuid.UUID) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = id.String()
	}
	return all
}
