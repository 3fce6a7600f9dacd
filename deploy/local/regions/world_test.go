package regions_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/dataplane/llmtest"
	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const credential = "the-upstream-credential"

// region has a provider, a gateway that may send to the region only, and a broker.
type region struct {
	name     string
	upstream *httptest.Server
	asked    atomic.Int64 // the upstream
	broker   *broker
	provider string // id
	gateway  string // id
}

type agent struct {
	*stack.Agent
	id       string
	region   *region
	answered int // with 200
}

type world struct {
	t *testing.T
	*stack.Stack
	eu, us    *region
	gateways  adminv1connect.GatewayServiceClient
	routes    adminv1connect.RouteServiceClient
	rollouts  adminv1connect.RolloutServiceClient
	providers adminv1connect.ProviderServiceClient
	key       string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	started, err := stack.Start(t.Context(), stack.Config{Dir: t.TempDir(), Roles: "api,fleet"})
	must(t, err)
	t.Cleanup(started.Close)
	w := &world{t: t, Stack: started}
	_, token, err := w.Found(t.Context(), "regions")
	must(t, err)
	as := stack.Bearer(token)
	w.gateways = adminv1connect.NewGatewayServiceClient(httpClient, w.URL, as)
	w.routes = adminv1connect.NewRouteServiceClient(httpClient, w.URL, as)
	w.rollouts = adminv1connect.NewRolloutServiceClient(httpClient, w.URL, as)
	w.providers = adminv1connect.NewProviderServiceClient(httpClient, w.URL, as)
	w.eu, w.us = w.newRegion("eu"), w.newRegion("us")
	w.route("chat-eu", w.eu)
	w.route("chat-us", w.us)
	w.route("chat", w.us, w.eu)
	project, err := adminv1connect.NewProjectServiceClient(httpClient, w.URL, as).CreateProject(t.Context(), connect.NewRequest(&adminv1.CreateProjectRequest{Name: "app"}))
	must(t, err)
	key, err := adminv1connect.NewKeyServiceClient(httpClient, w.URL, as).CreateKey(t.Context(), connect.NewRequest(&adminv1.CreateKeyRequest{
		Name: "app", ProjectId: project.Msg.GetProject().GetId(),
	}))
	must(t, err)
	w.key = key.Msg.GetSecret()
	return w
}

func (w *world) newRegion(name string) *region {
	w.t.Helper()
	r := &region{name: name, broker: newBroker(w.t)}
	mock := llmtest.New(llmtest.Options{APIKey: credential})
	r.upstream = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, request *http.Request) {
		r.asked.Add(1)
		mock.ServeHTTP(rw, request)
	}))
	w.t.Cleanup(r.upstream.Close)
	provider, err := w.providers.CreateProvider(w.t.Context(), connect.NewRequest(&adminv1.CreateProviderRequest{
		Name: "mock-" + name, Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: r.upstream.URL + "/v1", CredentialRef: "env://WEIR_SECRET_UPSTREAM", Region: name,
	}))
	must(w.t, err)
	r.provider = provider.Msg.GetProvider().GetId()
	gateway, err := w.gateways.CreateGateway(w.t.Context(), connect.NewRequest(&adminv1.CreateGatewayRequest{
		Name: "gateway-" + name, Region: name, AllowedRegions: []string{name},
	}))
	must(w.t, err)
	r.gateway = gateway.Msg.GetGateway().GetId()
	return r
}

// route asks the regions in this order.
func (w *world) route(name string, regions ...*region) {
	w.t.Helper()
	request := &adminv1.CreateRouteRequest{Name: name, Strategy: adminv1.Strategy_STRATEGY_SINGLE}
	for _, r := range regions {
		request.Targets = append(request.Targets, &adminv1.Target{ProviderId: r.provider, Model: "gpt-4o"})
	}
	if len(regions) > 1 {
		request.Strategy = adminv1.Strategy_STRATEGY_PRIORITY
	}
	_, err := w.routes.CreateRoute(w.t.Context(), connect.NewRequest(request))
	must(w.t, err)
}

// join starts agents of a region one after the other. Their own configuration lets them
// send anywhere: the policy alone keeps them.
func (w *world) join(r *region, names ...string) (joined []*agent) {
	w.t.Helper()
	token, err := w.gateways.CreateEnrolmentToken(w.t.Context(), connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{
		GatewayId: r.gateway, MaxUses: int32(len(names)),
	}))
	must(w.t, err)
	for _, name := range names {
		started, err := w.NewAgent(w.t.Context(), name, token.Msg.GetToken(),
			"WEIR_ALLOW_UPSTREAMS="+w.eu.upstream.URL+"=env://WEIR_SECRET_UPSTREAM;"+w.us.upstream.URL+"=env://WEIR_SECRET_UPSTREAM",
			"WEIR_SECRET_UPSTREAM="+credential, "WEIR_REGION="+r.name,
			"WEIR_KAFKA_BROKERS="+strings.Join(r.broker.ListenAddrs(), ","), "WEIR_KAFKA_TOPIC="+usageTopic)
		must(w.t, err)
		w.t.Cleanup(started.Process.Kill)
		joined = append(joined, &agent{Agent: started, region: r, id: w.idOf(r, name)})
	}
	return joined
}

func (w *world) idOf(r *region, name string) string {
	w.t.Helper()
	for _, a := range w.agentsOf(r) {
		if a.GetName() == name {
			return a.GetId()
		}
	}
	w.t.Fatalf("no agent %s", name)
	return ""
}

func (w *world) agentsOf(r *region) []*adminv1.Agent {
	w.t.Helper()
	listed, err := w.gateways.ListAgents(w.t.Context(), connect.NewRequest(&adminv1.ListAgentsRequest{GatewayId: r.gateway}))
	must(w.t, err)
	return listed.Msg.GetAgents()
}

func (w *world) update(r *region, changed *adminv1.Gateway, path string) {
	w.t.Helper()
	changed.Id = r.gateway
	_, err := w.gateways.UpdateGateway(w.t.Context(), connect.NewRequest(&adminv1.UpdateGatewayRequest{
		Gateway: changed, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}},
	}))
	must(w.t, err)
}

func (w *world) allow(r *region, regions ...string) {
	w.t.Helper()
	w.update(r, &adminv1.Gateway{AllowedRegions: regions}, "allowed_regions")
}

// relabel says of a region's provider that it is in another one.
func (w *world) relabel(r *region, as string) {
	w.t.Helper()
	_, err := w.providers.UpdateProvider(w.t.Context(), connect.NewRequest(&adminv1.UpdateProviderRequest{
		Provider: &adminv1.Provider{Id: r.provider, Region: as}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"region"}},
	}))
	must(w.t, err)
}

// stage has each change wait at the first agent.
func (w *world) stage(r *region) {
	w.t.Helper()
	w.update(r, &adminv1.Gateway{Rollout: &adminv1.RolloutSettings{
		Strategy: adminv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY, BakeTime: durationpb.New(time.Hour),
	}}, "rollout")
}

func (w *world) unserved(r *region) (names []string) {
	w.t.Helper()
	found, err := w.gateways.GetGateway(w.t.Context(), connect.NewRequest(&adminv1.GetGatewayRequest{Id: r.gateway}))
	must(w.t, err)
	for _, u := range found.Msg.GetGateway().GetUnservedRoutes() {
		names = append(names, u.GetName()+": "+u.GetReason())
	}
	return names
}
