package usage_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirhq/weir/dataplane/internal/usage"
	"github.com/weirhq/weir/proto/contract/brokers"
)

const partitions = 4

// brokers answers with those of the environment, else with one started here.
func anyBrokers(t testing.TB) []string {
	t.Helper()
	if env := os.Getenv("WEIR_TEST_KAFKA_BROKERS"); env != "" {
		return strings.Split(env, ",")
	}
	return cluster(t, kfake.Ports(0)).ListenAddrs()
}

func cluster(t testing.TB, o ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, o...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func createTopic(t testing.TB, addrs []string) string {
	t.Helper()
	topic := "usage-" + strings.ToLower(rand.Text())
	client := &kafka.Client{Addr: kafka.TCP(addrs...), Timeout: 10 * time.Second, Transport: &kafka.Transport{MetadataTTL: 200 * time.Millisecond}}
	response, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}},
	})
	if err == nil {
		err = response.Errors[topic]
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "each partition has a leader", func() bool { // brokers answer before
		offsets := make([]kafka.OffsetRequest, partitions)
		for p := range offsets {
			offsets[p] = kafka.LastOffsetOf(p)
		}
		led, err := client.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: offsets}})
		return err == nil && !slices.ContainsFunc(led.Topics[topic], func(p kafka.PartitionOffsets) bool { return p.Error != nil })
	})
	return topic
}

