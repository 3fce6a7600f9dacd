package dataplane

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

const usageTopic = "usage"

// broker is of one region: all that was written to it.
type broker struct {
	*kfake.Cluster
	t *testing.T
}

func newBroker(t *testing.T) broker {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(0), kfake.SeedTopics(1, usageTopic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return broker{c, t}
}

// written is everything in the topic, as text.
func (b broker) written() string {
	b.t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(b.ListenAddrs()...), Timeout: 10 * time.Second, Transport: &kafka.Transport{}}
	answer, err := client.Fetch(b.t.Context(), &kafka.FetchRequest{Topic: usageTopic, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: 10 * time.Millisecond})
	if err != nil {
		b.t.Fatal(err)
	}
	var all strings.Builder
	for {
		r, err := answer.Records.ReadRecord()
		if err != nil {
			return all.String()
		}
		value, err := io.ReadAll(r.Value)
		if err != nil {
			b.t.Fatal(err)
		}
		all.Write(value)
	}
}

// Two gateways in two regions: each agent's usage is at its own region's broker, and
// nothing of it at the other's.
func TestUsageStaysInItsRegion(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer upstream.Close()
	t.Setenv("WEIR_SECRET_TEST", "secret")
	brokers := map[string]broker{"eu": newBroker(t), "us": newBroker(t)}
	for region, b := range brokers {
		dir := t.TempDir()
		seedIn(t, dir, region, provider(upstream.URL))
		agent := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir, Region: region,
			KafkaBrokers: b.ListenAddrs(), KafkaTopic: usageTopic, SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL}})
		for range 3 {
			if status, body := agent.ask(t, "chat"); status != http.StatusOK {
				t.Fatalf("%s: %d %s", region, status, body)
			}
		}
	}
	for region, b := range brokers {
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(b.written(), "agent-"+region); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no usage came to %s", region)
			}
		}
	}
	for region, other := range map[string]string{"eu": "us", "us": "eu"} {
		if strings.Contains(brokers[region].written(), "agent-"+other) {
			t.Errorf("usage of %s is at the broker of %s", other, region)
		}
	}
}

// An agent that was enrolled at a gateway of another region serves nothing.
func TestAgentOfAnotherRegionRefusesThePolicy(t *testing.T) {
	dir := t.TempDir()
	seedIn(t, dir, "us", provider("http://127.0.0.1:1"))
	agent := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir, Region: "eu",
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: usageTopic, SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{"http://127.0.0.1:1"}})
	if status, body := agent.ask(t, "chat"); status != http.StatusServiceUnavailable || !strings.Contains(body, "policy_refused") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := agent.ready(t); status != http.StatusServiceUnavailable || !strings.Contains(body, `its gateway is in "us": enrol it at`) {
		t.Errorf("readyz: %d %s", status, body)
	}
	if !strings.Contains(agent.log.String(), `its gateway is in \"us\"`) {
		t.Errorf("the log does not say why: %s", agent.log.String())
	}
}
