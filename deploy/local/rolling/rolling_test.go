package rolling_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/dataplane/llmtest"
	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const credential = "the-upstream-credential"

// Each of two agents is replaced while callers ask without a pause over connections that
// they keep and read streams that last longer than the balancer needs to notice.
func TestRollingRestart(t *testing.T) {
	agents, key := fleet(t)
	b := balance(t, agents...)
	c := call(b.address, key, 4, 8)
	for _, agent := range agents {
		asked := c.asked.Load()
		waitFor(t, "callers ask", func() bool { return c.asked.Load() > asked+20 })
		agent.Process.Stop()
		if how := agent.Process.Ended().Error(); !strings.Contains(how, "exit status 0") {
			t.Error(how)
		}
		must(t, agent.Start(t.Context()))
		b.look(t.Context())
	}
	before := b.connections[0].Load() + b.connections[1].Load()
	asked := c.asked.Load()
	waitFor(t, "callers go on", func() bool { return c.asked.Load() > asked+20 })
	asked, failed := c.end()
	t.Logf("%d requests over %d connections", asked, before)
	if len(failed) > 0 {
		t.Errorf("%d of %d requests failed: %v", len(failed), asked, failed[:min(5, len(failed))])
	}
	if b.connections[0].Load() == 0 || b.connections[1].Load() == 0 {
		t.Error("an agent was never asked")
	}
	if connections := b.connections[0].Load() + b.connections[1].Load(); connections > asked/4 {
		t.Errorf("%d connections for %d requests: they were not kept", connections, asked)
	}
}

// fleet is two agents of one gateway, whose route goes to a mock whose streams last 2 s.
func fleet(t *testing.T) (agents []*stack.Agent, key string) {
	t.Helper()
	started, err := stack.Start(t.Context(), stack.Config{Dir: t.TempDir(), Roles: "api,fleet"})
	must(t, err)
	t.Cleanup(started.Close)
	mock := llmtest.New(llmtest.Options{APIKey: credential, AnswerTokens: 20, Delay: 20 * time.Millisecond, KeepRequests: -1})
	upstream := httptest.NewServer(streamsSlowly(mock))
	t.Cleanup(upstream.Close)
	token, key := configure(t, started, upstream.URL)
	for _, name := range []string{"one", "two"} {
		agent, err := started.NewAgent(t.Context(), name, token, "WEIR_DRAIN_DELAY=1s", "WEIR_DRAIN_TIMEOUT=8s",
			"WEIR_ALLOW_UPSTREAMS="+upstream.URL+"=env://WEIR_SECRET_UPSTREAM", "WEIR_SECRET_UPSTREAM="+credential)
		must(t, err)
		t.Cleanup(func() { agent.Process.Kill() })
		agents = append(agents, agent)
	}
	return agents, key
}

// streamsSlowly has answers that are flushed come in slowly.
func streamsSlowly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&slow{ResponseWriter: w}, r) })
}

type slow struct{ http.ResponseWriter }

// FlushError implements what http.ResponseController looks for.
func (s *slow) FlushError() error {
	err := http.NewResponseController(s.ResponseWriter).Flush()
	time.Sleep(100 * time.Millisecond) // a stream has about 20 events
	return err
}

// Flush implements http.Flusher.
func (s *slow) Flush() { _ = s.FlushError() }

func configure(t *testing.T, s *stack.Stack, upstream string) (token, key string) {
	t.Helper()
	ctx := t.Context()
	_, account, err := s.Found(ctx, "rolling")
	must(t, err)
	as := stack.Bearer(account)
	project, err := adminv1connect.NewProjectServiceClient(http.DefaultClient, s.URL, as).CreateProject(ctx, connect.NewRequest(&adminv1.CreateProjectRequest{Name: "app"}))
	must(t, err)
	gateways := adminv1connect.NewGatewayServiceClient(http.DefaultClient, s.URL, as)
	gateway, err := gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}))
	must(t, err)
	provider, err := adminv1connect.NewProviderServiceClient(http.DefaultClient, s.URL, as).CreateProvider(ctx, connect.NewRequest(&adminv1.CreateProviderRequest{
		Name: "mock", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: upstream + "/v1", CredentialRef: "env://WEIR_SECRET_UPSTREAM",
	}))
	must(t, err)
	_, err = adminv1connect.NewRouteServiceClient(http.DefaultClient, s.URL, as).CreateRoute(ctx, connect.NewRequest(&adminv1.CreateRouteRequest{
		Name: "chat", Strategy: adminv1.Strategy_STRATEGY_SINGLE,
		Targets: []*adminv1.Target{{ProviderId: provider.Msg.GetProvider().GetId(), Model: "gpt-4o"}},
	}))
	must(t, err)
	made, err := adminv1connect.NewKeyServiceClient(http.DefaultClient, s.URL, as).CreateKey(ctx, connect.NewRequest(&adminv1.CreateKeyRequest{
		Name: "app", ProjectId: project.Msg.GetProject().GetId(),
	}))
	must(t, err)
	enrolment, err := gateways.CreateEnrolmentToken(ctx, connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{GatewayId: gateway.Msg.GetGateway().GetId(), MaxUses: 2}))
	must(t, err)
	return enrolment.Msg.GetToken(), made.Msg.GetSecret()
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within 30 s: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
