package rpc_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/report"
	"github.com/weirhq/weir/controlplane/internal/rerate"
	"github.com/weirhq/weir/controlplane/internal/rerating"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	"github.com/weirhq/weir/controlplane/internal/token"
	"github.com/weirhq/weir/controlplane/internal/vault"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

func TestMain(m *testing.M) { os.Exit(chtest.Run(m)) }

const operatorToken = "the-operator"

// installation is the whole administration API on a database of its own.
type installation struct {
	t      testing.TB
	db     *postgres.DB
	url    string
	store  *readmodel.Store
	runner *command.Runner
	tailer *eventlog.Tailer
	// watches are woken once follow was called.
	watches *rpc.Watches
	tokens  *identity.Tokens
	server  *httptest.Server
	logs    *safeBuffer
	ring    *audit.Keyring
	house   *house.Keys
	reports *fleet.ReportTable
	asker   *fleet.Asker
	// usage is nil where no test asks for reports.
	usage *report.Reports
	// analytics is nil where no test has usage priced anew: there is none then.
	analytics *chtest.Server
}

func install(t testing.TB) *installation {
	t.Helper()
	return installLimited(t, nil)
}

func installLimited(t testing.TB, limits *rpc.Limits) *installation {
	t.Helper()
	return installWith(t, rpc.AdminConfig{Limits: limits})
}

// installWith takes Authenticator, CallTimeout, Limits and Report, where they are set, from the configuration.
func installWith(t testing.TB, config rpc.AdminConfig) *installation {
	t.Helper()
	in := &installation{t: t}
	return in.start(config)
}

func (in *installation) start(config rpc.AdminConfig) *installation {
	t := in.t
	in.db, in.url = pgtest.OpenURL(t)
	var err error
	if in.house, err = house.Load(filepath.Join(t.TempDir(), "house.key"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if in.ring, err = audit.NewKeyring(t.Context(), in.db, in.house); err != nil {
		t.Fatal(err)
	}
	return in.serve(config)
}

// replica is another process on the same database.
func (in *installation) replica() *installation {
	another := &installation{t: in.t, db: in.db, url: in.url, ring: in.ring, house: in.house}
	return another.serve(rpc.AdminConfig{})
}

func (in *installation) serve(config rpc.AdminConfig) *installation {
	t, db, store := in.t, in.db, readmodel.New(in.db)
	t.Helper()
	in.store, in.tokens, in.logs = store, identity.NewTokens(db), &safeBuffer{}
	in.runner = command.NewRunner(pglog.New(db, readmodel.Project, ledger.Record).ChainedBy(in.ring.Link), store).HidingSecrets([]byte("a key for the tests"))
	logger := slog.New(slog.NewTextHandler(in.logs, nil))
	if config.Authenticator == nil {
		config.Authenticator = authn.NewAuthenticator(authn.AuthenticatorConfig{
			Tokens: in.tokens, Sessions: identity.NewSessions(db),
			OperatorTokens: [][32]byte{token.Hash(operatorToken)}, PublicURL: "http://console.example", Logger: logger,
		})
	}
	in.tailer = eventlog.NewTailer(pglog.NewHeads(db), logger)
	in.watches = rpc.NewWatches(in.tailer)
	if in.usage != nil {
		config.Report = rpc.NewReports(in.usage, config.Authenticator, in.watches.Draining())
	}
	if config.Report == nil {
		config.Report = adminv1connect.UnimplementedReportServiceHandler{}
	}
	config.Usage = noUsage{}
	if in.analytics != nil {
		preview, err := rerating.NewPreview(in.analytics.ReportURL, chtest.Database, store, pricebook.Named)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = preview.Close() })
		config.Usage = preview
	}
	in.reports = fleet.NewReportTable(db)
	in.asker = &fleet.Asker{Desk: fleet.NewAskTable(db), Log: logger}
	config = rpc.AdminConfig{
		Authenticator: config.Authenticator, Runner: in.runner, Store: store, Agents: in.reports, Asker: in.asker,
		Quotas: ledger.NewReader(db),
		Report: config.Report, Usage: config.Usage, Limits: config.Limits, CallTimeout: config.CallTimeout, Logger: logger, Watches: in.watches,
		PriceBook: builtinPrices, Secrets: vault.New(db, in.house), WebhookNetworks: loopback,
	}
	mounts := rpc.NewAdmin(config)
	health, err := rpc.NewHealth(mounts, db.Ping)
	if err != nil {
		t.Fatal(err)
	}
	mounts = append(mounts, health)
	pages := http.NewServeMux()
	pages.Handle("GET "+rpc.ExportPath, rpc.NewExport(config))
	pages.Handle("GET "+rpc.QueryCSVPath, rpc.NewQueryCSV(config, in.usage))
	in.server = httptest.NewUnstartedServer(rpc.NewMux(mounts, pages))
	in.server.Config.Protocols = new(http.Protocols)
	in.server.Config.Protocols.SetHTTP1(true)
	in.server.Config.Protocols.SetUnencryptedHTTP2(true)
	in.server.Start()
	t.Cleanup(in.server.Close)
	return in
}

