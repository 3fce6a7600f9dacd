//go:build apachekafka

package usage_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/dataplane/internal/usage"
	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/apache/apachetest"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/proto/contract/batch"
	"github.com/weirhq/weir/proto/contract/brokers"
)

var users = map[string]string{"writer": "right", "stranger": "right too", "reader": "right as well"}

// TestApache is about who may speak to a broker, and what it says to others.
func TestApache(t *testing.T) {
	c := apachetest.Start(t, apache.Config{Nodes: 1, Users: users, Topics: []engine.Topic{{Name: "usage", Partitions: partitions}}})
	if err := c.Allow(t.Context(), "writer", "usage", kafka.ACLOperationTypeWrite); err != nil {
		t.Fatal(err)
	}
	t.Run("passwords", func(t *testing.T) { passwords(t, c) })
	t.Run("certificates", func(t *testing.T) { certificates(t, c) })
	t.Run("a_shared_broker", func(t *testing.T) { shared(t, c) })
	t.Run("a_record_too_large", func(t *testing.T) {
		topic := createTopic(t, []string{c.Open})
		config := usage.KafkaConfig{Brokers: []string{c.Open}, Topic: topic}
		refused(t, config, make([]byte, 2<<20), "Message Size Too Large")
		accepted(t, config)
	})
	t.Run("as_much_at_once_as_is_sent", func(t *testing.T) { // to a topic as it comes
		var all []usage.Message
		for range 20 {
			all = append(all, usage.Message{AgentID: agentID, Value: make([]byte, 64<<10)})
		}
		k := sender(t, usage.KafkaConfig{Brokers: []string{c.Open}, Topic: createTopic(t, []string{c.Open})})
		if taken, err := k.Send(t.Context(), all); err != nil || taken < 14 {
			t.Errorf("%d of 20 were taken at once: %v", taken, err)
		}
	})
	t.Run("makes_no_topic", func(t *testing.T) { // although the broker would, if it were asked to
		refused(t, usage.KafkaConfig{Brokers: []string{c.Open}, Topic: "not-there"}, []byte("x"), "Unknown Topic Or Partition")
		if _, err := os.Stat(filepath.Join(filepath.Dir(c.CA), "node1", "data", "not-there-0")); err == nil {
			t.Error("there is a topic now")
		}
	})
	t.Run("killed_under_load", func(t *testing.T) {
		topic := createTopic(t, []string{c.Open})
		shipsThrough(t, c, topic, partitions, func() {
			c.Nodes[0].Kill()
			time.Sleep(time.Second)
			start(t, c.Nodes[0])
		})
	})
	t.Run("more_partitions_under_load", func(t *testing.T) {
		topic := createTopic(t, []string{c.Open})
		client, done := c.Client()
		defer done()
		shipsThrough(t, c, topic, 3*partitions, func() {
			answer, err := client.CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 3 * partitions}}})
			if err = errors.Join(err, answer.Errors[topic]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		})
	})
}

// TestLongApache is about three brokers of which each dies and hangs for as long as machines do, and a topic made anew.
func TestLongApache(t *testing.T) {
	c := apachetest.Start(t, apache.Config{Nodes: 3, Settings: map[string]string{"auto.create.topics.enable": "false"}, Topics: []engine.Topic{{Name: "usage", Partitions: partitions}}})
	brokers := strings.Split(c.Open, ",")
	refused(t, usage.KafkaConfig{Brokers: brokers, Topic: "not-there"}, []byte("x"), "Unknown Topic Or Partition")
	shipsThrough(t, c, "usage", partitions, func() {
		for _, n := range c.Nodes {
			n.Kill()
			time.Sleep(3 * time.Second)
			start(t, n)
			if err := n.Pause(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
			if err := n.Continue(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
		}
	})

	client, done := c.Client()
	defer done()
	k := sender(t, usage.KafkaConfig{Brokers: brokers, Topic: "usage", Timeout: 5 * time.Second})
	send := func() error {
		_, err := k.Send(t.Context(), []usage.Message{{AgentID: agentID, Value: []byte("of the new topic")}})
		return err
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{"usage"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the topic is gone", func() bool { return send() != nil })
	eventually(t, "it is made anew", func() bool {
		answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: "usage", NumPartitions: partitions, ReplicationFactor: 3}}})
		return err == nil && answer.Errors["usage"] == nil
	})
	eventually(t, "what is sent arrives", func() bool { return send() == nil })
	if all := messages(t, brokers, "usage"); len(all) == 0 || string(all[0].Value) != "of the new topic" {
		t.Errorf("the new topic has %d records", len(all))
	}
}

func passwords(t *testing.T, c *apache.Cluster) {
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		t.Run(mechanism, func(t *testing.T) {
			config := func(user, password string) usage.KafkaConfig {
				return usage.KafkaConfig{Brokers: []string{c.SASL}, Topic: "usage", Access: brokers.Access{SASL: brokers.SASL{Mechanism: mechanism, Username: user, Password: brokers.Password(password)}}}
			}
			accepted(t, config("writer", "right"))
			refused(t, config("writer", "wrong"), []byte("x"), "SASL Authentication Failed")
			refused(t, config("nobody", "right"), []byte("x"), "SASL Authentication Failed")
			refused(t, config("stranger", "right too"), []byte("x"), "Topic Authorization Failed")

			secure := config("writer", "right")
			secure.Brokers, secure.TLS = []string{c.SASLTLS}, brokers.TLS{Enabled: true, CA: c.CA}
			accepted(t, secure)
		})
	}
	t.Run("none_where_one_is_wanted", func(t *testing.T) {
		refused(t, usage.KafkaConfig{Brokers: []string{c.SASL}, Topic: "usage"}, []byte("x"), "WEIR_KAFKA_SASL_MECHANISM")
	})
}

