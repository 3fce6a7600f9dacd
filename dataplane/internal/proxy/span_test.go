package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	callersTrace = "0af7651916cd43dd8448eb211c80319c"
	callersSpan  = "b7ad6b7169203331"
)

// twice is a route that repeats at once.
var twice = &policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)},
	Retry: &policyv1.Retry{MaxAttempts: 2, On: everyFailure, BackoffMs: 1}}

// traced records the spans of a handler.
func traced(spans *tracetest.SpanRecorder) func(*proxy.Config) {
	return func(c *proxy.Config) {
		c.Tracer = sdk.NewTracerProvider(sdk.WithSpanProcessor(spans), sdk.WithSampler(sdk.ParentBased(sdk.AlwaysSample()))).Tracer("test")
	}
}

func (h *harness) askTraced(flags string, headers ...string) {
	h.t.Helper()
	h.post(goodKey, strings.Replace(question, `"chat"`, `"routed"`, 1)+`}`, append([]string{
		"Traceparent", "00-" + callersTrace + "-" + callersSpan + "-" + flags, "Tracestate", "vendor=1", "Baggage", "user=canary",
	}, headers...)...)
	<-h.done
}

func attributesOf(span sdk.ReadOnlySpan) map[attribute.Key]any {
	all := map[attribute.Key]any{}
	for _, a := range span.Attributes() {
		all[a.Key] = a.Value.AsInterface()
	}
	return all
}

func TestRequestsAndAttemptsAreSpans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	h := newHarness(t, traced(spans))
	h.routed(twice)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 503})
	h.askTraced("01")
	ended := spans.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans", len(ended))
	}
	failed, good, request := ended[0], ended[1], ended[2]
	if request.SpanKind() != trace.SpanKindServer || request.Name() != "weir chat" || request.Parent().SpanID().String() != callersSpan ||
		request.SpanContext().TraceID().String() != callersTrace {
		t.Errorf("request %s, a child of %v", request.Name(), request.Parent())
	}
	for _, span := range ended {
		if state := span.SpanContext().TraceState().String() + span.Parent().TraceState().String(); state != "" {
			t.Errorf("%s has the caller's words %q", span.Name(), state)
		}
	}
	for i, attempt := range []sdk.ReadOnlySpan{failed, good} {
		if attempt.SpanKind() != trace.SpanKindClient || attempt.Name() != "chat gpt-4o" || attempt.Parent().SpanID() != request.SpanContext().SpanID() {
			t.Errorf("attempt %s, a child of %v", attempt.Name(), attempt.Parent())
		}
		sent := h.mock.Requests()[i].Header
		want := "00-" + callersTrace + "-" + attempt.SpanContext().SpanID().String() + "-01"
		if sent.Get("Traceparent") != want || sent.Get("Tracestate") != "vendor=1" || sent.Get("Baggage") != "" {
			t.Errorf("attempt %d was sent with %v, want parent %s", i+1, sent, want)
		}
	}
	said, host := attributesOf(good), strings.TrimPrefix(h.upstream.URL, "http://")
	if said["gen_ai.usage.input_tokens"].(int64) <= 0 || said["weir.time_to_first_token"].(float64) <= 0 {
		t.Errorf("%v", said)
	}
	id := said["weir.request_id"]
	delete(said, "gen_ai.usage.input_tokens")
	delete(said, "weir.time_to_first_token")
	delete(said, "server.address")
	want := map[attribute.Key]any{"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
		"gen_ai.usage.output_tokens": int64(20), "http.response.status_code": int64(200), "weir.route": "routed", "weir.target": "mock/gpt-4o",
		"weir.request_id": h.recorder.ended[1].RequestId, "weir.attempt": int64(2)}
	if diff := cmp.Diff(want, said); diff != "" || !strings.HasPrefix(host, attributesOf(good)["server.address"].(string)) {
		t.Errorf("%s at %v: %s", host, attributesOf(good)["server.address"], diff)
	}
	if attributesOf(failed)["error.type"] != "503" || attributesOf(request)["error.type"] != nil || attributesOf(request)["weir.request_id"] != id {
		t.Errorf("%v, %v", failed.Attributes(), request.Attributes())
	}
	if !strings.Contains(h.log.String(), `"trace_id":"`+callersTrace+`"`) {
		t.Error("the log does not name the trace")
	}
}

// Where the caller does not sample, neither does the agent, and it says so to the upstream.
func TestUnsampledRequestsMakeNoSpan(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	h := newHarness(t, traced(spans))
	h.routed(twice)
	h.askTraced("00")
	parent := h.mock.Requests()[0].Header.Get("Traceparent")
	if len(spans.Ended()) != 0 || !strings.HasPrefix(parent, "00-"+callersTrace) || !strings.HasSuffix(parent, "-00") {
		t.Errorf("%d spans, sent with %q", len(spans.Ended()), parent)
	}
}

// Where nothing is traced the caller's trace passes as it came, and its baggage never.
func TestTraceContextWithoutTracing(t *testing.T) {
	h := newHarness(t)
	h.routed(twice)
	h.askTraced("01")
	sent := h.mock.Requests()[0].Header
	if sent.Get("Traceparent") != "00-"+callersTrace+"-"+callersSpan+"-01" || sent.Get("Tracestate") != "vendor=1" || sent.Get("Baggage") != "" {
		t.Errorf("sent with %v", sent)
	}
}

// The upstream's status is the attempt's, the caller's is the request's.
func TestSpansHaveTheirOwnStatus(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	h := newHarness(t, traced(spans))
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: http.StatusUnauthorized})
	response, _ := h.post(goodKey, question+`}`)
	<-h.done
	ended := spans.Ended()
	if len(ended) != 2 || attributesOf(ended[0])["http.response.status_code"] != int64(401) ||
		attributesOf(ended[1])["http.response.status_code"] != int64(response.StatusCode) || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d to the caller, %v", response.StatusCode, ended)
	}
}

func TestRefusalsAreSpans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	h := newHarness(t, traced(spans))
	h.post(goodKey, `{"model":"nobody-knows"}`)
	h.post("weir_unknown", question+`}`)
	response, err := http.Get(h.agent.URL + "/favicon.ico")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for range 3 {
		<-h.done
	}
	var said []any
	for _, span := range spans.Ended() {
		said = append(said, span.Name(), attributesOf(span)["error.type"])
	}
	if diff := cmp.Diff([]any{"weir chat", "route_unknown", "weir chat", "key_unknown", "weir", "unsupported_surface"}, said); diff != "" {
		t.Error(diff)
	}
}
