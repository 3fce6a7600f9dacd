package fleet

import (
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// A policy may become current between a stream's look at its track and its look at
// the policy: it is sent to those only that were in the track when it was read.
func TestAPolicyOfTheOtherTrackIsNotSent(t *testing.T) {
	canary, other := uuid.New(), uuid.New()
	stage := rollout.NewStage(rollout.Settings{}, 0, &rollout.Rollout{State: rollout.Running, Agents: []uuid.UUID{canary}}, 0)
	f := &feed{place: place{track: rollout.Candidate}, latest: &published{track: rollout.Candidate, stage: stage, release: Release{Root: []byte{1}}}}
	for agent, sent := range map[uuid.UUID]bool{canary: true, other: false} {
		w := &watcher{agent: gateway.Agent{ID: agent}, hub: newHub(Config{}), feed: f}
		if got := sends(newSession(&agentv1.WatchRequest{}, w, nil)); got != sent {
			t.Errorf("sent: %t, want %t", got, sent)
		}
	}
}

// sends tells whether a session without a stream tried to send anything.
func sends(s *session) (sent bool) {
	defer func() { sent = recover() != nil }()
	_, err := s.catchUp()
	return err != nil
}
