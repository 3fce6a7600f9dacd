package ingest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

var (
	describedMetric  = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	documentedMetric = regexp.MustCompile("(?m)^\\| `(weir_ingest_[a-z_]+)` \\| ?([^|]*)\\|")
)

// docs/metrics.md names each metric of ingest with its labels, and no other.
func TestMetricsAreAsDocumented(t *testing.T) {
	registry := prometheus.NewRegistry()
	newMetrics(registry)
	all, there := make(chan *prometheus.Desc), map[string]string{}
	go func() {
		registry.Describe(all)
		close(all)
	}()
	for d := range all {
		match := describedMetric.FindStringSubmatch(d.String())
		there[match[1]] = match[2]
	}
	text, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, match := range documentedMetric.FindAllStringSubmatch(string(text), -1) {
		documented[match[1]] = strings.NewReplacer("`", "", " ", "").Replace(match[2])
	}
	if diff := cmp.Diff(documented, there); diff != "" {
		t.Errorf("docs/metrics.md (-) and ingest (+):\n%s", diff)
	}
}
