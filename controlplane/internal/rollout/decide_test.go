package rollout_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestPeopleDecide(t *testing.T) {
	type decision func(rollout.Stage) ([]eventlog.Change, error)
	promote := func(all bool) decision {
		return func(s rollout.Stage) ([]eventlog.Change, error) { return s.Promote(*s.Last, all, look(20)) }
	}
	hold := func(s rollout.Stage) ([]eventlog.Change, error) { return s.Last.HoldAt("because") }
	resume := func(s rollout.Stage) ([]eventlog.Change, error) { return s.Last.Resume() }
	back := func(version int64) decision {
		return func(s rollout.Stage) ([]eventlog.Change, error) { return s.GoBack(id, gateway, version, "") }
	}
	forward := func(s rollout.Stage) ([]eventlog.Change, error) { return s.GoForward() }
	abandoned := &eventv1.RolloutAbandoned{Reason: "somebody went back to another version"}
	for _, c := range []struct {
		name   string
		given  []proto.Message
		decide decision
		want   []proto.Message
		reason string
	}{
		{"promote_to_the_next_step", []proto.Message{started}, promote(false), []proto.Message{advanced}, ""},
		{"promote_what_is_held", []proto.Message{started, held(rejected)}, promote(false), []proto.Message{advanced}, ""},
		{"promote_with_a_newer_change_waiting", []proto.Message{started, held(requested)}, func(s rollout.Stage) ([]eventlog.Change, error) {
			newer := look(20)
			newer.Configuration++
			return s.Promote(*s.Last, false, newer)
		}, nil, "newer_configuration"},
		{"promote_to_all", []proto.Message{started}, promote(true), []proto.Message{finished}, ""},
		{"promote_what_is_over", []proto.Message{started, finished}, promote(true), nil, "rollout_over"},
		{"promote_a_going_back", []proto.Message{wentBack}, promote(true), nil, "gateway_pinned"},
		{"hold", []proto.Message{started}, hold, []proto.Message{held(requested)}, ""},
		{"hold_twice", []proto.Message{started, held(requested)}, hold, nil, ""},
		{"hold_what_was_held_by_itself", []proto.Message{started, held(rejected)}, hold, []proto.Message{held(requested)}, ""},
		{"hold_what_is_over", []proto.Message{started, finished}, hold, nil, "rollout_over"},
		{"resume", []proto.Message{started, held(requested)}, resume, []proto.Message{&eventv1.RolloutResumed{}}, ""},
		{"resume_what_runs", []proto.Message{started}, resume, nil, ""},
		{"resume_what_is_over", []proto.Message{started, finished}, resume, nil, "rollout_over"},
		{"go_back", nil, back(5), []proto.Message{wentBack}, ""},
		{"go_back_from_a_rollout", []proto.Message{started}, back(5), []proto.Message{abandoned, wentBack}, ""},
		{"go_back_twice", []proto.Message{wentBack}, back(5), nil, ""},
		{"go_back_further", []proto.Message{wentBack}, back(4), []proto.Message{
			&eventv1.GatewayWentForward{}, &eventv1.GatewayWentBack{GatewayId: gateway.String(), Version: 4},
		}, ""},
		{"go_forward", []proto.Message{wentBack}, forward, []proto.Message{&eventv1.GatewayWentForward{}}, ""},
		{"go_forward_from_nowhere", []proto.Message{started}, forward, nil, "gateway_not_pinned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes, err := c.decide(given(t, c.given...))
			want(t, changes, c.want...)
			if refused := new(fault.Error); c.reason != "" && (!errors.As(err, &refused) || refused.Reason != c.reason) {
				t.Errorf("got %v, want %s", err, c.reason)
			} else if c.reason == "" && err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	complete, err := rollout.Settings{Strategy: canary.Strategy}.Complete("rollout")
	if err != nil || !complete.Equal(rollout.Settings{Strategy: canary.Strategy, Steps: []int32{10}, BakeSeconds: 300, MaxErrorRise: 5, MinRequests: 100}) {
		t.Errorf("left open: %+v, %v", complete, err)
	}
	if again := rollout.FromProto(canary.ToProto()); !again.Equal(canary) {
		t.Errorf("stored and read: %+v", again)
	}
	if at, err := (rollout.Settings{Strategy: eventv1.RolloutStrategy_ROLLOUT_STRATEGY_ALL_AT_ONCE}).Complete("rollout"); err != nil || !at.Equal(rollout.Settings{}) {
		t.Errorf("all at once: %+v, %v", at, err)
	}
	for field, bend := range map[string]func(*rollout.Settings){
		"rollout.strategy":       func(s *rollout.Settings) { s.Strategy = 0 },
		"rollout.bake_time":      func(s *rollout.Settings) { s.BakeSeconds = 86_401 },
		"rollout.max_error_rise": func(s *rollout.Settings) { s.MaxErrorRise = 101 },
		"rollout.min_requests":   func(s *rollout.Settings) { s.MinRequests = -1 },
		"rollout.steps":          func(s *rollout.Settings) { s.Steps = []int32{50, 50} },
		"rollout.steps: ":        func(s *rollout.Settings) { s.Steps = []int32{100} },
		"rollout.steps: want at": func(s *rollout.Settings) { s.Steps = make([]int32, 11) },
	} {
		bad := canary
		bend(&bad)
		if _, err := bad.Complete("rollout"); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
