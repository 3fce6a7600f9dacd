package usage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/proto/contract/partition"
)

// ErrReadable means that the login of a shared broker can read what others wrote.
var ErrReadable = errors.New("this agent's login can read the usage topic, and with it the usage of others who share the brokers")

// CheckShared tries to read from the agent's partition: nil where the brokers do not let it,
// ErrReadable where they do. After other errors nobody knows yet.
func (k *Kafka) CheckShared(ctx context.Context, agentID string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.checkShared(ctx, agentID)
}

func (k *Kafka) checkShared(ctx context.Context, agentID string) error {
	if !k.shared || k.unreadable {
		return nil
	}
	if err := k.discover(ctx); err != nil {
		return k.explain(err)
	}
	err := k.read(ctx, partition.Of(agentID, k.partitions))
	switch {
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		k.unreadable = true
		return nil
	case err == nil, errors.Is(err, kafka.OffsetOutOfRange): // that there is no such record is an answer, too
		return fmt.Errorf("%w: take the ACL away that allows %s the operation Read (or All) on the topic %s, also by a prefix or a wildcard, and leave Write; "+
			"or, where nobody else uses the brokers, unset WEIR_KAFKA_SHARED", ErrReadable, k.sasl.Login(), k.topic)
	}
	k.partitions = 0 // the topic may have been made anew
	return k.explain(fmt.Errorf("whether %s can be read: %w", k.topic, err))
}

func (k *Kafka) read(ctx context.Context, from int) error {
	answer, err := k.client.Fetch(ctx, &kafka.FetchRequest{Topic: k.topic, Partition: from, MinBytes: 1, MaxBytes: 1, MaxWait: 50 * time.Millisecond})
	if err != nil {
		return err
	}
	return answer.Error
}
