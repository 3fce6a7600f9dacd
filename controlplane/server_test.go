package controlplane

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/openapi"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	"github.com/weirhq/weir/proto/contract/brokers"
	"github.com/weirhq/weir/proto/gen/weir/usage/v1/usagev1connect"
)

func TestServer_openapi(t *testing.T) {
	_, url := pgtest.OpenURL(t)
	p, err := open(t.Context(), Config{
		Roles: []string{RoleAPI}, PublicURL: "http://console.example", PostgresURL: url, PostgresSuperuser: true,
		HouseKeyFile: filepath.Join(t.TempDir(), "house.key"), ClickHouseReportURL: "clickhouse://127.0.0.1:1",
		OIDCIssuer: "http://127.0.0.1:1", OIDCClientID: "console", OIDCClientSecret: "secret",
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.db.Close()
	s, err := p.server()
	if err != nil {
		t.Fatal(err)
	}
	defer s.closeAll()
	answer := httptest.NewRecorder()
	rpc.NewMux(s.services, s.pages).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	if answer.Code != http.StatusOK || !slices.Equal(answer.Body.Bytes(), openapi.Document()) {
		t.Errorf("without login: %d, %d bytes", answer.Code, answer.Body.Len())
	}
}

// The relay is a role of its own: one that has it asks who calls, one that has it not knows
// no such service.
func TestServer_relay(t *testing.T) {
	_, url := pgtest.OpenURL(t)
	house := filepath.Join(t.TempDir(), "house.key")
	for role, want := range map[string]int{RoleRelay: http.StatusUnauthorized, RoleFleet: http.StatusNotImplemented} {
		p, err := open(t.Context(), Config{
			Roles: []string{role}, PublicURL: "http://console.example", PostgresURL: url, PostgresSuperuser: true,
			HouseKeyFile: house, KafkaBrokers: []string{"127.0.0.1:1"},
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer p.db.Close()
		s, err := p.server()
		if err != nil {
			t.Fatal(err)
		}
		defer s.closeAll()
		answer := httptest.NewRecorder()
		call := httptest.NewRequest(http.MethodPost, usagev1connect.UsageServicePushProcedure, http.NoBody)
		call.Header.Set("Content-Type", "application/proto")
		rpc.NewMux(s.services, s.pages).ServeHTTP(answer, call)
		if answer.Code != want {
			t.Errorf("role %s: %d %s, want %d", role, answer.Code, answer.Body, want)
		}
	}
}

func TestConfig_relay(t *testing.T) {
	err := (&Config{Roles: []string{RoleRelay}, PublicURL: "http://x", RelayURL: "relay.example/x"}).validate()
	for _, want := range []string{"WEIR_RELAY_URL: want http(s)", "WEIR_KAFKA_BROKERS: not set (roles ingest and relay)"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

// A login at the brokers that can't be one is said before anything starts, and never its
// password.
func TestConfig_of_the_brokers(t *testing.T) {
	t.Setenv("WEIR_KAFKA_PASSWORD", "canary")
	c := Config{Roles: []string{RoleIngest}, PublicURL: "http://x", KafkaBrokers: []string{"k:9093"}, Kafka: brokers.Settings{
		CAFile: "ca.pem", KeyFile: "key.pem", SASLMechanism: "SCRAM-SHA-512",
	}}
	if err := c.LoadSecrets(); err != nil {
		t.Fatal(err)
	}
	err := c.validate()
	for _, want := range []string{"WEIR_KAFKA_TLS=true", "WEIR_KAFKA_CERTIFICATE_FILE", "scram-sha-512 needs a user name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	c.Kafka.Username, c.Kafka.TLS, c.Kafka.KeyFile = "weir", true, ""
	if err := c.validate(); strings.Contains(err.Error(), "kafka") || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}
