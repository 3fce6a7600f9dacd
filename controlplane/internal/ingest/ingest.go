// Package ingest moves usage from Kafka into ClickHouse, each record once.
//
// It owns partitions and offsets itself. A slice of a partition is claimed in one
// Postgres transaction, which also notes the blocks that will be inserted; each
// block is one insert of one month with a token that is the same on every retry;
// after all are confirmed the ranges are settled and the offset advances. After any
// trouble the noted blocks are looked for in ClickHouse before anything is sent
// again. It computes no cost and believes no payload about whose it is.
//
// A record that can't be a row is put aside alone, with its batch in the dead-letter
// topic. Its number is settled for the agent then, if the agent signed it, and is
// shown apart: sent to the usage topic again, it becomes a row, once.
package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// Ingest is one process' share of the work.
type Ingest struct {
	config  Config
	owner   uuid.UUID
	broker  *broker
	store   store
	sink    sink
	agents  *agents
	metrics *metrics
	now     func() time.Time
}

// New checks the configuration and connects to nothing yet.
func New(config Config) (*Ingest, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	return &Ingest{
		config:  config,
		owner:   uuid.New(),
		broker:  newBroker(config),
		store:   store{db: config.Postgres, ownFor: config.OwnFor},
		sink:    clickhouseSink{conn: config.ClickHouse, timeout: config.Lease},
		agents:  newAgents(config.Registry, time.Now),
		metrics: newMetrics(config.Metrics),
		now:     time.Now,
	}, nil
}

// Run works until ctx ends, through outages of Kafka, Postgres and ClickHouse. It
// returns an error only when the topics are not as they must be.
func (in *Ingest) Run(ctx context.Context) error {
	defer in.broker.close()
	topic, err := in.topic(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	in.config.Log.InfoContext(ctx, "ingest starts", "topic", in.config.Topic, "topic_id", topic.id, "partitions", topic.partitions)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { in.runPartitions(ctx, topic); return nil })
	group.Go(func() error { in.mergeClaims(ctx); return nil })
	if in.config.Tails != nil {
		group.Go(func() error { in.copyTails(ctx); return nil })
	}
	return group.Wait()
}

// runPartitions works on every partition, those added while it runs too.
func (in *Ingest) runPartitions(ctx context.Context, t topic) {
	var workers sync.WaitGroup
	defer workers.Wait()
	for number := 0; ctx.Err() == nil; pause(ctx, in.config.PartitionsEvery) {
		if number > 0 {
			t = in.look(ctx, t)
		}
		for ; number < t.partitions; number++ {
			p := in.newPartition(t.id, number)
			workers.Go(func() { p.run(ctx) })
		}
	}
}

// look returns the topic as it is now, or as it was when that is not known.
func (in *Ingest) look(ctx context.Context, was topic) topic {
	now, err := in.broker.check(ctx)
	switch {
	case err != nil:
		in.metrics.errors.WithLabelValues("kafka").Inc()
		in.config.Log.WarnContext(ctx, "new partitions are not looked for", "error", err)
		return was
	case now.id != was.id:
		in.config.Log.ErrorContext(ctx, "the usage topic was made anew: restart ingest", "topic_id", now.id, "was", was.id)
		return was
	case now.partitions > was.partitions:
		in.config.Log.InfoContext(ctx, "the usage topic has new partitions", "partitions", now.partitions, "were", was.partitions)
	}
	return now
}

// topic waits for the broker, but not for a topic that is wrong.
func (in *Ingest) topic(ctx context.Context) (topic, error) {
	var wait backoff
	for ctx.Err() == nil {
		t, err := in.broker.check(ctx)
		if err == nil {
			return t, nil
		}
		if isSetting(err) {
			return topic{}, fmt.Errorf("kafka topics: %w", err)
		}
		in.metrics.errors.WithLabelValues("kafka").Inc()
		in.config.Log.WarnContext(ctx, "kafka does not answer", "error", err)
		wait.sleep(ctx)
	}
	return topic{}, nil
}
