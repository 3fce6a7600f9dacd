package fleet_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/policy"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// bubble is a replica whose time is the test's.
func bubble(t *testing.T, timing fleet.Timing, test func(*testing.T, *fleettest.World, *replica, *agent)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		world := fleettest.NewWorld()
		r := newReplica(world, timing)
		defer func() { r.cut(); r.kill() }()
		test(t, world, r, r.enrol(t).on(r))
	})
}

// The first change goes out at once; of a burst all wait 50 ms at most, together.
func TestSendAtOnceThenCoalesce(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		f := fleettest.NewFollower()
		stream, err := a.client.Watch(t.Context(), a.watchRequest(t, f.Request()))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		until := func(version int64) time.Duration {
			began := time.Now()
			for f.Have.GetVersion() < version && stream.Receive() {
				if err := f.Take(stream.Msg()); err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(began)
		}
		until(world.Head())
		time.Sleep(time.Second)
		if took := until(world.AddKeys(1)); took != 0 {
			t.Errorf("the first change took %v", took)
		}
		if took := until(world.AddKeys(1)); took > 50*time.Millisecond {
			t.Errorf("the second change took %v", took)
		}
		before, last := f.Deltas, world.Head()+1000
		go func() {
			for range 1000 {
				world.AddKeys(1)
				time.Sleep(time.Millisecond)
			}
		}()
		if took := until(last); took > 1100*time.Millisecond {
			t.Errorf("a burst of a second took %v", took)
		}
		if n := f.Deltas - before; n < 2 || n > 25 {
			t.Errorf("a burst of 1000 changes made %d releases", n)
		}
	})
}

// A stream that is old ends with a GoAway, within a fifth of its age; nothing is lost between two.
func TestOldStreams(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		f := fleettest.NewFollower()
		for range 3 {
			began := time.Now()
			stream, err := a.client.Watch(t.Context(), a.watchRequest(t, f.Request()))
			if err != nil {
				t.Fatal(err)
			}
			var last *agentv1.WatchResponse
			for stream.Receive() {
				if last = stream.Msg(); f.Take(last) != nil {
					t.Fatal("it does not fit")
				}
			}
			if age := time.Since(began); age < 24*time.Minute || age > 36*time.Minute || last.GetGoAway() == nil || last.GetGoAway().GetSpreadMs() != 0 {
				t.Errorf("the stream ended after %v with %v", age, last)
			}
			stream.Close()
			world.AddKeys(1)
		}
		messages, err := a.poll(t.Context(), t, &agentv1.PollRequest{Watch: f.Request(), WaitMs: 1000})
		if err != nil || f.Take(messages[0]) != nil || f.Have.GetVersion() != world.Head() {
			t.Errorf("version %d of %d is there in the end, %v", f.Have.GetVersion(), world.Head(), err)
		}
	})
}

func TestShutdownSpreadsAgents(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, _ *fleettest.World, r *replica, a *agent) {
		stream, err := a.client.Watch(t.Context(), a.watchRequest(t, fleettest.NewFollower().Request()))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		go r.kill()
		var last *agentv1.WatchResponse
		for stream.Receive() {
			last = stream.Msg()
		}
		if last.GetGoAway().GetSpreadMs() != 1000 {
			t.Errorf("got %v", last)
		}
	})
}

