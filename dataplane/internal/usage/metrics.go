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
	for _, c := range []prometheus.Collector{m.batches, m.records, m.failures, m.refusals, spoolMetrics(stats)} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register usage metrics: %w", err)
		}
	}
	return m, nil
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
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
