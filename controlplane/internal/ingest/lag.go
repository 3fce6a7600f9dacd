package ingest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
)

// What a partition can wait for, as labels of metrics.
const (
	partKafka      = "kafka"
	partPostgres   = "postgres"
	partClickHouse = "clickhouse"
	partRegistry   = "registry"
	// Until ClickHouse can take no insert any more that was sent before.
	partLease = "lease"
	partOther = "other"
)

// partError says which part is at fault.
type partError struct {
	part string
	error
}

func (e partError) Unwrap() error { return e.error }

// inPart wraps an error of one part, saying what was done.
func inPart(part string, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return partError{part, fmt.Errorf(format+": %w", append(args, err)...)}
}

func inKafka(err error, format string, args ...any) error {
	return inPart(partKafka, err, format, args...)
}

func inPostgres(err error, format string, args ...any) error {
	return inPart(partPostgres, err, format, args...)
}

func inClickHouse(err error, format string, args ...any) error {
	return inPart(partClickHouse, err, format, args...)
}

func partOf(err error) string {
	if of := (partError{}); errors.As(err, &of) {
		return of.part
	}
	if outage := (outageError{}); errors.As(err, &outage) {
		return partRegistry
	}
	if of := kafka.Error(0); errors.As(err, &of) {
		return partKafka
	}
	return partOther
}

// lag is how far a partition that this process owns is behind.
type lag struct {
	offsets int64
	oldest  time.Time // when the oldest record that is not settled was written; zero: there is none
	waits   string    // for which part; empty: for nothing
}

// lags tells of all partitions when it is asked: while nothing moves time does.
type lags struct {
	mu sync.Mutex
	of map[int]lag

	offsets, seconds, waiting *prometheus.Desc
}

func newLags() *lags {
	return &lags{
		of:      map[int]lag{},
		offsets: prometheus.NewDesc("weir_ingest_lag_offsets", "Kafka records (batches of usage) in the partition that are not settled.", []string{"partition"}, nil),
		seconds: prometheus.NewDesc("weir_ingest_lag_seconds", "Age of the oldest record in the partition that is not settled; 0: all are.", []string{"partition"}, nil),
		waiting: prometheus.NewDesc("weir_ingest_waiting", "1: the partition waits for this part and tries again.", []string{"partition", "part"}, nil),
	}
}

func (l *lags) note(partition int, change func(*lag)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.of[partition]
	change(&one)
	l.of[partition] = one
}

// forget a partition that another process has now.
func (l *lags) forget(partition int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.of, partition)
}

// Describe implements prometheus.Collector.
func (l *lags) Describe(to chan<- *prometheus.Desc) {
	to <- l.offsets
	to <- l.seconds
	to <- l.waiting
}

// Collect implements prometheus.Collector.
func (l *lags) Collect(to chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for number, one := range l.of {
		age := 0.0
		if !one.oldest.IsZero() {
			age = max(0, time.Since(one.oldest).Seconds())
		}
		to <- prometheus.MustNewConstMetric(l.offsets, prometheus.GaugeValue, float64(one.offsets), label(number))
		to <- prometheus.MustNewConstMetric(l.seconds, prometheus.GaugeValue, age, label(number))
		if one.waits != "" {
			to <- prometheus.MustNewConstMetric(l.waiting, prometheus.GaugeValue, 1, label(number), one.waits)
		}
	}
}
