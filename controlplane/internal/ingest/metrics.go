package ingest

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	batches     *prometheus.CounterVec
	records     prometheus.Counter
	deadLetters *prometheus.CounterVec
	unsettled   *prometheus.CounterVec
	lost        prometheus.Counter
	errors      *prometheus.CounterVec
	lags        *lags
	settings    *prometheus.GaugeVec
	stopped     *prometheus.GaugeVec
	insert      prometheus.Histogram
	gaps        *prometheus.GaugeVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		batches: counter("weir_ingest_batches_total", "Batches read, by what became of them: claimed, repeat, dead.", "result"),
		records: prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_ingest_records_total", Help: "Usage records settled."}),
		deadLetters: counter("weir_ingest_dead_letters_total",
			"Batches put aside, by reason. Reason conflict is an alarm: one range came with two contents.", "reason"),
		unsettled: counter("weir_ingest_unsettled_dead_letters_total",
			"Dead letters that nobody's spool may forget: who sent them can't be verified, or the topic did not take their bytes. Any is an alarm.", "reason"),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_ingest_lost_offsets_total", Help: "Offsets that Kafka deleted before they were read. Any is an alarm.",
		}),
		errors: counter("weir_ingest_errors_total", "Attempts that ended in an error and are made again, by the part at fault: kafka, postgres, clickhouse, registry, other.", "part"),
		lags:   newLags(),
		settings: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_ingest_topic_setting", Help: "1: this setting of a topic endangers usage; the log says why. An alarm.",
		}, []string{"topic", "setting"}),
		stopped: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "weir_ingest_partition_stopped", Help: "1: the partition needs an operator. An alarm.",
		}, []string{"partition"}),
		insert: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_ingest_insert_seconds", Help: "Duration of one block's insert.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}),
	}
	m.gaps = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "weir_ingest_gaps",
		Help: "What agents gave out and did not deliver for ten minutes, and for less than a week: boots that miss some, and records missing. Any is an alarm; the log names them.",
	}, []string{"of"})
	registry.MustRegister(m.gaps, m.batches, m.records, m.deadLetters, m.unsettled, m.lost, m.errors, m.lags, m.settings, m.stopped, m.insert)
	return m
}

func label(partition int) string { return strconv.Itoa(partition) }
