package usage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/proto/contract/brokers"
	"github.com/weirhq/weir/proto/contract/partition"
)

const (
	// maxProduceBytes of values are written at once: what a broker takes by default (1,048,588
	// bytes, as one Kafka batch), with room for its frame.
	maxProduceBytes = 960 << 10
	// recordOverhead is more than what a record has beside its value.
	recordOverhead = 128
)

// KafkaConfig is the agent's local configuration of its broker; never policy.
type KafkaConfig struct {
	Brokers []string // host:port
	Topic   string
	brokers.Access
	Shared  bool          // others use the brokers: this login must not read the topic
	Timeout time.Duration // of one request, 10 s
}

// Validate names all that is wrong.
func (c KafkaConfig) Validate() error {
	var all []error
	if len(c.Brokers) == 0 {
		all = append(all, errors.New("kafka: no brokers"))
	}
	if c.Topic == "" {
		all = append(all, errors.New("kafka: no topic"))
	}
	return errors.Join(append(all, c.Access.Validate())...)
}

// Kafka sends batches to one topic: to the partition that the agent's id hashes
// to, acknowledged by all in-sync replicas, one request at a time.
type Kafka struct {
	topic     string
	sasl      brokers.SASL
	shared    bool
	client    *kafka.Client
	transport *kafka.Transport

	mu         sync.Mutex // one request in flight
	partitions int        // 0: not known
	unreadable bool       // the login of shared brokers was found to read nothing
}

var _ Sender = (*Kafka)(nil)

// NewKafka makes a sender; the broker need not be there yet.
func NewKafka(c KafkaConfig) (*Kafka, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	transport, err := c.Transport("weir-agent", os.ReadFile)
	if err != nil {
		return nil, err
	}
	transport.MetadataTopics, transport.MetadataTTL = []string{c.Topic}, 5*time.Second
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return &Kafka{
		topic: c.Topic, transport: transport, shared: c.Shared, sasl: c.SASL,
		client: &kafka.Client{Addr: kafka.TCP(c.Brokers...), Timeout: timeout, Transport: transport},
	}, nil
}

// Send returns when all in-sync replicas have what is taken.
func (k *Kafka) Send(ctx context.Context, messages []Message) (taken int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.checkShared(ctx, messages[0].AgentID); err != nil {
		return 0, err
	}
	n := run(messages, maxProduceBytes, recordOverhead, true)
	for {
		err := k.produce(ctx, messages[:n])
		switch {
		case err == nil:
			return n, nil
		case !isTooLarge(err):
			k.partitions = 0 // what was known of the topic may be why
			return 0, k.explain(err)
		case n == 1:
			return 0, &RefusedError{err}
		}
		n /= 2 // the topic takes less than brokers do by default
	}
}

func (k *Kafka) produce(ctx context.Context, messages []Message) error {
	if err := k.discover(ctx); err != nil {
		return err
	}
	to := partition.Of(messages[0].AgentID, k.partitions)
	records := make([]kafka.Record, len(messages))
	for i, m := range messages {
		records[i] = kafka.Record{Key: kafka.NewBytes([]byte(m.AgentID)), Value: kafka.NewBytes(m.Value), Time: time.Now()}
	}
	response, err := k.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: k.topic, Partition: to, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
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

func isTooLarge(err error) bool {
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge)
}

// explain adds what to do where the brokers refuse the agent itself.
func (k *Kafka) explain(err error) error {
	if errors.Is(err, kafka.TopicAuthorizationFailed) {
		return fmt.Errorf("the brokers do not let this login write: give it an ACL with the operation Write on the topic %s: %w", k.topic, err)
	}
	return k.sasl.Explain(err)
}

// discover counts the partitions, where they are not known.
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
