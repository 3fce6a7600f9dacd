// Package controlplane builds the control plane from its parts and runs it.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/conduct"
	"github.com/weirhq/weir/controlplane/internal/courier"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/ingest"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	"github.com/weirhq/weir/controlplane/internal/lookout"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerating"
	"github.com/weirhq/weir/controlplane/internal/vault"
	"github.com/weirhq/weir/controlplane/internal/webhook"
)

// ingestEvery is how long ingest waits after it found wrong topics.
const ingestEvery = 10 * time.Second

// Run serves the roles of c until ctx ends or a part fails for good. It migrates
// both stores first.
func Run(ctx context.Context, c Config, logger *slog.Logger) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	p, err := open(ctx, c, logger)
	if err != nil {
		return err
	}
	defer p.db.Close()
	keeper, err := fleet.FollowServer(ctx, p.db, logger)
	if err != nil {
		return err
	}
	server, err := p.server()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { p.tailer.Run(ctx); return nil })
	group.Go(func() error { return fleet.WatchServer(ctx, p.db, keeper, c.PostgresSynchronous, logger) })
	if c.does(RoleAPI) {
		group.Go(func() error { command.ForgetAnswers(ctx, p.db, c.KeepAnswers, logger); return nil })
		alerts := p.courier()
		group.Go(func() error { alerts.Run(ctx); return nil })
	}
	if c.does(RoleFleet) {
		leader := conduct.New(conduct.Config{Store: p.store, Runner: p.runner, Log: logger.With("part", "rollout")})
		group.Go(func() error { leader.Run(ctx); return nil })
	}
	if c.does(RoleIngest) {
		group.Go(func() error { return p.ingest(ctx) })
	}
	group.Go(func() error { return server.run(ctx) })
	return group.Wait()
}

// process is one running control plane: what its roles share.
type process struct {
	config  Config
	logger  *slog.Logger
	metrics *prometheus.Registry
	house   *house.Keys
	db      *postgres.DB
	store   *readmodel.Store
	runner  *command.Runner
	tailer  *eventlog.Tailer
}

func open(ctx context.Context, c Config, logger *slog.Logger) (*process, error) {
	keys, err := house.Load(c.HouseKeyFile, logger)
	if err != nil {
		return nil, err
	}
	if err := postgres.Migrate(ctx, c.PostgresURL); err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return nil, err
	}
	if err := checkLogin(ctx, c, db, logger); err != nil {
		db.Close()
		return nil, err
	}
	chain, err := audit.NewKeyring(ctx, db, keys)
	if err != nil {
		db.Close()
		return nil, err
	}
	hiding, err := keys.Derive("secrets in fingerprints of requests")
	if err != nil {
		db.Close()
		return nil, err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	store := readmodel.New(db)
	return &process{
		config: c, logger: logger, metrics: metrics, house: keys, db: db, store: store,
		runner: command.NewRunner(pglog.New(db, readmodel.Project, ledger.Record).ChainedBy(chain.Link), store).HidingSecrets(hiding),
		tailer: eventlog.NewTailer(pglog.NewHeads(db), logger),
	}, nil
}

func checkLogin(ctx context.Context, c Config, db *postgres.DB, logger *slog.Logger) error {
	err := db.CheckLogin(ctx)
	if errors.Is(err, postgres.ErrPrivileged) && c.PostgresSuperuser {
		logger.Warn("the login role of Postgres goes around row-level security; this is for development only")
		return nil
	}
	return err
}

// courier delivers alerts.
func (p *process) courier() *courier.Courier {
	return courier.New(courier.Config{
		DB: p.db, Secrets: vault.New(p.db, p.house), Sender: webhook.NewSender(alertchannel.Networks(p.config.WebhookNetworks).Allow),
		Log: p.logger.With("part", "courier"), Metrics: p.metrics,
	})
}

// ingest migrates ClickHouse, waiting for it if need be, moves usage, looks through it
// for alerts and carries re-rates out. A broker that is not as it must be stops usage, and neither the API nor the agents.
func (p *process) ingest(ctx context.Context) error {
	if err := p.migrateClickHouse(ctx); err != nil {
		return err
	}
	conn, err := clickhouse.OpenWriter(p.config.ClickHouseURL, p.config.ClickHouseDatabase, clickhouse.Cluster(p.config.ClickHouseCluster))
	if err != nil {
		return err
	}
	defer conn.Close()
	in, err := ingest.New(ingest.Config{
		Brokers: p.config.KafkaBrokers, Access: p.config.Kafka.Access(), Topic: p.config.KafkaTopic, DeadTopic: p.config.KafkaDeadTopic,
		Postgres: p.db, ClickHouse: conn, Registry: p.store, Tails: ingest.PostgresTails{DB: p.db},
		Gather: p.config.IngestGather,
		Log:    p.logger.With("part", "ingest"), Metrics: p.metrics,
	})
	if err != nil {
		return err
	}
	watch := lookout.New(lookout.Config{DB: p.db, ClickHouse: conn, Log: p.logger.With("part", "lookout")})
	rerates := rerating.New(rerating.Config{
		DB: p.db, Store: p.store, ClickHouse: conn, Builtin: pricebook.Named, Log: p.logger.With("part", "rerate"),
	})
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { watch.Run(ctx) })
	beside.Go(func() { rerates.Run(ctx) })
	for {
		err := in.Run(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		p.logger.ErrorContext(ctx, "usage waits in Kafka until its topics are as they must be", "error", err)
		wait(ctx, ingestEvery)
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
