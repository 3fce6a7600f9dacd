package redacted_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/stack"
	"github.com/weirhq/weir/proto/contract/seal"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var topics = []engine.Topic{{Name: "weir.usage.v1", Partitions: 2}, {Name: "weir.usage.v1.dead", Partitions: 1}}

// world is all of Weir, in processes of its own.
type world struct {
	t *testing.T
	*stack.Stack
	canaries     canaries
	upstream     *upstream
	url          string // of the upstream
	clickhouse   engine.ClickHouse
	brokers      string
	adminURL     string // the control plane's private one
	organization string
	token        string
	gateway      string
	key          string
	agent        *stack.Agent
	traces       *traces
	// planted is what is shown as a metric and an answer of the admin API, which nobody can
	// write into.
	planted string
}

// traces is a collector that keeps what it is sent.
type traces struct {
	mu       sync.Mutex
	received [][]byte
}

func (c *traces) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, body)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, traces: &traces{}}
	w.secrets()
	w.upstream = &upstream{said: w.canaries.texts, asked: make(chan string, 1000)}
	served := httptest.NewServer(w.upstream)
	t.Cleanup(served.Close)
	w.url = served.URL
	w.start()
	w.found()
	return w
}

// start brings up the engines and the control plane.
func (w *world) start() {
	w.t.Helper()
	local := os.Getenv("WEIR_LOCAL_BIN")
	if local == "" {
		w.t.Fatal("WEIR_LOCAL_BIN is not set: run the tests with `make test`")
	}
	root, err := file.RepositoryRoot()
	w.must(err)
	cache, err := fetch.CacheDir(root)
	w.must(err)
	engines, err := fetch.Engines(w.t.Context(), cache, os.Stderr)
	w.must(err)
	ports, err := engine.FreePorts(4)
	w.must(err)
	dir := w.t.TempDir()
	group, ctx := errgroup.WithContext(w.t.Context())
	keep := func(r engine.Running, err error) error {
		if r.Process != nil {
			w.t.Cleanup(r.Kill)
		}
		return err
	}
	group.Go(func() error {
		running, clickhouse, err := engine.StartClickHouse(ctx, engine.ClickHouseConfig{
			Engines: engines, Binary: local, Dir: filepath.Join(dir, "clickhouse"), HTTPPort: ports[0], TCPPort: ports[1],
		})
		w.clickhouse = clickhouse
		return keep(running, err)
	})
	group.Go(func() error {
		running, kafka, err := engine.StartKafka(ctx, engine.KafkaConfig{Binary: local, Dir: filepath.Join(dir, "kafka"), Port: ports[2], Topics: topics})
		w.brokers = kafka.Brokers
		return keep(running, err)
	})
	w.must(group.Wait())
	private := "127.0.0.1:" + strconv.Itoa(ports[3])
	w.adminURL = "http://" + private
	w.Stack, err = stack.Start(w.t.Context(), stack.Config{Dir: dir, Roles: "api,fleet,ingest", Env: []string{
		"WEIR_KAFKA_BROKERS=" + w.brokers, "WEIR_CLICKHOUSE_URL=" + w.clickhouse.AdminURL, "WEIR_CLICKHOUSE_REPORT_URL=" + w.clickhouse.ReportURL,
		"WEIR_ADMIN_LISTEN=" + private, "WEIR_OIDC_CLIENT_SECRET=" + w.canaries.texts["oidc_client_secret"],
	}})
	w.must(err)
	w.t.Cleanup(w.Close)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// done takes an RPC's answer, or ends the test.
func done[Q, A any](w *world, rpc func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), request *Q) *A {
	w.t.Helper()
	answer, err := rpc(w.t.Context(), connect.NewRequest(request))
	w.must(err)
	return answer.Msg
}

// found makes an organization with everything that has a secret, and an agent.
func (w *world) found() {
	w.t.Helper()
	organization, token, err := w.Found(w.t.Context(), "redacted")
	w.must(err)
	w.organization, w.token = organization, w.canaries.add("owner_token", token)
	as := stack.Bearer(token)
	gateways := adminv1connect.NewGatewayServiceClient(http.DefaultClient, w.URL, as)
	w.gateway = done(w, gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}).GetGateway().GetId()
	key, err := seal.GenerateKey()
	w.must(err)
	raw, err := key.Bytes()
	w.must(err)
	keyFile := filepath.Join(w.t.TempDir(), "gateway.key") // no store
	w.must(os.WriteFile(keyFile, []byte("weirgk_"+base64.RawURLEncoding.EncodeToString(raw)+"\n"), 0o600))
	w.canaries.add("gateway_key", base64.RawURLEncoding.EncodeToString(raw))
	done(w, gateways.SetGatewayKey, &adminv1.SetGatewayKeyRequest{Id: w.gateway, PublicKey: key.Public().Bytes()})
	w.routes(as, key.Public())
	w.holders(as)
	enrolment := done(w, gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: w.gateway}).GetToken()
	w.canaries.add("enrolment_token", enrolment)
	collector := httptest.NewServer(w.traces)
	w.t.Cleanup(collector.Close)
	w.agent, err = w.NewAgent(w.t.Context(), "edge", enrolment, "WEIR_KAFKA_BROKERS="+w.brokers,
		"WEIR_ALLOW_UPSTREAMS="+w.url+"=env://WEIR_SECRET_UPSTREAM,sealed", "WEIR_SECRET_UPSTREAM="+w.canaries.texts["credential"],
		"WEIR_GATEWAY_KEY_FILE="+keyFile, "WEIR_OTLP_ENDPOINT="+collector.URL, "WEIR_LOG_LEVEL=debug", "OTEL_BSP_SCHEDULE_DELAY=100")
	w.must(err)
	w.t.Cleanup(w.agent.Process.Kill)
}

