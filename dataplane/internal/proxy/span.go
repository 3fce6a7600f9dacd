package proxy

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// The spans of a request, its own and one for each attempt, are nil where nothing is traced.
// They say what the usage record says, by the semantic conventions for
// generative AI, and nothing of what callers or upstreams wrote: no content, no header, no
// query, no model that is not the policy's.

// w3c reads and writes traceparent and tracestate. Baggage is not read: it is the
// application's own.
var w3c propagation.TraceContext

// traceRequest begins the request's span as a child of the caller's.
func (h *Handler) traceRequest(e *exchange) {
	if h.config.Tracer == nil {
		return
	}
	parent := trace.SpanContextFromContext(w3c.Extract(context.Background(), propagation.HeaderCarrier(e.r.Header)))
	// Spans would carry tracestate, which is text of the caller's: it is for upstreams only.
	e.traceState, parent = parent.TraceState(), parent.WithTraceState(trace.TraceState{})
	_, e.span = h.config.Tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), parent), "weir", trace.WithSpanKind(trace.SpanKindServer))
}

// traceAttempt begins the span of the attempt that opened.
func (u *upstream) traceAttempt() {
	e := u.exchange
	if e.span == nil {
		return
	}
	within := trace.ContextWithSpan(context.Background(), e.span)
	_, span := e.handler.config.Tracer.Start(within, e.surface.operation()+" "+u.target.Model, trace.WithSpanKind(trace.SpanKindClient))
	if span.IsRecording() {
		span.SetAttributes(u.says()...)
		span.SetAttributes(semconv.ServerAddress(u.target.Provider.Host), attribute.Int("weir.attempt", len(e.record.Attempts)))
	}
	u.span = span
}

// says is what is asked of whom.
func (u *upstream) says() []attribute.KeyValue {
	e := u.exchange
	return []attribute.KeyValue{
		semconv.GenAIOperationNameKey.String(e.surface.operation()),
		semconv.GenAIProviderNameKey.String(providerName(u.target.Provider.Dialect)),
		semconv.GenAIRequestModel(u.target.Model),
		attribute.String("weir.route", e.route.Name), attribute.String("weir.target", u.target.Header[0]),
		attribute.String("weir.request_id", e.record.RequestId),
	}
}

// attemptTraced ends the attempt's span.
func (u *upstream) attemptTraced() {
	if u.span == nil {
		return
	}
	if u.span.IsRecording() {
		u.span.SetAttributes(attemptSays(u.attempt)...)
		fails(u.span, errorType(u.attempt))
	}
	u.span.End()
}

func attemptSays(a *usagev1.Attempt) []attribute.KeyValue {
	var says []attribute.KeyValue
	if a.Status != 0 {
		says = append(says, semconv.HTTPResponseStatusCode(int(a.Status)))
	}
	if a.UsageSource == usagev1.UsageSource_USAGE_SOURCE_REPORTED {
		input, output := tokens(a.Usage)
		says = append(says, semconv.GenAIUsageInputTokens(int(input)), semconv.GenAIUsageOutputTokens(int(output)))
	}
	if a.TimeToFirstTokenUs > 0 {
		says = append(says, attribute.Float64("weir.time_to_first_token", (time.Duration(a.TimeToFirstTokenUs)*time.Microsecond).Seconds()))
	}
	return says
}

// fails marks a span whose operation did; error types are of a fixed set.
func fails(span trace.Span, why string) {
	if why != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(why))
		span.SetStatus(codes.Error, "")
	}
}

// requestTraced ends the request's span.
func (e *exchange) requestTraced(outcome usagev1.Outcome) {
	span := e.span
	if span == nil {
		return
	}
	if span.IsRecording() {
		span.SetName(e.spanName())
		span.SetAttributes(e.requestSays()...)
		if outcome != usagev1.Outcome_OUTCOME_OK {
			why := e.record.ErrorCode
			if why == "" {
				why = outcomeName(outcome)
			}
			fails(span, why)
		}
	}
	span.End()
}

// spanName has what the surface is at, not the path that came.
func (e *exchange) spanName() string {
	if e.surface.name == "" {
		return "weir"
	}
	return "weir " + e.surface.name
}

func (e *exchange) requestSays() []attribute.KeyValue {
	says := []attribute.KeyValue{
		attribute.String("weir.request_id", e.record.RequestId), attribute.Int64("weir.policy_version", e.record.PolicyVersion),
		attribute.Int("weir.attempts", len(e.record.Attempts)), attribute.Bool("weir.streamed", e.record.Streamed),
	}
	if e.surface.name != "" {
		says = append(says, semconv.HTTPRequestMethodKey.String(e.surface.method), semconv.HTTPRoute(strings.Join(e.surface.paths, ",")))
	}
	if e.record.KeyId != "" {
		says = append(says, attribute.String("weir.key_id", e.record.KeyId), attribute.String("weir.project_id", e.record.ProjectId))
	}
	if e.up != nil {
		says = append(append(says, e.up.says()...), attemptSays(e.up.attempt)...)
	} else if e.route != nil {
		says = append(says, attribute.String("weir.route", e.route.Name))
	}
	if took, waited := e.queueTook(); waited {
		says = append(says, attribute.Float64("weir.queued", took.Seconds()))
	}
	if e.record.Status != 0 { // last: the upstream's status is another one
		says = append(says, semconv.HTTPResponseStatusCode(int(e.record.Status)))
	}
	return says
}

// propagate has the upstream's spans be children of the attempt's. Where nothing is traced
// the caller's own trace context has passed as it came.
func (u *upstream) propagate(header http.Header) {
	if u.span == nil {
		return
	}
	for _, name := range traceContext {
		delete(header, name)
	}
	parent := u.span.SpanContext().WithTraceState(u.exchange.traceState)
	w3c.Inject(trace.ContextWithSpanContext(context.Background(), parent), propagation.HeaderCarrier(header))
}

// traceID is empty where nothing is traced.
func (e *exchange) traceID() string {
	if e.span == nil {
		return ""
	}
	return e.span.SpanContext().TraceID().String()
}
