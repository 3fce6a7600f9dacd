package relay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/proto/contract/brokers"
	"github.com/weirhq/weir/proto/contract/partition"
)

const (
	// maxProduceBytes of values are written at once: what a broker takes by default (1,048,588
	// bytes, as one Kafka batch), with room for its frame.
	maxProduceBytes = 960 << 10
	// recordOverhead is more than what a record has beside its value.
	recordOverhead = 128
	// lookEvery is when partitions are counted again.
	lookEvery = 30 * time.Second
)

// KafkaConfig is where usage goes.
type KafkaConfig struct {
	Brokers []string // host:port
	Topic   string
	Access  brokers.Access
	Timeout time.Duration // of one request, 5 s
}

// Kafka writes to one topic, acknowledged by all in-sync replicas.
type Kafka struct {
	topic     string
	client    *kafka.Client
	transport *kafka.Transport
	sasl      brokers.SASL
	outages   *outages

	mu         sync.Mutex
	partitions int
	counted    time.Time
}

var _ Producer = (*Kafka)(nil)

// NewKafka makes a producer; the broker need not be there yet.
func NewKafka(c KafkaConfig) (*Kafka, error) {
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	transport, err := c.Access.Transport("weir-relay", os.ReadFile)
	if err != nil {
		return nil, err
	}
	transport.DialTimeout, transport.MetadataTopics, transport.MetadataTTL = c.Timeout, []string{c.Topic}, 5*time.Second
	return &Kafka{
		topic: c.Topic, transport: transport, sasl: c.Access.SASL, outages: newOutages(),
		client: &kafka.Client{Addr: kafka.TCP(c.Brokers...), Timeout: c.Timeout, Transport: transport},
	}, nil
}

// Close drops the connections.
func (k *Kafka) Close() error {
	k.transport.CloseIdleConnections()
	return nil
}

// Produce implements Producer.
func (k *Kafka) Produce(ctx context.Context, agentID string, values [][]byte) (taken int, err error) {
	for taken < len(values) {
		n := atOnce(values[taken:])
		err := k.try(ctx, agentID, values[taken:taken+n])
		for n > 1 && isTooLarge(err) { // the topic takes less than brokers do by default
			n /= 2
			err = k.try(ctx, agentID, values[taken:taken+n])
		}
		if err != nil {
			return taken, k.fault(err)
		}
		taken += n
	}
	return taken, nil
}

// atOnce is how many values go in one request, at least one.
func atOnce(values [][]byte) (n int) {
	size := 0
	for _, v := range values {
		if size += len(v) + recordOverhead; size > maxProduceBytes && n > 0 {
			break
		}
		n++
	}
	return n
}

// try writes once, unless the partition is known to take nothing.
func (k *Kafka) try(ctx context.Context, agentID string, values [][]byte) error {
	partitions, err := k.count(ctx)
	if err != nil {
		return err
	}
	to := partition.Of(agentID, partitions)
	return k.outages.during(to, func() error {
		err := k.produce(ctx, to, agentID, values)
		if err != nil && !isTooLarge(err) {
			k.forget() // what was known of the topic may be why
		}
		return err
	})
}

func (k *Kafka) produce(ctx context.Context, to int, agentID string, values [][]byte) error {
	records := make([]kafka.Record, len(values))
	for i, v := range values {
		records[i] = kafka.Record{Key: kafka.NewBytes([]byte(agentID)), Value: kafka.NewBytes(v), Time: time.Now()}
	}
	response, err := k.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: k.topic, Partition: to, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err == nil {
		err = response.Error
	}
	if err == nil {
		for _, refused := range response.RecordErrors {
			err = errors.Join(err, refused)
		}
	}
	if err != nil {
		return fmt.Errorf("produce to %s/%d: %w", k.topic, to, err)
	}
	return nil
}

// count returns how many partitions the topic has.
func (k *Kafka) count(ctx context.Context) (int, error) {
	k.mu.Lock()
	known := k.partitions
	if time.Since(k.counted) > lookEvery {
		known = 0
	}
	k.mu.Unlock()
	if known > 0 {
		return known, nil
	}
	var found int
	err := k.outages.during(wholeTopic, func() (err error) {
		found, err = k.look(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.partitions, k.counted = found, time.Now()
	return found, nil
}

func (k *Kafka) look(ctx context.Context) (int, error) {
	metadata, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{k.topic}})
	if err != nil {
		return 0, fmt.Errorf("partitions of %s: %w", k.topic, err)
	}
	for _, t := range metadata.Topics {
		if t.Name == k.topic && (t.Error != nil || len(t.Partitions) > 0) {
			return len(t.Partitions), t.Error
		}
	}
	return 0, fmt.Errorf("partitions of %s: it has none", k.topic)
}

func (k *Kafka) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counted = time.Time{}
}

func isTooLarge(err error) bool {
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge)
}

// fault is what the agent is told.
func (k *Kafka) fault(err error) error {
	if isTooLarge(err) {
		return refusal(0, fmt.Errorf("the usage topic takes no record as large as this one"))
	}
	after, said := retryAfter(err)
	f := fault.Unanswered(k.sasl.Explain(err), "broker_unavailable", "the usage topic does not take usage now; keep it, and send the same again later")
	if said {
		f.Cause = nil
	}
	f.RetryAfter = after
	return f
}
