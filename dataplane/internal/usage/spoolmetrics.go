package usage

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/spool"
)

// spoolMetrics asks for what the spool holds once for all metrics of a scrape: it is counted
// under the lock that requests take, and the metrics are of one moment.
type spoolMetrics func() spool.Stats

type spoolMetric struct {
	desc  *prometheus.Desc
	is    prometheus.ValueType
	value func(spool.Stats) float64
}

var ofSpool = []spoolMetric{
	spoolGauge("bytes", "Bytes of the usage spool on disk.", func(s spool.Stats) float64 { return float64(s.Bytes) }),
	spoolGauge("max_bytes", "Bytes that the usage spool may have on disk.", func(s spool.Stats) float64 { return float64(s.MaxBytes) }),
	spoolGauge("unsent_records", "Usage records on disk that no broker has acknowledged since the start.", func(s spool.Stats) float64 { return float64(s.Unsent) }),
	spoolGauge("records", "Usage records on disk that are not settled.", func(s spool.Stats) float64 { return float64(s.Records) }),
	spoolGauge("open_requests", "Requests that were started and not ended.", func(s spool.Stats) float64 { return float64(s.Open) }),
	spoolGauge("late_ends", "Ends of requests in memory that wait for room on the disk.", func(s spool.Stats) float64 { return float64(s.Late) }),
	spoolGauge("oldest_seconds", "Age of the oldest usage on disk that is not settled.", func(s spool.Stats) float64 { return s.OldestAge.Seconds() }),
	spoolTotal("released_records_total", "Usage records that left the disk because the broker had them and space was short, before they were settled.",
		func(s spool.Stats) float64 { return float64(s.Released) }),
	spoolGauge("damaged", "Stretches of the spool lost to damage, found since the start.", func(s spool.Stats) float64 { return float64(s.Damaged) }),
	spoolTotal("tombstoned_requests_total", "Requests served without a record of their own, since the start.",
		func(s spool.Stats) float64 { return float64(s.ForgoneRequests) }),
	spoolTotal("tombstoned_shadows_total", "Copies for shadows made without a record of their own, since the start.",
		func(s spool.Stats) float64 { return float64(s.ForgoneShadows) }),
	spoolGauge("tombstone_requests", "Requests and copies in the tombstone, which is no record yet.",
		func(s spool.Stats) float64 { return float64(s.Tombstone.Requests + s.Tombstone.Shadows) }),
	spoolGauge("tombstone_cost_usd", "What they cost, as far as it is priced.", func(s spool.Stats) float64 { return float64(s.Tombstone.CostNanoUSD) / 1e9 }),
	spoolGauge("tombstone_seconds", "Age of the tombstone; 0: it is empty.", func(s spool.Stats) float64 { return s.Tombstone.Age.Seconds() }),
}

func spoolGauge(name, help string, value func(spool.Stats) float64) spoolMetric {
	return spoolMetric{prometheus.NewDesc("weir_agent_spool_"+name, help, nil, nil), prometheus.GaugeValue, value}
}

func spoolTotal(name, help string, value func(spool.Stats) float64) spoolMetric {
	return spoolMetric{prometheus.NewDesc("weir_agent_spool_"+name, help, nil, nil), prometheus.CounterValue, value}
}

// Describe implements prometheus.Collector.
func (m spoolMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, one := range ofSpool {
		to <- one.desc
	}
}

// Collect implements prometheus.Collector.
func (m spoolMetrics) Collect(to chan<- prometheus.Metric) {
	stats := m()
	for _, one := range ofSpool {
		to <- prometheus.MustNewConstMetric(one.desc, one.is, one.value(stats))
	}
}
