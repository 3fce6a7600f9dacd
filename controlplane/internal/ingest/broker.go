package ingest

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/proto/contract/brokers"
)

const (
	fetchWait  = 500 * time.Millisecond
	fetchBytes = maxSliceBytes
)

// broker speaks to Kafka: explicit partitions and offsets, no consumer group.
type broker struct {
	client           *kafka.Client
	transport        *kafka.Transport
	sasl             brokers.SASL
	topic, deadTopic string
}

func newBroker(c Config) (*broker, error) {
	transport, err := c.Access.Transport("weir-ingest", os.ReadFile)
	if err != nil {
		return nil, err
	}
	transport.DialTimeout, transport.MetadataTTL = 5*time.Second, c.MetadataTTL
	return &broker{
		client:    &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport, Timeout: 20 * time.Second},
		transport: transport, sasl: c.Access.SASL,
		topic:     c.Topic,
		deadTopic: c.DeadTopic,
	}, nil
}

// fault is an error of Kafka's, with what to do where it is about the login.
func (b *broker) fault(err error, format string, args ...any) error {
	return inKafka(b.sasl.Explain(err), format, args...)
}

func (b *broker) close() { b.transport.CloseIdleConnections() }

// record is one Kafka record.
type record struct {
	offset     int64
	at         time.Time // when it was written
	key, value []byte
	headers    []kafka.Header
}

// fetched is what one fetch gave: records from the wanted offset on.
type fetched struct {
	records   []record
	watermark int64 // one past the last
}

// fetch waits up to a moment for records at offset and after it.
func (b *broker) fetch(ctx context.Context, partition int, offset int64, wait time.Duration) (fetched, error) {
	return b.fetchUpTo(ctx, partition, offset, wait, fetchBytes)
}

// fetchUpTo is fetch with another bound; Kafka gives one record however large it is.
func (b *broker) fetchUpTo(ctx context.Context, partition int, offset int64, wait time.Duration, bytes int64) (fetched, error) {
	response, err := b.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: b.topic, Partition: partition, Offset: offset, MinBytes: 1, MaxBytes: bytes, MaxWait: wait,
	})
	if err != nil {
		return fetched{}, b.fault(err, "fetch partition %d at %d", partition, offset)
	}
	if response.Error != nil {
		return fetched{}, b.fault(response.Error, "fetch partition %d at %d", partition, offset)
	}
	out := fetched{watermark: response.HighWatermark}
	for {
		r, err := response.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return fetched{}, b.fault(err, "read partition %d at %d", partition, offset)
		}
		if r.Offset < offset {
			continue
		}
		key, keyErr := kafka.ReadAll(r.Key)
		value, valueErr := kafka.ReadAll(r.Value)
		if err := errors.Join(keyErr, valueErr); err != nil {
			return fetched{}, b.fault(err, "read partition %d at %d", partition, r.Offset)
		}
		out.records = append(out.records, record{offset: r.Offset, at: r.Time, key: key, value: value, headers: r.Headers})
	}
}

// bounds returns the first offset that Kafka has and one past the last.
func (b *broker) bounds(ctx context.Context, partition int) (first, next int64, err error) {
	response, err := b.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		b.topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)},
	}})
	if err != nil {
		return 0, 0, b.fault(err, "bounds of partition %d", partition)
	}
	for _, p := range response.Topics[b.topic] {
		if p.Error != nil {
			return 0, 0, b.fault(p.Error, "bounds of partition %d", partition)
		}
		if p.Partition == partition {
			return p.FirstOffset, p.LastOffset, nil
		}
	}
	return 0, 0, b.fault(kafka.UnknownTopicOrPartition, "bounds of partition %d", partition)
}

// bury writes dead letters and waits until every replica in sync has them. Kafka
// bounds what one request may hold: then fewer go at once, and one that is too
// large alone goes without its bytes, since nothing may stop the partition: it is
// marked as stripped.
func (b *broker) bury(ctx context.Context, letters []deadLetter, topicID uuid.UUID, partition int) error {
	for atOnce := len(letters); len(letters) > 0; {
		atOnce = min(atOnce, len(letters))
		err := b.produceDead(ctx, letters[:atOnce], topicID, partition)
		switch {
		case err == nil:
			letters = letters[atOnce:]
		case !errors.Is(err, kafka.MessageSizeTooLarge) || letters[0].stripped:
			return b.fault(err, "write dead letters")
		case atOnce > 1:
			atOnce /= 2
		default:
			letters[0] = letters[0].withoutValue()
		}
	}
	return nil
}

func (b *broker) produceDead(ctx context.Context, letters []deadLetter, topicID uuid.UUID, partition int) error {
	records := make([]kafka.Record, len(letters))
	for i, l := range letters {
		records[i] = l.record(b.topic, topicID, partition)
	}
	response, err := b.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: b.deadTopic, Partition: 0, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err == nil {
		err = response.Error
	}
	for _, refused := range responseErrors(response) {
		err = errors.Join(err, refused)
	}
	return err
}

func responseErrors(response *kafka.ProduceResponse) map[int]error {
	if response == nil {
		return nil
	}
	return response.RecordErrors
}
