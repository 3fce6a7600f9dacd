package fleet

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// published with n keys at a version, to put into a feed by hand.
func publishedWith(t *testing.T, version int64, n int) *published {
	t.Helper()
	state := policy.State{Version: version}
	for range n {
		state.Keys = append(state.Keys, key.Key{ID: uuid.New(), SHA256: make([]byte, 32)})
	}
	compiled, err := policy.CompileNext(nil, state, &policyv1.PriceBook{})
	if err != nil {
		t.Fatal(err)
	}
	release := Release{Epoch: 1, Version: version, Root: compiled.Root, Signed: &policyv1.SignedRelease{}}
	return newPublished(rollout.Stable, release, compiled, compileWork{revoked: signedSet{set: &policyv1.Revocations{}}})
}

// started runs a session whose messages go to send.
func started(t *testing.T, f *feed, a *admission, send func(*agentv1.WatchResponse)) (end func()) {
	t.Helper()
	w := &watcher{hub: &hub{}, feed: f, wake: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	f.add(w)
	s := newSession(&agentv1.WatchRequest{Capability: capabilityDelta}, w, a)
	s.sent = (*ticket).leave
	s.send = func(m *agentv1.WatchResponse) error { send(decoded(t, m)); return nil }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.close()
		if err := s.run(ctx, Timing{}.withDefaults(), nil); err != nil {
			t.Error(err)
		}
	}()
	return func() { cancel(); <-done; f.remove(w) }
}

func decoded(t *testing.T, m *agentv1.WatchResponse) *agentv1.WatchResponse {
	t.Helper()
	encoded, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	is := &agentv1.WatchResponse{}
	if err := proto.Unmarshal(encoded, is); err != nil {
		t.Fatal(err)
	}
	return is
}

func emptyFeed() *feed {
	return newFeed(Config{Log: slog.New(slog.DiscardHandler)}, place{}, nil)
}

// While a policy is under way in chunks, a revocation waits for one of them.
func TestRevocationBetweenChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a := emptyFeed(), newAdmission(1<<30, time.Hour)
		first := publishedWith(t, 1, 30_000)
		f.publishPolicy(first)
		var kinds []string
		end := started(t, f, a, func(m *agentv1.WatchResponse) {
			switch {
			case m.GetChunk() != nil:
				kinds = append(kinds, "chunk")
				time.Sleep(20 * time.Second) // the agent reads slowly: a heartbeat is due meanwhile
			case m.GetRevocations() != nil:
				kinds = append(kinds, "revocations")
			case m.GetHeartbeat().GetBehind():
				kinds = append(kinds, "behind")
			case m.GetHeartbeat() != nil:
				kinds = append(kinds, "heartbeat")
			case m.GetDelta() != nil:
				kinds = append(kinds, "delta")
			}
		})
		time.Sleep(30 * time.Second) // the second chunk is under way
		if err := f.publishRevocations(signedSet{set: &policyv1.Revocations{Epoch: 1, Version: 2}, signed: &policyv1.SignedRevocations{}}); err != nil {
			t.Fatal(err)
		}
		f.publishPolicy(publishedFrom(t, first, 3))
		time.Sleep(5 * time.Minute)
		end()
		want := []string{"chunk", "chunk", "behind", "revocations", "chunk", "behind", "chunk", "behind", "chunk", "behind", "delta", "heartbeat"}
		if got := kinds[:min(len(kinds), len(want))]; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// publishedFrom has one key more.
func publishedFrom(t *testing.T, before *published, version int64) *published {
	t.Helper()
	state := policy.State{Version: version, Since: before.policy.Version, Keys: []key.Key{{ID: uuid.New(), SHA256: make([]byte, 32)}}}
	compiled, err := policy.CompileNext(before.policy, state, &policyv1.PriceBook{})
	if err != nil {
		t.Fatal(err)
	}
	release := Release{Epoch: 1, Version: version, Root: compiled.Root, Signed: &policyv1.SignedRelease{}}
	return newPublished(rollout.Stable, release, compiled, compileWork{revoked: signedSet{set: &policyv1.Revocations{}}})
}

