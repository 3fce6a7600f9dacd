package proxy

import (
	"log/slog"
	"math/bits"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func outcomeName(outcome usagev1.Outcome) string {
	return strings.ToLower(strings.TrimPrefix(outcome.String(), "OUTCOME_"))
}

// causeName is why an attempt was made.
func causeName(cause usagev1.Cause) string {
	return strings.ToLower(strings.TrimPrefix(cause.String(), "CAUSE_"))
}

func failureName(how snapshot.Failures) string {
	failure := policyv1.Failure(bits.TrailingZeros16(uint16(how)))
	return strings.ToLower(strings.TrimPrefix(failure.String(), "FAILURE_"))
}

// observe counts the request and writes its line in the log.
func (h *Handler) observe(e *exchange) {
	outcome := e.record.Outcome
	h.tally.count(outcome, e.record.Status)
	if outcome == usagev1.Outcome_OUTCOME_UNSPECIFIED {
		outcome = usagev1.Outcome_OUTCOME_OK // a surface that has no records
	}
	h.metrics.observe(e, outcome)
	e.requestTraced(outcome)
	if h.logs(e, outcome) {
		h.config.Logger.LogAttrs(e.r.Context(), slog.LevelInfo, "request", e.attributes(outcome)...)
	}
}

// AccessLog is which requests have a line in the log.
type AccessLog string

// Values of AccessLog.
const (
	LogAll    AccessLog = "all"
	LogFailed AccessLog = "failed" // all but those with outcome ok
	LogNone   AccessLog = "none"
)

func (h *Handler) logs(e *exchange, outcome usagev1.Outcome) bool {
	switch h.config.AccessLog {
	case LogNone:
		return false
	case LogFailed:
		if outcome == usagev1.Outcome_OUTCOME_OK {
			return false
		}
	}
	return h.config.Logger.Enabled(e.r.Context(), slog.LevelInfo)
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
	if id := e.traceID(); id != "" {
		attributes = append(attributes, slog.String("trace_id", id))
	}
	if e.record.ErrorCode != "" {
		attributes = append(attributes, slog.String("code", e.record.ErrorCode))
	}
	if e.record.KeyId != "" {
		attributes = append(attributes, slog.String("key_id", e.record.KeyId), slog.String("project_id", e.record.ProjectId))
	}
	if e.route != nil {
		attributes = append(attributes, slog.String("route", e.route.Name), slog.Bool("streamed", e.record.Streamed))
	}
	if took, waited := e.queueTook(); waited {
		attributes = append(attributes, slog.Duration("queued", took))
	}
	if e.up != nil {
		a := e.up.attempt
		attributes = append(attributes,
			slog.String("provider", a.Provider), slog.String("model", a.Model), slog.Int("upstream_status", int(a.Status)),
			slog.Duration("time_to_first_token", time.Duration(e.record.TimeToFirstTokenUs)*time.Microsecond),
			slog.Duration("overhead", time.Duration(e.record.OverheadUs)*time.Microsecond))
		if attempts := len(e.record.Attempts); attempts > 1 {
			attributes = append(attributes, slog.Int("attempts", attempts), slog.String("cause", causeName(a.Cause)))
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
