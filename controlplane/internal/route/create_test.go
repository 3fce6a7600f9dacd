package route_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var known, unknown = uuid.New(), uuid.New()

func given() (route.Settings, route.World) {
	p := provider.Provider{ID: known, Settings: provider.Settings{Name: "openai", AllowedModels: []string{"gpt-5", "gpt-5-mini"}}}
	return route.Settings{Name: "gpt-5", Targets: []route.Target{{ProviderID: known, Model: "gpt-5"}}},
		route.World{Providers: map[uuid.UUID]provider.Provider{known: p}, Projects: map[uuid.UUID]bool{known: true}}
}

func TestCreate(t *testing.T) {
	settings, world := given()
	changes, err := route.Create(uuid.New(), settings, world)
	if err != nil {
		t.Fatal(err)
	}
	body := changes[0].Body.(*eventv1.RouteCreated)
	if body.Strategy != eventv1.Strategy_STRATEGY_SINGLE || body.Targets[0].ProviderId != known.String() {
		t.Errorf("got %v", body)
	}
}

const (
	weighted = eventv1.Strategy_STRATEGY_WEIGHTED
	priority = eventv1.Strategy_STRATEGY_PRIORITY
	sticky   = eventv1.Strategy_STRATEGY_STICKY
	byHeader = eventv1.StickyBy_STICKY_BY_HEADER
)

