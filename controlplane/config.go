package controlplane

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/proto/contract/brokers"
)

// Roles that a process can take.
const (
	RoleAPI    = "api"
	RoleFleet  = "fleet"
	RoleIngest = "ingest"
	RoleRelay  = "relay"
)

// maxRate is beyond what one process serves in a second.
const maxRate = 1_000_000

// maxSessionLifetime: a login at the identity provider is asked for again at least
// once a month.
const maxSessionLifetime = 30 * 24 * time.Hour

// Config is what a control-plane process is told, by flags or environment
// variables. What holds a secret comes from the environment or a file only.
type Config struct {
	Roles       []string `env:"WEIR_ROLES" default:"api,fleet,ingest,relay" help:"What this process does: api (admin API and console), fleet (policy to agents), ingest (Kafka to ClickHouse), relay (usage from agents to Kafka)."`
	Listen      string   `env:"WEIR_LISTEN" default:"127.0.0.1:8080" help:"Address of the API, the console and the agents' service."`
	AdminListen string   `env:"WEIR_ADMIN_LISTEN" help:"Private address for metrics and profiles; empty: none."`
	PublicURL   string   `name:"url" env:"WEIR_URL" required:"" help:"URL under which people and agents reach this control plane; agents sign it into their tokens."`
	RelayURL    string   `env:"WEIR_RELAY_URL" help:"URL under which agents reach this relay, where it is another one than WEIR_URL: what they have as WEIR_RELAY_URL."`
	Region      string   `env:"WEIR_REGION" help:"Region whose usage the brokers hold: the relay takes that of gateways in this region only; empty: any."`

	PostgresURL         string           `kong:"-"`
	KeepAnswers         time.Duration    `env:"WEIR_KEEP_ANSWERS" default:"720h" help:"How long a request id is known: until then the same request gets the stored answer."`
	PostgresSuperuser   bool             `env:"WEIR_POSTGRES_SUPERUSER" help:"Serve although the login role of Postgres goes around row-level security; for development."`
	PostgresSynchronous bool             `env:"WEIR_POSTGRES_SYNCHRONOUS" help:"Postgres answers a commit when a standby has it, and none other takes over: after a failover quotas do not wait for agents."`
	KafkaBrokers        []string         `env:"WEIR_KAFKA_BROKERS" help:"Brokers that usage comes from, and that the relay writes to, host:port."`
	KafkaTopic          string           `env:"WEIR_KAFKA_TOPIC" default:"weir.usage.v1" help:"Topic of usage."`
	KafkaDeadTopic      string           `env:"WEIR_KAFKA_DEAD_TOPIC" default:"weir.usage.v1.dead" help:"Topic for what can't be decoded or verified."`
	Kafka               brokers.Settings `embed:"" prefix:"kafka-"`
	IngestGather        time.Duration    `env:"WEIR_INGEST_GATHER" default:"500ms" help:"For how long ingest gathers usage into one block: longer makes fewer parts in ClickHouse, and requests are seen that much later."`
	ClickHouseURL       string           `kong:"-"`
	ClickHouseReportURL string           `kong:"-"`
	ClickHouseDatabase  string           `env:"WEIR_CLICKHOUSE_DATABASE" default:"weir" help:"Database that holds usage."`
	ClickHouseCluster   string           `name:"clickhouse-cluster" env:"WEIR_CLICKHOUSE_CLUSTER" help:"ClickHouse cluster of one shard that holds usage on each of its servers; empty: a single server."`

	OIDCIssuer       string `name:"oidc-issuer" env:"WEIR_OIDC_ISSUER" help:"Identity provider of the console's users."`
	OIDCClientID     string `name:"oidc-client-id" env:"WEIR_OIDC_CLIENT_ID" help:"Client that the identity provider knows this control plane as."`
	OIDCClientSecret string `kong:"-"`

	SessionIdle     time.Duration  `env:"WEIR_SESSION_IDLE" default:"12h" help:"A console session that is not used for so long ends."`
	SessionLifetime time.Duration  `env:"WEIR_SESSION_LIFETIME" default:"168h" help:"A console session ends after so long, used or not."`
	WebhookNetworks []netip.Prefix `env:"WEIR_WEBHOOK_NETWORKS" help:"Networks off the public Internet that webhooks may be sent to, as address/bits; empty: public addresses only."`
	TrustedProxies  []netip.Prefix `env:"WEIR_TRUSTED_PROXIES" help:"Proxies in front of this, as address/bits: their X-Forwarded-For says where a client is."`

	CallTimeout time.Duration `env:"WEIR_CALL_TIMEOUT" default:"30s" help:"A call of the API that takes longer is given up, but for streams; reports have bounds of their own."`

	PrincipalRate  float64 `env:"WEIR_PRINCIPAL_RATE" default:"200" help:"Calls of the API a second, per service account or member and process; 0: no limit."`
	PrincipalBurst float64 `env:"WEIR_PRINCIPAL_BURST" default:"400" help:"Calls that may come at once after a rest."`
	StrangerRate   float64 `env:"WEIR_STRANGER_RATE" default:"20" help:"Calls of the API a second without valid credentials, per address and process; 0: no limit. Behind a proxy all have its address."`
	StrangerBurst  float64 `env:"WEIR_STRANGER_BURST" default:"40" help:"Such calls that may come at once after a rest."`

	HouseKeyFile  string `env:"WEIR_HOUSE_KEY_FILE" required:"" help:"File with the key that wraps secrets at rest; made where there is none. Back it up apart from Postgres."`
	OperatorToken string `kong:"-"`
}

