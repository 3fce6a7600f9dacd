package proxy_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	none      = usagev1.UsageSource_USAGE_SOURCE_NONE
	reported  = usagev1.UsageSource_USAGE_SOURCE_REPORTED
	estimated = usagev1.UsageSource_USAGE_SOURCE_ESTIMATED
)

// ending is what a record says about how a request went.
type ending struct {
	Outcome usagev1.Outcome
	Status  int32
	Code    string
	Source  usagev1.UsageSource
	Usage   *usagev1.TokenUsage
	Cost    int64 // -1: unpriced
}

func endingOf(r *usagev1.UsageRecord) ending {
	a := r.Attempts[0]
	e := ending{Outcome: r.Outcome, Status: r.Status, Code: r.ErrorCode, Source: a.UsageSource, Usage: a.Usage, Cost: -1}
	if a.CostNanoUsd != nil {
		e.Cost = *a.CostNanoUsd
	}
	return e
}

func wantEnding(t *testing.T, h *harness, want ending) {
	t.Helper()
	_, ended := h.record()
	if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

var noTokens = &usagev1.TokenUsage{}

// worst is the reservation of a body with a cap: the body's bytes in, the cap out.
func worst(body string, output int64) (*usagev1.TokenUsage, int64) {
	input := int64(len(body))
	return &usagev1.TokenUsage{Input: input, Output: output}, (input*2_500_000 + output*10_000_001 + 500) / 1000
}

func TestUpstreamErrorsPassAsTheyCame(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"too_many": {Kind: llmtest.Status, Status: 429, RetryAfter: 2 * time.Second},
		"internal": {Kind: llmtest.Status, Status: 500},
		"bad":      {Kind: llmtest.Status, Status: 400},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.mock.Script(fault)
			response, text := h.post(goodKey, question+`,"stream":true}`)
			if response.StatusCode != fault.Status || !strings.Contains(text, `"error":{"message"`) || strings.Contains(text, "weir") {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			if fault.RetryAfter > 0 && response.Header.Get("Retry-After") != "2" {
				t.Errorf("retry-after %q", response.Header.Get("Retry-After"))
			}
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, int32(fault.Status), "upstream_error", none, noTokens, 0})
			if n := len(h.mock.Requests()); n != 1 {
				t.Errorf("upstream was asked %d times", n)
			}
		})
	}
}

func TestRejectedCredentialIsNotTheCallersFault(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.Secrets = secrets{"env://WEIR_SECRET_MOCK": "sk-wrong-canary"} })
	response, text := h.post(goodKey, question+`}`)
	if response.StatusCode != 503 || !strings.Contains(text, `"code":"credential_rejected"`) || strings.Contains(text, "sk-w") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 503, "credential_rejected", none, noTokens, 0})
}

func TestBrokenStreamEndsWithAnErrorEvent(t *testing.T) {
	body := question + `,"stream":true,"max_tokens":50}`
	usage, cost := worst(body, 50)
	for name, test := range map[string]struct {
		fault llmtest.Fault
		code  string
	}{
		"cut_inside_of_an_event": {llmtest.Fault{Kind: llmtest.Cut, After: 3}, "upstream_broke"},
		"cut_at_once":            {llmtest.Fault{Kind: llmtest.Cut}, "upstream_broke"},
		"silence":                {llmtest.Fault{Kind: llmtest.Stall, After: 3}, "upstream_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) { c.IdleTimeout = 50 * time.Millisecond })
			h.mock.Script(test.fault)
			response, text := h.post(goodKey, body)
			events := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n")
			if len(events) != test.fault.After+1 {
				t.Errorf("%d events: %q", len(events), events)
			}
			last := events[len(events)-1]
			if !strings.HasPrefix(last, `data: {"error":{"message":`) || !strings.Contains(last, `"code":"`+test.code+`"`) {
				t.Errorf("the last event is %q", last)
			}
			if response.StatusCode != 200 {
				t.Errorf("status %d", response.StatusCode)
			}
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 200, test.code, estimated, usage, cost})
		})
	}
}

func TestSDKRaisesABrokenStream(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut, After: 3})
	client := h.client(goodKey)
	stream := client.Chat.Completions.NewStreaming(context.Background(), params("chat"))
	for stream.Next() {
	}
	if stream.Err() == nil || !strings.Contains(stream.Err().Error(), "upstream_broke") {
		t.Errorf("error %v", stream.Err())
	}
}

