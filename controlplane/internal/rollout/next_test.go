package rollout_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	rejected  = eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REJECTED
	errorRate = eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_ERROR_RATE
	lost      = eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_LOST
	requested = eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REQUESTED
)

var (
	began   = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	gateway = uuid.MustParse("00000000-0000-7000-8000-00000000000a")
	id      = uuid.MustParse("00000000-0000-7000-8000-00000000000b")
	canary  = rollout.Settings{
		Strategy: eventv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY, Steps: []int32{10, 50}, BakeSeconds: 60, MaxErrorRise: 5, MinRequests: 100,
	}
)

// agentID is the n-th of the gateway's agents.
func agentID(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("00000000-0000-7000-8000-0000000001%02d", n))
}

func agentIDs(numbers ...int) []string {
	var ids []string
	for _, n := range numbers {
		ids = append(ids, agentID(n).String())
	}
	return ids
}

// given folds events that follow the strategy, which was set at version 10.
func given(t *testing.T, bodies ...proto.Message) rollout.Stage {
	t.Helper()
	var last *rollout.Rollout
	var floor int64
	for i, body := range bodies {
		var r rollout.Rollout
		if last != nil {
			r = *last
		}
		next, err := rollout.Apply(r, eventlog.Event{Subject: id, Version: int64(11 + i), RecordedAt: began, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		last, floor = &next, max(floor, next.StableSince)
	}
	return rollout.NewStage(canary, 10, last, floor)
}

// look is one after the bake time at n agents that are all well and were never
// touched; configuration 20 is the newest.
func look(n int, changes ...func(*rollout.Look)) rollout.Look {
	l := rollout.Look{Now: began.Add(61 * time.Second), Configuration: 20}
	for i := range n {
		l.Agents = append(l.Agents, rollout.Agent{ID: agentID(i), Name: fmt.Sprint("agent-", i), SeenAt: l.Now})
	}
	for _, change := range changes {
		change(&l)
	}
	return l
}

// has lets agents have the candidate since the rollout began; before, 1 of 100 failed.
func has(numbers ...int) func(*rollout.Look) {
	return func(l *rollout.Look) {
		for _, n := range numbers {
			l.Agents[n].Counters = rollout.Counters{Requests: 1000, Failures: 10}
			l.Agents[n].Baseline = &rollout.Baseline{
				Before: rollout.Counters{Requests: 1000, Failures: 10}, Since: rollout.Counters{Requests: 1000, Failures: 10}, AppliedAt: began,
			}
		}
	}
}

func but(n int, change func(*rollout.Agent)) func(*rollout.Look) {
	return func(l *rollout.Look) { change(&l.Agents[n]) }
}

func served(requests, failures int64) func(*rollout.Agent) {
	return func(a *rollout.Agent) { a.Requests, a.Failures = a.Requests+requests, a.Failures+failures }
}

func refusing(a *rollout.Agent) { a.Rejected, a.Reasons = 1, []string{"no such dialect"} }

func silent(d time.Duration) func(*rollout.Agent) {
	return func(a *rollout.Agent) { a.SeenAt = a.SeenAt.Add(-d) }
}

func at(d time.Duration) func(*rollout.Look) {
	return func(l *rollout.Look) {
		moved := began.Add(d).Sub(l.Now)
		for i := range l.Agents {
			l.Agents[i].SeenAt = l.Agents[i].SeenAt.Add(moved)
		}
		l.Now = l.Now.Add(moved)
	}
}

func configured(version int64) func(*rollout.Look) {
	return func(l *rollout.Look) { l.Configuration = version }
}

var (
	started  = &eventv1.RolloutStarted{GatewayId: gateway.String(), BaseVersion: 10, CandidateVersion: 20, AgentIds: agentIDs(0)}
	advanced = &eventv1.RolloutAdvanced{Step: 1, Percent: 10, AgentIds: agentIDs(1)}
	finished = &eventv1.RolloutFinished{}
	wentBack = &eventv1.GatewayWentBack{GatewayId: gateway.String(), Version: 5}
)

func held(cause eventv1.RolloutHoldCause) *eventv1.RolloutHeld {
	return &eventv1.RolloutHeld{Cause: cause, Reason: "because"}
}

func TestNext(t *testing.T) {
	nothing := []proto.Message(nil)
	for _, c := range []struct {
		name  string
		given []proto.Message
		look  rollout.Look
		want  []proto.Message
	}{
		{"nothing_changed", nil, look(3, configured(9)), nothing},
		{"a_change_goes_to_the_first_agent_that_is_connected", nil, look(3, but(0, silent(time.Minute))), []proto.Message{
			&eventv1.RolloutStarted{GatewayId: gateway.String(), BaseVersion: 10, CandidateVersion: 20, AgentIds: agentIDs(1)},
		}},
		{"without_agents_it_is_over_at_once", nil, look(0), []proto.Message{
			&eventv1.RolloutStarted{GatewayId: gateway.String(), BaseVersion: 10, CandidateVersion: 20}, finished,
		}},
		{"without_one_that_is_connected_it_waits", nil, look(1, but(0, silent(time.Hour))), nothing},
		{"the_canary_has_it_not_long_enough", []proto.Message{started}, look(20, has(0), at(59*time.Second)), nothing},
		{"long_enough", []proto.Message{started}, look(20, has(0)), []proto.Message{advanced}},
		{"nothing_was_heard_of_the_time", []proto.Message{started}, look(20, has(0), but(0, silent(2*time.Second))), nothing},
		{"the_canary_does_not_have_it_yet", []proto.Message{started}, look(20), nothing},
		{"the_canary_is_away", []proto.Message{started}, look(20, has(0), but(0, silent(31*time.Second))), nothing},
		{"the_canary_died", []proto.Message{started}, look(20, has(0), at(2*time.Minute), but(0, silent(61*time.Second))), []proto.Message{
			&eventv1.RolloutHeld{Cause: lost, AgentId: agentID(0).String()},
		}},
		{"a_step_that_adds_nobody_is_left_out", []proto.Message{started}, look(4, has(0)), []proto.Message{
			&eventv1.RolloutAdvanced{Step: 2, Percent: 50, AgentIds: agentIDs(1)},
		}},
		{"one_agent_is_all", []proto.Message{started}, look(1, has(0)), []proto.Message{finished}},
		{"percent_of_those_that_are_connected", []proto.Message{started, advanced}, look(20, has(0, 1), func(l *rollout.Look) {
			for n := range 10 {
				silent(time.Hour)(&l.Agents[10+n])
			}
		}), []proto.Message{&eventv1.RolloutAdvanced{Step: 2, Percent: 50, AgentIds: agentIDs(2, 3, 4)}}},
		{"the_last_step_is_all", []proto.Message{started, advanced, &eventv1.RolloutAdvanced{Step: 2, Percent: 50}}, look(2, has(0, 1)), []proto.Message{finished}},
		{"refused", []proto.Message{started}, look(20, has(0), but(0, refusing)), []proto.Message{
			&eventv1.RolloutHeld{Cause: rejected, AgentId: agentID(0).String()},
		}},
		{"refused_something_before", []proto.Message{started}, look(20, has(0), but(0, refusing), but(0, func(a *rollout.Agent) { a.Baseline.Rejected = 1 })), []proto.Message{advanced}},
		{"refused_by_one_that_does_not_have_it", []proto.Message{started}, look(20, has(0), but(3, refusing)), []proto.Message{advanced}},
		{"more_failures_than_before", []proto.Message{started}, look(20, has(0), but(0, served(100, 7)), at(time.Second)), []proto.Message{
			&eventv1.RolloutHeld{Cause: errorRate, AgentId: agentID(0).String()},
		}},
		{"as_many_as_are_allowed", []proto.Message{started}, look(20, has(0), but(0, served(100, 6))), []proto.Message{advanced}},
		{"too_few_requests_to_tell", []proto.Message{started}, look(20, has(0), but(0, served(99, 99))), []proto.Message{advanced}},
		{"as_bad_as_ever", []proto.Message{started}, look(20, has(0), but(0, served(100, 90)), but(0, func(a *rollout.Agent) {
			a.Baseline.Before = rollout.Counters{Requests: 100, Failures: 90}
		})), []proto.Message{advanced}},
		{"a_restarted_agent_counts_from_0", []proto.Message{started}, look(20, has(0), but(0, func(a *rollout.Agent) {
			a.Counters = rollout.Counters{Requests: 200, Failures: 100}
		})), []proto.Message{&eventv1.RolloutHeld{Cause: errorRate, AgentId: agentID(0).String()}}},
		{"failures_from_before_it_had_it", []proto.Message{started}, look(20, has(0), but(0, served(500, 500)), but(0, func(a *rollout.Agent) {
			a.Baseline.AppliedAt = time.Time{}
		})), nothing},
		{"another_change_starts_it_anew_with_the_same_agent", []proto.Message{started, advanced}, look(20, has(0, 1), configured(25)), []proto.Message{
			&eventv1.RolloutRestarted{CandidateVersion: 25, AgentIds: agentIDs(0)},
		}},
		{"with_another_where_that_one_is_away", []proto.Message{started}, look(20, configured(25), but(0, silent(time.Hour))), []proto.Message{
			&eventv1.RolloutRestarted{CandidateVersion: 25, AgentIds: agentIDs(1)},
		}},
		{"held_it_waits", []proto.Message{started, held(rejected)}, look(20, has(0)), nothing},
		{"a_change_mends_what_was_refused", []proto.Message{started, held(rejected)}, look(20, configured(25)), []proto.Message{
			&eventv1.RolloutRestarted{CandidateVersion: 25, AgentIds: agentIDs(0)},
		}},
		{"held_by_a_person_a_change_waits", []proto.Message{started, held(requested)}, look(20, configured(25)), nothing},
		{"resumed_it_is_judged_anew", []proto.Message{started, held(errorRate), &eventv1.RolloutResumed{}}, look(20, has(0)), []proto.Message{advanced}},
		{"all_agents_are_gone", []proto.Message{started}, look(0), []proto.Message{finished}},
		{"finished_it_stays", []proto.Message{started, finished}, look(3), nothing},
		{"the_next_change_begins_where_it_ended", []proto.Message{started, finished}, look(3, configured(30)), []proto.Message{
			&eventv1.RolloutStarted{GatewayId: gateway.String(), BaseVersion: 20, CandidateVersion: 30, AgentIds: agentIDs(0)},
		}},
		{"pinned_nothing_is_rolled_out", []proto.Message{wentBack}, look(3, configured(30)), nothing},
		{"and_after_it_from_there", []proto.Message{wentBack, &eventv1.GatewayWentForward{}}, look(3, configured(30)), []proto.Message{
			&eventv1.RolloutStarted{GatewayId: gateway.String(), BaseVersion: 5, CandidateVersion: 30, AgentIds: agentIDs(0)},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want(t, given(t, c.given...).Next(id, gateway, c.look), c.want...)
		})
	}
	t.Run("all_at_once_nothing_is_led", func(t *testing.T) {
		want(t, rollout.NewStage(rollout.Settings{}, 0, nil, 0).Next(id, gateway, look(3)))
	})
}

// want compares what was decided; reasons are for people.
func want(t *testing.T, changes []eventlog.Change, bodies ...proto.Message) {
	t.Helper()
	var got []proto.Message
	for _, change := range changes {
		if change.Subject != id {
			t.Errorf("about %s", change.Subject)
		}
		got = append(got, change.Body)
	}
	if diff := cmp.Diff(bodies, got, protocmp.Transform(), protocmp.IgnoreFields(&eventv1.RolloutHeld{}, "reason")); diff != "" {
		t.Errorf("decided (-want +got):\n%s", diff)
	}
}

// What is given to agents while a rollout goes its way, and from which version on.
func TestStage(t *testing.T) {
	stable, candidate := rollout.Stable, rollout.Candidate
	restarted := &eventv1.RolloutRestarted{CandidateVersion: 25, AgentIds: agentIDs(0)}
	for _, c := range []struct {
		name                         string
		given                        []proto.Message
		stable, stableFloor          int64
		candidate, candidateFloor    int64
		members                      []int
		pinned, open, candidateThere bool
	}{
		{"before", nil, 10, 0, 0, 0, nil, false, false, false},
		{"one_agent", []proto.Message{started}, 10, 0, 20, 11, []int{0}, false, true, true},
		{"two", []proto.Message{started, advanced}, 10, 0, 20, 12, []int{0, 1}, false, true, true},
		{"held", []proto.Message{started, advanced, held(rejected)}, 10, 0, 20, 12, []int{0, 1}, false, true, true},
		{"one_again", []proto.Message{started, advanced, restarted}, 10, 13, 25, 13, []int{0}, false, true, true},
		{"all", []proto.Message{started, advanced, finished}, 20, 13, 0, 0, nil, false, false, false},
		{"given_up", []proto.Message{started, &eventv1.RolloutAbandoned{}}, 10, 12, 0, 0, nil, false, false, false},
		{"gone_back", []proto.Message{wentBack}, 5, 11, 0, 0, nil, true, true, false},
		{"and_forward", []proto.Message{wentBack, &eventv1.GatewayWentForward{}}, 5, 12, 0, 0, nil, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := given(t, c.given...)
			if s.Configuration(stable) != c.stable || s.FloorOf(stable) != c.stableFloor {
				t.Errorf("stable: configuration %d from version %d", s.Configuration(stable), s.FloorOf(stable))
			}
			if s.Has(candidate) != c.candidateThere || s.Pinned() != c.pinned || (s.Open() != nil) != c.open {
				t.Errorf("candidate %t, pinned %t, open %+v", s.Has(candidate), s.Pinned(), s.Open())
			}
			if c.candidateThere && (s.Configuration(candidate) != c.candidate || s.FloorOf(candidate) != c.candidateFloor) {
				t.Errorf("candidate: configuration %d from version %d", s.Configuration(candidate), s.FloorOf(candidate))
			}
			for n := range 4 {
				if in := s.TrackOf(agentID(n)) == candidate; in != slices.Contains(c.members, n) {
					t.Errorf("agent %d: %s", n, s.TrackOf(agentID(n)))
				}
			}
		})
	}
	t.Run("staging_that_began_after_the_last_rollout", func(t *testing.T) {
		last := given(t, started, finished).Last
		if s := rollout.NewStage(canary, 40, last, 12); s.Configuration(stable) != 40 {
			t.Errorf("configuration %d", s.Configuration(stable))
		}
		if s := rollout.NewStage(rollout.Settings{}, 0, last, 12); s.Configuration(stable) != 0 {
			t.Errorf("all at once: configuration %d", s.Configuration(stable))
		}
	})
}
