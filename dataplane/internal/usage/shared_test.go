package usage_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirhq/weir/dataplane/internal/usage"
)

// secured is a broker that speaks TLS, wants logins and holds them to ACLs. It returns the
// file with its certificate.
func secured(t *testing.T, options ...kfake.Opt) (addrs []string, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	c := cluster(t, append([]kfake.Opt{
		kfake.Ports(0), kfake.TLS(config), kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(partitions, "usage"),
		kfake.Superuser("PLAIN", "admin", "admin"),
	}, options...)...)
	return c.ListenAddrs(), ca
}

func allow(operation kmsg.ACLOperation, name string, pattern kmsg.ACLResourcePatternType) kfake.ACL {
	return kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: name, Pattern: pattern, Operation: operation, Allow: true}
}

const (
	literal  = kmsg.ACLResourcePatternTypeLiteral
	prefixed = kmsg.ACLResourcePatternTypePrefixed
)

// Each mechanism logs in for real, over TLS, as one that may only write.
func TestLogins(t *testing.T) {
	for mechanism, method := range map[string]string{"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			addrs, ca := secured(t, kfake.User(method, "agent", "right", allow(kmsg.ACLOperationWrite, "usage", literal)))
			config := usage.KafkaConfig{
				Brokers: addrs, Topic: "usage", Timeout: 3 * time.Second, Shared: true, TLS: usage.KafkaTLS{Enabled: true, CA: ca},
				SASL: usage.KafkaSASL{Mechanism: mechanism, Username: "agent", Password: "right"},
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
	write := allow(kmsg.ACLOperationWrite, "usage", literal)
	for name, c := range map[string]struct {
		acls     []kfake.ACL
		topic    string
		shared   bool
		readable bool
		sends    bool
	}{
		"write_alone":            {acls: []kfake.ACL{write}, topic: "usage", shared: true, sends: true},
		"read_too":               {acls: []kfake.ACL{write, allow(kmsg.ACLOperationRead, "usage", literal)}, topic: "usage", shared: true, readable: true},
		"all_operations":         {acls: []kfake.ACL{allow(kmsg.ACLOperationAll, "usage", literal)}, topic: "usage", shared: true, readable: true},
		"read_by_a_prefix":       {acls: []kfake.ACL{write, allow(kmsg.ACLOperationRead, "us", prefixed)}, topic: "usage", shared: true, readable: true},
		"read_and_nobody_shares": {acls: []kfake.ACL{write, allow(kmsg.ACLOperationRead, "usage", literal)}, topic: "usage", sends: true},
		"nothing":                {topic: "usage", shared: true},
	} {
		t.Run(name, func(t *testing.T) {
			addrs, ca := secured(t, kfake.User("PLAIN", "agent", "right", c.acls...))
			k := sender(t, usage.KafkaConfig{
				Brokers: addrs, Topic: c.topic, Timeout: 3 * time.Second, Shared: c.shared, TLS: usage.KafkaTLS{Enabled: true, CA: ca},
				SASL: usage.KafkaSASL{Mechanism: "plain", Username: "agent", Password: "right"},
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
