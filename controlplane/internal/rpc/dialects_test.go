package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// What is said of a provider of Azure comes back, changes by the mask, and is found.
func TestAPIVersionOfAProvider(t *testing.T) {
	n := install(t).tenant("alpha")
	made := call(t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: "azure", Dialect: adminv1.Dialect_DIALECT_AZURE_OPENAI, BaseUrl: "https://acme.openai.azure.com/", ApiVersion: "2024-10-21",
	}).Provider
	same(t, made.ApiVersion, "2024-10-21")
	same(t, made.PriceList, "")
	got := call(t, n.providers.GetProvider, &adminv1.GetProviderRequest{Id: made.Id}).Provider
	if diff := cmp.Diff(made, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	for filter, want := range map[string]int{
		`api_version = "2024-10-21"`: 1, `dialect = azure_openai`: 1, `dialect = vertex`: 0, `NOT api_version = "2024-10-21"`: 1,
	} {
		if found := call(t, n.providers.ListProviders, &adminv1.ListProvidersRequest{Filter: filter}).Providers; len(found) != want {
			t.Errorf("%s: %v", filter, found)
		}
	}
	without := call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: made.Id}, UpdateMask: mask("api_version")}).Provider
	same(t, without.ApiVersion, "")
	same(t, without.BaseUrl, "https://acme.openai.azure.com")
	err := refused(t, connect.CodeInvalidArgument, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
		Provider: &adminv1.Provider{Id: n.provider.Id, ApiVersion: "2024-10-21"},
	})
	if !strings.Contains(err.Error(), "azure-openai") {
		t.Errorf("got %v", err)
	}
}

// A base URL is held to the dialect in updates, too.
func TestBaseURLOfADialect(t *testing.T) {
	n := install(t).tenant("alpha")
	made := call(t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: "gemini", Dialect: adminv1.Dialect_DIALECT_GEMINI, BaseUrl: "https://generativelanguage.googleapis.com/v1beta",
	}).Provider
	same(t, made.PriceList, "gemini")
	err := refused(t, connect.CodeInvalidArgument, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
		Provider: &adminv1.Provider{Id: made.Id, BaseUrl: "https://generativelanguage.googleapis.com"},
	})
	if !strings.Contains(err.Error(), "base_url: it must end in the version") {
		t.Errorf("got %v", err)
	}
}

func TestStrictRoute(t *testing.T) {
	n := install(t).tenant("alpha")
	made := call(t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{
		Name: "strict", Targets: []*adminv1.Target{{ProviderId: n.provider.Id, Model: "gpt-5"}}, Strict: true,
	}).Route
	got := call(t, n.routes.GetRoute, &adminv1.GetRouteRequest{Id: made.Id}).Route
	if diff := cmp.Diff(made, got, protocmp.Transform()); diff != "" || !got.Strict {
		t.Errorf("strict %t\n%s", got.Strict, diff)
	}
	found := call(t, n.routes.ListRoutes, &adminv1.ListRoutesRequest{Filter: `strict = true`}).Routes
	if len(found) != 1 || found[0].Id != made.Id {
		t.Errorf("strict routes: %v", found)
	}
	lossy := call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: made.Id}, UpdateMask: mask("strict")}).Route
	if lossy.Strict || len(lossy.Targets) != 1 {
		t.Errorf("got %v", lossy)
	}
	others := call(t, n.routes.ListRoutes, &adminv1.ListRoutesRequest{Filter: `strict = false`}).Routes
	if !slices.ContainsFunc(others, func(r *adminv1.Route) bool { return r.Id == made.Id }) {
		t.Errorf("routes that are not strict: %v", others)
	}
}
