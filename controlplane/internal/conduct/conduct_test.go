package conduct_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/conduct"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// overdue is when a rollout with quick settings would have gone on: a step, and some looks.
const overdue = 1600 * time.Millisecond

// fleetOf joins agents and waits until all serve the first policy, the first joined first.
func (in *installation) fleetOf(n int, refuses ...string) []*agent {
	in.t.Helper()
	var agents []*agent
	for range n {
		agents = append(agents, in.join(refuses...))
	}
	slices.SortFunc(agents, func(a, b *agent) int { return strings.Compare(a.id.String(), b.id.String()) })
	in.all(agents, "first")
	return agents
}

func (in *installation) all(agents []*agent, model string) {
	in.t.Helper()
	eventually(in.t, "all serve "+model, func() bool { return having(agents, model) == len(agents) })
}

func having(agents []*agent, model string) (count int) {
	for _, a := range agents {
		if a.has(model) {
			count++
		}
	}
	return count
}

func TestACanaryComesFirst(t *testing.T) {
	in := install(t, quick)
	in.start()
	agents := in.fleetOf(10)
	in.reroute("next")
	seen := map[int]bool{}
	eventually(t, "all have it", func() bool {
		now := having(agents, "next")
		seen[now] = true
		if now > 0 && !agents[0].has("next") {
			t.Error("the first to have it was not the first agent")
		}
		return now == len(agents)
	})
	if !seen[1] || !seen[3] {
		t.Errorf("so many had it at once: %v, want 1 and 3 for a time", seen)
	}
	advanced := bodiesOf[*eventv1.RolloutAdvanced](in.events("RolloutAdvanced"))
	if len(advanced) != 1 || len(advanced[0].GetAgentIds()) != 2 {
		t.Errorf("advanced %v", advanced)
	}
	begun, stepped, over := in.events("RolloutStarted")[0], in.events("RolloutAdvanced")[0], in.events("RolloutFinished")[0]
	if a, b := stepped.RecordedAt.Sub(begun.RecordedAt), over.RecordedAt.Sub(stepped.RecordedAt); a < time.Second || b < time.Second {
		t.Errorf("the steps took %v and %v", a, b)
	}
}

// Keys are not staged: not by a step, not by a hold, not by a pin.
func TestKeysPassCanariesHoldsAndPins(t *testing.T) {
	slow := quick
	slow.BakeSeconds = 3600
	in := install(t, slow)
	in.start()
	agents := in.fleetOf(4)
	pass := func(name string) {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			key := in.addKey(name)
			eventually(t, "all take the key", func() bool {
				return !slices.ContainsFunc(agents, func(a *agent) bool { return a.serves(name) == "" })
			})
			added := time.Since(began)
			began = time.Now()
			in.revoke(key)
			eventually(t, "all refuse the key", func() bool {
				return !slices.ContainsFunc(agents, func(a *agent) bool { return a.serves(name) != "" })
			})
			if took := time.Since(began); added > 2*time.Second || took > time.Second {
				t.Errorf("added in %v, revoked in %v", added, took)
			}
		})
	}
	in.reroute("next")
	eventually(t, "the canary has it", func() bool { return agents[0].has("next") })
	pass("in_a_step")
	in.steer(func(s conduct.Scene) ([]eventlog.Change, error) { return s.Stage.Last.HoldAt("") })
	pass("held")
	in.goBack(in.events("RouteCreated")[0].Version)
	in.all(agents, "first")
	pass("pinned")
}

func TestARefusedPolicyIsHeld(t *testing.T) {
	in := install(t, quick)
	in.start()
	agents := in.fleetOf(5, "broken")
	in.reroute("broken")
	eventually(t, "held", func() bool { return in.stage().Last != nil && in.stage().Last.State == rollout.Held })
	hold := in.stage().Last.Hold
	if hold.Cause != eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REJECTED || hold.AgentID != agents[0].id || !strings.Contains(hold.Reason, "does not like broken") {
		t.Errorf("held because of %+v", hold)
	}
	time.Sleep(overdue)
	in.reroute("mended")
	in.all(agents, "mended")
	for _, a := range agents[1:] {
		if a.saw("broken") {
			t.Errorf("agent %s was sent what the canary refused", a.id)
		}
	}
	if restarted := in.events("RolloutRestarted"); len(restarted) != 1 {
		t.Errorf("started anew %d times", len(restarted))
	}
}

func TestFailuresHold(t *testing.T) {
	in := install(t, quick)
	in.start()
	agents := in.fleetOf(3)
	for _, a := range agents {
		a.count(1000, 100)
		a.report(t.Context())
	}
	eventually(t, "that is stored", func() bool { return in.count(`agent_status WHERE requests = 1000`) == len(agents) })
	in.reroute("worse")
	eventually(t, "it is known that the canary has it", func() bool { return in.count(`rollout_baseline WHERE applied_at IS NOT NULL`) == 1 })
	agents[0].count(200, 31) // 15.5 %, 10 % before
	eventually(t, "held", func() bool { return in.stage().Last.State == rollout.Held })
	hold := in.stage().Last.Hold
	if hold.Cause != eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_ERROR_RATE || hold.AgentID != agents[0].id {
		t.Errorf("held because of %+v", hold)
	}
	if having(agents, "worse") != 1 {
		t.Error("others have it")
	}
	// Somebody looked, and lets it go on: it is judged anew.
	in.steer(func(s conduct.Scene) ([]eventlog.Change, error) { return s.Stage.Last.Resume() })
	in.all(agents, "worse")
}

