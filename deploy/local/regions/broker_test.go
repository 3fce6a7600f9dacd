package regions_test

import (
	"io"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirhq/weir/proto/contract/batch"
)

const usageTopic = "usage"

// broker is where the agents of one region send their usage.
type broker struct {
	*kfake.Cluster
	t *testing.T
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(0), kfake.SeedTopics(1, usageTopic))
	must(t, err)
	t.Cleanup(c.Close)
	return &broker{c, t}
}

// records are how many each agent has sent there, by its id.
func (b *broker) records() map[string]int {
	b.t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(b.ListenAddrs()...), Timeout: 10 * time.Second, Transport: &kafka.Transport{}}
	answer, err := client.Fetch(b.t.Context(), &kafka.FetchRequest{Topic: usageTopic, MinBytes: 1, MaxBytes: 16 << 20, MaxWait: 10 * time.Millisecond})
	must(b.t, err)
	count := map[string]int{}
	for {
		r, err := answer.Records.ReadRecord()
		if err != nil {
			return count
		}
		value, err := io.ReadAll(r.Value)
		must(b.t, err)
		header, err := batch.Header(value)
		must(b.t, err)
		count[header.GetAgentId()] += int(header.GetLastSeq() - header.GetFirstSeq() + 1)
	}
}
