package dataplane

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/usage"
	"github.com/weirhq/weir/proto/contract/brokers"
)

// Config is what an agent is told, by flags or environment variables. It is local:
// no policy can change it.
type Config struct {
	Listen      string `env:"WEIR_LISTEN" default:"127.0.0.1:8090" help:"Address that applications use."`
	AdminListen string `env:"WEIR_ADMIN_LISTEN" default:"127.0.0.1:8091" help:"Private address for health, metrics and profiles."`
	ControlURL  string `env:"WEIR_CONTROL_URL" required:"" help:"URL of the control plane, exactly as it names itself."`
	Name        string `env:"WEIR_AGENT_NAME" help:"Name to show to people; by default the host's."`
	Region      string `env:"WEIR_REGION" help:"Region that this agent runs in. A policy of a gateway of another region is refused; empty: any."`
	StateDir    string `env:"WEIR_STATE_DIR" required:"" help:"Folder for identity, policy and spool; keep it on a volume of its own."`

	DrainDelay time.Duration `env:"WEIR_DRAIN_DELAY" default:"3s" help:"How long to go on accepting requests after being told to stop, while /readyz says so: as long as load balancers need to notice."`

	DrainTimeout    time.Duration `env:"WEIR_DRAIN_TIMEOUT" default:"30s" help:"How long requests in flight may go on after that; what is left then is cut, with an error in its own dialect."`
	DeliveryTimeout time.Duration `env:"WEIR_DELIVERY_TIMEOUT" default:"10s" help:"How long to wait after that until the control plane has confirmed all usage, so that the state folder may be thrown away; 0s: leave it to the next start."`

	EnrolmentToken string `kong:"-"`
	// Hurry, once closed, ends an agent that was told to stop: at once. Nil: nothing does.
	Hurry <-chan struct{} `kong:"-"`

	AllowUpstreams []string `env:"WEIR_ALLOW_UPSTREAMS" sep:";" placeholder:"ORIGIN=REFERENCE,…" help:"Origins that this agent may send to, and the credential references each may use (separated by ;); sealed stands for sealed credentials. By default the public hosts of known providers with env://WEIR_SECRET_*, file:///etc/weir/secrets/ and sealed."`
	GatewayKeyFile string   `env:"WEIR_GATEWAY_KEY_FILE" placeholder:"FILE" help:"File with the gateway's private keys, which open sealed credentials (weir-agent gateway-key new makes one)."`
	PolicyFile     string   `env:"WEIR_POLICY_FILE" placeholder:"FILE" help:"Policy to begin with where the state folder has none as new (weir-agent policy export makes it): then the agent serves before it ever reached the control plane."`
	PolicyKeys     []string `env:"WEIR_POLICY_KEYS" sep:"," placeholder:"ID=KEY,…" help:"The organization's signing keys, which verify the policy file while the agent is not enrolled; weir-agent policy export prints them."`

	FingerprintKeyFile string `env:"WEIR_FINGERPRINT_KEY_FILE" placeholder:"FILE" help:"File with at least 32 random bytes that the agents of the gateway share, to fingerprint credentials and hash end users with; by default made from the gateway key, else the agent's own."`

	UsageVia string `env:"WEIR_USAGE_VIA" enum:",relay,kafka" default:"" help:"How usage gets out: relay (over the control plane's URL, or WEIR_RELAY_URL) or kafka. By default kafka where WEIR_KAFKA_BROKERS is set, else relay. weir-agent usage via changes it while the agent runs."`
	RelayURL string `env:"WEIR_RELAY_URL" help:"URL of the relay of the gateway's region, exactly as it names itself; by default WEIR_CONTROL_URL."`

	KafkaBrokers []string         `env:"WEIR_KAFKA_BROKERS" help:"Brokers that usage may be sent to without a relay, host:port."`
	KafkaTopic   string           `env:"WEIR_KAFKA_TOPIC" default:"weir.usage.v1" help:"Topic that usage is sent to."`
	KafkaShared  bool             `env:"WEIR_KAFKA_SHARED" help:"Others use the brokers, too: do not start where this agent's login can read the topic."`
	Kafka        brokers.Settings `embed:"" prefix:"kafka-"`

	LogLevel     string `env:"WEIR_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" help:"Least level of lines in the log; requests have info."`
	AccessLog    string `env:"WEIR_ACCESS_LOG" enum:"all,failed,none" default:"all" help:"Which requests have a line in the log: all, failed or none."`
	OTLPEndpoint string `env:"WEIR_OTLP_ENDPOINT" placeholder:"URL" help:"Collector that traces are sent to over OTLP/HTTP, such as http://collector:4318; empty: what OTEL_EXPORTER_OTLP_ENDPOINT says, else no traces."`

	QuotaWait time.Duration `env:"WEIR_QUOTA_WAIT" default:"50ms" help:"How long a request waits at most for the control plane's quota ledger: only where its quota is new here or nearly used up. Where calls take longer than that from here (weir_agent_quota_call_seconds), more."`

	SpoolMaxBytes int64 `env:"WEIR_SPOOL_MAX_BYTES" default:"5368709120" help:"Usage kept on disk while it can't be delivered; beyond it, requests are refused."`
}

