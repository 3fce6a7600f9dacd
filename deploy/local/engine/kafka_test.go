package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
)

func TestKafka(t *testing.T) {
	config := KafkaConfig{Dir: t.TempDir(), Port: freePorts(t, 1)[0], Topics: []Topic{{Name: "usage", Partitions: 4}}}
	running, k, err := StartKafka(soon(t), config)
	must(t, err)
	writer := &kafka.Writer{Addr: kafka.TCP(k.Brokers), Topic: "usage", RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	must(t, writer.WriteMessages(soon(t), kafka.Message{Value: []byte("kept")}))
	must(t, writer.Close())
	running.Kill()

	config.Topics = append(config.Topics, Topic{Name: "usage.dead", Partitions: 1})
	running, _, err = StartKafka(soon(t), config)
	must(t, err)
	t.Cleanup(running.Stop)

	t.Run("keeps_acknowledged_records_over_kill_9", func(t *testing.T) {
		if got := readAll(t, k.Brokers, "usage", 4); !cmp.Equal(got, []string{"kept"}) {
			t.Fatalf("got %q", got)
		}
	})
	t.Run("adds_topics_to_an_older_folder", func(t *testing.T) {
		conn, err := kafka.Dial("tcp", k.Brokers)
		must(t, err)
		defer conn.Close()
		for topic, want := range map[string]int{"usage": 4, "usage.dead": 1} {
			partitions, err := conn.ReadPartitions(topic)
			must(t, err)
			if len(partitions) != want {
				t.Errorf("%s: want %d partitions, got %d", topic, want, len(partitions))
			}
		}
	})
}

func readAll(t *testing.T, broker, topic string, partitions int) (values []string) {
	t.Helper()
	for p := range partitions {
		conn, err := kafka.DialLeader(soon(t), "tcp", broker, topic, p)
		must(t, err)
		first, last, err := conn.ReadOffsets()
		must(t, err)
		for range last - first {
			m, err := conn.ReadMessage(1 << 20)
			must(t, err)
			values = append(values, string(m.Value))
		}
		must(t, conn.Close())
	}
	return values
}