func TestAPersonPromotes(t *testing.T) {
	slow := quick
	slow.BakeSeconds = 3600
	in := install(t, slow)
	in.start()
	agents := in.fleetOf(10)
	in.reroute("next")
	eventually(t, "the canary has it", func() bool { return agents[0].has("next") })
	promote := func(all bool) {
		in.steer(func(s conduct.Scene) ([]eventlog.Change, error) { return s.Stage.Promote(*s.Stage.Last, all, s.Look) })
	}
	promote(false)
	eventually(t, "3 have it", func() bool { return having(agents, "next") == 3 })
	promote(true)
	in.all(agents, "next")
}

func TestGoingBack(t *testing.T) {
	in := install(t, rollout.Settings{})
	in.start()
	agents := in.fleetOf(3)
	revoked, good := in.addKey("revoked since"), in.reroute("good")
	in.all(agents, "good")
	in.revoke(revoked)
	in.reroute("bad")
	in.all(agents, "bad")
	made := in.addKey("made since")
	before := agents[0].at()
	in.goBack(good)
	in.all(agents, "good")
	for _, a := range agents {
		if !a.at().after(before) {
			t.Errorf("at %v after %v", a.at(), before)
		}
		if a.serves("revoked since") != "" || a.serves("made since") != "good" {
			t.Errorf("revoked key: %q, made key: %q", a.serves("revoked since"), a.serves("made since"))
		}
	}
	in.reroute("later")
	in.revoke(made)
	eventually(t, "the revocation is there", func() bool { return agents[2].serves("made since") == "" })
	if having(agents, "good") != 3 {
		t.Error("a pinned gateway follows")
	}
	in.steer(func(s conduct.Scene) ([]eventlog.Change, error) { return s.Stage.GoForward() })
	in.all(agents, "later")
}

func TestAnotherProcessGoesOn(t *testing.T) {
	in := install(t, quick)
	first := in.start()
	in.start()
	agents := in.fleetOf(10)
	in.reroute("next")
	eventually(t, "the canary has it", func() bool { return agents[0].has("next") })
	first.kill()
	in.all(agents, "next")
	if started, finished := in.events("RolloutStarted"), in.events("RolloutFinished"); len(started) != 1 || len(finished) != 1 {
		t.Errorf("%d began, %d ended", len(started), len(finished))
	}
	in.start()
	for round := range 3 {
		in.reroute(fmt.Sprint("round ", round))
		in.all(agents, fmt.Sprint("round ", round))
	}
	if advanced := in.events("RolloutAdvanced"); len(advanced) != 4 {
		t.Errorf("advanced %d times in 4 rollouts: two processes did", len(advanced))
	}
}

// In the middle of a rollout: agents that come back with what they have, come back
// with nothing, or are new.
func TestAgentsComeBack(t *testing.T) {
	slow := quick
	slow.BakeSeconds = 3600
	in := install(t, slow)
	in.start()
	agents := in.fleetOf(4)
	away := agents[1]
	away.stop()
	in.reroute("next")
	eventually(t, "the canary has it", func() bool { return agents[0].has("next") })
	agents[0].stop()
	agents[0].start()
	away.start()
	lost := agents[2]
	lost.stop()
	lost.have, lost.model, lost.sent = nil, "", position{}
	lost.start()
	fresh := in.join()
	eventually(t, "who has nothing gets what the others have", func() bool { return lost.has("first") && fresh.has("first") })
	eventually(t, "who came back is told that it has the newest", func() bool { return agents[0].isConfirmed() && away.isConfirmed() })
	if !agents[0].has("next") || having(append(agents, fresh), "first") != 4 {
		t.Errorf("%d have the candidate", having(append(agents, fresh), "next"))
	}
	agents[0].stop()
	agents[0].have, agents[0].model, agents[0].sent = nil, "", position{}
	agents[0].start()
	eventually(t, "the canary stays the canary", func() bool { return agents[0].has("next") })
}

func TestWithoutAgentsNothingIsStaged(t *testing.T) {
	in := install(t, quick)
	in.start()
	in.reroute("next")
	eventually(t, "over at once", func() bool { return len(in.events("RolloutFinished")) == 1 })
	in.all([]*agent{in.join()}, "next")
}

// A canary that reports, and never takes the candidate, tells nothing of it.
func TestWhatIsNotServedIsNotJudged(t *testing.T) {
	in := install(t, quick)
	in.start()
	agents := in.fleetOf(4)
	agents[0].deafen()
	in.reroute("next")
	time.Sleep(overdue)
	if open := in.stage().Open(); open == nil || open.State != rollout.Running || having(agents, "next") > 0 {
		t.Errorf("%d have it, %+v", having(agents, "next"), open)
	}
	agents[0].stop()
	agents[0].start()
	in.all(agents, "next")
}
