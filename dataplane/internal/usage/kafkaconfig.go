package usage

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// KafkaConfig is the agent's local configuration of its broker; never policy.
type KafkaConfig struct {
	Brokers []string // host:port
	Topic   string
	TLS     KafkaTLS
	SASL    KafkaSASL
	Shared  bool          // others use the brokers: this login must not read the topic
	Timeout time.Duration // of one request, 10 s
}

// KafkaTLS names files in PEM; without CA the system's roots count.
type KafkaTLS struct {
	Enabled              bool
	CA, Certificate, Key string
	ServerName           string
}

// KafkaSASL: Mechanism is "", "plain", "scram-sha-256" or "scram-sha-512".
type KafkaSASL struct {
	Mechanism string
	Username  string
	Password  Password
}

// Password shows itself to nobody.
type Password string

const redacted = "[redacted]"

func (Password) String() string               { return redacted }
func (Password) GoString() string             { return redacted }
func (Password) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Validate names all that is wrong.
func (c KafkaConfig) Validate() error {
	var all []error
	if len(c.Brokers) == 0 {
		all = append(all, errors.New("kafka: no brokers"))
	}
	if c.Topic == "" {
		all = append(all, errors.New("kafka: no topic"))
	}
	if (c.TLS.Certificate == "") != (c.TLS.Key == "") {
		all = append(all, errors.New("kafka: a client certificate needs its key, and a key its certificate"))
	}
	if !c.TLS.Enabled && c.TLS != (KafkaTLS{}) {
		all = append(all, errors.New("kafka: tls has settings and is not enabled"))
	}
	if _, err := c.SASL.mechanism(); err != nil {
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (c KafkaConfig) transport() (*kafka.Transport, error) {
	mechanism, err := c.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	secure, err := c.TLS.config()
	if err != nil {
		return nil, err
	}
	return &kafka.Transport{
		ClientID: "weir-agent", TLS: secure, SASL: mechanism,
		MetadataTopics: []string{c.Topic}, MetadataTTL: 5 * time.Second,
	}, nil
}

func (s KafkaSASL) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism != "" && (s.Username == "" || s.Password == "") {
		return nil, fmt.Errorf("kafka: sasl %s needs a user name and a password", s.Mechanism)
	}
	switch s.Mechanism {
	case "":
		return nil, nil
	case "plain":
		return plain.Mechanism{Username: s.Username, Password: string(s.Password)}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, s.Username, string(s.Password))
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, s.Username, string(s.Password))
	}
	return nil, fmt.Errorf("kafka: sasl mechanism %q is none of plain, scram-sha-256, scram-sha-512", s.Mechanism)
}

// login is what ACLs call it.
func (s KafkaSASL) login() string {
	if s.Mechanism == "" {
		return "this agent (User:ANONYMOUS, or the name in its certificate)"
	}
	return "User:" + s.Username
}

func (t KafkaTLS) config() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("kafka: read ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka: %s holds no certificate", t.CA)
		}
	}
	if t.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
		if err != nil {
			return nil, fmt.Errorf("kafka: load client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
