package fleet_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest/watched"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

const bubbleURL = "http://fleet.test"

// replica is a handler in a bubble, which can be killed.
type replica struct {
	transport *fleettest.InProcess
	cut       context.CancelFunc // its calls break off
	kill      func()
	ended     context.Context
}

func newReplica(world *fleettest.World, timing fleet.Timing) *replica {
	config := world.Config(bubbleURL, slog.New(slog.DiscardHandler))
	config.Timing = timing
	return newReplicaOf(config)
}

func newReplicaOf(config fleet.Config) *replica {
	handler := fleet.NewHandler(config)
	_, mounted := handler.Mount()
	r := &replica{transport: &fleettest.InProcess{Handler: mounted}}
	ctx, cancel := context.WithCancel(context.Background())
	r.ended, r.cut = context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = handler.Run(ctx)
	}()
	r.kill = func() { cancel(); <-done; r.cut(); r.transport.Wait() }
	return r
}

// enrol takes a token like any agent.
func (r *replica) enrol(t testing.TB) *agent {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{key: private, url: bubbleURL}
	answer, err := a.on(r).client.Enroll(t.Context(), connect.NewRequest(&agentv1.EnrollRequest{Token: fleettest.Token, PublicKey: public}))
	if err != nil {
		t.Fatal(err)
	}
	a.id = answer.Msg.GetAgentId()
	return a
}

func (a *agent) on(r *replica) *agent {
	there := *a
	there.client = agentv1connect.NewAgentServiceClient(&http.Client{Transport: r.transport}, bubbleURL)
	return &there
}

// storm is a run of a fleet through a random schedule.
type storm struct {
	t     *testing.T
	world *fleettest.World
	run   watched.Run
	over  context.Context

	mu       sync.Mutex
	dice     *rand.Rand
	replicas []*replica
}

func (s *storm) roll(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dice.IntN(n)
}

func (s *storm) pick() *replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replicas[s.dice.IntN(len(s.replicas))]
}

// watch opens one stream or poll after the other, each of which is cut some time.
func (s *storm) watch(name string, a *agent) {
	f := fleettest.NewFollower()
	if s.roll(4) == 0 {
		f.Capability = 3
	}
	for s.over.Err() == nil {
		r := s.pick()
		ctx, cancel := context.WithTimeout(s.over, time.Duration(1+s.roll(5000))*time.Millisecond)
		stop := context.AfterFunc(r.ended, cancel)
		saw := s.run.Stream(name)
		take := func(m *agentv1.WatchResponse) {
			if err := f.Take(m); err != nil {
				s.t.Errorf("%s: %v", name, err)
				cancel()
			}
			if have := f.Have; have != nil {
				saw(watched.Position{Epoch: have.GetEpoch(), Version: have.GetVersion(), Root: have.GetRoot(), RevocationVersion: have.GetRevocationVersion()})
			}
		}
		if s.roll(3) == 0 {
			s.poll(ctx, a.on(r), f.Request(), take)
		} else {
			s.stream(ctx, a.on(r), f.Request(), take)
		}
		stop()
		cancel()
		time.Sleep(time.Duration(s.roll(100)) * time.Millisecond)
	}
}

func (s *storm) poll(ctx context.Context, a *agent, req *agentv1.WatchRequest, take func(*agentv1.WatchResponse)) {
	messages, err := a.poll(ctx, s.t, &agentv1.PollRequest{Watch: req, WaitMs: 3000})
	if err != nil {
		return
	}
	for _, m := range messages {
		take(m)
	}
}

// stream reads slowly at times.
func (s *storm) stream(ctx context.Context, a *agent, req *agentv1.WatchRequest, take func(*agentv1.WatchResponse)) {
	stream, err := a.client.Watch(ctx, a.watchRequest(s.t, req))
	if err != nil {
		return
	}
	defer stream.Close()
	for stream.Receive() {
		take(stream.Msg())
		if s.roll(5) == 0 {
			time.Sleep(time.Duration(s.roll(500)) * time.Millisecond)
		}
	}
}

// change does something to the log, or to a replica.
func (s *storm) change(n int) {
	switch s.roll(12) {
	case 0:
		s.run.Committed(s.world.RemoveKey())
	case 1, 2:
		s.run.Committed(s.world.Revoke(fmt.Sprint("key ", s.roll(n+1))))
	case 3:
		s.run.Committed(s.world.AddKeys(1 + s.roll(50)))
	case 4:
		s.replace()
	case 5:
		for range s.roll(30) {
			s.run.Committed(s.world.AddKeys(1))
		}
	default:
		s.world.AddKey(fmt.Sprint("key ", n))
		s.run.Committed(s.world.Head())
	}
}

// replace kills a replica and starts another, which knows nothing.
func (s *storm) replace() {
	fresh := newReplica(s.world, fleet.Timing{StreamAge: 20 * time.Second, Linger: time.Second})
	s.mu.Lock()
	at := s.dice.IntN(len(s.replicas))
	old := s.replicas[at]
	s.replicas[at] = fresh
	s.mu.Unlock()
	if s.roll(2) == 0 {
		old.cut() // before anybody is told
	}
	old.kill()
}

// Whatever is killed, cut and slow: nobody goes back, everybody comes to the newest, and
// all that was ever held is the policy of its version.
func TestRandomSchedules(t *testing.T) {
	for name, size := range map[string]struct{ keys, changes, seeds int }{"small": {1, 60, 2}, "in_chunks": {9_000, 6, 1}} {
		for seed := range uint64(size.seeds) {
			t.Run(fmt.Sprintf("%s_%d", name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { weather(t, seed, size.keys, size.changes) })
			})
		}
	}
}

func weather(t *testing.T, seed uint64, keys, changes int) {
	over, end := context.WithCancel(t.Context())
	s := &storm{t: t, world: fleettest.NewWorld(), over: over, dice: rand.New(rand.NewPCG(seed, 7))}
	for range 3 {
		s.replicas = append(s.replicas, newReplica(s.world, fleet.Timing{}))
	}
	s.run.Committed(s.world.AddKeys(keys))
	var watchers sync.WaitGroup
	for i := range 8 {
		a := s.replicas[0].enrol(t)
		watchers.Go(func() { s.watch(fmt.Sprint("agent ", i), a) })
	}
	for n := range changes {
		s.change(n)
		time.Sleep(time.Duration(s.roll(300)) * time.Millisecond)
	}
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if caught, err := s.run.Caught(s.world); err != nil {
			t.Fatal(err)
		} else if caught {
			break
		}
	}
	end()
	watchers.Wait()
	for _, r := range s.replicas {
		r.kill()
	}
	for _, fault := range s.run.Check(s.world) {
		t.Error(fault)
	}
}
