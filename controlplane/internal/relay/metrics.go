package relay

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	batches, records, bytes prometheus.Counter
	refusals                *prometheus.CounterVec
	seconds                 prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer, inFlight func() float64) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		batches: counter("weir_relay_batches_total", "Batches that agents pushed and the broker has."),
		records: counter("weir_relay_records_total", "Usage records in them; repeats count again."),
		bytes:   counter("weir_relay_bytes_total", "Bytes of them, as Kafka has them."),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_relay_refusals_total", Help: "Calls of which nothing was taken, by reason. Reason batch_refused is an alarm: an agent holds a batch that nobody takes.",
		}, []string{"reason"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_relay_produce_seconds", Help: "Duration of one call's write to the broker.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
	}
	registry.MustRegister(m.batches, m.records, m.bytes, m.refusals, m.seconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "weir_relay_in_flight_bytes", Help: "Bytes of bodies that are being read or written on.",
	}, inFlight))
	return m
}

func (m *metrics) produced(batches []checked, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	m.batches.Add(float64(len(batches)))
	for _, b := range batches {
		m.records.Add(float64(b.records))
		m.bytes.Add(float64(len(b.value)))
	}
}

func (m *metrics) refused(reason string) { m.refusals.WithLabelValues(reason).Inc() }
