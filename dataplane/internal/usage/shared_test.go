package usage_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirhq/weir/dataplane/internal/usage"
	"github.com/weirhq/weir/proto/contract/brokers"
	"github.com/weirhq/weir/proto/contract/brokers/brokerstest"
)

// secured has the topic usage.
func secured(t *testing.T, options ...kfake.Opt) (addrs []string, ca string) {
	t.Helper()
	return brokerstest.Secured(t, append([]kfake.Opt{kfake.SeedTopics(partitions, "usage")}, options...)...)
}

const (
	literal  = kmsg.ACLResourcePatternTypeLiteral
	prefixed = kmsg.ACLResourcePatternTypePrefixed
)

// Each mechanism logs in for real, over TLS, as one that may only write.
func TestLogins(t *testing.T) {
	for mechanism, method := range map[string]string{"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			addrs, ca := secured(t, kfake.User(method, "agent", "right", brokerstest.Allow(kmsg.ACLOperationWrite, "usage", literal)))
			config := usage.KafkaConfig{
				Brokers: addrs, Topic: "usage", Timeout: 3 * time.Second, Shared: true,
				Access: brokers.Access{
					TLS:  brokers.TLS{Enabled: true, CA: ca},
					SASL: brokers.SASL{Mechanism: mechanism, Username: "agent", Password: "right"},
				},
			}
			right := sender(t, config)
			if err := right.CheckShared(t.Context(), agentID); err != nil {
				t.Error(err)
			}
			if err := send(t, right, agentID, "x"); err != nil {
				t.Error(err)
			}
			wrong := config
			wrong.SASL.Password = "guessed"
			err := send(t, sender(t, wrong), agentID, "x")
			if err == nil || !strings.Contains(err.Error(), "check WEIR_KAFKA_USERNAME, WEIR_KAFKA_PASSWORD") || strings.Contains(err.Error(), "guessed") {
				t.Errorf("wrong password: %v", err)
			}
			unknown := config
			unknown.TLS.CA = ""
			if err := send(t, sender(t, unknown), agentID, "x"); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("a certificate of nobody: %v", err)
			}
		})
	}
}

func TestSharedBrokers(t *testing.T) {
	write := brokerstest.Allow(kmsg.ACLOperationWrite, "usage", literal)
	for name, c := range map[string]struct {
		acls     []kfake.ACL
		topic    string
		shared   bool
		readable bool
		sends    bool
	}{
		"write_alone":            {acls: []kfake.ACL{write}, topic: "usage", shared: true, sends: true},
		"read_too":               {acls: []kfake.ACL{write, brokerstest.Allow(kmsg.ACLOperationRead, "usage", literal)}, topic: "usage", shared: true, readable: true},
		"all_operations":         {acls: []kfake.ACL{brokerstest.Allow(kmsg.ACLOperationAll, "usage", literal)}, topic: "usage", shared: true, readable: true},
		"read_by_a_prefix":       {acls: []kfake.ACL{write, brokerstest.Allow(kmsg.ACLOperationRead, "us", prefixed)}, topic: "usage", shared: true, readable: true},
		"read_and_nobody_shares": {acls: []kfake.ACL{write, brokerstest.Allow(kmsg.ACLOperationRead, "usage", literal)}, topic: "usage", sends: true},
		"nothing":                {topic: "usage", shared: true},
	} {
		t.Run(name, func(t *testing.T) {
			addrs, ca := secured(t, kfake.User("PLAIN", "agent", "right", c.acls...))
			k := sender(t, usage.KafkaConfig{
				Brokers: addrs, Topic: c.topic, Timeout: 3 * time.Second, Shared: c.shared,
				Access: brokers.Access{
					TLS:  brokers.TLS{Enabled: true, CA: ca},
					SASL: brokers.SASL{Mechanism: "plain", Username: "agent", Password: "right"},
				},
			})
			err := k.CheckShared(t.Context(), agentID)
			if errors.Is(err, usage.ErrReadable) != c.readable {
				t.Errorf("check: %v", err)
			}
			if c.readable && (!strings.Contains(err.Error(), "User:agent") || !strings.Contains(err.Error(), "topic usage")) {
				t.Errorf("it does not say which ACL: %v", err)
			}
			if err := send(t, k, agentID, "x"); (err == nil) != c.sends || errors.Is(err, usage.ErrReadable) != c.readable {
				t.Errorf("send: %v", err)
			}
		})
	}
	t.Run("nobody_knows_while_they_are_away", func(t *testing.T) {
		k := sender(t, usage.KafkaConfig{Brokers: []string{"127.0.0.1:1"}, Topic: "usage", Timeout: time.Second, Shared: true})
		if err := k.CheckShared(t.Context(), agentID); err == nil || errors.Is(err, usage.ErrReadable) {
			t.Error(err)
		}
	})
}
