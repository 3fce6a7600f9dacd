package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// metrics are labelled by outcome and stable codes only, never by what callers
// write.
type metrics struct {
	requests        *prometheus.CounterVec
	ok              map[*surface]prometheus.Counter // of those that forward
	unauthenticated *prometheus.CounterVec
	unrecorded      *prometheus.CounterVec
	spoolFull       prometheus.Counter
	spoolErrors     prometheus.Counter
	retries         *prometheus.CounterVec
	overBudget      prometheus.Counter
	shadows         *prometheus.CounterVec
	shadowsDropped  *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weir_agent_requests_total",
			Help: "Requests answered, by surface, outcome and error code."}, []string{"surface", "outcome", "code"}),
		unauthenticated: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weir_agent_unauthenticated_total",
			Help: "Requests without a valid key. Those of an unknown key have no usage record."}, []string{"code"}),
		unrecorded: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weir_agent_refusals_unrecorded_total",
			Help: "Refusals without a usage record: beyond 10 per second of a key that is revoked, expired, rotated or asks for what is not served."}, []string{"code"}),
		spoolFull: prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_agent_spool_refusals_total",
			Help: "Usage records not taken because the spool is full."}),
		spoolErrors: prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_agent_spool_errors_total",
			Help: "Usage records not taken because of an error of the spool."}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weir_agent_retries_total",
			Help: "Attempts after which another one followed, by how they failed."}, []string{"failure"}),
		overBudget: prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_agent_retries_over_budget_total",
			Help: "Repeats not made: more than 20 % of the requests to the target, and one per second."}),
		shadows: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weir_agent_shadows_total",
			Help: "Copies of requests sent to the shadows of their routes, by outcome. They count as requests nowhere."}, []string{"outcome"}),
		shadowsDropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weir_agent_shadows_dropped_total",
			Help: "Requests drawn for a shadow and not copied, by reason."}, []string{"reason"}),
	}
	var faults []error
	for _, c := range []prometheus.Collector{m.requests, m.unauthenticated, m.unrecorded, m.spoolFull, m.spoolErrors, m.retries, m.overBudget, m.shadows, m.shadowsDropped} {
		faults = append(faults, registry.Register(c))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("register metrics of the request path: %w", err)
	}
	m.ok = map[*surface]prometheus.Counter{}
	for _, s := range surfaces {
		if s.forwards() {
			m.ok[s] = m.requests.WithLabelValues(s.name, outcomeName(usagev1.Outcome_OUTCOME_OK), "")
		}
	}
	return m, nil
}

func outcomeName(outcome usagev1.Outcome) string {
	return strings.ToLower(strings.TrimPrefix(outcome.String(), "OUTCOME_"))
}

func failureName(how snapshot.Failures) string {
	failure := policyv1.Failure(bits.TrailingZeros16(uint16(how)))
	return strings.ToLower(strings.TrimPrefix(failure.String(), "FAILURE_"))
}

// observe counts the request and writes its line in the log.
func (h *Handler) observe(e *exchange) {
	outcome, code := e.record.Outcome, e.record.ErrorCode
	h.tally.count(outcome, e.record.Status)
	if outcome == usagev1.Outcome_OUTCOME_UNSPECIFIED {
		outcome = usagev1.Outcome_OUTCOME_OK // a surface that has no records
	}
	switch {
	case outcome == usagev1.Outcome_OUTCOME_OK && e.surface.forwards():
		h.metrics.ok[e.surface].Inc()
	default:
		h.metrics.requests.WithLabelValues(e.surface.name, outcomeName(outcome), code).Inc()
	}
	if e.surface != elsewhere && e.key == nil && e.policy != nil && code != "" {
		h.metrics.unauthenticated.WithLabelValues(code).Inc()
	}
	if h.config.Logger.Enabled(e.r.Context(), slog.LevelInfo) {
		h.config.Logger.LogAttrs(e.r.Context(), slog.LevelInfo, "request", e.attributes(outcome)...)
	}
}

// attributes names no path, query or model that a caller wrote: only what the
// policy knows.
func (e *exchange) attributes(outcome usagev1.Outcome) []slog.Attr {
	attributes := make([]slog.Attr, 0, 20)
	attributes = append(attributes,
		slog.String("request_id", e.record.RequestId),
		slog.String("surface", e.surface.name),
		slog.Int("status", int(e.record.Status)),
		slog.String("outcome", outcomeName(outcome)),
		slog.Duration("duration", e.elapsed()),
		slog.Int64("policy_version", e.record.PolicyVersion),
	)
	if e.record.ErrorCode != "" {
		attributes = append(attributes, slog.String("code", e.record.ErrorCode))
	}
	if e.record.KeyId != "" {
		attributes = append(attributes, slog.String("key_id", e.record.KeyId), slog.String("project_id", e.record.ProjectId))
	}
	if e.route != nil {
		attributes = append(attributes, slog.String("route", e.route.Name), slog.Bool("streamed", e.record.Streamed))
	}
	if a := e.attempt; a != nil {
		attributes = append(attributes,
			slog.String("provider", a.Provider), slog.String("model", a.Model), slog.Int("upstream_status", int(a.Status)),
			slog.Duration("time_to_first_token", time.Duration(e.record.TimeToFirstTokenUs)*time.Microsecond),
			slog.Duration("overhead", time.Duration(e.record.OverheadUs)*time.Microsecond))
		if attempts := len(e.record.Attempts); attempts > 1 {
			attributes = append(attributes, slog.Int("attempts", attempts))
		}
		if a.CostNanoUsd != nil {
			attributes = append(attributes, slog.Int64("cost_nano_usd", *a.CostNanoUsd))
		}
	}
	return attributes
}

// log is for what is rare: it allocates.
func (e *exchange) log() *slog.Logger {
	return e.handler.config.Logger.With("request_id", e.record.RequestId)
}