func TestPoll(t *testing.T) {
	poll := func(t *testing.T, a *agent, f *fleettest.Follower) (messages []*agentv1.WatchResponse, took time.Duration) {
		t.Helper()
		began := time.Now()
		messages, err := a.poll(t.Context(), t, &agentv1.PollRequest{Watch: f.Request(), WaitMs: 30_000})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if err := f.Take(m); err != nil {
				t.Fatal(err)
			}
		}
		if last := messages[len(messages)-1]; last.GetHeartbeat() == nil || last.GetHeartbeat().GetBehind() {
			t.Errorf("the poll ends with %v", last)
		}
		return messages, time.Since(began)
	}
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		f := fleettest.NewFollower()
		if _, took := poll(t, a, f); took != 0 || f.Have.GetVersion() != world.Head() {
			t.Errorf("version %d after %v", f.Have.GetVersion(), took)
		}
		if messages, took := poll(t, a, f); took != 30*time.Second || len(messages) != 1 {
			t.Errorf("with nothing new it answered %v after %v", messages, took)
		}
		time.AfterFunc(10*time.Second, func() { world.AddKeys(1) })
		if _, took := poll(t, a, f); took != 10*time.Second || f.Have.GetVersion() != world.Head() || f.Deltas != 1 {
			t.Errorf("version %d after %v, with %d deltas", f.Have.GetVersion(), took, f.Deltas)
		}
		time.AfterFunc(10*time.Second, func() { world.Revoke("first") })
		if _, took := poll(t, a, f); took != 10*time.Second || f.Have.GetRevocationVersion() != world.Head() {
			t.Errorf("revocations %d after %v", f.Have.GetRevocationVersion(), took)
		}
		poll(t, a, f)
		version := world.AddKeys(30_000)
		time.Sleep(time.Second)
		if poll(t, a, f); f.Have.GetVersion() != version || f.Chunks < 4 {
			t.Errorf("version %d of %d in %d chunks", f.Have.GetVersion(), version, f.Chunks)
		}
	})
}

// A revocation ends a poll, though the policy still compiles.
func TestPollOfARevocation(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		f := fleettest.NewFollower()
		poll := func() {
			messages, err := a.poll(t.Context(), t, &agentv1.PollRequest{Watch: f.Request(), WaitMs: 30_000})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				if err := f.Take(m); err != nil {
					t.Fatal(err)
				}
			}
		}
		poll()
		was := f.Have.GetVersion()
		world.Hold = func() { time.Sleep(time.Minute) }
		began, version := time.Now(), world.Revoke("first")
		if poll(); f.Have.GetRevocationVersion() != version || f.Have.GetVersion() != was || time.Since(began) > time.Second {
			t.Errorf("version %d with revocations %d after %v", f.Have.GetVersion(), f.Have.GetRevocationVersion(), time.Since(began))
		}
	})
}

// Who is current costs no read, no compile and no policy, also where nobody was there for
// a while.
func TestReconnectingIsCheap(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		f := fleettest.NewFollower()
		confirmed := func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream, err := a.client.Watch(ctx, a.watchRequest(t, f.Request()))
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			for stream.Receive() {
				if m := stream.Msg(); isHeartbeat(m) && !m.GetHeartbeat().GetBehind() {
					return
				} else if err := f.Take(m); err != nil {
					t.Fatal(err)
				}
			}
			t.Fatal(stream.Err())
		}
		confirmed()
		reads := world.Reads()
		for range 20 {
			time.Sleep(50 * time.Second)
			confirmed()
		}
		if again := world.Reads(); again != reads || f.Snapshots != 1 || f.Deltas != 0 {
			t.Errorf("the state was read %d times; %d snapshots and %d deltas came", again-reads, f.Snapshots, f.Deltas)
		}
		time.Sleep(2 * time.Minute)
		if confirmed(); world.Reads() == reads {
			t.Error("a feed is kept for ever")
		}
	})
}

// asked are the versions since which a state was asked for.
type asked struct {
	fleet.Policies
	since *[]int64
}

func (a asked) PolicyState(ctx context.Context, q fleet.PolicyQuery) (policy.State, error) {
	*a.since = append(*a.since, q.Since)
	return a.Policies.PolicyState(ctx, q)
}

