package usage

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/spool"
)

// Metrics of the spool and of shipping.
type Metrics struct {
	batches, records, failures, refusals prometheus.Counter
}

// NewMetrics registers the metrics; stats is asked at each scrape.
func NewMetrics(registry prometheus.Registerer, stats func() spool.Stats) (*Metrics, error) {
	m := &Metrics{
		batches:  counter("weir_agent_usage_batches_sent_total", "Batches of usage that the broker acknowledged."),
		records:  counter("weir_agent_usage_records_sent_total", "Usage records in batches that the broker acknowledged; repeats count again."),
		failures: counter("weir_agent_usage_send_failures_total", "Attempts to send batches that failed."),
		refusals: counter("weir_agent_usage_batches_refused_total", "Batches that the relay or the broker will never take as they are; they stay in the spool. Any is an alarm."),
	}
	all := []prometheus.Collector{
		m.batches, m.records, m.failures, m.refusals,
		gauge("weir_agent_spool_bytes", "Bytes of the usage spool on disk.", func() float64 { return float64(stats().Bytes) }),
		gauge("weir_agent_spool_max_bytes", "Bytes that the usage spool may have on disk.", func() float64 { return float64(stats().MaxBytes) }),
		gauge("weir_agent_spool_unsent_records", "Usage records on disk that no broker has acknowledged since the start.", func() float64 { return float64(stats().Unsent) }),
		gauge("weir_agent_spool_records", "Usage records on disk that are not settled.", func() float64 { return float64(stats().Records) }),
		gauge("weir_agent_spool_open_requests", "Requests that were started and not ended.", func() float64 { return float64(stats().Open) }),
		gauge("weir_agent_spool_late_ends", "Ends of requests in memory that wait for room on the disk.", func() float64 { return float64(stats().Late) }),
		gauge("weir_agent_spool_oldest_seconds", "Age of the oldest usage on disk that is not settled.", func() float64 { return stats().OldestAge.Seconds() }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "weir_agent_spool_released_records_total", Help: "Usage records that left the disk because the broker had them and space was short, before they were settled.",
		}, func() float64 { return float64(stats().Released) }),
		gauge("weir_agent_spool_damaged", "Stretches of the spool lost to damage, found since the start.", func() float64 { return float64(stats().Damaged) }),
	}
	for _, c := range append(all, tombstone(stats)...) {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register usage metrics: %w", err)
		}
	}
	return m, nil
}

// tombstone has what is served without a record.
func tombstone(stats func() spool.Stats) []prometheus.Collector {
	return []prometheus.Collector{
		total("weir_agent_spool_tombstoned_requests_total", "Requests served without a record of their own, since the start.",
			func() float64 { return float64(stats().ForgoneRequests) }),
		total("weir_agent_spool_tombstoned_shadows_total", "Copies for shadows made without a record of their own, since the start.",
			func() float64 { return float64(stats().ForgoneShadows) }),
		gauge("weir_agent_spool_tombstone_requests", "Requests and copies in the tombstone, which is no record yet.",
			func() float64 { s := stats().Tombstone; return float64(s.Requests + s.Shadows) }),
		gauge("weir_agent_spool_tombstone_cost_usd", "What they cost, as far as it is priced.",
			func() float64 { return float64(stats().Tombstone.CostNanoUSD) / 1e9 }),
		gauge("weir_agent_spool_tombstone_seconds", "Age of the tombstone; 0: it is empty.",
			func() float64 { return stats().Tombstone.Age.Seconds() }),
	}
}

func total(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func (m *Metrics) sent(batches []spool.Batch) {
	if m != nil {
		m.batches.Add(float64(len(batches)))
		for _, b := range batches {
			m.records.Add(float64(b.Last - b.First + 1))
		}
	}
}

func (m *Metrics) refused() {
	if m != nil {
		m.refusals.Inc()
	}
}

func (m *Metrics) failed() {
	if m != nil {
		m.failures.Inc()
	}
}
