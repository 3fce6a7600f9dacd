// Package dataplane builds the agent from its parts and runs it.
package dataplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/gatewaykey"
	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/dataplane/internal/tracing"
	"github.com/weirhq/weir/dataplane/internal/usage"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	// closeTimeout bounds how long the spool's last write may take.
	closeTimeout = 5 * time.Second
	// lastFlush bounds a last try to ship; deliver has waited before.
	lastFlush = 2 * time.Second
)

// Run serves applications until ctx ends, then finishes what is in flight and
// ships what it can. It serves the last policy at once, with no network.
func Run(ctx context.Context, c Config, logger *slog.Logger) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	defer paceHeap()()
	a, err := newAgent(c, logger)
	if err != nil {
		return err
	}
	return a.hurried(func() error { return a.run(ctx) })
}

func (a *agent) run(ctx context.Context) error {
	if err := a.checkShared(ctx); err != nil {
		return err
	}
	if a.control.LoadPolicy() {
		a.logger.Info("serving the policy that was on disk", "version", a.policy.Load().Version())
	} else if err := a.spool.Shut(); err != nil {
		return fmt.Errorf("no policy to serve: %w", err)
	}
	// The control plane and shipping outlive the listeners, so that the last
	// requests are reported too.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	ctx, endServing := context.WithCancel(ctx)
	defer endServing()
	var workers errgroup.Group
	workers.Go(func() error { a.secrets.Run(background); return nil })
	stopped := make(chan struct{})
	workers.Go(func() error {
		defer close(stopped)
		err := a.work(background)
		if err != nil {
			endServing()
		}
		return err
	})
	err := a.serve(ctx, stopped)
	stop()
	err = errors.Join(err, workers.Wait())
	a.returnLeases()
	return err
}

// work follows the control plane and ships usage. Both write into the state folder
// and speak in the agent's name, so they wait for the spool, which locks it.
func (a *agent) work(ctx context.Context) error {
	if err := a.spool.Run(ctx); err != nil || a.spool.Log() == nil {
		return err
	}
	workers, ctx := errgroup.WithContext(ctx) // an agent that may not go on ships no further
	workers.Go(func() error { return a.control.Run(ctx) })
	workers.Go(func() error { return a.ship(ctx) })
	workers.Go(func() error { return a.lease(ctx) })
	return workers.Wait()
}

// agent is one running data-plane process.
type agent struct {
	config  Config
	logger  *slog.Logger
	metrics *prometheus.Registry
	policy  *snapshot.Holder
	origins snapshot.Origins
	opener  *gatewaykey.Opener
	secrets *secret.Resolver
	keys    keySource
	hasher  atomic.Pointer[redact.Hasher]
	spool   *spool.Gate
	control *control.Client
	health  *credentials
	quotas  *quota.Meter
	proxy   *proxy.Handler
	shipped *usage.Metrics
	kafka   *usage.Kafka // nil: not configured
	ways    *usage.Ways
	drain   drain
	tracing *tracing.Tracing
}

func newAgent(c Config, logger *slog.Logger) (*agent, error) {
	a := &agent{
		config: c, logger: logger, metrics: prometheus.NewRegistry(), policy: &snapshot.Holder{},
		secrets: secret.NewResolver(logger.With("part", "secret")), drain: drain{delay: c.DrainDelay, timeout: c.DrainTimeout, logger: logger},
	}
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var err error
	if a.origins, err = snapshot.ParseOrigins(c.AllowUpstreams); err != nil {
		return nil, err
	}
	a.opener = gatewaykey.NewOpener(c.GatewayKeyFile, logger.With("part", "gatewaykey"))
	if len(c.KafkaBrokers) > 0 { // before the spool, which opens a boot
		if a.kafka, err = usage.NewKafka(c.kafka()); err != nil {
			return nil, err
		}
	}
	a.spool, err = spool.OpenGate(spool.Options{
		Dir: filepath.Join(c.StateDir, "spool"), MaxBytes: c.SpoolMaxBytes, Logger: logger.With("part", "spool"),
	})
	if err != nil {
		return nil, err
	}
	if err := a.build(); err != nil {
		return nil, errors.Join(err, a.spool.Close(context.Background()))
	}
	return a, nil
}