// secretVariables fill what no flag may show in a process list. NAME_FILE, where
// set, names a file with the value.
func (c *Config) secretVariables() map[string]*string {
	return map[string]*string{
		"WEIR_POSTGRES_URL":          &c.PostgresURL,
		"WEIR_CLICKHOUSE_URL":        &c.ClickHouseURL,
		"WEIR_KAFKA_PASSWORD":        &c.Kafka.Password,
		"WEIR_CLICKHOUSE_REPORT_URL": &c.ClickHouseReportURL,
		"WEIR_OIDC_CLIENT_SECRET":    &c.OIDCClientSecret,
		"WEIR_OPERATOR_TOKEN":        &c.OperatorToken,
	}
}

// LoadSecrets reads the secret settings from the environment or the files that it
// names.
func (c *Config) LoadSecrets() error {
	var faults []error
	for name, value := range c.secretVariables() {
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

// validate lists every fault at once, each with the variable that mends it.
func (c *Config) validate() error {
	var faults []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	known := []string{RoleAPI, RoleFleet, RoleIngest, RoleRelay}
	for _, role := range c.Roles {
		require(slices.Contains(known, role), "WEIR_ROLES: no role %q; there are %s", role, strings.Join(known, ", "))
	}
	require(isOrigin(c.PublicURL), "WEIR_URL: want http(s)://host[:port] without a path")
	require(c.RelayURL == "" || isOrigin(c.RelayURL), "WEIR_RELAY_URL: want http(s)://host[:port] without a path")
	for name, rate := range map[string]float64{
		"WEIR_PRINCIPAL_RATE": c.PrincipalRate, "WEIR_PRINCIPAL_BURST": c.PrincipalBurst,
		"WEIR_STRANGER_RATE": c.StrangerRate, "WEIR_STRANGER_BURST": c.StrangerBurst,
	} {
		require(rate >= 0 && rate <= maxRate, "%s: want 0..%d, not %g", name, maxRate, rate)
	}
	require(c.CallTimeout >= time.Second && c.CallTimeout <= time.Hour, "WEIR_CALL_TIMEOUT: want 1s..1h, not %s", c.CallTimeout)
	require(c.PostgresURL != "", "WEIR_POSTGRES_URL: not set")
	require(c.KeepAnswers >= time.Hour, "WEIR_KEEP_ANSWERS: want at least an hour, callers retry")
	if c.does(RoleAPI) {
		require(c.ClickHouseReportURL != "", "WEIR_CLICKHOUSE_REPORT_URL: not set (role api)")
		require(c.OIDCIssuer != "" && c.OIDCClientID != "", "WEIR_OIDC_ISSUER, WEIR_OIDC_CLIENT_ID: not set (role api)")
		require(len(c.OperatorToken) >= 32, "WEIR_OPERATOR_TOKEN: want at least 32 characters (role api)")
	}
	require(c.SessionIdle >= 0 && c.SessionIdle <= c.SessionLifetime && c.SessionLifetime <= maxSessionLifetime,
		"WEIR_SESSION_IDLE, WEIR_SESSION_LIFETIME: want the first not above the second, the second at most %s", maxSessionLifetime)
	if c.does(RoleIngest) {
		require(c.ClickHouseURL != "", "WEIR_CLICKHOUSE_URL: not set (role ingest)")
		if err := clickhouse.Cluster(c.ClickHouseCluster).Validate(); err != nil {
			faults = append(faults, fmt.Errorf("WEIR_CLICKHOUSE_CLUSTER: %w", err))
		}
		require(c.IngestGather >= 10*time.Millisecond && c.IngestGather <= time.Second, "WEIR_INGEST_GATHER: want 10ms..1s, not %s", c.IngestGather)
	}
	if c.does(RoleIngest) || c.does(RoleRelay) {
		require(len(c.KafkaBrokers) > 0, "WEIR_KAFKA_BROKERS: not set (roles ingest and relay)")
		faults = append(faults, c.Kafka.Access().Validate())
	}
	return errors.Join(faults...)
}

func (c *Config) does(role string) bool { return slices.Contains(c.Roles, role) }

func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") == ""
}
