package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/console"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	"github.com/weirhq/weir/controlplane/internal/openapi"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/relay"
	"github.com/weirhq/weir/controlplane/internal/report"
	"github.com/weirhq/weir/controlplane/internal/rerating"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/controlplane/internal/token"
	"github.com/weirhq/weir/controlplane/internal/vault"
	"github.com/weirhq/weir/web"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 90 * time.Second
	drainTimeout  = 10 * time.Second
)

// server is the process' HTTP side. Streams end before it shuts down.
type server struct {
	process  *process
	services []rpc.Mount
	pages    *http.ServeMux
	fleet    *fleet.Handler
	tokens   *identity.Tokens
	watches  *rpc.Watches
	close    []func() error
}

func (p *process) server() (*server, error) {
	s := &server{process: p, pages: http.NewServeMux()}
	s.pages.HandleFunc("GET /healthz", s.healthz)
	audiences := []string{p.config.PublicURL}
	if p.config.RelayURL != "" {
		audiences = append(audiences, p.config.RelayURL)
	}
	agents := fleet.NewAuthenticator(p.store, audiences, p.logger)
	if p.config.does(RoleFleet) {
		if err := s.serveAgents(agents); err != nil {
			return nil, err
		}
	}
	if p.config.does(RoleRelay) {
		if err := s.serveUsage(agents); err != nil {
			return nil, err
		}
	}
	if p.config.does(RoleAPI) {
		if err := s.serveAdmins(); err != nil {
			return nil, err
		}
	}
	health, err := rpc.NewHealth(s.services, p.db.Ping)
	if err != nil {
		return nil, err
	}
	s.services = append(s.services, health)
	return s, nil
}

func (s *server) serveAgents(agents *fleet.Authenticator) error {
	p := s.process
	book, err := pricebook.Builtin()
	if err != nil {
		return err
	}
	s.fleet = fleet.NewHandler(fleet.Config{
		Policies: p.store, Enroller: p.runner, Heads: p.tailer,
		Authenticator: agents,
		Keys:          signing.New(p.db, p.house),
		Releases:      fleet.NewReleaseTable(p.db),
		Reports:       fleet.NewReportTable(p.db),
		Settled:       settled{p.db},
		Revocations:   p.store,
		Asks:          fleet.NewAskTable(p.db),
		Leases:        ledger.New(ledger.Config{DB: p.db, Log: p.logger.With("part", "ledger"), Metrics: p.metrics}),
		Compilers:     fleet.NewCompilerTable(p.db),
		PriceBook:     book,
		Log:           p.logger.With("part", "fleet"),
		Metrics:       p.metrics,

		TrustedProxies: p.config.TrustedProxies,
	})
	s.serve(s.fleet.Mount())
	return nil
}

// serveUsage takes usage from agents. In a process that serves them policies, too, it knows
// of revocations as soon as that.
func (s *server) serveUsage(agents *fleet.Authenticator) error {
	p := s.process
	producer, err := relay.NewKafka(relay.KafkaConfig{Brokers: p.config.KafkaBrokers, Topic: p.config.KafkaTopic, Access: p.config.Kafka.Access()})
	if err != nil {
		return err
	}
	s.close = append(s.close, producer.Close)
	handler, err := relay.New(relay.Config{
		Authenticator: agents, Registry: p.store, Producer: producer, Region: p.config.Region,
		Log: p.logger.With("part", "relay"), Metrics: p.metrics,
	})
	if err != nil {
		return err
	}
	s.serve(handler.Mount())
	return nil
}

func (s *server) serve(path string, service http.Handler) {
	s.services = append(s.services, rpc.Mount{Path: path, Handler: rpc.Front(path, service)})
}

