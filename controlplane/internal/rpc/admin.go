// Package rpc serves the administration API over Connect: it turns requests into
// commands and read-model queries, and faults into wire codes. It decides
// nothing itself. Every call passes one guard: authenticate, permission,
// validate.
package rpc

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/vault"
	"github.com/weirhq/weir/controlplane/internal/webhook"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Authenticator finds out who is calling. Nobody known is an Unauthenticated fault.
type Authenticator interface {
	Authenticate(ctx context.Context, header http.Header) (authn.Principal, error)
	// Recheck asks again during a call.
	Recheck(ctx context.Context, header http.Header) (authn.Principal, error)
}

// AgentStatuses knows the last reports; agents that never reported are absent.
type AgentStatuses interface {
	Statuses(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]fleet.Status, error)
	Credentials(ctx context.Context, organization uuid.UUID, agents []uuid.UUID, provider string) (map[uuid.UUID]fleet.Credentials, error)
	// RevocationReach tells which agents have a revocation in force; its list has at most limit.
	RevocationReach(ctx context.Context, of fleet.Revoked, limit int) (fleet.Reach, error)
	Troubles(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]fleet.Credentials, error)
	Targets(ctx context.Context, organization uuid.UUID, agents []uuid.UUID, filter fleet.TargetFilter, limit int) (fleet.TargetPage, error)
}

// AdminConfig is what the administration API stands on; all of it is needed.
type AdminConfig struct {
	Authenticator Authenticator
	Runner        *command.Runner
	Store         *readmodel.Store
	Agents        AgentStatuses
	Asker         Asker
	Quotas        QuotaReader
	Report        adminv1connect.ReportServiceHandler
	Usage         Usage
	// PriceBook is the built-in one that policies are compiled with.
	PriceBook *policyv1.PriceBook
	Secrets   *vault.Vault
	// WebhookNetworks are those off the public Internet that webhooks may be in.
	WebhookNetworks alertchannel.Networks
	// CallTimeout bounds each unary call; 0: DefaultCallTimeout.
	CallTimeout time.Duration
	// Watches wake the streams of the log.
	Watches *Watches
	// TrustedProxies are believed where a call comes from, which events say.
	TrustedProxies []netip.Prefix
	// Limits may be nil: nobody is limited.
	Limits *Limits
	Logger *slog.Logger
}

// Mount is a handler and the path it serves, which ends with a slash.
type Mount struct {
	Path    string
	Handler http.Handler
}

// NewExport returns what serves ExportPath, behind the same guard.
func NewExport(c AdminConfig) http.Handler {
	return recorded(c.Logger, &exporter{c.guard(), c.histories()})
}

func (c AdminConfig) guard() *guard {
	if c.Limits == nil {
		c.Limits = NewLimits(Rate{}, Rate{}, time.Now)
	}
	return &guard{c.Authenticator, c.Limits, c.Logger, c.TrustedProxies}
}

func (c AdminConfig) alertChannels() *alertChannels {
	return &alertChannels{
		runner: c.Runner, store: c.Store, secrets: c.Secrets, networks: c.WebhookNetworks,
		tester: &alertTester{sender: webhook.NewSender(c.WebhookNetworks.Allow), busy: map[uuid.UUID]bool{}},
	}
}

func (c AdminConfig) histories() *histories {
	return &histories{
		runner: c.Runner, store: c.Store, authenticator: c.Authenticator, watches: c.Watches,
		chapters: append(configuration(&organizations{c.Runner, c.Store}, c.alertChannels()), authorities()...),
	}
}

// services are those whose calls can be parts of a batch.
type services struct {
	projects        *projects
	providers       *providers
	routes          *routes
	keys            *keys
	gateways        *gateways
	limits          *quotaLimits
	budgets         *budgets
	priceOverrides  *priceOverrides
	savedReports    *savedReports
	alertChannels   *alertChannels
	serviceAccounts *serviceAccounts
	roleBindings    *roleBindings
}