// After the epoch was raised the log may be another one: everything is read again, once.
func TestRaisedEpochReadsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world, since := fleettest.NewWorld(), []int64{}
		config := world.Config(bubbleURL, slog.New(slog.DiscardHandler))
		config.Policies = asked{world, &since}
		r := newReplicaOf(config)
		defer func() { r.cut(); r.kill() }()
		a, f := r.enrol(t).on(r), fleettest.NewFollower()
		follow := func() {
			messages, err := a.poll(t.Context(), t, &agentv1.PollRequest{Watch: f.Request(), WaitMs: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				if err := f.Take(m); err != nil {
					t.Fatal(err)
				}
			}
		}
		follow()
		world.AnnounceKey() // raises it, at the same version
		follow()
		first := world.AddKeys(1)
		follow()
		second := world.AddKeys(1)
		follow()
		if got := since[len(since)-3:]; got[0] != first-1 || got[1] != 0 || got[2] != second-1 {
			t.Errorf("asked for changes since %v, want %d, then everything, then %d", since, first-1, second-1)
		}
	})
}

// What raised the epoch may have been another gateway. A release that says the same as before
// is due all the same: receipts and rollouts count what is reported of the present epoch.
func TestRaisedEpochReleasesAnew(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		f := fleettest.NewFollower()
		poll := func() {
			t.Helper()
			messages, err := a.poll(t.Context(), t, &agentv1.PollRequest{Watch: f.Request(), WaitMs: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				if err := f.Take(m); err != nil {
					t.Fatal(err)
				}
			}
		}
		poll()
		organization, root := world.State(world.Head()).OrganizationID, f.Have.GetRoot()
		other := fleet.Draft{OrganizationID: organization, GatewayID: uuid.New(), Version: 1, Seal: func(int64) (*policyv1.SignedRelease, error) { return nil, nil }}
		for _, other.Root = range [][]byte{{1}, {2}} {
			if _, err := world.Publish(t.Context(), other); err != nil {
				t.Fatal(err)
			}
		}
		world.Change(func(*policy.State) {})
		time.Sleep(time.Second)
		poll()
		if epoch, err := world.Epoch(t.Context(), organization); f.Have.GetEpoch() != epoch || err != nil {
			t.Errorf("the agent is at epoch %d, the organization at %d, %v", f.Have.GetEpoch(), epoch, err)
		}
		if string(f.Have.GetRoot()) != string(root) || f.Deltas != 1 || f.Snapshots != 1 {
			t.Errorf("%d deltas and %d snapshots came", f.Deltas, f.Snapshots)
		}
	})
}

// A key revoked long ago comes back into the set for an agent that may store it living. The
// newest revocation is what it was, and so is the set's version.
func TestRevocationsOfLongAgoComeBack(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		world.Revoke("first")
		lingering := key.Key{ID: uuid.New(), SHA256: make([]byte, 32), RevokedAt: time.Now().Add(-100 * 24 * time.Hour), RevokedVersion: 1}
		linger := func(keys ...key.Key) { world.Change(func(s *policy.State) { s.Lingering = keys }) }
		f := fleettest.NewFollower()
		open := func() (sets func() int) {
			stream, err := a.client.Watch(t.Context(), a.watchRequest(t, f.Request()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { stream.Close() })
			last := 0
			go func() {
				for stream.Receive() {
					set := &policyv1.Revocations{}
					if proto.Unmarshal(stream.Msg().GetRevocations().GetRevocations(), set) == nil && isRevocations(stream.Msg()) {
						last = len(set.GetRevocations())
					}
					_ = f.Take(stream.Msg())
				}
			}()
			return func() int { time.Sleep(time.Second); synctest.Wait(); return last }
		}
		open()()
		f.Have.RevocationVersion = 0 // as in the file that it was seeded with
		sets := open()
		if got := sets(); got != 1 {
			t.Errorf("at first the set has %d keys", got)
		}
		if linger(lingering); sets() != 2 {
			t.Errorf("the set that it holds has %d keys", sets())
		}
		if linger(); sets() != 2 {
			t.Error("a smaller set was sent")
		}
		f.Have.RevocationVersion = 0
		if got := open()(); got != 2 {
			t.Errorf("the next stream begins with %d keys", got)
		}
	})
}
