package dataplane

import (
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// docs/metrics.md names each metric of an agent with its labels, and no other.
func TestMetricsAreAsDocumented(t *testing.T) {
	dir := t.TempDir()
	a, err := newAgent(Config{ControlURL: "http://127.0.0.1:1", StateDir: dir, KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage",
		SpoolMaxBytes: 64 << 20}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if diff := cmp.Diff(documented(t), registered(t, a.metrics)); diff != "" {
		t.Errorf("docs/metrics.md (-) and the agent (+):\n%s", diff)
	}
}

var described = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// registered are the labels of each metric, but for those of the process.
func registered(t *testing.T, registry *prometheus.Registry) map[string]string {
	t.Helper()
	all, found := make(chan *prometheus.Desc), map[string]string{}
	go func() {
		registry.Describe(all)
		close(all)
	}()
	for d := range all {
		match := described.FindStringSubmatch(d.String())
		if match == nil {
			t.Fatalf("%s", d)
		}
		if !strings.HasPrefix(match[1], "go_") && !strings.HasPrefix(match[1], "process_") {
			found[match[1]] = match[2]
		}
	}
	return found
}

var row = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ?([^|]*)\\|")

func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	agents, _, _ := strings.Cut(string(text), "# Metrics of ingest")
	for _, match := range row.FindAllStringSubmatch(agents, -1) {
		found[match[1]] = strings.NewReplacer("`", "", " ", "").Replace(match[2])
	}
	return found
}