func TestAdmission(t *testing.T) {
	admitted := func(tickets ...*ticket) (is []bool) {
		for _, ticket := range tickets {
			is = append(is, ticket.admitted())
		}
		return is
	}
	t.Run("who_serves_nothing_comes_first_then_in_order", func(t *testing.T) {
		a := newAdmission(10, time.Hour)
		first := a.enter(uuid.Nil, 8, true)
		old1, old2, new1, new2 := a.enter(uuid.Nil, 4, true), a.enter(uuid.Nil, 4, true), a.enter(uuid.Nil, 6, false), a.enter(uuid.Nil, 4, false)
		if got := admitted(first, old1, old2, new1, new2); !slices.Equal(got, []bool{true, false, false, false, false}) {
			t.Fatalf("%v", got)
		}
		first.leave()
		first.leave()
		if got := admitted(old1, old2, new1, new2); !slices.Equal(got, []bool{false, false, true, true}) {
			t.Fatalf("%v", got)
		}
		new1.leave()
		if got := admitted(old1, old2); !slices.Equal(got, []bool{true, false}) {
			t.Fatalf("%v", got)
		}
	})
	t.Run("the_crowd_of_one_organization_is_not_the_wait_of_another", func(t *testing.T) {
		a, crowded, other := newAdmission(10, time.Hour), uuid.New(), uuid.New()
		var crowd []*ticket
		for range 1000 {
			crowd = append(crowd, a.enter(crowded, 5, false))
		}
		serves, late := a.enter(other, 5, true), a.enter(other, 5, true)
		if got := admitted(crowd[0], crowd[1], crowd[2], serves); !slices.Equal(got, []bool{true, true, false, false}) {
			t.Fatalf("%v", got)
		}
		crowd[0].leave()
		if got := admitted(serves, late, crowd[2]); !slices.Equal(got, []bool{true, false, false}) {
			t.Fatalf("%v", got)
		}
		crowd[1].leave()
		if got := admitted(late, crowd[2]); !slices.Equal(got, []bool{false, true}) {
			t.Errorf("%v", got)
		}
		for _, one := range append(crowd, serves, late) {
			one.leave()
		}
		if a.underway != 0 || len(a.lines) != 0 {
			t.Errorf("%d bytes are under way, %d lines are left", a.underway, len(a.lines))
		}
	})
	t.Run("who_leaves_the_queue_is_passed_over", func(t *testing.T) {
		a := newAdmission(10, time.Hour)
		first, gone, last := a.enter(uuid.Nil, 10, false), a.enter(uuid.Nil, 10, false), a.enter(uuid.Nil, 10, false)
		gone.leave()
		first.leave()
		if !last.admitted() || gone.admitted() {
			t.Errorf("%v", admitted(gone, last))
		}
	})
	t.Run("what_is_larger_than_all_goes_alone", func(t *testing.T) {
		a := newAdmission(10, time.Hour)
		small, large := a.enter(uuid.Nil, 1, false), a.enter(uuid.Nil, 100, false)
		if large.admitted() {
			t.Error("it is under way beside another")
		}
		if small.leave(); !large.admitted() {
			t.Error("it never begins")
		}
	})
	t.Run("a_slow_one_keeps_nobody_out_for_ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := newAdmission(10, 30*time.Second)
			slow, other := a.enter(uuid.Nil, 10, false), a.enter(uuid.Nil, 10, false)
			time.Sleep(29 * time.Second)
			if other.admitted() {
				t.Error("both are under way")
			}
			time.Sleep(2 * time.Second)
			if !other.admitted() {
				t.Error("the other waits on")
			}
			slow.leave()
			if a.underway != 10 {
				t.Errorf("%d bytes are under way", a.underway)
			}
		})
	})
}

// However many come at once, so many bytes are under way; heartbeats come to those that wait.
func TestColdConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := emptyFeed()
		one := publishedWith(t, 1, 100)
		f.publishPolicy(one)
		a := newAdmission(3*int64(one.policy.Bytes), time.Hour)
		underway, most, served, greeted := 0, 0, 0, 0
		turn := make(chan struct{}, 1)
		var ends []func()
		for range 20 {
			ends = append(ends, started(t, f, a, func(m *agentv1.WatchResponse) {
				turn <- struct{}{}
				if m.GetHeartbeat().GetBehind() {
					greeted++
				}
				if m.GetSnapshot() == nil {
					<-turn
					return
				}
				underway++
				most, served = max(most, underway), served+1
				<-turn
				time.Sleep(time.Second)
				turn <- struct{}{}
				underway--
				<-turn
			}))
		}
		time.Sleep(time.Minute)
		turn <- struct{}{}
		if most != 3 || served != 20 || greeted < 17 {
			t.Errorf("%d at once of %d, %d were greeted while they waited", most, served, greeted)
		}
		<-turn
		for _, end := range ends {
			end()
		}
	})
}
