package fleet_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// An agent that is taken back to what it had before gets the same content in a newer
// release: an older one it would refuse.
func TestWhoComesBackGetsANewerRelease(t *testing.T) {
	s := serve(t, fleet.Timing{})
	a, b := s.enrol(t), s.enrol(t)
	canary, stays := a.watch(t, &agentv1.WatchRequest{}), b.watch(t, &agentv1.WatchRequest{})
	before := release(t, until(t, canary, isSnapshot))
	until(t, stays, isSnapshot)
	base := before.GetVersion()
	begun := s.world.Change(func(state *policy.State) {
		state.Gateway.Name = "renamed"
		last := &rollout.Rollout{
			State: rollout.Running, Base: base, Candidate: state.Version, CandidateSince: state.Version, Agents: []uuid.UUID{uuid.MustParse(a.id)},
		}
		state.Stage = rollout.NewStage(rollout.Settings{}, 0, last, 0)
	})
	if got := release(t, until(t, canary, isSnapshot)); got.GetVersion() != begun || string(got.GetRoot()) == string(before.GetRoot()) {
		t.Errorf("the candidate is %d with the same root: %t", got.GetVersion(), string(got.GetRoot()) == string(before.GetRoot()))
	}
	back := s.world.Change(func(state *policy.State) {
		last := &rollout.Rollout{State: rollout.Pinned, Base: base, StableSince: state.Version}
		state.Stage = rollout.NewStage(rollout.Settings{}, 0, last, state.Version)
	})
	for _, messages := range []<-chan *agentv1.WatchResponse{canary, stays} {
		if got := release(t, until(t, messages, isSnapshot)); got.GetVersion() != back || string(got.GetRoot()) != string(before.GetRoot()) {
			t.Errorf("version %d, want %d; the same content: %t", got.GetVersion(), back, string(got.GetRoot()) == string(before.GetRoot()))
		}
	}
}
