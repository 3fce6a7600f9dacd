package fleet

import (
	"log/slog"
	"testing"
	"time"

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

// A candidate that was abandoned is no base for anything: its feed ends with its last
// watcher, while one that goes on waits for who comes back.
func TestTheFeedOfATrackThatIsOverEnds(t *testing.T) {
	agent := uuid.New()
	for name, test := range map[string]struct {
		state rollout.State
		kept  bool
	}{"goes_on": {rollout.Running, true}, "abandoned": {rollout.Abandoned, false}} {
		t.Run(name, func(t *testing.T) {
			h, stopped := newHub(Config{Timing: Timing{Linger: time.Hour}}), false
			feedOf := func(track rollout.Track) *feed {
				f := newFeed(Config{Log: slog.New(slog.DiscardHandler)}, place{track: track}, func() { stopped = true })
				h.feeds[f.place] = f
				return f
			}
			candidate, _ := feedOf(rollout.Candidate), feedOf(rollout.Stable)
			candidate.stage = rollout.NewStage(rollout.Settings{}, 0, &rollout.Rollout{State: test.state, Agents: []uuid.UUID{agent}}, 0)
			candidate.stagedAt = 5
			w := &watcher{agent: gateway.Agent{ID: agent}, hub: h, wake: make(chan struct{}, 1), feed: candidate}
			candidate.add(w)
			h.mu.Lock()
			h.exit(w)
			kept := h.feeds[candidate.place] != nil
			h.mu.Unlock()
			if kept != test.kept || stopped == test.kept {
				t.Errorf("kept: %t, stopped: %t", kept, stopped)
			}
		})
	}
}

// A heartbeat that is due comes, and says nothing of a policy that nobody looked at yet.
func TestAHeartbeatConfirmsNothingThatIsNotKnown(t *testing.T) {
	var said []*agentv1.WatchResponse
	s := newSession(&agentv1.WatchRequest{Have: &agentv1.PolicyPosition{Epoch: 1, Version: 1}, Capability: capabilityDelta}, &watcher{}, nil)
	s.send = func(m *agentv1.WatchResponse) error { said = append(said, m); return nil }
	s.said, s.beatDue = true, true
	if err := s.beatIfDue(nil); err != nil || len(said) != 1 || !said[0].GetHeartbeat().GetBehind() {
		t.Errorf("said %v, %v", said, err)
	}
	if s.beaten {
		t.Error("the policy counts as confirmed")
	}
}
