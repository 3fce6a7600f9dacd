package outage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirhq/weir/loadtest/gateway/upstream"
	"github.com/weirhq/weir/proto/contract/batch"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// broker can go away, and keeps what it has on disk.
type broker struct {
	port    int
	dir     string
	cluster *kfake.Cluster
}

func newBroker(port int, dir string) (*broker, error) {
	b := &broker{port: port, dir: dir}
	return b, b.start()
}

func (b *broker) start() (err error) {
	b.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(b.port), kfake.DataDir(b.dir), kfake.SeedTopics(1, upstream.Topic))
	if err != nil {
		return fmt.Errorf("a broker for usage: %w", err)
	}
	return nil
}

func (b *broker) stop() {
	if b.cluster != nil {
		b.cluster.Close()
	}
	b.cluster = nil
}

// settled is nothing: ingest is behind, and what waits stays on disk.
func (b *broker) settled() []*agentv1.SettledRange { return nil }

// headers are those of all batches in the topic, in order.
func (b *broker) headers(ctx context.Context) (all []*usagev1.BatchHeader, err error) {
	client := &kafka.Client{Addr: kafka.TCP(loopback(b.port)), Timeout: timeout, Transport: &kafka.Transport{}}
	for offset, before := int64(0), int64(-1); offset > before; {
		before = offset
		answer, err := client.Fetch(ctx, &kafka.FetchRequest{Topic: upstream.Topic, Offset: offset, MinBytes: 1, MaxBytes: 16 << 20, MaxWait: 100 * time.Millisecond})
		if err == nil {
			err = answer.Error
		}
		if err != nil {
			return nil, err
		}
		for {
			r, err := answer.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			value, err := kafka.ReadAll(r.Value)
			if err != nil {
				return nil, err
			}
			if r.Offset < offset {
				continue
			}
			offset = r.Offset + 1
			header, err := batch.Header(value)
			if err != nil {
				return nil, err
			}
			all = append(all, header)
		}
	}
	return all, nil
}
