package ledger

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/metricstest"
)

// docs/metrics.md names each metric of the ledger with its labels, and no other.
func TestMetricsAreAsDocumented(t *testing.T) {
	registry := prometheus.NewRegistry()
	newMetrics(registry)
	metricstest.AreDocumented(t, registry, "weir_ledger_")
}

// What is overrun is counted, and the log says of which quota.
func TestMetrics(t *testing.T) {
	w := inMemory(t)
	var lines strings.Builder
	registry := prometheus.NewRegistry()
	w.ledger = newLedger(Config{Log: slog.New(slog.NewTextHandler(&lines, nil)), Metrics: registry, Now: w.now}, w.store)
	organization := uuid.New()
	a := w.agent(organization)
	quota := w.budget(organization, settings(100, hard))
	g := w.lease(a, 1, need(quota, 10))[0]
	w.lease(a, 1, after(quota, g, 13), need(uuid.New(), 1))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			if m.GetCounter() != nil {
				counted[name] = m.GetCounter().GetValue()
			}
		}
	}
	want := map[string]float64{
		"weir_ledger_calls_total answered": 2, "weir_ledger_grants_total amounts": 2, "weir_ledger_denials_total gone": 1, "weir_ledger_overruns_total": 1,
	}
	if diff := cmp.Diff(want, counted); diff != "" {
		t.Error(diff)
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, quota.String()) || !strings.Contains(got, "by=3 spent=13") {
		t.Errorf("the log says %q", got)
	}
}
