package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/proto/contract/brokers"
)

// Topics that agents write to and that dead letters go to.
const (
	DefaultTopic     = "weir.usage.v1"
	DefaultDeadTopic = "weir.usage.v1.dead"
)

// DefaultGather is for how long records are gathered into one block.
const DefaultGather = 500 * time.Millisecond

// Registry knows every enrolled agent. An unknown one is a fault of kind NotFound;
// any other error is taken for an outage.
type Registry interface {
	Agent(ctx context.Context, agentID uuid.UUID) (gateway.Agent, error)
	// RevokedAmong returns those of the agents that were revoked, as it is now.
	RevokedAmong(ctx context.Context, agents []uuid.UUID) ([]gateway.Agent, error)
}

// Config is what ingest needs. Zero values of the lower half take defaults.
type Config struct {
	Brokers    []string
	Access     brokers.Access // TLS and a login; zero: neither
	Postgres   *postgres.DB
	ClickHouse *clickhouse.Conn // its default database holds the tables
	Registry   Registry
	Tails      Tails // nil: none are copied
	Log        *slog.Logger
	Metrics    prometheus.Registerer

	Topic     string
	DeadTopic string
	// MetadataTTL is for how long it is believed what the brokers say of their topics; 6 s.
	MetadataTTL time.Duration
	// How long records are gathered into one block; 500 ms.
	Gather time.Duration
	// How long ClickHouse accepts a block after it was noted, at first; 10 s.
	Lease time.Duration
	// How long a silent owner keeps a partition; 6 s.
	OwnFor time.Duration
	// How often tails are copied; 5 s.
	TailsEvery time.Duration
	// How often new partitions are looked for; 30 s.
	PartitionsEvery time.Duration
	// How often gaps are looked for, and how old they are when they are an alarm; 1 min, 10 min.
	GapsEvery, GapsAfter time.Duration
	// How long claims keep their hashes; 1 h.
	MergeAfter time.Duration
}

func (c Config) withDefaults() Config {
	c.Topic = orDefault(c.Topic, DefaultTopic)
	c.DeadTopic = orDefault(c.DeadTopic, DefaultDeadTopic)
	c.Gather = orDefault(c.Gather, DefaultGather)
	c.Lease = orDefault(c.Lease, 10*time.Second)
	c.OwnFor = orDefault(c.OwnFor, 6*time.Second)
	c.TailsEvery = orDefault(c.TailsEvery, 5*time.Second)
	c.PartitionsEvery = orDefault(c.PartitionsEvery, 30*time.Second)
	c.GapsEvery = orDefault(c.GapsEvery, time.Minute)
	c.GapsAfter = orDefault(c.GapsAfter, 10*time.Minute)
	c.MergeAfter = orDefault(c.MergeAfter, time.Hour)
	return c
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func (c Config) validate() error {
	var faults []error
	require := func(ok bool, text string) {
		if !ok {
			faults = append(faults, errors.New("ingest: "+text))
		}
	}
	require(len(c.Brokers) > 0, "no Kafka broker")
	require(c.Postgres != nil, "no Postgres")
	require(c.ClickHouse != nil, "no ClickHouse")
	require(c.Registry != nil, "no registry of agents")
	require(c.Log != nil, "no logger")
	require(c.Metrics != nil, "no metrics registry")
	require(c.Topic != c.DeadTopic, "dead letters need a topic of their own")
	require(c.Lease >= 2*time.Second, "a lease under 2 s: ClickHouse compares whole seconds")
	return errors.Join(faults...)
}
