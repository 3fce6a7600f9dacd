// Package metricstest holds a package's metrics against docs/metrics.md.
package metricstest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

var describedMetric = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// AreDocumented wants each metric of the registry in docs/metrics.md with its labels, and
// there no other that begins with prefix. Its caller is two folders below controlplane.
func AreDocumented(t *testing.T, registry *prometheus.Registry, prefix string) {
	t.Helper()
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
	documentedMetric := regexp.MustCompile("(?m)^\\| `(" + prefix + "[a-z_]+)` \\| ?([^|]*)\\|")
	documented := map[string]string{}
	for _, match := range documentedMetric.FindAllStringSubmatch(string(text), -1) {
		documented[match[1]] = strings.NewReplacer("`", "", " ", "").Replace(match[2])
	}
	if diff := cmp.Diff(documented, there); diff != "" {
		t.Errorf("docs/metrics.md (-) and what is there (+):\n%s", diff)
	}
}
