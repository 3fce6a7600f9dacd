package quota

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// maxNames quotas have series of their own; what comes later is counted as other.
const (
	maxNames  = 300
	otherName = "_other"
)

var waitBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1}

// measureNames are in metrics.
var measureNames = map[policyv1.QuotaMeasure]string{
	policyv1.QuotaMeasure_QUOTA_MEASURE_COST:                "cost",
	policyv1.QuotaMeasure_QUOTA_MEASURE_REQUESTS:            "requests",
	policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS:              "tokens",
	policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS: "concurrent_requests",
}

var modeNames = map[policyv1.QuotaMode]string{
	policyv1.QuotaMode_QUOTA_MODE_SOFT:   "soft",
	policyv1.QuotaMode_QUOTA_MODE_SHADOW: "shadow",
}

// metrics are labelled by fixed sets and by names of the policy's quotas, never by subjects.
type metrics struct {
	waits     *prometheus.HistogramVec
	refusals  *prometheus.CounterVec
	beyonds   *prometheus.CounterVec
	overruns  *prometheus.CounterVec
	calls     *prometheus.CounterVec
	callTime  prometheus.Histogram
	uncounted prometheus.Counter

	mu    sync.Mutex
	names map[string]bool
}

func newMetrics(registry prometheus.Registerer, m *Meter) (*metrics, error) {
	x := &metrics{
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "weir_agent_quota_wait_seconds", Buckets: waitBuckets,
			Help: "Time that requests waited for the quota ledger, by whether it answered in time. Most requests do not wait.",
		}, []string{"answered"}),
		refusals: counters("weir_agent_quota_refusals_total", "Requests refused by a quota, by reason.", "reason"),
		beyonds: counters("weir_agent_quota_beyond_total",
			"Requests that a hard quota would have refused, by the quota that let them through.", "quota", "mode"),
		overruns: counters("weir_agent_quota_overruns_total", "Requests that took more of an amount than they had reserved.", "measure"),
		calls:    counters("weir_agent_quota_calls_total", "Calls of the quota ledger, by whether it answered.", "answered"),
		callTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_agent_quota_call_seconds", Help: "Time of calls of the quota ledger.", Buckets: append(waitBuckets, .25, .5, 1, 2),
		}),
		uncounted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_agent_quota_uncounted_total", Help: "Requests not counted by a quota that would not refuse them, since too many subjects are held.",
		}),
		names: map[string]bool{},
	}
	var faults []error
	for _, c := range []prometheus.Collector{
		x.waits, x.refusals, x.beyonds, x.overruns, x.calls, x.callTime, x.uncounted,
		gauge("weir_agent_quota_accounts", "Subjects of quotas that the agent holds something of.", m.accounts.Load),
		gauge("weir_agent_quota_away", "1: the quota ledger does not answer, and what is leased is spent.", func() int64 {
			if m.unreachable(m.now()) {
				return 1
			}
			return 0
		}),
	} {
		faults = append(faults, registry.Register(c))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("register metrics of quotas: %w", err)
	}
	return x, nil
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string, value func() int64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func (x *metrics) waited(ns int64, answered bool) {
	x.waits.WithLabelValues(yesNo(answered)).Observe(time.Duration(ns).Seconds())
}

func (x *metrics) refuse(why Why) { x.refusals.WithLabelValues(why.String()).Inc() }

// beyond is the counter of a quota that refuses nothing; nil: it is hard.
func (x *metrics) beyond(q *Quota) *prometheus.Counter {
	if q.Hard() {
		return nil
	}
	c := x.beyonds.WithLabelValues(x.name(q.Name), modeNames[q.Mode])
	return &c
}

func (b *book) countBeyond() {
	if c := b.beyond.Load(); c != nil {
		(*c).Inc()
	}
}

func (x *metrics) overrun(measure policyv1.QuotaMeasure) {
	x.overruns.WithLabelValues(measureNames[measure]).Inc()
}

func (x *metrics) called(err error, ns int64) {
	x.calls.WithLabelValues(yesNo(err == nil)).Inc()
	x.callTime.Observe(time.Duration(ns).Seconds())
}

// name bounds how many quotas have series.
func (x *metrics) name(of string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.names[of] {
		if len(x.names) >= maxNames {
			return otherName
		}
		x.names[of] = true
	}
	return of
}
