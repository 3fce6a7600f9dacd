package usage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/proto/contract/partition"
)

// Kafka sends batches to one topic: to the partition that the agent's id hashes
// to, acknowledged by all in-sync replicas, one at a time.
type Kafka struct {
	topic     string
	client    *kafka.Client
	transport *kafka.Transport

	mu         sync.Mutex // one batch in flight
	partitions int        // 0: not known
}

var _ Sender = (*Kafka)(nil)

// NewKafka makes a sender; the broker need not be there yet.
func NewKafka(c KafkaConfig) (*Kafka, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return &Kafka{
		topic: c.Topic, transport: transport,
		client: &kafka.Client{Addr: kafka.TCP(c.Brokers...), Timeout: timeout, Transport: transport},
	}, nil
}

// Send returns nil when all in-sync replicas have the batch.
func (k *Kafka) Send(ctx context.Context, agentID string, value []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.produce(ctx, agentID, value)
	if err != nil {
		k.partitions = 0 // what was known of the topic may be why
	}
	return err
}

func (k *Kafka) produce(ctx context.Context, agentID string, value []byte) error {
	if err := k.discover(ctx); err != nil {
		return err
	}
	to := partition.Of(agentID, k.partitions)
	response, err := k.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: k.topic, Partition: to, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte(agentID)), Value: kafka.NewBytes(value), Time: time.Now()}),
	})
	if err != nil {
		return fmt.Errorf("produce to %s/%d: %w", k.topic, to, err)
	}
	if response.Error != nil {
		return fmt.Errorf("produce to %s/%d: %w", k.topic, to, response.Error)
	}
	for _, err := range response.RecordErrors {
		return fmt.Errorf("produce to %s/%d: %w", k.topic, to, err)
	}
	return nil
}

func (k *Kafka) discover(ctx context.Context) error {
	if k.partitions > 0 {
		return nil
	}
	metadata, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{k.topic}})
	if err != nil {
		return fmt.Errorf("partitions of %s: %w", k.topic, err)
	}
	for _, t := range metadata.Topics {
		if t.Error != nil {
			return fmt.Errorf("partitions of %s: %w", k.topic, t.Error)
		}
		if t.Name == k.topic {
			k.partitions = len(t.Partitions)
		}
	}
	if k.partitions == 0 {
		return fmt.Errorf("partitions of %s: %w", k.topic, errors.New("the topic has none"))
	}
	return nil
}

// Close drops the connections.
func (k *Kafka) Close() { k.transport.CloseIdleConnections() }
