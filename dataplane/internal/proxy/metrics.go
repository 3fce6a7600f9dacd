package proxy

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/redact"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// stageBuckets are for what takes microseconds and should.
var stageBuckets = []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, 1}

// metrics are labelled by outcome and stable codes only, never by what callers
// write.
type metrics struct {
	requests        *prometheus.CounterVec
	unauthenticated *prometheus.CounterVec
	unrecorded      *prometheus.CounterVec
	spoolFull       prometheus.Counter
	spoolErrors     prometheus.Counter
	retries         *prometheus.CounterVec
	overBudget      prometheus.Counter

	crowded                             prometheus.Counter
	queued                              *prometheus.CounterVec
	queueWait                           prometheus.Histogram
	hedges, hedgesWon, hedgesOverBudget prometheus.Counter

	shadows        *prometheus.CounterVec
	shadowsDropped *prometheus.CounterVec
	bytes          *prometheus.CounterVec
	overhead       *prometheus.HistogramVec
	stage          *prometheus.HistogramVec
	words          *prometheus.CounterVec
	unpriced       *prometheus.CounterVec
	genAI          *genAI
	connections    connections
	inFlight       atomic.Int64
	waiting        atomic.Int64
	streams        atomic.Int64

	of     map[*surface]surfaceMetrics // of those that forward
	stages [stageCount]prometheus.Observer

	wordsDropped [redact.Reasons]prometheus.Counter
}

// surfaceMetrics are of requests that ended well, and of all.
type surfaceMetrics struct {
	ok, received, written prometheus.Counter
	overhead              prometheus.Observer
}

func newMetrics(registry prometheus.Registerer, upstream ...prometheus.Collector) (*metrics, error) {
	m := &metrics{
		requests: counters("weir_agent_requests_total", "Requests answered, by surface, outcome and error code.", "surface", "outcome", "code"),
		unauthenticated: counters("weir_agent_unauthenticated_total",
			"Requests without a valid key. Those of an unknown key have no usage record.", "code"),
		unrecorded: counters("weir_agent_refusals_unrecorded_total",
			"Refusals without a usage record: beyond 10 per second of a key that is revoked, expired, rotated or asks for what is not served.", "code"),
		spoolFull:   counter("weir_agent_spool_refusals_total", "Usage records not taken because the spool is full."),
		spoolErrors: counter("weir_agent_spool_errors_total", "Usage records not taken because of an error of the spool."),
		retries:     counters("weir_agent_retries_total", "Attempts after which another one followed, by how they failed.", "failure"),
		crowded: counter("weir_agent_targets_crowded_total",
			"Times that a target was passed over, as little was left of its provider's own limits and the key had had its part of that."),
		hedges:    counter("weir_agent_hedges_total", "Attempts made beside another one that had no content for long."),
		hedgesWon: counter("weir_agent_hedges_won_total", "Attempts beside another one that had content first."),
		hedgesOverBudget: counter("weir_agent_hedges_over_budget_total",
			"Attempts not made beside another one: more than the route's share of the requests to the target."),
		overBudget: counter("weir_agent_retries_over_budget_total",
			"Repeats not made: more than 20 % of the requests to the target, and one per second."),
		shadows:        counters("weir_agent_shadows_total", "Copies of requests sent to the shadows of their routes, by outcome. They count as requests nowhere.", "outcome"),
		shadowsDropped: counters("weir_agent_shadows_dropped_total", "Requests drawn for a shadow and not copied, by reason.", "reason"),
		bytes:          counters("weir_agent_bytes_total", "Bytes of bodies, by surface and direction: received from callers, written to them.", "surface", "direction"),
		overhead: histograms("weir_agent_overhead_seconds",
			"Time that the agent added to a request that went upstream: all but waiting for the upstream, from the end of the request's body on.", "surface"),
		stage: histograms("weir_agent_stage_seconds",
			"Time of a request in a part of the agent. read and write wait for the caller; translate is in choose for the first attempt, too.", "stage"),
		unpriced: counters("weir_agent_unpriced_attempts_total",
			"Attempts without a known price of their own, by reason, and handled how: unpriced, or estimated by another model's price.", "reason", "handled"),
		words:       counters("weir_agent_words_dropped_total", "What callers said of requests and usage may not hold, by reason: labels one by one.", "reason"),
		genAI:       newGenAI(),
		connections: newConnections(),
	}
	m.queued, m.queueWait = newQueueMetrics()
	all := []prometheus.Collector{
		m.requests, m.unauthenticated, m.unrecorded, m.spoolFull, m.spoolErrors, m.retries, m.overBudget,
		m.crowded, m.queued, m.queueWait, m.hedges, m.hedgesWon, m.hedgesOverBudget, m.shadows, m.shadowsDropped, m.bytes, m.overhead, m.stage, m.words, m.unpriced, m.connections.used,
		gauge("weir_agent_requests_in_flight", "Requests that are being answered.", m.inFlight.Load),
		gauge("weir_agent_requests_waiting", "Requests that wait for what their provider allows.", m.waiting.Load),
		gauge("weir_agent_streams_open", "Answers that are passed on as they come.", m.streams.Load),
	}
	var faults []error
	for _, c := range slices.Concat(all, m.genAI.collectors(), upstream) {
		faults = append(faults, registry.Register(c))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("register metrics of the request path: %w", err)
	}
	m.resolve()
	return m, nil
}

// resolve looks up once what each request needs.
func (m *metrics) resolve() {
	m.of = map[*surface]surfaceMetrics{}
	for _, s := range surfaces {
		if s.forwards() {
			m.of[s] = surfaceMetrics{
				ok:       m.requests.WithLabelValues(s.name, outcomeName(usagev1.Outcome_OUTCOME_OK), ""),
				received: m.bytes.WithLabelValues(s.name, "received"), written: m.bytes.WithLabelValues(s.name, "written"),
				overhead: m.overhead.WithLabelValues(s.name),
			}
		}
	}
	for why := range redact.Reasons {
		m.wordsDropped[why] = m.words.WithLabelValues(why.String())
	}
	for at, name := range stageNames {
		m.stages[at] = m.stage.WithLabelValues(name)
	}
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: stageBuckets}, labels)
}

func gauge(name, help string, value func() int64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

// observe counts a request that is over.
func (m *metrics) observe(e *exchange, outcome usagev1.Outcome) {
	code := e.record.ErrorCode
	of, forwards := m.of[e.surface]
	if outcome == usagev1.Outcome_OUTCOME_OK && forwards {
		of.ok.Inc()
	} else {
		m.requests.WithLabelValues(e.surface.name, outcomeName(outcome), code).Inc()
	}
	if e.surface != elsewhere && e.key == nil && e.policy != nil && code != "" {
		m.unauthenticated.WithLabelValues(code).Inc()
	}
	if !forwards {
		return
	}
	of.received.Add(float64(e.w.received))
	of.written.Add(float64(e.w.written))
	e.stages[stageWrite].Store(int64(e.w.writing))
	for at := range e.stages {
		if spent := time.Duration(e.stages[at].Load()); spent > 0 {
			m.stages[at].Observe(spent.Seconds())
		}
	}
	if e.up != nil {
		of.overhead.Observe(float64(e.record.OverheadUs) / 1e6)
	}
}