func TestOddStreams(t *testing.T) {
	body := question + `,"stream":true,"max_tokens":50}`
	usage, cost := worst(body, 50)
	exact := ending{usagev1.Outcome_OUTCOME_OK, 200, "", reported, &usagev1.TokenUsage{Input: 10, Output: 20}, 225_000}
	more := ending{usagev1.Outcome_OUTCOME_OK, 200, "", reported, &usagev1.TokenUsage{Input: 10, Output: 21}, 235_000}
	for name, test := range map[string]struct {
		fault llmtest.Fault
		want  ending
		text  string
	}{
		"no_end_mark":  {llmtest.Fault{Kind: llmtest.NoDone}, exact, `"finish_reason":"stop"`},
		"no_usage":     {llmtest.Fault{Kind: llmtest.NoUsage}, ending{usagev1.Outcome_OUTCOME_OK, 200, "", estimated, usage, cost}, "[DONE]"},
		"malformed":    {llmtest.Fault{Kind: llmtest.Malformed, After: 2}, exact, "not an event"},
		"huge_event":   {llmtest.Fault{Kind: llmtest.Huge, After: 2, Size: 3 << 20}, more, strings.Repeat("x", 3<<20) + `"}`},
		"error_event":  {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 2}, ending{usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 200, "upstream_error", estimated, usage, cost}, "Sorry about that"},
		"error_body":   {llmtest.Fault{Kind: llmtest.ErrorBody}, ending{usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 200, "upstream_error", estimated, usage, cost}, "Sorry about that"},
		"content_type": {llmtest.Fault{Kind: llmtest.ContentType}, ending{usagev1.Outcome_OUTCOME_OK, 200, "", estimated, usage, cost}, "<!doctype html>"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.mock.Script(test.fault)
			_, text := h.post(goodKey, body)
			if !strings.Contains(text, test.text) || strings.Contains(text, "upstream_broke") {
				t.Errorf("the caller got %.300q", text)
			}
			if strings.Contains(text, "prompt_tokens") {
				t.Error("the usage that only the agent asked for is shown")
			}
			wantEnding(t, h, test.want)
		})
	}
}

func TestCallerLeaves(t *testing.T) {
	body := question + `,"stream":true,"max_tokens":50}`
	usage, cost := worst(body, 50)
	for name, test := range map[string]struct {
		body   string
		fault  llmtest.Fault
		status int32
	}{
		"in_a_stream":       {body, llmtest.Fault{Kind: llmtest.Stall, After: 3}, 200},
		"before_the_answer": {body, llmtest.Fault{Delay: time.Hour}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.mock.Script(test.fault)
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				for len(h.mock.Requests()) == 0 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(10 * time.Millisecond)
				cancel()
			}()
			_, _, err := h.send(ctx, goodKey, test.body)
			if err == nil {
				t.Fatal("the answer came whole")
			}
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_CLIENT_CLOSED, test.status, "", estimated, usage, cost})
			h.upstream.Close() // waits for the mock's handler: it has left, too
			if got := h.mock.Ledger().Total.Interrupted; got != 1 {
				t.Errorf("upstream counts %d interrupted", got)
			}
		})
	}
}

func TestUnreachableCostsNothing(t *testing.T) {
	h := newHarness(t)
	response, text := h.post(goodKey, strings.Replace(question, `"chat"`, `"dead"`, 1)+`}`)
	if response.StatusCode != 502 || !strings.Contains(text, `"code":"upstream_unreachable"`) || strings.Contains(text, "127.0.0.1") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, 502, "upstream_unreachable", none, noTokens, 0})
}

func TestUpstreamTimeout(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.FirstByteTimeout = 50 * time.Millisecond })
	h.mock.Script(llmtest.Fault{Delay: time.Hour})
	body := question + `,"max_tokens":50}`
	usage, cost := worst(body, 50)
	response, text := h.post(goodKey, body)
	if response.StatusCode != 504 || !strings.Contains(text, `"code":"upstream_timeout"`) {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, 504, "upstream_timeout", estimated, usage, cost})
}

func TestWholeAnswerThatIsCut(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut})
	body := question + `,"max_tokens":50}`
	usage, cost := worst(body, 50)
	response, text := h.post(goodKey, body)
	if response.StatusCode != 502 || !strings.Contains(text, `"code":"upstream_broke"`) {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 502, "upstream_broke", estimated, usage, cost})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	upstream := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer upstream.Close()
	h := newHarness(t)
	h.holder.Store(h.policy(upstream.URL))
	response, text := h.post(goodKey, question+`}`)
	if response.StatusCode != 502 || !strings.Contains(text, `"code":"upstream_redirected"`) || response.Header.Get("Location") != "" {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 502, "upstream_redirected", none, noTokens, 0})
}
