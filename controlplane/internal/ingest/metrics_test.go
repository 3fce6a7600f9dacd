package ingest

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/metricstest"
)

// docs/metrics.md names each metric of ingest with its labels, and no other.
func TestMetricsAreAsDocumented(t *testing.T) {
	registry := prometheus.NewRegistry()
	newMetrics(registry)
	metricstest.AreDocumented(t, registry, "weir_ingest_")
}
