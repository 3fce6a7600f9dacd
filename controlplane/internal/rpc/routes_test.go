package rpc_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// What is said of targets and retries comes back, and changes by the mask.
func TestRouteWithSeveralTargets(t *testing.T) {
	n := install(t).tenant("alpha")
	other := n.anotherProvider("other")
	both := []*adminv1.Target{{ProviderId: n.provider.Id, Model: "gpt-5", Weight: 900}, {ProviderId: other.Id, Model: "small", Weight: 100}}
	retry := &adminv1.Retry{MaxAttempts: 3, Backoff: durationpb.New(250 * time.Millisecond),
		On: []adminv1.Failure{adminv1.Failure_FAILURE_TIMEOUT, adminv1.Failure_FAILURE_RATE_LIMITED}}
	made := call(t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{Name: "shared", Strategy: adminv1.Strategy_STRATEGY_WEIGHTED, Targets: both, Retry: retry}).Route
	got := call(t, n.routes.GetRoute, &adminv1.GetRouteRequest{Id: made.Id}).Route
	for _, diff := range []string{cmp.Diff(both, got.Targets, protocmp.Transform()), cmp.Diff(retry, got.Retry, protocmp.Transform()), cmp.Diff(made, got, protocmp.Transform())} {
		if diff != "" {
			t.Error(diff)
		}
	}
	again := call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: made.Id, Retry: retry}}).Route
	same(t, again.Etag, got.Etag)
	without := call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: made.Id},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"retry"}}}).Route
	if without.Retry != nil || len(without.Targets) != 2 {
		t.Errorf("got %v", without)
	}
}

// A provider is in use by each target that names it, with the model of each.
func TestUsesOfEveryTarget(t *testing.T) {
	n := install(t).tenant("alpha")
	other := n.anotherProvider("other")
	call(t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{Name: "fallback", Strategy: adminv1.Strategy_STRATEGY_PRIORITY, Targets: []*adminv1.Target{
		{ProviderId: n.provider.Id, Model: "gpt-5"}, {ProviderId: other.Id, Model: "small"}, {ProviderId: other.Id, Model: "smaller"},
	}})
	err := refused(t, connect.CodeFailedPrecondition, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: other.Id})
	same(t, detail(t, err).GetReason(), "in_use")
	for _, kept := range []string{"small", "smaller"} {
		err := refused(t, connect.CodeFailedPrecondition, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
			Provider: &adminv1.Provider{Id: other.Id, AllowedModels: []string{kept}},
		})
		if detail(t, err).GetReason() != "in_use" || !strings.Contains(err.Message(), `"fallback"`) {
			t.Errorf("only %s allowed: %v", kept, err)
		}
	}
}

// Everything that a route can do comes back as it was said, is found, is history field by
// field, and changes by the mask.
func TestRouteWithStrategies(t *testing.T) {
	n := install(t).tenant("alpha")
	other := n.anotherProvider("other")
	wanted := &adminv1.Route{
		Name: "clever", Strategy: adminv1.Strategy_STRATEGY_STICKY,
		Targets: []*adminv1.Target{{ProviderId: n.provider.Id, Model: "gpt-5"}, {ProviderId: other.Id, Model: "small", When: `metadata.tier == "gold"`}},
		Sticky:  &adminv1.Sticky{By: adminv1.StickyBy_STICKY_BY_HEADER, Header: "X-Session", MinTokens: 2048, BreakEvenPercent: 150},
		Hedge:   &adminv1.Hedge{Percentile: 90, MinDelay: durationpb.New(100 * time.Millisecond), MaxPercent: 20},
		Canary:  &adminv1.Share{Target: &adminv1.Target{ProviderId: other.Id, Model: "new"}, PerMille: 50},
		Shadow:  &adminv1.Share{Target: &adminv1.Target{ProviderId: n.provider.Id, Model: "gpt-5"}, PerMille: 1000},
		Timeouts: &adminv1.Timeouts{FirstByte: durationpb.New(time.Second), Idle: durationpb.New(2 * time.Second), Total: durationpb.New(time.Hour),
			Connect: durationpb.New(300 * time.Millisecond), FirstToken: durationpb.New(time.Minute)},
		Retry: &adminv1.Retry{On: []adminv1.Failure{adminv1.Failure_FAILURE_CONTEXT_TOO_LONG, adminv1.Failure_FAILURE_CONTENT_FILTER}},
	}
	made := call(t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{
		Name: wanted.Name, Strategy: wanted.Strategy, Targets: wanted.Targets, Sticky: wanted.Sticky, Hedge: wanted.Hedge, Canary: wanted.Canary,
		Shadow: wanted.Shadow, Timeouts: wanted.Timeouts, Retry: wanted.Retry,
	}).Route
	got := call(t, n.routes.GetRoute, &adminv1.GetRouteRequest{Id: made.Id}).Route
	wanted.Id, wanted.Etag, wanted.CreatedAt = made.Id, made.Etag, made.CreatedAt
	for _, diff := range []string{cmp.Diff(wanted, got, protocmp.Transform()), cmp.Diff(made, got, protocmp.Transform())} {
		if diff != "" {
			t.Error(diff)
		}
	}
	same(t, call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: got}).Route.Etag, made.Etag)
	for filter, want := range map[string]int{
		`strategy = sticky`: 1, `strategy = least_busy`: 0, `canary.target.provider_id = ` + other.Id: 1, `canary.target.model = gpt-5`: 0, `shadow.target.model = gpt-5`: 1,
		`shadow.target.provider_id = ` + other.Id: 0,
	} {
		if found := call(t, n.routes.ListRoutes, &adminv1.ListRoutesRequest{Filter: filter}).Routes; len(found) != want {
			t.Errorf("%s: %v", filter, found)
		}
	}
	plain := call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{
		Route:      &adminv1.Route{Id: made.Id, Strategy: adminv1.Strategy_STRATEGY_LATENCY, Hedge: &adminv1.Hedge{MaxPercent: 5}},
		UpdateMask: mask("strategy", "sticky", "hedge", "canary"),
	}).Route
	if plain.Sticky != nil || plain.Canary != nil || plain.Shadow == nil || plain.Hedge.MinDelay != nil || plain.Hedge.MaxPercent != 5 || plain.Timeouts.FirstToken == nil {
		t.Errorf("got %v", plain)
	}
	event := n.events(&adminv1.EventMatch{ResourceId: made.Id})[0]
	same(t, paths(event.Fields), "strategy sticky.by sticky.header sticky.min_tokens sticky.break_even_percent "+
		"hedge.percentile hedge.min_delay hedge.max_percent canary.target.provider_id canary.target.model canary.per_mille")
}