func (c AdminConfig) services() services {
	return services{
		projects: &projects{c.Runner, c.Store}, providers: &providers{c.Runner, c.Store}, routes: &routes{c.Runner, c.Store},
		keys: &keys{c.Runner, c.Store, c.Agents}, gateways: &gateways{c.Runner, c.Store, c.Agents},
		limits: &quotaLimits{c.Runner, c.Store}, budgets: &budgets{c.Runner, c.Store},
		priceOverrides: &priceOverrides{c.Runner, c.Store, c.PriceBook}, savedReports: &savedReports{c.Runner, c.Store},
		alertChannels: c.alertChannels(), serviceAccounts: &serviceAccounts{c.Runner, c.Store}, roleBindings: &roleBindings{c.Runner, c.Store},
	}
}

// NewAdmin returns every service of weir.admin.v1 behind the guard, and gRPC
// reflection, which needs no login.
func NewAdmin(c AdminConfig) []Mount {
	timeout := cmp.Or(c.CallTimeout, DefaultCallTimeout)
	behind := []connect.HandlerOption{c.guard().options(), strictCodecs(), bounds()}
	var mounts []Mount
	mount := func(path string, handler http.Handler) {
		mounts = append(mounts, Mount{path, Front(path, recorded(c.Logger, timed(path, timeout, bounded(handler))))})
	}
	s := c.services()
	mount(adminv1connect.NewOrganizationServiceHandler(&organizations{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewProjectServiceHandler(s.projects, behind...))
	mount(adminv1connect.NewProviderServiceHandler(s.providers, behind...))
	mount(adminv1connect.NewRouteServiceHandler(s.routes, behind...))
	mount(adminv1connect.NewKeyServiceHandler(s.keys, behind...))
	mount(adminv1connect.NewGatewayServiceHandler(s.gateways, behind...))
	mount(adminv1connect.NewRolloutServiceHandler(&rollouts{c.Runner, c.Store, staged(c.histories().chapters)}, behind...))
	mount(adminv1connect.NewServiceAccountServiceHandler(s.serviceAccounts, behind...))
	mount(adminv1connect.NewMemberServiceHandler(&members{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewRoleBindingServiceHandler(s.roleBindings, behind...))
	mount(adminv1connect.NewSessionServiceHandler(&sessions{c.Store}, behind...))
	mount(adminv1connect.NewBatchServiceHandler(newBatches(c.Runner, s), behind...))
	mount(adminv1connect.NewLimitServiceHandler(s.limits, behind...))
	mount(adminv1connect.NewBudgetServiceHandler(s.budgets, behind...))
	mount(adminv1connect.NewQuotaServiceHandler(&quotaStandings{c.Runner, c.Store, c.Quotas}, behind...))
	mount(adminv1connect.NewReportServiceHandler(c.Report, behind...))
	mount(adminv1connect.NewPriceOverrideServiceHandler(s.priceOverrides, behind...))
	mount(adminv1connect.NewRerateServiceHandler(&rerates{c.Runner, c.Store, c.Usage}, behind...))
	mount(adminv1connect.NewSavedReportServiceHandler(s.savedReports, behind...))
	mount(adminv1connect.NewAlertChannelServiceHandler(s.alertChannels, behind...))
	mount(adminv1connect.NewAlertServiceHandler(&alerts{c.Store}, behind...))
	mount(adminv1connect.NewHistoryServiceHandler(c.histories(), behind...))
	mount(adminv1connect.NewDiagnosticsServiceHandler(newDiagnostics(c.Store, c.Asker), behind...))

	names := []string{healthService}
	for _, m := range mounts {
		names = append(names, strings.Trim(m.Path, "/"))
	}
	reflector := grpcreflect.NewReflector(grpcreflect.NamerFunc(func() []string { return names }), grpcreflect.WithDescriptorResolver(described{}))
	path, handler := grpcreflect.NewHandlerV1(reflector)
	mounts = append(mounts, Mount{path, handler})
	path, handler = grpcreflect.NewHandlerV1Alpha(reflector)
	return append(mounts, Mount{path, handler})
}