func certificates(t *testing.T, c *apache.Cluster) {
	writer, err := c.ClientCertificate("writer")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := c.ClientCertificate("stranger")
	if err != nil {
		t.Fatal(err)
	}
	config := func(certificate string) usage.KafkaConfig {
		return usage.KafkaConfig{Brokers: []string{c.TLS}, Topic: "usage", Access: brokers.Access{TLS: brokers.TLS{Enabled: true, CA: c.CA, Certificate: certificate, Key: certificate}}}
	}
	accepted(t, config(writer))
	refused(t, config(stranger), []byte("x"), "Topic Authorization Failed")
	refused(t, config(""), []byte("x"), "certificate")
	unknown := config(writer)
	unknown.TLS.CA = "" // the system's do not know it
	refused(t, unknown, []byte("x"), "certificate signed by unknown authority")
	t.Run("none_where_tls_is_wanted", func(t *testing.T) {
		refused(t, usage.KafkaConfig{Brokers: []string{c.TLS}, Topic: "usage"}, []byte("x"), "WEIR_KAFKA_TLS")
	})
	t.Run("tls_where_none_is_spoken", func(t *testing.T) {
		refused(t, usage.KafkaConfig{Brokers: []string{c.Open}, Topic: "usage", Access: brokers.Access{TLS: brokers.TLS{Enabled: true, CA: c.CA}}}, []byte("x"), "WEIR_KAFKA_TLS")
	})
}

// shared brokers give an agent Write and nothing else: one that could read does not start.
func shared(t *testing.T, c *apache.Cluster) {
	check := func() error {
		config := usage.KafkaConfig{
			Brokers: []string{c.SASL}, Topic: "usage", Shared: true,
			Access: brokers.Access{SASL: brokers.SASL{Mechanism: "scram-sha-256", Username: "reader", Password: brokers.Password(users["reader"])}},
		}
		return sender(t, config).CheckShared(t.Context(), agentID)
	}
	allow := func(operation kafka.ACLOperationType) {
		t.Helper()
		if err := c.Allow(t.Context(), "reader", "usage", operation); err != nil {
			t.Fatal(err)
		}
	}
	allow(kafka.ACLOperationTypeWrite)
	if err := check(); err != nil {
		t.Errorf("it may write only: %v", err)
	}
	allow(kafka.ACLOperationTypeRead)
	eventually(t, "a login that may read is refused", func() bool { return errors.Is(check(), usage.ErrReadable) })
}

func accepted(t *testing.T, c usage.KafkaConfig) {
	t.Helper()
	if _, err := sender(t, c).Send(t.Context(), []usage.Message{{AgentID: agentID, Value: []byte("x")}}); err != nil {
		t.Error(err)
	}
}

// refused demands an error that says why, and no password.
func refused(t *testing.T, c usage.KafkaConfig, value []byte, want string) {
	t.Helper()
	c.Timeout = 5 * time.Second
	_, err := sender(t, c).Send(t.Context(), []usage.Message{{AgentID: agentID, Value: value}})
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("want %q, got: %v", want, err)
	}
	for _, password := range users {
		if err != nil && strings.Contains(err.Error(), password) && c.SASL.Mechanism != "" {
			t.Errorf("the password %q is in: %v", password, err)
		}
	}
}

// shipsThrough ships a spool that is filled all the time while something happens, and demands everything from the topic,
// which has so many partitions in the end.
func shipsThrough(t *testing.T, c *apache.Cluster, topic string, count int, something func()) {
	t.Helper()
	brokers := strings.Split(c.Open, ",")
	l := openSpool(t)
	k := sender(t, usage.KafkaConfig{Brokers: brokers, Topic: topic, Timeout: 5 * time.Second})
	stop := run(t, usage.Options{Source: l, Sender: k, MaxBackoff: 200 * time.Millisecond, FlushWithin: 2 * time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	filled := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n += 10 {
			requests(t, l, n, 10)
			time.Sleep(5 * time.Millisecond)
		}
		filled <- n
	}()
	eventually(t, "something is there", func() bool { return len(messages(t, brokers, topic)) > 3 })
	something()
	cancel()
	n := <-filled
	stop()
	all := values(messagesOf(t, brokers, topic, count))
	slices.SortStableFunc(all, func(a, b []byte) int { return cmp.Compare(firstSeq(t, a), firstSeq(t, b)) })
	checkComplete(t, all, int64(n))
}

func firstSeq(t *testing.T, value []byte) int64 {
	t.Helper()
	header, err := batch.Header(value)
	if err != nil {
		t.Fatal(err)
	}
	return header.GetFirstSeq()
}

func start(t *testing.T, n *apache.Node) {
	t.Helper()
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}
