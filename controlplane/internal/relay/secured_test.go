package relay_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/relay"
	"github.com/weirhq/weir/proto/contract/brokers"
	"github.com/weirhq/weir/proto/contract/brokers/brokerstest"
)

// The relay writes over TLS by a login that may write alone, and of one that is refused the
// agent hears nothing but that it is to keep its usage.
func TestBrokersWithLogins(t *testing.T) {
	addrs, ca := brokerstest.Secured(t, kfake.SeedTopics(1, topic),
		kfake.User("SCRAM-SHA-256", "relay", "right", brokerstest.Allow(kmsg.ACLOperationWrite, topic, kmsg.ACLResourcePatternTypeLiteral)))
	config := relay.KafkaConfig{Brokers: addrs, Topic: topic, Timeout: 5 * time.Second, Access: brokers.Access{
		TLS: brokers.TLS{Enabled: true, CA: ca}, SASL: brokers.SASL{Mechanism: "scram-sha-256", Username: "relay", Password: "right"},
	}}
	produce := func(c relay.KafkaConfig) error {
		producer, err := relay.NewKafka(c)
		if err != nil {
			t.Fatal(err)
		}
		defer producer.Close()
		_, err = producer.Produce(t.Context(), uuid.NewString(), [][]byte{[]byte("usage")})
		return err
	}
	if err := produce(config); err != nil {
		t.Error(err)
	}
	transport, err := brokers.Access{TLS: config.Access.TLS, SASL: brokers.SASL{Mechanism: "plain", Username: "admin", Password: "admin"}}.Transport("test", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	admin := kafka.Client{Addr: kafka.TCP(addrs...), Transport: transport}
	bounds, err := admin.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}}})
	if err != nil || bounds.Topics[topic][0].LastOffset != 1 {
		t.Errorf("the topic has %+v, %v", bounds, err)
	}
	config.Access.SASL.Password = "guessed"
	err = produce(config)
	var told *fault.Error
	if !errors.As(err, &told) || told.Reason != "broker_unavailable" || strings.Contains(told.Error(), "guessed") {
		t.Fatalf("told %v", err)
	}
	if told.Cause == nil || !strings.Contains(told.Cause.Error(), "check WEIR_KAFKA_USERNAME, WEIR_KAFKA_PASSWORD") {
		t.Errorf("the log says %v", told.Cause)
	}
}