// TestSettingsStay: what is said comes back from the event.
func TestSettingsStay(t *testing.T) {
	_, world := given()
	both := []route.Target{{ProviderID: known, Model: "gpt-5", Weight: 1}, {ProviderID: known, Model: "gpt-5-mini", Weight: 1000}}
	inOrder := []route.Target{{ProviderID: known, Model: "gpt-5-mini"}, {ProviderID: known, Model: "gpt-5"}}
	for name, settings := range map[string]route.Settings{
		"weighted": {Name: "a", Strategy: weighted, Targets: both, Retry: &route.Retry{MaxAttempts: 5, BackoffMS: 10_000, On: []eventv1.Failure{6, 1}}},
		"priority": {Name: "b", Strategy: priority, Targets: inOrder, Retry: &route.Retry{}},
		"strict":   {Name: "d", Strategy: priority, Targets: inOrder, Strict: true},
		"no_retry": {Name: "c", Strategy: priority, Targets: inOrder[:1]},
		"sticky":   {Name: "e", Strategy: sticky, Targets: inOrder, Sticky: &route.Sticky{By: byHeader, Header: "X-Session", MinTokens: 9, BreakEvenPercent: 10}},
		"hedged":   {Name: "f", Strategy: 4, Targets: inOrder, Hedge: &route.Hedge{Percentile: 50, MinMS: 600_000, MaxPercent: 50}},
		"shared": {Name: "g", Strategy: 6, Targets: inOrder[:1], Canary: &route.Share{Target: route.Target{ProviderID: known, Model: "gpt-5", When: "stream"}, PerMille: 1},
			Shadow: &route.Share{Target: inOrder[0], PerMille: 1000}},
		"when": {Name: "h", Strategy: 5, Targets: []route.Target{{ProviderID: known, Model: "gpt-5", When: "tokens > 100"}, inOrder[0]},
			Timeouts: timeouts.Timeouts{ConnectMS: 1, FirstTokenMS: 2}, Retry: &route.Retry{On: []eventv1.Failure{7, 8}}},
	} {
		t.Run(name, func(t *testing.T) {
			changes, err := route.Create(uuid.New(), settings, world)
			if err != nil {
				t.Fatal(err)
			}
			created, err := route.Apply(route.Route{}, eventlog.Event{Version: 4, Subject: changes[0].Subject, Body: changes[0].Body})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(settings, created.Settings); diff != "" {
				t.Error(diff)
			}
			if settings.Hedge == nil {
				settings.Canary, settings.Shadow = nil, nil
			}
			settings.Retry, settings.Strict = &route.Retry{MaxAttempts: 3}, !settings.Strict
			changed, err := created.Update(settings, world)
			if err != nil || len(changed) != 1 {
				t.Fatalf("%v, %v", changed, err)
			}
			updated, err := route.Apply(created, eventlog.Event{Version: 5, Subject: created.ID, Body: changed[0].Body})
			if diff := cmp.Diff(settings, updated.Settings); err != nil || diff != "" {
				t.Error(diff, err)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	settings, world := given()
	settings.Strategy = eventv1.Strategy_STRATEGY_SINGLE
	was := route.Route{ID: uuid.New(), Settings: settings, Version: 3}
	if changes, err := was.Update(settings, world); changes != nil || err != nil {
		t.Errorf("said again: %v, %v", changes, err)
	}
	settings.AllowedProjectIDs = []uuid.UUID{known}
	changes, err := was.Update(settings, world)
	if err != nil {
		t.Fatal(err)
	}
	after, err := route.Apply(was, eventlog.Event{Version: 4, Subject: was.ID, Body: changes[0].Body})
	if err != nil || len(after.AllowedProjectIDs) != 1 || after.Version != 4 {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestRefusals(t *testing.T) {
	refusals := map[string]struct {
		kind   fault.Kind
		change func(*route.Settings, *route.World)
	}{
		"taken_name":        {fault.Conflict, func(_ *route.Settings, w *route.World) { w.NameTaken = true }},
		"bad_name":          {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Name = "gpt 5" }},
		"no_target":         {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Targets = nil }},
		"two_targets":       {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Targets = append(s.Targets, s.Targets[0]) }},
		"no_model":          {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Targets[0].Model = "" }},
		"model_not_allowed": {fault.Precondition, func(s *route.Settings, _ *route.World) { s.Targets[0].Model = "gpt-4" }},
		"unknown_provider":  {fault.NotFound, func(s *route.Settings, _ *route.World) { s.Targets[0].ProviderID = unknown }},
		"unknown_project":   {fault.NotFound, func(s *route.Settings, _ *route.World) { s.AllowedProjectIDs = []uuid.UUID{unknown} }},
		"unknown_strategy":  {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Strategy = 8 }},
		"weight_of_single":  {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Targets[0].Weight = 1 }},
		"no_weight":         {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Strategy = weighted }},
		"large_weight":      {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Strategy, s.Targets[0].Weight = weighted, 1001 }},
		"a_target_twice": {fault.Invalid, func(s *route.Settings, _ *route.World) {
			s.Strategy, s.Targets = priority, append(s.Targets, s.Targets[0])
		}},
		"no_priority":  {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Strategy, s.Targets = priority, nil }},
		"many_targets": {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Strategy, s.Targets = priority, make([]route.Target, 17) }},
		"second_model": {fault.Precondition, func(s *route.Settings, _ *route.World) {
			s.Strategy, s.Targets = priority, append(s.Targets, route.Target{ProviderID: known, Model: "gpt-4"})
		}},
		"model_that_is_a_path": {fault.Invalid, func(s *route.Settings, w *route.World) {
			w.Providers = map[uuid.UUID]provider.Provider{known: {ID: known}} // it allows every model
			s.Canary = &route.Share{Target: route.Target{ProviderID: known, Model: ".."}, PerMille: 1}
		}},
		"many_attempts":   {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Retry = &route.Retry{MaxAttempts: 6} }},
		"fewer_than_none": {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Retry = &route.Retry{MaxAttempts: -1} }},
		"long_backoff":    {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Retry = &route.Retry{BackoffMS: 10_001} }},
		"no_failure":      {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Retry = &route.Retry{On: []eventv1.Failure{0}} }},
		"unknown_failure": {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Retry = &route.Retry{On: []eventv1.Failure{9}} }},
		"failure_twice":   {fault.Invalid, func(s *route.Settings, _ *route.World) { s.Retry = &route.Retry{On: []eventv1.Failure{1, 1}} }},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			settings, world := given()
			r.change(&settings, &world)
			if _, err := route.Create(uuid.New(), settings, world); !fault.Is(err, r.kind) {
				t.Errorf("create: got %v", err)
			}
			if _, err := (route.Route{ID: uuid.New()}).Update(settings, world); !fault.Is(err, r.kind) {
				t.Errorf("update: got %v", err)
			}
			if _, err := (route.Route{ID: uuid.New(), Settings: settings}).Restore(world); !fault.Is(err, r.kind) {
				t.Errorf("restore: got %v", err)
			}
		})
	}
}
