package ledger

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

type metrics struct {
	calls, grants, denials *prometheus.CounterVec
	overruns               prometheus.Counter
	seconds, transactions  prometheus.Histogram
}

// newMetrics registers nowhere where registry is nil.
func newMetrics(registry prometheus.Registerer) *metrics {
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	seconds := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)})
	}
	m := &metrics{
		calls:   counter("weir_ledger_calls_total", "Calls of agents, by what became of them: answered, failed.", "result"),
		grants:  counter("weir_ledger_grants_total", "What was answered without a denial, of amounts and of shares.", "of"),
		denials: counter("weir_ledger_denials_total", "What was answered with a denial, by its reason. Reason restored is an alarm: hard quotas grant nothing.", "reason"),
		overruns: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_ledger_overruns_total", Help: "Times that more was spent than a quota allows or had leased; the log names them.",
		}),
		seconds:      seconds("weir_ledger_call_seconds", "Duration of a call, the wait for others included."),
		transactions: seconds("weir_ledger_transaction_seconds", "Duration of a transaction, which calls of one organization share."),
	}
	if registry != nil {
		registry.MustRegister(m.calls, m.grants, m.denials, m.overruns, m.seconds, m.transactions)
	}
	return m
}

func (m *metrics) called(answer *agentv1.LeaseResponse, err error, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	if err != nil {
		m.calls.WithLabelValues("failed").Inc()
		return
	}
	m.calls.WithLabelValues("answered").Inc()
	for _, g := range answer.GetGrants() {
		m.answered("amounts", g.GetDenial())
	}
	for _, s := range answer.GetShares() {
		m.answered("shares", s.GetDenial())
	}
}

func (m *metrics) answered(of string, denial agentv1.Grant_Denial) {
	if denial == agentv1.Grant_DENIAL_UNSPECIFIED {
		m.grants.WithLabelValues(of).Inc()
		return
	}
	m.denials.WithLabelValues(strings.ToLower(strings.TrimPrefix(denial.String(), "DENIAL_"))).Inc()
}
