package outage_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/dataplane/llmtest"
	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const credential = "the-upstream-credential"

// fleet is two agents of one gateway, whose route goes to a mock upstream.
type fleet struct {
	t *testing.T
	*stack.Stack
	agents   []*stack.Agent
	upstream *llmtest.Server

	gateways adminv1connect.GatewayServiceClient
	routes   adminv1connect.RouteServiceClient
	keys     adminv1connect.KeyServiceClient
	gateway  string
	project  string
	route    *adminv1.Route
	// key is its text.
	key string
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	started, err := stack.Start(t.Context(), stack.Config{Dir: t.TempDir(), Roles: "api,fleet"})
	must(t, err)
	t.Cleanup(started.Close)
	f := &fleet{t: t, Stack: started, upstream: llmtest.New(llmtest.Options{APIKey: credential})}
	server := httptest.NewServer(f.upstream)
	t.Cleanup(server.Close)
	f.configure(server.URL)
	token, err := f.gateways.CreateEnrolmentToken(t.Context(), connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{GatewayId: f.gateway, MaxUses: 2}))
	must(t, err)
	for _, name := range []string{"one", "two"} {
		agent, err := f.NewAgent(t.Context(), name, token.Msg.GetToken(),
			"WEIR_ALLOW_UPSTREAMS="+server.URL+"=env://WEIR_SECRET_UPSTREAM", "WEIR_SECRET_UPSTREAM="+credential)
		must(t, err)
		t.Cleanup(agent.Process.Kill)
		f.agents = append(f.agents, agent)
	}
	return f
}

func (f *fleet) configure(upstream string) {
	f.t.Helper()
	ctx := f.t.Context()
	_, token, err := f.Found(ctx, "outage")
	must(f.t, err)
	as := stack.Bearer(token)
	f.gateways = adminv1connect.NewGatewayServiceClient(httpClient, f.URL, as)
	f.routes = adminv1connect.NewRouteServiceClient(httpClient, f.URL, as)
	f.keys = adminv1connect.NewKeyServiceClient(httpClient, f.URL, as)
	project, err := adminv1connect.NewProjectServiceClient(httpClient, f.URL, as).CreateProject(ctx, connect.NewRequest(&adminv1.CreateProjectRequest{Name: "app"}))
	must(f.t, err)
	f.project = project.Msg.GetProject().GetId()
	gateway, err := f.gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}))
	must(f.t, err)
	f.gateway = gateway.Msg.GetGateway().GetId()
	provider, err := adminv1connect.NewProviderServiceClient(httpClient, f.URL, as).CreateProvider(ctx, connect.NewRequest(&adminv1.CreateProviderRequest{
		Name: "mock", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: upstream + "/v1", CredentialRef: "env://WEIR_SECRET_UPSTREAM",
	}))
	must(f.t, err)
	route, err := f.routes.CreateRoute(ctx, connect.NewRequest(&adminv1.CreateRouteRequest{
		Name: "chat", Strategy: adminv1.Strategy_STRATEGY_SINGLE,
		Targets: []*adminv1.Target{{ProviderId: provider.Msg.GetProvider().GetId(), Model: "gpt-4o"}},
	}))
	must(f.t, err)
	f.route = route.Msg.GetRoute()
	_, f.key = f.newKey("app")
}

func (f *fleet) newKey(name string) (id, text string) {
	f.t.Helper()
	key, err := f.keys.CreateKey(f.t.Context(), connect.NewRequest(&adminv1.CreateKeyRequest{Name: name, ProjectId: f.project}))
	must(f.t, err)
	return key.Msg.GetKey().GetId(), key.Msg.GetSecret()
}

// serves turns the route to a model and waits until both agents ask for it.
func (f *fleet) serves(model string) {
	f.t.Helper()
	target := f.route.GetTargets()[0]
	target.Model = model
	_, err := f.routes.UpdateRoute(f.t.Context(), connect.NewRequest(&adminv1.UpdateRouteRequest{
		Route: &adminv1.Route{Id: f.route.GetId(), Targets: []*adminv1.Target{target}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"targets"}},
	}))
	must(f.t, err)
	for _, agent := range f.agents {
		f.within(30*time.Second, "an agent serves "+model, func() error {
			got, err := ask(f.t.Context(), agent, f.key)
			if err == nil && got.target != "mock/"+model {
				err = fmt.Errorf("it serves %s", got.target)
			}
			return err
		})
	}
}

// epochs that the agents said they serve.
func (f *fleet) epochs() (all []int64) {
	f.t.Helper()
	listed, err := f.gateways.ListAgents(f.t.Context(), connect.NewRequest(&adminv1.ListAgentsRequest{GatewayId: f.gateway}))
	must(f.t, err)
	for _, a := range listed.Msg.GetAgents() {
		all = append(all, a.GetPolicyEpoch())
	}
	return all
}

// age makes everything that the agent has on disk older.
func (f *fleet) age(agent *stack.Agent, by time.Duration) {
	f.t.Helper()
	must(f.t, filepath.WalkDir(agent.StateDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		old := info.ModTime().Add(-by)
		return os.Chtimes(path, old, old)
	}))
}

func (f *fleet) within(limit time.Duration, what string, is func() error) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), limit)
	defer cancel()
	for {
		err := is()
		if err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			f.t.Fatalf("not within %s: %s: %v", limit, what, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
