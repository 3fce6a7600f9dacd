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
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
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
	share   *share
	atWork  *semaphore.Weighted // bytes of Kafka records that are decoded
	now     func() time.Time
}

// New checks the configuration and connects to nothing yet.
func New(config Config) (*Ingest, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	kafka, err := newBroker(config)
	if err != nil {
		return nil, err
	}
	return &Ingest{
		config:  config,
		owner:   uuid.New(),
		broker:  kafka,
		store:   store{db: config.Postgres, ownFor: config.OwnFor},
		sink:    clickhouseSink{conn: config.ClickHouse, timeout: max(maxLease, config.Lease)},
		agents:  newAgents(config.Registry, time.Now),
		metrics: newMetrics(config.Metrics),
		share:   newShare(),
		atWork:  semaphore.NewWeighted(maxBytesAtOnce),
		now:     time.Now,
	}, nil
}

// Run works until ctx ends, through outages of Kafka, Postgres and ClickHouse. It
// returns an error only when the topics are not as they must be, or not those that they
// were: then it may be run again.
func (in *Ingest) Run(ctx context.Context) error {
	defer in.broker.close()
	topic, err := in.topic(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	in.config.Log.InfoContext(ctx, "ingest starts", "topic", in.config.Topic, "topic_id", topic.id, "partitions", topic.partitions)
	in.countProcesses(ctx, topic)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return in.runPartitions(ctx, topic) })
	group.Go(func() error { in.shareOut(ctx, topic); return nil })
	group.Go(func() error { in.mergeClaims(ctx); return nil })
	group.Go(func() error { in.watchGaps(ctx); return nil })
	if in.config.Tails != nil {
		group.Go(func() error { in.copyTails(ctx); return nil })
	}
	return group.Wait()
}

// runPartitions works on every partition, those added while it runs too. It stops all of
// them when the topic is not the one that it was: offsets would be of another.
func (in *Ingest) runPartitions(ctx context.Context, t topic) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	in.tell(ctx, nil, t.findings)
	for number := 0; ctx.Err() == nil; pause(ctx, in.config.PartitionsEvery) {
		if number > 0 {
			var err error
			if t, err = in.look(ctx, t); err != nil {
				return fmt.Errorf("kafka topics: %w", err)
			}
		}
		in.share.partitions(t.partitions)
		for ; number < t.partitions; number++ {
			p := in.newPartition(t.id, number)
			workers.Go(func() { p.run(ctx) })
		}
	}
	return nil
}

// look returns the topic as it is now, or as it was when that is not known.
func (in *Ingest) look(ctx context.Context, was topic) (topic, error) {
	now, err := in.broker.check(ctx)
	switch {
	case ctx.Err() != nil:
		return was, nil //nolint:nilerr // told to stop
	case isSetting(err):
		return was, err
	case err != nil:
		in.metrics.errors.WithLabelValues(partKafka).Inc()
		in.config.Log.WarnContext(ctx, "new partitions are not looked for", "error", err)
		return was, nil
	case now.id != was.id:
		return was, settingError{fmt.Sprintf("topic %s was deleted and made anew (id %s, was %s): what ingest had not taken of the old one is gone from Kafka; "+
			"agents send again what they were not told is settled", in.config.Topic, now.id, was.id)}
	case now.partitions > was.partitions:
		in.config.Log.InfoContext(ctx, "the usage topic has new partitions", "partitions", now.partitions, "were", was.partitions)
	}
	in.tell(ctx, was.findings, now.findings)
	return now, nil
}

// tell says what is wrong with the topics, once.
func (in *Ingest) tell(ctx context.Context, was, now []finding) {
	in.metrics.settings.Reset()
	for _, f := range now {
		if !f.expected {
			in.metrics.settings.WithLabelValues(f.topic, f.setting).Set(1)
		}
	}
	if sameFindings(was, now) {
		return
	}
	for _, f := range now {
		level := slog.LevelError
		if f.expected {
			level = slog.LevelWarn
		}
		in.config.Log.Log(ctx, level, "a topic endangers usage",
			"why", f.why, "topic", f.topic, "setting", f.setting, "value", f.value, "wanted", f.wanted, "mend", f.mend)
	}
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
		in.metrics.errors.WithLabelValues(partKafka).Inc()
		in.config.Log.WarnContext(ctx, "kafka does not answer", "error", in.broker.sasl.Explain(err))
		wait.sleep(ctx)
	}
	return topic{}, nil
}
