package fleet_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/policy"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// follow takes messages until the follower has the version.
func follow(t *testing.T, f *fleettest.Follower, messages <-chan *agentv1.WatchResponse, version int64) {
	t.Helper()
	for f.Have.GetVersion() < version {
		if err := f.Take(next(t, messages)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeltas(t *testing.T) {
	t.Run("a_change_is_a_delta", func(t *testing.T) {
		s, f := serve(t, fleet.Timing{}), fleettest.NewFollower()
		s.world.AddKeys(100)
		messages := s.enrol(t).watch(t, f.Request())
		follow(t, f, messages, 3)
		for _, version := range []int64{s.world.AddKeys(2), s.world.RemoveKey(), s.world.Revoke("first"), s.world.AddKeys(1)} {
			follow(t, f, messages, version)
		}
		if f.Snapshots != 1 || f.Deltas < 1 {
			t.Errorf("%d snapshots and %d deltas", f.Snapshots, f.Deltas)
		}
	})
	t.Run("who_missed_releases_gets_one_delta", func(t *testing.T) {
		s, f, other := serve(t, fleet.Timing{}), fleettest.NewFollower(), fleettest.NewFollower()
		a, all := s.enrol(t), s.enrol(t).watch(t, other.Request())
		follow(t, f, a.watch(t, f.Request()), 2)
		for range 5 {
			follow(t, other, all, s.world.AddKeys(1))
		}
		messages := a.watch(t, f.Request())
		if m := next(t, messages); m.GetDelta() == nil {
			t.Errorf("first comes %v", m)
		} else if err := f.Take(m); err != nil {
			t.Fatal(err)
		}
		if f.Have.GetVersion() != other.Have.GetVersion() {
			t.Errorf("one delta brings it to version %d of %d", f.Have.GetVersion(), other.Have.GetVersion())
		}
	})
	t.Run("an_unknown_base_gets_a_snapshot", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		have := &agentv1.PolicyPosition{Epoch: 1, Version: 1, Root: make([]byte, 32)}
		if m := until(t, s.enrol(t).watch(t, &agentv1.WatchRequest{Have: have, Capability: 4}), isPolicy); !isSnapshot(m) {
			t.Errorf("got %v", m)
		}
	})
	for name, bend := range map[string]func(*agentv1.WatchRequest){
		"old_agents_get_snapshots":           func(r *agentv1.WatchRequest) { r.Capability = 3 },
		"who_asks_for_all_gets_a_snapshot":   func(r *agentv1.WatchRequest) { r.Whole = true },
		"who_needs_much_gets_a_new_snapshot": func(*agentv1.WatchRequest) {},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := serve(t, fleet.Timing{}), fleettest.NewFollower()
			a := s.enrol(t)
			follow(t, f, a.watch(t, f.Request()), 2)
			more := 1
			if name == "who_needs_much_gets_a_new_snapshot" {
				more = 10_000
			}
			version, request := s.world.AddKeys(more), f.Request()
			bend(request)
			messages := a.watch(t, request)
			m := until(t, messages, isPolicy)
			if !isSnapshot(m) {
				t.Fatalf("got %v", m)
			}
			if err := f.Take(m); err != nil {
				t.Fatal(err)
			}
			follow(t, f, messages, version)
		})
	}
}

func TestChunks(t *testing.T) {
	s, f := serve(t, fleet.Timing{}), fleettest.NewFollower()
	version := s.world.AddKeys(30_000)
	messages := s.enrol(t).watch(t, f.Request())
	follow(t, f, messages, version)
	if f.Snapshots != 1 || f.Chunks < 4 || f.Chunks > 8 {
		t.Errorf("%d snapshots in %d chunks", f.Snapshots, f.Chunks)
	}
	follow(t, f, messages, s.world.AddKeys(1))
	if f.Deltas != 1 {
		t.Errorf("%d deltas after it", f.Deltas)
	}
	if old := until(t, s.enrol(t).watch(t, &agentv1.WatchRequest{Capability: 3}), isSnapshot); len(old.GetSnapshot().GetResources()) < 30_000 || old.GetSnapshot().GetChunks() != 0 {
		t.Errorf("an old agent gets %d resources and %d chunks", len(old.GetSnapshot().GetResources()), old.GetSnapshot().GetChunks())
	}
}

func TestGreeting(t *testing.T) {
	s := serve(t, fleet.Timing{})
	gate := make(chan struct{})
	s.world.Hold = func() { <-gate }
	messages := s.enrol(t).watch(t, &agentv1.WatchRequest{Capability: 4})
	if m := next(t, messages); !m.GetHeartbeat().GetBehind() {
		t.Errorf("while the policy compiles comes %v", m)
	}
	close(gate)
	until(t, messages, isPolicy)
	if m := next(t, messages); !isHeartbeat(m) || m.GetHeartbeat().GetBehind() {
		t.Errorf("after the policy comes %v", m)
	}
}

// A base is remembered after a suspension, though nothing was released meanwhile.
func TestDeltaAfterSuspension(t *testing.T) {
	s, f := serve(t, fleet.Timing{Coalesce: time.Millisecond}), fleettest.NewFollower()
	messages := s.enrol(t).watch(t, f.Request())
	follow(t, f, messages, 2)
	s.world.Change(func(state *policy.State) { state.Frozen = true })
	s.world.AddKeys(3)
	follow(t, f, messages, s.world.Change(func(state *policy.State) { state.Frozen = false }))
	if f.Snapshots != 1 || f.Deltas != 1 {
		t.Errorf("%d snapshots and %d deltas", f.Snapshots, f.Deltas)
	}
}

func isPolicy(m *agentv1.WatchResponse) bool { return isSnapshot(m) || m.GetDelta() != nil }
