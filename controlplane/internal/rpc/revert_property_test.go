package rpc_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// writer changes an organization at random; names are few, so that they collide.
type writer struct {
	*tenant
	*rand.Rand
	ids map[string][]string
}

func (w *writer) name() string { return fmt.Sprintf("n%d", w.IntN(4)) }

// one of the ids of a kind that there ever were.
func (w *writer) one(kind string) string { return w.ids[kind][w.IntN(len(w.ids[kind]))] }

// attempt makes a change, which the state may refuse.
func attempt[Q, A any](w *writer, rpc func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), request *Q) *A {
	w.t.Helper()
	answer, err := rpc(w.t.Context(), connect.NewRequest(request))
	switch connect.CodeOf(err) {
	case connect.CodeNotFound, connect.CodeAlreadyExists, connect.CodeFailedPrecondition:
		return nil
	}
	if err != nil {
		w.t.Fatalf("%T: %v", request, err)
	}
	return answer.Msg
}

func (w *writer) keep(kind, id string) {
	if id != "" {
		w.ids[kind] = append(w.ids[kind], id)
	}
}

func (w *writer) write() {
	models := []string{"a", "b"}[:w.IntN(3)]
	target := func() []*adminv1.Target {
		return []*adminv1.Target{{ProviderId: w.one("provider"), Model: []string{"a", "b"}[w.IntN(2)]}}
	}
	switch w.IntN(27) {
	case 0:
		w.keep("project", attempt(w, w.projects.CreateProject, &adminv1.CreateProjectRequest{Name: w.name()}).GetProject().GetId())
	case 1:
		attempt(w, w.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: w.one("project"), Name: w.name(), DisplayName: w.name()}})
	case 2:
		attempt(w, w.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: w.one("project")})
	case 3:
		w.keep("provider", attempt(w, w.providers.CreateProvider, &adminv1.CreateProviderRequest{
			Name: w.name(), Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://x.example/v1", CredentialRef: "env://X", AllowedModels: models,
		}).GetProvider().GetId())
	case 4:
		attempt(w, w.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
			Provider: &adminv1.Provider{Id: w.one("provider"), Name: w.name(), AllowedModels: models}, UpdateMask: mask("name", "allowed_models"),
		})
	case 5:
		attempt(w, w.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: w.one("provider")})
	case 6, 7:
		w.keep("route", attempt(w, w.routes.CreateRoute, &adminv1.CreateRouteRequest{Name: w.name(), Targets: target()}).GetRoute().GetId())
	case 8:
		attempt(w, w.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: w.one("route"), Name: w.name(), Targets: target()}})
	case 9:
		attempt(w, w.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: w.one("route")})
	case 10, 11:
		w.keep("key", attempt(w, w.keys.CreateKey, &adminv1.CreateKeyRequest{
			Name: w.name(), ProjectId: w.one("project"), RouteIds: []string{w.one("route")},
		}).GetKey().GetId())
	case 12:
		attempt(w, w.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: &adminv1.Key{Id: w.one("key"), Name: w.name(), RouteIds: []string{w.one("route")}}})
	case 13:
		attempt(w, w.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: w.one("key")})
	case 14:
		attempt(w, w.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: w.one("key")})
	case 15:
		w.keep("gateway", attempt(w, w.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: w.name(), Region: "local"}).GetGateway().GetId())
	case 16:
		attempt(w, w.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: w.one("gateway")})
	case 17:
		w.keep("report", attempt(w, w.saved.CreateSavedReport, &adminv1.CreateSavedReportRequest{Name: w.name(), Sql: "SELECT 1"}).GetSavedReport().GetId())
	case 18:
		attempt(w, w.saved.UpdateSavedReport, &adminv1.UpdateSavedReportRequest{SavedReport: &adminv1.SavedReport{Id: w.one("report"), Name: w.name()}})
	case 19:
		w.keep("override", attempt(w, w.prices.CreatePriceOverride, &adminv1.CreatePriceOverrideRequest{
			PriceList: "own", Model: w.name(), Rates: &adminv1.Rates{Input: "1"},
		}).GetPriceOverride().GetId())
	case 20:
		attempt(w, w.prices.DeletePriceOverride, &adminv1.DeletePriceOverrideRequest{Id: w.one("override")})
	case 21:
		attempt(w, w.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: w.one("gateway"), Name: w.name()}})
	case 22:
		scope := &adminv1.QuotaScope{On: &adminv1.QuotaScope_RouteId{RouteId: w.one("route")}}
		w.keep("limit", attempt(w, w.limits.CreateLimit, requestsOf(w.name(), scope)).GetLimit().GetId())
	case 23:
		attempt(w, w.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: w.one("limit")})
	case 24:
		scope := onKey(&adminv1.Key{Id: w.one("key")})
		w.keep("budget", attempt(w, w.budgets.CreateBudget, monthly(w.name(), scope)).GetBudget().GetId())
	case 25:
		attempt(w, w.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{Budget: &adminv1.Budget{Id: w.one("budget"), Name: w.name(), AmountNanoUsd: 1 + w.Int64N(3)}})
	case 26:
		attempt(w, w.budgets.DeleteBudget, &adminv1.DeleteBudgetRequest{Id: w.one("budget")})
	}
}

// Whatever happened, going back leaves no difference but what never comes back, and
// says what that is. Keys that were revoked stay so.
func TestRevertOfRandomHistories(t *testing.T) {
	in := install(t)
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed_", seed), func(t *testing.T) {
			n := in.tenant(fmt.Sprint("tenant-", seed))
			n.t = t
			w := &writer{n, rand.New(rand.NewPCG(seed, 1)), map[string][]string{
				"project": {n.project.Id}, "provider": {n.provider.Id}, "route": {n.route.Id}, "key": {n.key.Id},
				"gateway": {n.gateway.Id}, "report": {n.report.Id}, "override": {n.override.Id},
				"limit": {n.limited(t, onOrganization()).Id}, "budget": {n.budgeted(t, onOrganization()).Id},
			}}
			heads := []int64{n.head()}
			for range 4 {
				for range 25 {
					w.write()
				}
				heads = append(heads, n.head())
				target := heads[w.IntN(len(heads))]
				dead := w.revoked()
				w.check(target, call(t, n.history.Revert, toVersion(target)))
				for id := range dead {
					if !w.revoked()[id] {
						t.Errorf("key %s lives again", id)
					}
				}
			}
		})
	}
}

func (w *writer) check(target int64, answer *adminv1.RevertResponse) {
	w.t.Helper()
	skipped := reasons(answer)
	left := w.differences(target, 0, 100)
	same(w.t, len(left), len(skipped))
	for id, change := range left {
		expected := change.Resource.Kind == "key" && skipped[id] == "never_revived" ||
			change.Resource.Kind == "budget" && (skipped[id] == "key_not_found" || skipped[id] == "key_revoked") || // on one of those keys
			change.Resource.Kind == "enrolment_token" && (skipped[id] == "never_revived" || skipped[id] == "not_configuration")
		if !expected {
			w.t.Errorf("%s %q is left, since %q: %v", change.Resource.Kind, change.Resource.Name, skipped[id], change.Fields)
		}
	}
}

// revoked are the keys that open nothing, those that are out of lists among them.
func (w *writer) revoked() map[string]bool {
	found := map[string]bool{}
	for _, id := range w.ids["key"] {
		answer, err := w.keys.GetKey(w.t.Context(), connect.NewRequest(&adminv1.GetKeyRequest{Id: id}))
		found[id] = err != nil || answer.Msg.Key.RevokedAt != nil
		if !found[id] {
			delete(found, id)
		}
	}
	return found
}