// follow lets watches follow the log until stop, or the end of the test.
func (in *installation) follow() (stop func()) {
	ctx, cancel := context.WithCancel(in.t.Context())
	var running sync.WaitGroup
	running.Go(func() { in.tailer.Run(ctx) })
	running.Go(func() { in.watches.Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	in.t.Cleanup(stop)
	return stop
}

// client calls as whoever has the token.
type client struct {
	organizations adminv1connect.OrganizationServiceClient
	projects      adminv1connect.ProjectServiceClient
	providers     adminv1connect.ProviderServiceClient
	routes        adminv1connect.RouteServiceClient
	keys          adminv1connect.KeyServiceClient
	gateways      adminv1connect.GatewayServiceClient
	accounts      adminv1connect.ServiceAccountServiceClient
	members       adminv1connect.MemberServiceClient
	bindings      adminv1connect.RoleBindingServiceClient
	sessions      adminv1connect.SessionServiceClient
	reports       adminv1connect.ReportServiceClient
	batches       adminv1connect.BatchServiceClient
	prices        adminv1connect.PriceOverrideServiceClient
	saved         adminv1connect.SavedReportServiceClient
	alerts        adminv1connect.AlertChannelServiceClient
	told          adminv1connect.AlertServiceClient
	limits        adminv1connect.LimitServiceClient
	budgets       adminv1connect.BudgetServiceClient
	history       adminv1connect.HistoryServiceClient
	diagnostics   adminv1connect.DiagnosticsServiceClient
	quotas        adminv1connect.QuotaServiceClient
	rollouts      adminv1connect.RolloutServiceClient
	rerates       adminv1connect.RerateServiceClient
}

// speaking calls as the tenant, in another protocol.
func (in *installation) speaking(n *tenant, options ...connect.ClientOption) client {
	return in.as(n.token, options...)
}

func (in *installation) as(token string, options ...connect.ClientOption) client {
	if token == "" {
		return in.sending(nil, options...)
	}
	return in.sending(map[string]string{"Authorization": "Bearer " + token}, options...)
}

// sending is a client whose requests have these headers.
func (in *installation) sending(headers map[string]string, options ...connect.ClientOption) client {
	with := connect.WithClientOptions(append(options, connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			for name, value := range headers {
				req.Header().Set(name, value)
			}
			return next(ctx, req)
		}
	})))...)
	h, url := in.server.Client(), in.server.URL
	return client{
		organizations: adminv1connect.NewOrganizationServiceClient(h, url, with),
		projects:      adminv1connect.NewProjectServiceClient(h, url, with),
		providers:     adminv1connect.NewProviderServiceClient(h, url, with),
		routes:        adminv1connect.NewRouteServiceClient(h, url, with),
		keys:          adminv1connect.NewKeyServiceClient(h, url, with),
		gateways:      adminv1connect.NewGatewayServiceClient(h, url, with),
		accounts:      adminv1connect.NewServiceAccountServiceClient(h, url, with),
		members:       adminv1connect.NewMemberServiceClient(h, url, with),
		bindings:      adminv1connect.NewRoleBindingServiceClient(h, url, with),
		sessions:      adminv1connect.NewSessionServiceClient(h, url, with),
		reports:       adminv1connect.NewReportServiceClient(h, url, with),
		batches:       adminv1connect.NewBatchServiceClient(h, url, with),
		prices:        adminv1connect.NewPriceOverrideServiceClient(h, url, with),
		saved:         adminv1connect.NewSavedReportServiceClient(h, url, with),
		alerts:        adminv1connect.NewAlertChannelServiceClient(h, url, with),
		told:          adminv1connect.NewAlertServiceClient(h, url, with),
		limits:        adminv1connect.NewLimitServiceClient(h, url, with),
		budgets:       adminv1connect.NewBudgetServiceClient(h, url, with),
		history:       adminv1connect.NewHistoryServiceClient(h, url, with),
		diagnostics:   adminv1connect.NewDiagnosticsServiceClient(h, url, with),
		quotas:        adminv1connect.NewQuotaServiceClient(h, url, with),
		rollouts:      adminv1connect.NewRolloutServiceClient(h, url, with),
		rerates:       adminv1connect.NewRerateServiceClient(h, url, with),
	}
}

// noUsage is an analytics store without rows.
type noUsage struct{}

