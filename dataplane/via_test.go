package dataplane

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

func viaConfig(t *testing.T) Config {
	t.Helper()
	return Config{
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: t.TempDir(),
		KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AccessLog: "none",
	}
}

func TestWayOfUsage(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		way    string
		fault  string
	}{
		"relay_where_nothing_is_said":    {func(*Config) {}, "relay", ""},
		"kafka_where_there_are_brokers":  {func(c *Config) { c.KafkaBrokers = []string{"k:9092"} }, "kafka", ""},
		"relay_though_there_are_brokers": {func(c *Config) { c.KafkaBrokers, c.UsageVia = []string{"k:9092"}, "relay" }, "relay", ""},
		"kafka_without_brokers":          {func(c *Config) { c.UsageVia = "kafka" }, "kafka", "WEIR_USAGE_VIA: kafka needs WEIR_KAFKA_BROKERS"},
		"shared_without_brokers":         {func(c *Config) { c.KafkaShared = true }, "relay", "WEIR_KAFKA_SHARED"},
		"a_path_in_the_relays_url":       {func(c *Config) { c.RelayURL = "https://relay.example/eu" }, "relay", "WEIR_RELAY_URL"},
		"a_password_in_the_relays_url":   {func(c *Config) { c.RelayURL = "https://me:secret@relay.example" }, "relay", "WEIR_RELAY_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			config := viaConfig(t)
			c.change(&config)
			err := config.validate()
			if config.way() != c.way || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("way %s, %v", config.way(), err)
			}
		})
	}
}

func TestUsageVia(t *testing.T) {
	config := viaConfig(t)
	config.KafkaBrokers, config.RelayURL = []string{"k:9092"}, "https://relay.example/"
	a, err := newAgent(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	server := httptest.NewServer(a.private())
	defer server.Close()
	call := func(method, body string, headers ...string) (int, string) {
		t.Helper()
		request, _ := http.NewRequestWithContext(t.Context(), method, server.URL+"/usage/via", strings.NewReader(body))
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		said, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(said)
	}
	expect := func(status int, says string, gotStatus int, said string) {
		t.Helper()
		if gotStatus != status || !strings.Contains(said, says) {
			t.Errorf("%d %s, want %d %s", gotStatus, said, status, says)
		}
	}
	status, said := call(http.MethodGet, "")
	expect(http.StatusOK, "usage goes by kafka, to usage of k:9092\n", status, said)
	status, said = call(http.MethodPost, "relay\n")
	expect(http.StatusOK, "usage goes by relay, to https://relay.example; after a restart it goes by kafka, as configured\n", status, said)
	status, said = call(http.MethodPost, "pigeon")
	expect(http.StatusConflict, "configured for kafka and relay\n", status, said)
	status, said = call(http.MethodPost, strings.Repeat("pigeon", 20))
	expect(http.StatusBadRequest, "want kafka or relay", status, said)
	status, said = call(http.MethodPost, "kafka", "Origin", "https://elsewhere.example")
	expect(http.StatusForbidden, "", status, said)
	status, said = call(http.MethodGet, "")
	expect(http.StatusOK, "usage goes by relay", status, said)
	if a.ways.Now() != "relay" {
		t.Errorf("it goes by %s", a.ways.Now())
	}
}

// A login that reads what others wrote keeps the agent from starting; brokers that can't be
// asked do not.
func TestSharedBrokersAreAskedAtTheStart(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(0), kfake.SeedTopics(1, "usage"))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	config := viaConfig(t)
	config.KafkaBrokers, config.KafkaShared = broker.ListenAddrs(), true
	err = Run(t.Context(), config, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "WEIR_KAFKA_SHARED") || !strings.Contains(err.Error(), "operation Read") {
		t.Errorf("readable: %v", err)
	}
	config.KafkaBrokers = []string{"127.0.0.1:1"}
	a, err := newAgent(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	began := time.Now()
	if err := a.checkShared(t.Context()); err != nil || time.Since(began) > 2*checkWithin {
		t.Errorf("away: %v after %s", err, time.Since(began))
	}
}

// What is wrong with the way to brokers is found before a boot is opened.
func TestNoBootWithoutAWay(t *testing.T) {
	config := viaConfig(t)
	config.KafkaBrokers, config.Kafka.TLS, config.Kafka.CAFile = []string{"k:9092"}, true, filepath.Join(t.TempDir(), "none.pem")
	if _, err := newAgent(config, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(config.StateDir, "spool")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the spool was opened: %v", err)
	}
}
