package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// inDollars is what a record costs, by other means than the agent's; empty: unknown.
func inDollars(r *usagev1.UsageRecord) string {
	sum := int64(0)
	for _, attempt := range r.Attempts {
		if attempt.CostNanoUsd == nil {
			return ""
		}
		sum += *attempt.CostNanoUsd
	}
	return fmt.Sprintf("%d.%09d", sum/1e9, sum%1e9)
}

func TestCallersAreToldTheCost(t *testing.T) {
	retried := &policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}, Retry: &policyv1.Retry{MaxAttempts: 2, BackoffMs: 1, On: everyFailure}}
	for name, test := range map[string]struct {
		route   string
		faults  []llmtest.Fault
		stream  bool
		trailer bool // not in the header
		priced  bool
	}{
		"whole":             {"chat", nil, false, false, true},
		"stream":            {"chat", nil, true, true, true},
		"stream_cut":        {"chat", []llmtest.Fault{{Kind: llmtest.Cut, After: 3}}, true, true, true},
		"error":             {"chat", []llmtest.Fault{{Kind: llmtest.Status, Status: 400}}, false, false, true},
		"error_of_a_stream": {"chat", []llmtest.Fault{{Kind: llmtest.Status, Status: 500}}, true, false, true},
		"unreachable":       {"dead", nil, false, false, true},
		"unpriced":          {"odd", nil, false, false, false},
		"unpriced_stream":   {"odd", nil, true, false, false},
		"both_attempts":     {"routed", []llmtest.Fault{{Kind: llmtest.Status, Status: 502}}, false, false, true},
		"both_of_a_stream":  {"routed", []llmtest.Fault{{Kind: llmtest.Cut}}, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.routed(retried)
			h.mock.Script(test.faults...)
			rest := ""
			if test.stream {
				rest = `,"stream":true`
			}
			response, text := h.post(goodKey, toRoute(test.route, rest+`,"max_tokens":50`))
			_, ended := h.record()
			want := inDollars(ended)
			if (want != "") != test.priced || test.route == "routed" && len(ended.Attempts) != 2 {
				t.Fatalf("recorded %v", ended)
			}
			header, trailer := want, ""
			if test.trailer {
				header, trailer = "", want
			}
			if got := response.Header.Get("X-Weir-Cost"); got != header {
				t.Errorf("header %q, want %q: %s", got, header, text)
			}
			if got := response.Trailer.Get("X-Weir-Cost"); got != trailer {
				t.Errorf("trailer %q, want %q", got, trailer)
			}
			if route := response.Header.Get("X-Weir-Route"); route != test.route {
				t.Errorf("route %q", route)
			}
		})
	}
}

func TestNoCostWithoutAnAttempt(t *testing.T) {
	h := newHarness(t)
	for _, body := range []string{`{"model":"nothing"}`, toRoute("bare", "")} {
		if response, _ := h.post(goodKey, body); response.Header["X-Weir-Cost"] != nil || response.Header["X-Weir-Route"] != nil {
			t.Errorf("told %v", response.Header)
		}
	}
}

// TestATrailerForWhomever: HTTP/2 has them, HTTP/1.0 is spared.
func TestATrailerForWhomever(t *testing.T) {
	h := newHarness(t)
	body := question + `,"stream":true}`
	server := httptest.NewUnstartedServer(h.handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.ProtoMajor != 2 || response.Trailer.Get("X-Weir-Cost") == "" {
		t.Errorf("%s, %v: %v", response.Proto, err, response.Trailer)
	}

	old := h.connect(strings.Replace(head(goodKey, len(body)), "HTTP/1.1", "HTTP/1.0", 1) + body)
	response, err = http.ReadResponse(bufio.NewReader(old), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n\n") || response.TransferEncoding != nil {
		t.Errorf("%v: %s", err, text)
	}
}