func (s *server) serveAdmins() error {
	p := s.process
	sessions := identity.NewSessions(p.db)
	cookieKey, err := p.house.Derive("console cookies")
	if err != nil {
		return err
	}
	s.tokens = identity.NewTokens(p.db)
	login, err := authn.NewLogin(authn.LoginConfig{
		Issuer: p.config.OIDCIssuer, ClientID: p.config.OIDCClientID, ClientSecret: p.config.OIDCClientSecret,
		PublicURL: p.config.PublicURL, CookieKey: cookieKey,
		Members: identity.NewMembers(p.db, p.runner), Sessions: sessions, Logger: p.logger.With("part", "login"),
		SessionIdle: p.config.SessionIdle, SessionLifetime: p.config.SessionLifetime, TrustedProxies: p.config.TrustedProxies,
	})
	if err != nil {
		return err
	}
	login.Register(s.pages)
	s.pages.Handle("GET /openapi.json", openapi.Handler())

	reports, err := report.Open(p.config.ClickHouseReportURL, p.config.ClickHouseDatabase)
	if err != nil {
		return err
	}
	s.close = append(s.close, reports.Close)
	preview, err := rerating.NewPreview(p.config.ClickHouseReportURL, p.config.ClickHouseDatabase, p.store, pricebook.Named)
	if err != nil {
		return err
	}
	s.close = append(s.close, preview.Close)
	book, err := pricebook.Builtin()
	if err != nil {
		return err
	}
	s.watches = rpc.NewWatches(p.tailer)
	authenticator := authn.NewAuthenticator(authn.AuthenticatorConfig{
		Tokens: s.tokens, Sessions: sessions, PublicURL: p.config.PublicURL, SessionIdle: p.config.SessionIdle,
		OperatorTokens: [][32]byte{token.Hash(p.config.OperatorToken)}, Logger: p.logger,
	})
	admin := rpc.AdminConfig{
		Authenticator: authenticator,
		CallTimeout:   p.config.CallTimeout,
		Limits: rpc.NewLimits(
			rpc.Rate{PerSecond: p.config.PrincipalRate, Burst: p.config.PrincipalBurst},
			rpc.Rate{PerSecond: p.config.StrangerRate, Burst: p.config.StrangerBurst}, time.Now),
		Runner: p.runner, Store: p.store, Agents: fleet.NewReportTable(p.db),
		Asker:  &fleet.Asker{Desk: fleet.NewAskTable(p.db), Log: p.logger.With("part", "ask")},
		Quotas: ledger.NewReader(p.db),
		Report: rpc.NewReports(reports, authenticator, s.watches.Draining()), Usage: preview, Logger: p.logger.With("part", "api"),
		PriceBook: book, Secrets: vault.New(p.db, p.house), WebhookNetworks: p.config.WebhookNetworks,
		Watches: s.watches, TrustedProxies: p.config.TrustedProxies,
	}
	s.services = append(s.services, rpc.NewAdmin(admin)...)
	s.pages.Handle("GET "+rpc.ExportPath, rpc.NewExport(admin))
	s.pages.Handle("GET "+rpc.QueryCSVPath, rpc.NewQueryCSV(admin, reports))
	files, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		return fmt.Errorf("console files: %w", err)
	}
	s.pages.Handle("/", console.Handler(files, originOf(p.config.OIDCIssuer)))
	return nil
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// healthz is green while the process can do its work; agents and the console
// live through a red one.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.process.db.Ping(ctx); err != nil {
		http.Error(w, "postgres does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (s *server) run(ctx context.Context) error {
	defer s.closeAll()
	group, ctx := errgroup.WithContext(ctx)
	fleetDone := make(chan struct{})
	group.Go(func() error {
		defer close(fleetDone)
		if s.fleet == nil {
			<-ctx.Done()
			return nil
		}
		return s.fleet.Run(ctx)
	})
	if s.tokens != nil {
		group.Go(func() error { s.tokens.KeepUses(ctx, s.process.logger); return nil })
	}
	if s.watches != nil {
		group.Go(func() error { s.watches.Run(ctx); return nil })
	}
	public := rpc.NewMux(s.services, s.pages)
	group.Go(func() error { return s.process.listen(ctx, s.process.config.Listen, public, fleetDone) })
	if address := s.process.config.AdminListen; address != "" {
		group.Go(func() error { return s.process.listen(ctx, address, s.private(), ctx.Done()) })
	}
	return group.Wait()
}

// listen serves until drained is closed, then lets calls in flight finish.
func (p *process) listen(ctx context.Context, address string, handler http.Handler, drained <-chan struct{}) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, Protocols: protocols}
	p.logger.Info("listening", "address", listener.Addr().String())
	stopped := make(chan error, 1)
	go func() {
		<-drained
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		stopped <- server.Shutdown(limit)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", address, err)
	}
	return <-stopped
}

func (s *server) private() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.process.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func (s *server) closeAll() {
	for _, closing := range s.close {
		if err := closing(); err != nil {
			s.process.logger.Warn("close", "error", err)
		}
	}
}