// A person is told which field is wrong, of whatever the contract or the route's own rules
// hold it to.
func TestRefusedFieldsOfARoute(t *testing.T) {
	n := install(t).tenant("alpha")
	target := func(when string) *adminv1.Target {
		return &adminv1.Target{ProviderId: n.provider.Id, Model: "gpt-5", When: when}
	}
	for field, request := range map[string]*adminv1.CreateRouteRequest{
		"targets[1].when":           {Strategy: adminv1.Strategy_STRATEGY_LATENCY, Targets: []*adminv1.Target{target(""), {ProviderId: n.provider.Id, Model: "b", When: "colour"}}},
		"sticky":                    {Strategy: adminv1.Strategy_STRATEGY_STICKY, Targets: []*adminv1.Target{target("")}},
		"sticky.by":                 {Strategy: adminv1.Strategy_STRATEGY_STICKY, Targets: []*adminv1.Target{target("")}, Sticky: &adminv1.Sticky{}},
		"hedge":                     {Targets: []*adminv1.Target{target("")}, Hedge: &adminv1.Hedge{}},
		"hedge.percentile":          {Targets: []*adminv1.Target{target("")}, Hedge: &adminv1.Hedge{Percentile: 100}},
		"canary.target":             {Targets: []*adminv1.Target{target("")}, Canary: &adminv1.Share{PerMille: 1}},
		"canary.per_mille":          {Targets: []*adminv1.Target{target("")}, Canary: &adminv1.Share{Target: target("")}},
		"shadow.target.provider_id": {Targets: []*adminv1.Target{target("")}, Shadow: &adminv1.Share{Target: &adminv1.Target{ProviderId: "x", Model: "m"}, PerMille: 1}},
		"timeouts.connect":          {Targets: []*adminv1.Target{target("")}, Timeouts: &adminv1.Timeouts{Connect: durationpb.New(2 * time.Hour)}},
	} {
		request.Name = "clever"
		err := refused(t, connect.CodeInvalidArgument, n.routes.CreateRoute, request)
		if named := violations(t, err); len(named) != 1 || named[0] != field {
			t.Errorf("%s: %v names %q", field, err, named)
		}
	}
	err := refused(t, connect.CodeInvalidArgument, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: n.route.Id, Targets: []*adminv1.Target{target("tokens >")}}})
	if !strings.Contains(err.Message(), "targets[0].when: the condition's character") {
		t.Errorf("got %v", err)
	}
}

// A provider is in use by a canary and by a shadow as by any target, with their models, and
// can be deleted when they are gone.
func TestUsesOfShares(t *testing.T) {
	n := install(t).tenant("alpha")
	for name, change := range map[string]func(*adminv1.CreateRouteRequest, *adminv1.Share){
		"canary": func(r *adminv1.CreateRouteRequest, s *adminv1.Share) { r.Canary = s },
		"shadow": func(r *adminv1.CreateRouteRequest, s *adminv1.Share) { r.Shadow = s },
	} {
		t.Run(name, func(t *testing.T) {
			other := n.anotherProvider("to-" + name)
			request := &adminv1.CreateRouteRequest{Name: name, Targets: []*adminv1.Target{{ProviderId: n.provider.Id, Model: "gpt-5"}}}
			change(request, &adminv1.Share{Target: &adminv1.Target{ProviderId: other.Id, Model: "small"}, PerMille: 10})
			made := call(t, n.routes.CreateRoute, request).Route
			err := refused(t, connect.CodeFailedPrecondition, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: other.Id})
			same(t, detail(t, err).GetReason(), "in_use")
			err = refused(t, connect.CodeFailedPrecondition, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
				Provider: &adminv1.Provider{Id: other.Id, AllowedModels: []string{"smaller"}},
			})
			if detail(t, err).GetReason() != "in_use" || !strings.Contains(err.Message(), name) {
				t.Errorf("another model allowed: %v", err)
			}
			call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: other.Id, Name: "renamed-" + name}})
			call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: made.Id}, UpdateMask: mask(name)})
			call(t, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: other.Id})
		})
	}
}
