// Package brokers is how processes of both planes reach the brokers of usage, which are
// somebody else's: with TLS, and with a login.
package brokers

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Settings are what a process is told of it, by flags (kafka-…) or environment variables;
// never by policy.
type Settings struct {
	TLS             bool   `name:"tls" env:"WEIR_KAFKA_TLS" help:"Speak TLS to the brokers."`
	CAFile          string `name:"ca-file" env:"WEIR_KAFKA_CA_FILE" placeholder:"FILE" help:"Certificates, in PEM, that the brokers' must be signed by; by default those of the system."`
	CertificateFile string `name:"certificate-file" env:"WEIR_KAFKA_CERTIFICATE_FILE" placeholder:"FILE" help:"Certificate of this process, in PEM, for brokers that ask for one; its key is in WEIR_KAFKA_KEY_FILE."`
	KeyFile         string `name:"key-file" env:"WEIR_KAFKA_KEY_FILE" placeholder:"FILE" help:"Key of that certificate, in PEM."`
	SASLMechanism   string `name:"sasl-mechanism" env:"WEIR_KAFKA_SASL_MECHANISM" enum:",PLAIN,SCRAM-SHA-256,SCRAM-SHA-512" default:"" help:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty: no login."`
	Username        string `name:"username" env:"WEIR_KAFKA_USERNAME" help:"Login at the brokers; its password is WEIR_KAFKA_PASSWORD."`
	Password        string `kong:"-"`
}

// Access is what the settings come to.
func (s Settings) Access() Access {
	return Access{
		TLS:  TLS{Enabled: s.TLS, CA: s.CAFile, Certificate: s.CertificateFile, Key: s.KeyFile},
		SASL: SASL{Mechanism: strings.ToLower(s.SASLMechanism), Username: s.Username, Password: Password(s.Password)},
	}
}

// Access is what lets a process in. The zero Access is plain text, and nobody's.
type Access struct {
	TLS  TLS
	SASL SASL
}

// TLS names files in PEM; without CA the system's roots count.
type TLS struct {
	Enabled              bool
	CA, Certificate, Key string
	ServerName           string
}

// SASL: Mechanism is "", "plain", "scram-sha-256" or "scram-sha-512".
type SASL struct {
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

// Validate names all that is wrong, but for what is in files.
func (a Access) Validate() error {
	var all []error
	if (a.TLS.Certificate == "") != (a.TLS.Key == "") {
		all = append(all, errors.New("kafka: a client certificate needs its key, and a key its certificate (WEIR_KAFKA_CERTIFICATE_FILE, WEIR_KAFKA_KEY_FILE)"))
	}
	if !a.TLS.Enabled && a.TLS != (TLS{}) {
		all = append(all, errors.New("kafka: tls has settings and is not enabled: set WEIR_KAFKA_TLS=true"))
	}
	if _, err := a.SASL.mechanism(); err != nil {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// Transport connects as the process that calls itself by clientID, which shows in the
// brokers' logs and quotas. It reads the files, with readFile, and connects to nobody yet.
func (a Access) Transport(clientID string, readFile func(name string) ([]byte, error)) (*kafka.Transport, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	mechanism, err := a.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	secure, err := a.TLS.config(readFile)
	if err != nil {
		return nil, err
	}
	return &kafka.Transport{ClientID: clientID, TLS: secure, SASL: mechanism}, nil
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism != "" && (s.Username == "" || s.Password == "") {
		return nil, fmt.Errorf("kafka: sasl %s needs a user name and a password: WEIR_KAFKA_USERNAME, WEIR_KAFKA_PASSWORD", s.Mechanism)
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

// Login is what ACLs call it.
func (s SASL) Login() string {
	if s.Mechanism == "" {
		return "this process (User:ANONYMOUS, or the name in its certificate)"
	}
	return "User:" + s.Username
}

func (t TLS) config(readFile func(name string) ([]byte, error)) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := readFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("kafka: read ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka: %s holds no certificate", t.CA)
		}
	}
	if t.Certificate != "" {
		certificate, certificateErr := readFile(t.Certificate)
		key, keyErr := readFile(t.Key)
		if err := errors.Join(certificateErr, keyErr); err != nil {
			return nil, fmt.Errorf("kafka: read client certificate: %w", err)
		}
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("kafka: client certificate in %s: %w", t.Certificate, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

const checkLogin = "check WEIR_KAFKA_USERNAME, WEIR_KAFKA_PASSWORD and WEIR_KAFKA_SASL_MECHANISM"

// Explain adds what to do where the brokers do not let the login in.
func (s SASL) Explain(err error) error {
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return fmt.Errorf("the brokers refuse the login of %s: %s: %w", s.Login(), checkLogin, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("the brokers hung up, as some do on a wrong login, and on one that does not speak TLS (WEIR_KAFKA_TLS) where they do: %s: %w", checkLogin, err)
	}
	return err
}