func sender(t testing.TB, c usage.KafkaConfig) *usage.Kafka {
	t.Helper()
	k, err := usage.NewKafka(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// send hands one message over.
func send(t testing.TB, to usage.Sender, agent, value string) error {
	t.Helper()
	taken, err := to.Send(t.Context(), []usage.Message{{AgentID: agent, Value: []byte(value)}})
	if (taken == 1) != (err == nil) {
		t.Errorf("%d taken: %v", taken, err)
	}
	return err
}

// messages reads what stands in all partitions now.
func messages(t testing.TB, addrs []string, topic string) []kafka.Message {
	t.Helper()
	return messagesOf(t, addrs, topic, partitions)
}

func messagesOf(t testing.TB, addrs []string, topic string, partitions int) []kafka.Message {
	t.Helper()
	var all []kafka.Message
	for p := range partitions {
		conn, err := kafka.DialLeader(t.Context(), "tcp", addrs[0], topic, p)
		if err != nil {
			t.Fatal(err)
		}
		end, err := conn.ReadLastOffset()
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: addrs, Topic: topic, Partition: p, MaxWait: 100 * time.Millisecond})
		for range end {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			m, err := reader.ReadMessage(ctx)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		reader.Close()
	}
	return all
}

func values(all []kafka.Message) [][]byte {
	var out [][]byte
	for _, m := range all {
		out = append(out, m.Value)
	}
	return out
}

func TestKafka(t *testing.T) {
	t.Run("one_partition_per_agent_keyed_by_it", func(t *testing.T) {
		addrs := anyBrokers(t)
		topic := createTopic(t, addrs)
		k := sender(t, usage.KafkaConfig{Brokers: addrs, Topic: topic})
		used := map[int]bool{}
		for agent := range 20 {
			for i := range 3 {
				if err := send(t, k, fmt.Sprint("agent", agent), fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		next, where := map[string]int{}, map[string]int{}
		for _, m := range messages(t, addrs, topic) {
			agent := string(m.Key)
			if was, ok := where[agent]; ok && was != m.Partition {
				t.Errorf("%s in partitions %d and %d", agent, was, m.Partition)
			}
			if string(m.Value) != fmt.Sprint(next[agent]) {
				t.Errorf("%s: %s after %d", agent, m.Value, next[agent])
			}
			next[agent]++
			where[agent], used[m.Partition] = m.Partition, true
		}
		if len(next) != 20 || len(used) != partitions {
			t.Errorf("%d agents in %d partitions", len(next), len(used))
		}
	})
	t.Run("ships_a_spool", func(t *testing.T) {
		addrs := anyBrokers(t)
		topic, l := createTopic(t, addrs), openSpool(t)
		stop := run(t, usage.Options{Source: l, Sender: sender(t, usage.KafkaConfig{Brokers: addrs, Topic: topic})})
		requests(t, l, 0, 2500)
		stop()
		checkComplete(t, values(messages(t, addrs, topic)), 2500)
	})
	t.Run("several_agents_at_once_in_order_and_beyond_one_kafka_batch", func(t *testing.T) {
		addrs := anyBrokers(t)
		topic := createTopic(t, addrs)
		k := sender(t, usage.KafkaConfig{Brokers: addrs, Topic: topic})
		var all []usage.Message
		for i := range 12 {
			all = append(all, usage.Message{AgentID: fmt.Sprint("agent", i/4%2), Value: bytes.Repeat([]byte{byte(i)}, 300<<10)})
		}
		for rest := all; len(rest) > 0; {
			taken, err := k.Send(t.Context(), rest)
			if err != nil || taken < 1 {
				t.Fatal(taken, err)
			}
			rest = rest[taken:]
		}
		got := map[string][]byte{}
		for _, m := range messages(t, addrs, topic) {
			got[string(m.Key)] = append(got[string(m.Key)], m.Value[0])
		}
		if !bytes.Equal(got["agent0"], []byte{0, 1, 2, 3, 8, 9, 10, 11}) || !bytes.Equal(got["agent1"], []byte{4, 5, 6, 7}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("what_the_topic_never_takes_is_refused_alone", func(t *testing.T) {
		addrs := cluster(t, kfake.Ports(0)).ListenAddrs()
		topic := createTopic(t, addrs)
		k := sender(t, usage.KafkaConfig{Brokers: addrs, Topic: topic})
		small, large := []byte("small"), make([]byte, 2<<20)
		taken, err := k.Send(t.Context(), []usage.Message{{AgentID: agentID, Value: small}, {AgentID: agentID, Value: large}})
		if taken != 1 || err != nil {
			t.Fatal(taken, err)
		}
		var refused *usage.RefusedError
		if err := send(t, k, agentID, string(large)); !errors.As(err, &refused) {
			t.Errorf("%v", err)
		}
	})
	t.Run("an_unknown_topic_is_an_error", func(t *testing.T) {
		k := sender(t, usage.KafkaConfig{Brokers: anyBrokers(t), Topic: "not-there"})
		if err := send(t, k, agentID, "x"); err == nil {
			t.Error("no error")
		}
	})
}

func freePort(t testing.TB) int {
	t.Helper()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	return taken.Addr().(*net.TCPAddr).Port
}

func TestKafkaOutages(t *testing.T) {
	port := freePort(t)
	addrs, dir := []string{fmt.Sprintf("127.0.0.1:%d", port)}, t.TempDir()
	up := func() *kfake.Cluster {
		return cluster(t, kfake.Ports(port), kfake.DataDir(dir), kfake.SeedTopics(partitions, "usage"))
	}
	l := openSpool(t)
	k := sender(t, usage.KafkaConfig{Brokers: addrs, Topic: "usage", Timeout: time.Second})
	stop := run(t, usage.Options{Source: l, Sender: k, MaxBackoff: 50 * time.Millisecond, FlushWithin: 20 * time.Second})
	requests(t, l, 0, 100) // the broker is down at the start
	for round := range 3 {
		c := up()
		eventually(t, "a batch arrives", func() bool { return len(messages(t, addrs, "usage")) > round })
		requests(t, l, 100+200*round, 100)
		c.Close()
		requests(t, l, 200+200*round, 100)
	}
	up()
	stop()
	checkComplete(t, values(messages(t, addrs, "usage")), 700)
}

func TestKafkaConfig(t *testing.T) {
	t.Run("all_faults_at_once", func(t *testing.T) {
		err := usage.KafkaConfig{Access: brokers.Access{TLS: brokers.TLS{CA: "ca.pem", Key: "key.pem"}, SASL: brokers.SASL{Mechanism: "gssapi", Username: "u", Password: "p"}}}.Validate()
		for _, want := range []string{"no brokers", "no topic", "certificate", "not enabled", "gssapi"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
	})
	t.Run("a_password_shows_itself_to_nobody", func(t *testing.T) {
		config := usage.KafkaConfig{Access: brokers.Access{SASL: brokers.SASL{Password: "canary"}}}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", config, "password", config.SASL.Password)
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		all := fmt.Sprintf("%v %+v %#v %s %s", config, config, config, text, log.String())
		if strings.Contains(all, "canary") {
			t.Error(all)
		}
	})
}
