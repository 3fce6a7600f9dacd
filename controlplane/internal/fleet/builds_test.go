package fleet_test

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// build is a replica whose compiler is of a revision; it makes other content for another
// price book.
func build(world *fleettest.World, revision int32, book string) *replica {
	config := world.Config(bubbleURL, slog.New(slog.DiscardHandler))
	config.CompileRevision, config.PriceBook = revision, &policyv1.PriceBook{Version: book}
	return newReplicaOf(config)
}

// asks polls a replica once; away tells whether it was sent elsewhere.
func asks(t *testing.T, a *agent, r *replica, f *fleettest.Follower) (away bool) {
	t.Helper()
	messages, err := a.on(r).poll(t.Context(), t, &agentv1.PollRequest{Watch: f.Request(), WaitMs: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := f.Take(m); err != nil {
			t.Fatal(err)
		}
		if m.GetGoAway() != nil && m.GetGoAway().GetSpreadMs() < 1000 {
			t.Errorf("all at once are sent away: %v", m)
		}
		away = away || m.GetGoAway() != nil
	}
	return away
}

// Two builds that compile the same state to other content: the newer one alone releases it,
// until it is gone.
func TestTwoBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := fleettest.NewWorld()
		old := build(world, 1, "a")
		defer func() { old.cut(); old.kill() }()
		a, f := old.enrol(t), fleettest.NewFollower()
		asks(t, a, old, f)
		first := f.Have
		time.Sleep(time.Minute)
		next := build(world, 2, "b")
		time.Sleep(6 * time.Second) // the old one hears of it
		asks(t, a, next, f)
		if f.Have.GetEpoch() <= first.GetEpoch() || bytes.Equal(f.Have.GetRoot(), first.GetRoot()) {
			t.Fatalf("the newer build released %v after %v", f.Have, first)
		}
		raised := f.Have.GetEpoch()
		for range 5 {
			version := world.AddKeys(1)
			time.Sleep(3 * time.Second)
			stays := *f
			if away := asks(t, a, old, &stays); !away || stays.Have.GetVersion() == version {
				t.Errorf("the older build released %v; sent away: %t", stays.Have, away)
			}
			if asks(t, a, next, f) || f.Have.GetVersion() != version || f.Have.GetEpoch() != raised {
				t.Errorf("the newer build has %v, want version %d of epoch %d", f.Have, version, raised)
			}
		}
		next.cut()
		next.kill()
		time.Sleep(40 * time.Second)
		lonely := f.Have
		if asks(t, a, old, f) || f.Have.GetEpoch() <= raised || bytes.Equal(f.Have.GetRoot(), lonely.GetRoot()) {
			t.Errorf("without the newer build the older one has %v after %v", f.Have, lonely)
		}
	})
}

// Where both compile the same, both serve.
func TestTwoBuildsThatAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := fleettest.NewWorld()
		old, next := build(world, 1, "a"), build(world, 2, "a")
		defer func() { old.cut(); old.kill(); next.cut(); next.kill() }()
		a, f := old.enrol(t), fleettest.NewFollower()
		time.Sleep(6 * time.Second)
		asks(t, a, next, f)
		epoch := f.Have.GetEpoch()
		for range 3 {
			version := world.AddKeys(1)
			here, there := *f, *f
			time.Sleep(2 * time.Second)
			if asks(t, a, next, &there); asks(t, a, old, &here) || here.Have.GetVersion() != version || there.Have.GetVersion() != version || here.Have.GetEpoch() != epoch {
				t.Errorf("they have %v and %v, want version %d of epoch %d", here.Have, there.Have, version, epoch)
			}
			f = &here
		}
	})
}

func TestCompilers(t *testing.T) {
	table := fleet.NewCompilerTable(pgtest.Open(t))
	for _, c := range []struct{ revision, newest int32 }{{2, 2}, {1, 2}, {3, 3}, {2, 3}} {
		if newest, err := table.Note(t.Context(), c.revision); err != nil || newest != c.newest {
			t.Errorf("%d runs: %d is the newest, want %d; %v", c.revision, newest, c.newest, err)
		}
	}
}
