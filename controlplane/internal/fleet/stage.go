package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/rollout"
)

// readState reads the state with the configuration that the track has at that very
// version of the log: which one it is, the state says itself. Since asks for what changed
// after a version; a configuration of the past is always read whole.
func (f *feed) readState(ctx context.Context, since int64) (policy.State, error) {
	for {
		query := PolicyQuery{OrganizationID: f.organization, GatewayID: f.gateway, ConfigurationVersion: f.configuration}
		if f.configuration == 0 {
			query.Since = since
		}
		state, err := f.config.Policies.PolicyState(ctx, query)
		if err != nil || !state.Stage.Has(f.track) {
			return state, err
		}
		wanted := state.Stage.Configuration(f.track)
		if wanted == f.configuration {
			return state, nil
		}
		f.configuration = wanted
	}
}

// publishStage makes known who is in which track by now. Whoever has to move is woken
// before anything that is not for it is there.
func (f *feed) publishStage(state policy.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state.Version <= f.stagedAt {
		return
	}
	f.stage, f.stagedAt = state.Stage, state.Version
	for w := range f.watchers {
		if f.stage.TrackOf(w.agent.ID) != f.track {
			w.notify()
		}
	}
}

// staged is the newest stage that the feed knows, and the log's version that it is of.
func (f *feed) staged() (rollout.Stage, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stage, f.stagedAt
}

// isFor tells whether an agent was in the policy's track when it was read.
func (p *published) isFor(agent uuid.UUID) bool {
	return p != nil && p.stage.TrackOf(agent) == p.track
}
