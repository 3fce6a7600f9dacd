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