// LoadSecrets reads the secret settings from the environment or the files that it
// names.
func (c *Config) LoadSecrets() error {
	var faults []error
	for name, value := range map[string]*string{
		"WEIR_ENROLMENT_TOKEN": &c.EnrolmentToken,
		"WEIR_KAFKA_PASSWORD":  &c.Kafka.Password,
	} {
		*value = os.Getenv(name)
		path := os.Getenv(name + "_FILE")
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s_FILE: %w", name, err))
		}
		*value = strings.TrimSpace(string(text))
	}
	return errors.Join(faults...)
}

func (c *Config) validate() error {
	var faults []error
	if !isOrigin(c.ControlURL) {
		faults = append(faults, errors.New("WEIR_CONTROL_URL: want http(s)://host[:port] without a path"))
	}
	if c.RelayURL != "" && !isOrigin(c.RelayURL) {
		faults = append(faults, errors.New("WEIR_RELAY_URL: want http(s)://host[:port] without a path"))
	}
	if c.way() == usage.ByKafka && len(c.KafkaBrokers) == 0 {
		faults = append(faults, errors.New("WEIR_USAGE_VIA: kafka needs WEIR_KAFKA_BROKERS"))
	}
	if c.KafkaShared && len(c.KafkaBrokers) == 0 {
		faults = append(faults, errors.New("WEIR_KAFKA_SHARED: there are no WEIR_KAFKA_BROKERS to share"))
	}
	if c.StateDir == "" {
		faults = append(faults, errors.New("WEIR_STATE_DIR: not set"))
	}
	if c.DrainDelay < 0 || c.DrainDelay > 5*time.Minute {
		faults = append(faults, errors.New("WEIR_DRAIN_DELAY: want 0s to 5m"))
	}
	if c.DrainTimeout < 0 || c.DrainTimeout > time.Hour {
		faults = append(faults, errors.New("WEIR_DRAIN_TIMEOUT: want 0s to 1h"))
	}
	if c.DeliveryTimeout < 0 || c.DeliveryTimeout > time.Hour {
		faults = append(faults, errors.New("WEIR_DELIVERY_TIMEOUT: want 0s to 1h"))
	}
	if c.QuotaWait < 0 || c.QuotaWait > 2*time.Second {
		faults = append(faults, errors.New("WEIR_QUOTA_WAIT: want 0s (50 ms) to 2s"))
	}
	if _, err := control.ParseSigningKeys(c.PolicyKeys); err != nil {
		faults = append(faults, fmt.Errorf("WEIR_POLICY_KEYS: %w", err))
	}
	if c.SpoolMaxBytes < 64<<20 {
		faults = append(faults, errors.New("WEIR_SPOOL_MAX_BYTES: want at least 67108864 (64 MiB)"))
	}
	return errors.Join(faults...)
}

func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") == "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// way is how usage gets out after the start.
func (c *Config) way() string {
	switch {
	case c.UsageVia != "":
		return c.UsageVia
	case len(c.KafkaBrokers) > 0:
		return usage.ByKafka
	}
	return usage.ByRelay
}

// relay is the URL that usage is pushed to, and signed for.
func (c *Config) relay() string { return strings.TrimRight(cmp.Or(c.RelayURL, c.ControlURL), "/") }