// holders are things of the admin API that have secrets.
func (w *world) holders(as connect.ClientOption) {
	w.t.Helper()
	project := done(w, adminv1connect.NewProjectServiceClient(http.DefaultClient, w.URL, as).CreateProject, &adminv1.CreateProjectRequest{Name: "app", DisplayName: w.allowed("postgres")})
	keys := adminv1connect.NewKeyServiceClient(http.DefaultClient, w.URL, as)
	w.key = done(w, keys.CreateKey, &adminv1.CreateKeyRequest{
		Name: "app", ProjectId: project.GetProject().GetId(), Mutation: &adminv1.Mutation{RequestId: "kept-for-repeats"},
	}).GetSecret()
	w.canaries.add("virtual_key", w.key)
	accounts := adminv1connect.NewServiceAccountServiceClient(http.DefaultClient, w.URL, as)
	account := done(w, accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "robot", Role: adminv1.Role_ROLE_VIEWER}).GetServiceAccount()
	token := done(w, accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{
		ServiceAccountId: account.GetId(), Name: "robot", Mutation: &adminv1.Mutation{RequestId: "kept-for-repeats-too"},
	})
	w.canaries.add("service_account_token", token.GetSecret())
	secret := base64.StdEncoding.EncodeToString([]byte(w.canaries.texts["webhook"] + " and then some"))
	w.canaries.add("webhook_secret", secret)
	done(w, adminv1connect.NewAlertChannelServiceClient(http.DefaultClient, w.URL, as).CreateAlertChannel, &adminv1.CreateAlertChannelRequest{
		Name: "pager", Url: "https://hooks.example.com/weir", Secret: "whsec_" + secret,
	})
}

// routes lead to each of the upstream's models; those of the dialect OpenAI have a shadow.
func (w *world) routes(as connect.ClientOption, key seal.PublicKey) {
	w.t.Helper()
	providers := adminv1connect.NewProviderServiceClient(http.DefaultClient, w.URL, as)
	routes := adminv1connect.NewRouteServiceClient(http.DefaultClient, w.URL, as)
	provider := func(name, path string, dialect adminv1.Dialect) string {
		return done(w, providers.CreateProvider, &adminv1.CreateProviderRequest{
			Name: name, Dialect: dialect, BaseUrl: w.url + path, CredentialRef: "env://WEIR_SECRET_UPSTREAM",
		}).GetProvider().GetId()
	}
	open := provider("open", "/v1", adminv1.Dialect_DIALECT_OPENAI)
	claude := provider("claude", "", adminv1.Dialect_DIALECT_ANTHROPIC)
	gemini := provider("gemini", "/v1beta", adminv1.Dialect_DIALECT_GEMINI)
	hidden := done(w, providers.CreateProvider, &adminv1.CreateProviderRequest{Name: "hidden", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: w.url + "/v1"}).GetProvider().GetId()
	sealed, err := seal.Seal(key, seal.Binding{OrganizationID: w.organization, GatewayID: w.gateway, ProviderID: hidden, Origin: w.url, Version: 1}, []byte(w.canaries.texts["sealed_credential"]))
	w.must(err)
	done(w, providers.UpdateProvider, &adminv1.UpdateProviderRequest{
		Provider:   &adminv1.Provider{Id: hidden, SealedCredentials: []*adminv1.SealedCredential{{GatewayId: w.gateway, Version: 1, Sealed: sealed}}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"sealed_credentials"}},
	})
	at := func(provider, model string) *adminv1.Target {
		return &adminv1.Target{ProviderId: provider, Model: model}
	}
	route := func(name string, r *adminv1.CreateRouteRequest, targets ...*adminv1.Target) {
		r.Name, r.Targets = name, targets
		if r.Strategy == 0 {
			r.Strategy = adminv1.Strategy_STRATEGY_PRIORITY
		}
		done(w, routes.CreateRoute, r)
	}
	shadow := &adminv1.Share{Target: at(claude, "shadow"), PerMille: 1000}
	for _, model := range []string{"answers", "breaks", "refuses", "redirects", "babbles"} {
		route(model, &adminv1.CreateRouteRequest{Shadow: shadow}, at(open, model))
	}
	route("claude", &adminv1.CreateRouteRequest{}, at(claude, "claude"))
	route("gemini", &adminv1.CreateRouteRequest{}, at(gemini, "gemini"))
	route("hidden", &adminv1.CreateRouteRequest{}, at(hidden, "answers"))
	route("goes-on", &adminv1.CreateRouteRequest{}, at(open, "fails"), at(claude, "claude"))
	route("hedged", &adminv1.CreateRouteRequest{Hedge: &adminv1.Hedge{MinDelay: durationpb.New(20 * time.Millisecond), MaxPercent: 50}}, at(open, "slow"), at(open, "answers"))
	route("by-what-is-said", &adminv1.CreateRouteRequest{}, &adminv1.Target{ProviderId: open, Model: "answers", When: `"secret" in metadata && user != "" && run != ""`})
}

// within polls until there is no error.
func (w *world) within(limit time.Duration, what string, check func() error) {
	w.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("not within %v: %s: %v", limit, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// allowed is a text that a store may hold, and which the search must find there.
func (w *world) allowed(store string) string { return fmt.Sprintf("allowed-in-%s-7c1f", store) }

func organizations(w *world) func(context.Context, *connect.Request[adminv1.UpdateOrganizationRequest]) (*connect.Response[adminv1.UpdateOrganizationResponse], error) {
	return adminv1connect.NewOrganizationServiceClient(http.DefaultClient, w.URL, stack.Bearer(w.token)).UpdateOrganization
}