func (a *agent) build() (err error) {
	if a.shipped, err = usage.NewMetrics(a.metrics, a.spool.Stats); err != nil {
		return err
	}
	a.keyed(newKeySource(a.config, a.opener))
	a.health = &credentials{secrets: a.secrets, opener: a.opener, fingerprinter: a.keys.fingerprinter}
	host, err := os.Hostname()
	if err != nil {
		host = "agent"
	}
	signers, err := control.ParseSigningKeys(a.config.PolicyKeys)
	if err != nil {
		return err
	}
	a.control, err = control.New(control.Config{
		URL: a.config.ControlURL, StateDir: a.config.StateDir, Token: secret.NewValue(a.config.EnrolmentToken),
		Name: cmp.Or(a.config.Name, host), Version: Version(), Build: commit(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Compile: a.compile, ApplyRevocations: a.applyRevocations, Answer: a.answer,
		Tails: a.spool.Tails, Settle: a.spool.Settle, Spooled: a.spooled, Served: a.served,
		Credentials: func() *agentv1.CredentialReport { return a.health.report(a.policy.Load(), time.Now()) },
		Targets:     func() *agentv1.TargetReport { return targetReport(a.proxy.Targets()) },
		Seed:        control.Seed{Path: a.config.PolicyFile, Keys: signers},
		Log:         a.logger.With("part", "control"),
	})
	if err != nil {
		return err
	}
	if err := a.buildWays(); err != nil {
		return err
	}
	a.tracing, err = tracing.Start(context.Background(), tracing.Config{
		Endpoint: a.config.OTLPEndpoint, Name: cmp.Or(a.config.Name, host), Version: Version(), Logger: a.logger.With("part", "tracing"),
	})
	if err != nil {
		return err
	}
	a.quotas, err = quota.NewMeter(quota.Config{
		Client: a.control, Metrics: a.metrics, Logger: a.logger.With("part", "quota"), Timing: quota.Timing{Wait: a.config.QuotaWait},
	})
	if err != nil {
		return err
	}
	a.proxy, err = proxy.New(proxy.Config{
		Policy: a.policy, Recorder: a.spool, ErrSpoolFull: spool.ErrFull,
		Secrets: a.secrets, Sealed: a.opener, Quotas: a.quotas, Transport: proxy.NewTransport(proxy.TransportConfig{}),
		Freshness: a.control.Freshness, Unserved: a.control.Unserved, Logger: a.logger.With("part", "proxy"), Metrics: a.metrics,
		Hasher: a.hasher.Load, Tracer: a.tracing.Tracer(), AccessLog: proxy.AccessLog(a.config.AccessLog),
	})
	return err
}

func (a *agent) compile(release *policyv1.Release, resources []*policyv1.Resource, set *policyv1.Revocations) (func(), error) {
	policy, err := a.policy.Load().Next(release, resources, set, a.origins)
	if err != nil {
		return nil, err
	}
	if here := a.config.Region; here != "" && policy.Region() != here {
		return nil, fmt.Errorf("WEIR_REGION of this agent is %q, its gateway is in %q: enrol it at a gateway of its region, or correct WEIR_REGION", here, policy.Region())
	}
	return func() {
		a.opener.Prepare(policy.Sealed())
		a.hasher.Store(a.keys.hasher()) // the gateway key may be another one by now
		a.secrets.Prepare(policy.References(), policy.CredentialMaxAge())
		a.quotas.Use(policy.Quotas())
		a.policy.Store(policy)
	}, nil
}

func (a *agent) applyRevocations(set *policyv1.Revocations) error {
	policy, err := a.policy.Load().WithRevocations(set)
	if err != nil {
		return err
	}
	a.policy.Store(policy)
	return nil
}

// answer goes to the proxy, which needs the control client, and so is made after it.
func (a *agent) answer(ctx context.Context, ask *agentv1.Ask) *agentv1.AnswerRequest {
	return a.proxy.Answer(ctx, ask)
}

func (a *agent) spooled() control.Spooled {
	stats := a.spool.Stats()
	return control.Spooled{Bytes: stats.Bytes, Records: stats.Records, Oldest: stats.OldestAge}
}

func (a *agent) served() control.Served {
	requests, failures := a.proxy.Tally()
	return control.Served{Requests: requests, Failures: failures}
}

// ship sends usage once the agent has an identity to sign with.
func (a *agent) ship(ctx context.Context) error {
	select {
	case <-a.control.Enrolled():
	case <-ctx.Done():
		return nil
	}
	identity, _ := a.control.Identity()
	a.spool.Log().ShipsAs(identity.AgentID)
	shipper, err := usage.New(usage.Options{
		AgentID: identity.AgentID, Key: identity.PrivateKey(), Source: a.spool.Log(), Sender: a.ways, Switched: a.ways.Switched,
		// What a revoked agent signs is put aside. Left open, it goes out with the signature
		// of the agent that enrols with this folder next.
		Hold:    func() bool { return a.control.Revoked() != nil },
		Metrics: a.shipped, Logger: a.logger.With("part", "usage"), FlushWithin: lastFlush,
	})
	if err != nil {
		return err
	}
	return shipper.Run(ctx)
}

func (a *agent) close() {
	limit, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := a.spool.Close(limit); err != nil {
		a.logger.Error("close the usage spool", "error", err)
	}
	if a.kafka != nil {
		a.kafka.Close()
	}
	a.tracing.End()
}

// ExportPolicy takes the newest policy out of an agent's state folder.
func ExportPolicy(stateDir string) (*control.Exported, error) { return control.Export(stateDir) }
