package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	overloadedClaude = `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`
	failedStream     = "event: error\ndata: " + overloadedClaude + "\n\n"
)

// TestAnswersStayInTheirVoice: a target that is looked at and not tried changes nothing of
// how the caller is told what the last attempt brought.
func TestAnswersStayInTheirVoice(t *testing.T) {
	asked := `,"logit_bias":{"1":2}`
	for name, test := range map[string]struct {
		targets []*policyv1.Target
		rest    string
		first   *http.Response
		second  *http.Response
		header  map[string]string
		want    string
		not     string
	}{
		"translated": {[]*policyv1.Target{to("mock", "gpt-4o", 0), to("claude", sonnet, 0)}, asked,
			said(429, `{"error":{"message":"slow"}}`, "Retry-After", "5"),
			said(529, overloadedClaude, "Retry-After", "60", "Anthropic-Organization-Id", "org"),
			map[string]string{"Anthropic-Organization-Id": "", "X-Weir-Lossy": "logit_bias"}, `"message":"busy"`, "overloaded_error\","},
		"passed": {[]*policyv1.Target{to("claude", sonnet, 0), to("mock", "gpt-4o", 0)}, asked,
			said(529, overloadedClaude, "Retry-After", "5"),
			said(429, `{"error":{"message":"slow"}}`, "Retry-After", "60", "X-Request-Id", "r1"),
			map[string]string{"X-Request-Id": "r1", "X-Weir-Lossy": ""}, `{"error":{"message":"slow"}}`, "busy"},
		"stream": {[]*policyv1.Target{to("mock", "gpt-4o", 0), to("claude", sonnet, 0)}, asked + `,"stream":true`,
			said(429, `{"error":{"message":"slow"}}`, "Retry-After", "5"),
			said(200, failedStream, "Content-Type", "text/event-stream", "Retry-After", "60", "Anthropic-Organization-Id", "org"),
			map[string]string{"Anthropic-Organization-Id": "", "X-Weir-Lossy": "logit_bias"}, `"message":"busy"`, "[DONE]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: func(attempt int) *http.Response { return []*http.Response{nil, test.first, test.second}[attempt] }}
			h := claude(t, test.targets, drawsNothing, func(c *proxy.Config) { c.Transport = s })
			h.extra[1] = resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Targets: test.targets,
				Timeouts: &policyv1.Timeouts{TotalMs: 500}, Retry: &policyv1.Retry{MaxAttempts: 5, On: everyFailure}})
			h.holder.Store(h.policy(h.upstream.URL))
			w := httptest.NewRecorder()
			synctest.Test(t, func(t *testing.T) { h.handler.ServeHTTP(w, toRouted(t.Context(), test.rest)) })
			for name, want := range test.header {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if text := w.Body.String(); len(s.times) != 2 || !strings.Contains(text, test.want) || strings.Contains(text, test.not) {
				t.Errorf("%d attempts, %d %s", len(s.times), w.Code, text)
			}
		})
	}
}
