package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// TestTranslatedStreamsAreBounded: what converters remember of them is.
func TestTranslatedStreamsAreBounded(t *testing.T) {
	const head = `event: message_start` + "\n" + `data: {"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n"
	event := func(data string) string { return "data: " + data + "\n\n" }
	for name, endless := range map[string]func(i int) string{
		"text": func(int) string {
			return event(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"` + strings.Repeat("a", 1000) + `"}}`)
		},
		"blocks": func(i int) string {
			return event(`{"type":"content_block_start","index":` + strconv.Itoa(i+1) + `,"content_block":{"type":"text","text":""}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: func(int) *http.Response {
				response := said(200, "", "Content-Type", "text/event-stream")
				response.ContentLength = -1
				response.Body = io.NopCloser(&babble{said: head + event(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`), next: endless})
				return response
			}}
			h := claude(t, toSonnet, func(c *proxy.Config) { c.Transport, c.MaxAnswerBytes = s, 100_000 })
			w := httptest.NewRecorder()
			h.handler.ServeHTTP(w, toRouted(t.Context(), `,"stream":true`))
			if text := w.Body.String(); w.Code != 200 || !strings.Contains(text, "upstream_too_large") || strings.Contains(text, "[DONE]") {
				t.Errorf("%d, %d bytes", w.Code, len(text))
			}
			if ended := h.recorder.ended[1]; ended.Outcome != broke || ended.ErrorCode != "upstream_too_large" || ended.Attempts[0].UsageSource != estimated {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}

// babble never ends.
type babble struct {
	said  string
	next  func(i int) string
	count int
}

func (b *babble) Read(p []byte) (int, error) {
	if b.said == "" {
		b.said = b.next(b.count)
		b.count++
	}
	n := copy(p, b.said)
	b.said = b.said[n:]
	return n, nil
}