func (noUsage) Covered(context.Context) (time.Time, error) {
	return time.Now().Add(-10 * time.Second).UTC().Truncate(time.Second), nil
}

func (noUsage) Differences(context.Context, uuid.UUID, rerate.Settings, []priceoverride.PriceOverride) (rerate.Tally, error) {
	return rerate.Tally{}, nil
}

// tenant is an organization with one of everything.
type tenant struct {
	client
	in             *installation
	t              testing.TB
	organization   *adminv1.Organization
	token          string
	project        *adminv1.Project
	provider       *adminv1.Provider
	route          *adminv1.Route
	key            *adminv1.Key
	secret         string
	gateway        *adminv1.Gateway
	enrolmentToken string
	account        *adminv1.ServiceAccount
	accountToken   *adminv1.ServiceAccountToken
	override       *adminv1.PriceOverride
	report         *adminv1.SavedReport
	channel        *adminv1.AlertChannel
}

func (in *installation) tenant(name string) *tenant {
	in.t.Helper()
	founded := call(in.t, in.as(operatorToken).organizations.CreateOrganization, &adminv1.CreateOrganizationRequest{
		Name: name, OwnerEmail: "Owner@" + name + ".example",
	})
	n := &tenant{in: in, t: in.t, client: in.as(founded.ServiceAccountToken), organization: founded.Organization, token: founded.ServiceAccountToken}
	n.project = call(in.t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "app"}).Project
	n.provider = call(in.t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: "openai", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1/", CredentialRef: "env://OPENAI_API_KEY",
	}).Provider
	n.route = call(in.t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{
		Name: "gpt", Targets: []*adminv1.Target{{ProviderId: n.provider.Id, Model: "gpt-5"}},
	}).Route
	made := call(in.t, n.keys.CreateKey, &adminv1.CreateKeyRequest{
		Name: "first", ProjectId: n.project.Id, RouteIds: []string{n.route.Id},
	})
	n.key, n.secret = made.Key, made.Secret
	n.gateway = call(in.t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}).Gateway
	n.enrolmentToken = call(in.t, n.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: n.gateway.Id}).Token
	n.account = call(in.t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{
		Name: "ci", Role: adminv1.Role_ROLE_VIEWER,
	}).ServiceAccount
	n.accountToken = call(in.t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{
		ServiceAccountId: n.account.Id, Name: "spare",
	}).Token
	n.override = call(in.t, n.prices.CreatePriceOverride, &adminv1.CreatePriceOverrideRequest{
		PriceList: "own", Model: "m", Rates: &adminv1.Rates{Input: "1.25", Output: "10"},
	}).PriceOverride
	n.report = call(in.t, n.saved.CreateSavedReport, &adminv1.CreateSavedReportRequest{Name: "spend", Sql: "SELECT 1"}).SavedReport
	n.channel = call(in.t, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{
		Name: "hook", Url: "https://hooks.example/weir", Secret: webhookSecret("of " + name),
	}).AlertChannel
	return n
}

// call makes a request that must succeed.
func call[Q, A any](t testing.TB, rpc func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), request *Q) *A {
	t.Helper()
	response, err := rpc(t.Context(), connect.NewRequest(request))
	if err != nil {
		t.Fatalf("%T: %v", request, err)
	}
	return response.Msg
}

// refused makes a request that must fail with this code, and returns the error.
func refused[Q, A any](t testing.TB, code connect.Code, rpc func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), request *Q) *connect.Error {
	t.Helper()
	_, err := rpc(t.Context(), connect.NewRequest(request))
	if got := connect.CodeOf(err); err == nil || got != code {
		t.Fatalf("%T: got %v, want %s", request, err, code)
	}
	var wire *connect.Error
	if !errors.As(err, &wire) {
		t.Fatalf("%T: %v is no error of the wire", request, err)
	}
	return wire
}

// safeBuffer is a log that a server may still write to.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// enrol lets an agent join the tenant's gateway.
func (in *installation) enrol(n *tenant) gateway.Agent {
	in.t.Helper()
	agent, err := in.runner.EnrolAgent(in.t.Context(), hashOf(n.enrolmentToken), publicKey(in.t), "host-1")
	if err != nil {
		in.t.Fatal(err)
	}
	return agent
}

// policyQuery asks for what the tenant's gateway serves.
func (n *tenant) policyQuery() fleet.PolicyQuery {
	return fleet.PolicyQuery{OrganizationID: mustParse(n.t, n.organization.Id), GatewayID: mustParse(n.t, n.gateway.Id)}
}

func hashOf(secret string) [32]byte { return token.Hash(secret) }

func publicKey(t testing.TB) ed25519.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func mustParse(t testing.TB, text string) uuid.UUID {
	t.Helper()
	id, err := uuid.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
