package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var (
	toGPT = []*policyv1.Target{to("mock", "gpt-4o", 0)}
	// routedQuestion is OpenAI's surface on claude's route.
	routedQuestion = strings.Replace(question, `"chat"`, `"routed"`, 1)
)

// strictly makes the harness' route a strict one.
func strictly(t *testing.T, targets []*policyv1.Target) *harness {
	h := claude(t, targets)
	h.extra[1] = resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Targets: targets, Strict: true})
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

func TestTranslatedAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		targets              []*policyv1.Target
		ask                  func(*harness) (*http.Response, string)
		path, model, surface string
		price                [2]int64
		want                 []string
	}{
		"chat_by_anthropic": {toSonnet, func(h *harness) (*http.Response, string) { return h.post(goodKey, routedQuestion+`}`) },
			"/v1/messages", sonnet, "SURFACE_OPENAI_CHAT", [2]int64{3_000, 15_000},
			[]string{`"object":"chat.completion"`, `"finish_reason":"stop"`}},
		"chat_stream_by_anthropic": {toSonnet, func(h *harness) (*http.Response, string) { return h.post(goodKey, routedQuestion+`,"stream":true}`) },
			"/v1/messages", sonnet, "SURFACE_OPENAI_CHAT", [2]int64{3_000, 15_000},
			[]string{`"object":"chat.completion.chunk"`, `"finish_reason":"stop"`, "data: [DONE]\n\n"}},
		"messages_by_openai": {toGPT, func(h *harness) (*http.Response, string) { return h.message(message + `}`) },
			"/v1/chat/completions", "gpt-4o", "SURFACE_ANTHROPIC_MESSAGES", [2]int64{2_500, 10_000},
			[]string{`"type":"message"`, `"stop_reason":"end_turn"`}},
		"messages_stream_by_openai": {toGPT, func(h *harness) (*http.Response, string) { return h.message(message + `,"stream":true}`) },
			"/v1/chat/completions", "gpt-4o", "SURFACE_ANTHROPIC_MESSAGES", [2]int64{2_500, 10_000},
			[]string{"event: message_start\n", `"stop_reason":"end_turn"`, "event: message_stop\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, test.targets)
			response, text := test.ask(h)
			if response.StatusCode != 200 || response.Header.Get("X-Weir-Lossy") != "" {
				t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in %s", want, text)
				}
			}
			if strings.Contains(text, `"usage":{"prompt`) && strings.Contains(text, "chunk") {
				t.Errorf("the caller did not ask for the usage event: %s", text)
			}
			if got := h.mock.Requests()[0]; got.Path != test.path {
				t.Errorf("asked at %s", got.Path)
			}
			served := h.mock.Ledger().Models[test.model].Tokens
			want := ending{usagev1.Outcome_OUTCOME_OK, 200, "", reported, &usagev1.TokenUsage{Input: served.Input, Output: served.Output},
				served.Input*test.price[0] + served.Output*test.price[1]}
			_, ended := h.record()
			if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" || ended.Surface.String() != test.surface || ended.TimeToFirstTokenUs == 0 {
				t.Errorf("recorded %v\n%s", ended, diff)
			}
		})
	}
}

// TestTranslatedHeadersStay with the side whose dialect they are of.
func TestTranslatedHeadersStay(t *testing.T) {
	h := claude(t, toGPT)
	response, _ := h.message(message+`}`, "Anthropic-Version", "2023-06-01", "Anthropic-Beta", "b", "X-Stainless-Lang", "go", "Traceparent", "00-1-2-01")
	got := h.mock.Requests()[0].Header
	for name, want := range map[string]string{"Anthropic-Version": "", "Anthropic-Beta": "", "X-Stainless-Lang": "", "X-Api-Key": "",
		"Traceparent": "00-1-2-01", "Content-Type": "application/json", "Authorization": "Bearer " + upstreamKey} {
		if got.Get(name) != want {
			t.Errorf("upstream got %s: %q", name, got.Get(name))
		}
	}
	for name := range response.Header {
		if strings.HasPrefix(name, "Openai-") || name == "X-Request-Id" || strings.HasPrefix(name, "X-Ratelimit") {
			t.Errorf("the caller got %s", name)
		}
	}
}

func TestTranslationNamesWhatItLoses(t *testing.T) {
	const rest = `,"logit_bias":{"1":2},"x\ny":1}`
	h := claude(t, toSonnet)
	response, text := h.post(goodKey, routedQuestion+rest)
	if got := response.Header.Get("X-Weir-Lossy"); response.StatusCode != 200 || got != "logit_bias,(unnamed)" {
		t.Fatalf("%d %q %s", response.StatusCode, got, text)
	}
	h = strictly(t, toSonnet)
	response, text = h.post(goodKey, routedQuestion+rest)
	wantError(t, response, text, 400, "not_translatable")
	if !strings.Contains(text, "logit_bias") || len(h.mock.Requests()) != 0 {
		t.Error(text, h.mock.Requests())
	}
	h = strictly(t, []*policyv1.Target{to("claude", sonnet, 0), to("mock", "gpt-4o", 0)})
	response, _ = h.post(goodKey, routedQuestion+rest)
	wantHeaders(t, response, "1", "mock/gpt-4o")
	response, _ = h.post(goodKey, routedQuestion+`}`)
	wantHeaders(t, response, "1", "claude/"+sonnet)
}

func TestUntranslatableRequestsNameTheField(t *testing.T) {
	h := claude(t, toSonnet)
	response, text := h.post(goodKey, `{"model":"routed","messages":[{"role":"user","content":7}]}`)
	wantError(t, response, text, 400, "invalid_request")
	if !strings.Contains(text, `"param":"messages[0].content"`) || len(h.mock.Requests()) != 0 {
		t.Error(text)
	}
}

// TestTranslatedRequestsAreBoundedAsSent: by the cap that the provider's dialect needs.
func TestTranslatedRequestsAreBoundedAsSent(t *testing.T) {
	h := claude(t, toSonnet)
	h.post(goodKey, `{"model":"routed","messages":[{"role":"user","content":"no cap"}]}`)
	sent := string(h.mock.Requests()[0].Body)
	started, _ := h.record()
	if got := started.Attempts[0].Usage; got.Input != int64(len(sent)) || got.Output != 32_000 || !strings.Contains(sent, `"max_tokens":32000`) {
		t.Errorf("an upper bound of %v for %s", got, sent)
	}
}

func TestTranslatedFailures(t *testing.T) {
	worst := func(input int64) *usagev1.TokenUsage { return &usagev1.TokenUsage{Input: input, Output: 50} }

	for name, test := range map[string]struct {
		fault  llmtest.Fault
		stream bool
		status int
		want   string // in what the caller gets
		end    ending // its usage is worst where it is estimated
	}{
		"rate_limited": {llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: 7 * time.Second}, false, 429, `"type":"rate_limit_error"`,
			ending{upstreamError, 429, "upstream_error", none, noTokens, 0}},
		"server_error": {llmtest.Fault{Kind: llmtest.Status, Status: 500}, true, 500, `"type":"api_error"`,
			ending{upstreamError, 500, "upstream_error", none, noTokens, 0}},
		"cut": {llmtest.Fault{Kind: llmtest.Cut, After: 5}, true, 200, `"code":"upstream_broke"`,
			ending{broke, 200, "upstream_broke", estimated, nil, 0}},
		"error_event": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 5}, true, 200, "event: error\n",
			ending{upstreamError, 200, "upstream_error", estimated, nil, 0}},
		"malformed": {llmtest.Fault{Kind: llmtest.Malformed, After: 3}, true, 200, `"code":"upstream_malformed"`,
			ending{broke, 200, "upstream_malformed", estimated, nil, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, toGPT, func(c *proxy.Config) { c.IdleTimeout = 100 * time.Millisecond })
			h.mock.Script(test.fault)
			body := message + `}`
			if test.stream {
				body = message + `,"stream":true}`
			}
			response, text := h.message(body)
			if response.StatusCode != test.status || !strings.Contains(text, test.want) || strings.Contains(text, "event: message_stop") {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			if test.fault.RetryAfter > 0 && response.Header.Get("Retry-After") != "7" {
				t.Errorf("header %v", response.Header)
			}
			if test.end.Source == estimated {
				sent := int64(len(h.mock.Requests()[0].Body))
				test.end.Usage, test.end.Cost = worst(sent), sent*2_500+50*10_000
			}
			wantEnding(t, h, test.end)
		})
	}
}

// TestTranslatedLies are answers of 200 that are none.
func TestTranslatedLies(t *testing.T) {
	for name, test := range map[string]struct {
		kind, body string
		stream     bool
		status     int
		want       string
	}{
		"not_json":             {"application/json", `<html>`, false, 502, `"code":"upstream_malformed"`},
		"of_another_dialect":   {"application/json", `{"type":"message"}`, false, 502, `"code":"upstream_malformed"`},
		"empty":                {"application/json", ``, false, 502, `"code":"upstream_empty"`},
		"error":                {"application/json", `{"error":{"message":"no luck","type":"server_error"}}`, false, 502, `no luck`},
		"stream_unasked":       {"text/event-stream", "data: {}\n\n", false, 502, `"code":"upstream_malformed"`},
		"stream_without_end":   {"text/event-stream", "", true, 200, `"code":"upstream_broke"`},
		"stream_of_no_events":  {"text/event-stream", "data: nonsense\n\n", true, 200, `"code":"upstream_malformed"`},
		"whole_where_streamed": {"application/json", openAIAnswer, true, 200, "event: message_stop\n"},
		"error_where_streamed": {"application/json", `{"error":{"message":"no luck"}}`, true, 502, `no luck`},
	} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, toGPT)
			h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.kind)
				_, _ = io.WriteString(w, test.body)
			})
			body := message + `}`
			if test.stream {
				body = message + `,"stream":true}`
			}
			response, text := h.message(body)
			if response.StatusCode != test.status || !strings.Contains(text, test.want) {
				t.Errorf("%d %v %s", response.StatusCode, response.Header, text)
			}
			if kind := response.Header.Get("Content-Type"); (test.status == 200) != strings.HasPrefix(kind, "text/event-stream") {
				t.Errorf("a %s", kind)
			}
			h.record()
		})
	}
}

const openAIAnswer = `{"id":"c1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant",` +
	`"content":"so much","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}],` +
	`"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`

// TestWholeAnswersAreStreamed where the caller asked for a stream and the upstream knows none.
func TestWholeAnswersAreStreamed(t *testing.T) {
	h := claude(t, toGPT)
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, openAIAnswer)
	})
	_, text := h.message(message + `,"stream":true}`)
	for _, want := range []string{`"text_delta","text":"so much"`, `"type":"tool_use","id":"t1","name":"f"`, `"partial_json":"{\"a\":1}"`, `"stop_reason":"tool_use"`} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	wantEnding(t, h, ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: 10, Output: 20}, 10*2_500 + 20*10_000})
}

func TestFailOverAcrossDialects(t *testing.T) {
	targets := []*policyv1.Target{to("mock", "gpt-4o", 0), to("claude", sonnet, 0)}
	messages := func(h *harness, rest string) (*http.Response, string) { return h.message(message + rest) }
	chats := func(h *harness, rest string) (*http.Response, string) { return h.post(goodKey, routedQuestion+rest) }
	for name, test := range map[string]struct {
		ask   func(*harness, string) (*http.Response, string)
		fault llmtest.Fault
		rest  string
	}{
		"messages_after_a_status":  {messages, llmtest.Fault{Kind: llmtest.Status, Status: 500}, `}`},
		"chat_after_a_status":      {chats, llmtest.Fault{Kind: llmtest.Status, Status: 500}, `}`},
		"messages_after_a_cut":     {messages, llmtest.Fault{Kind: llmtest.Cut}, `,"stream":true}`},
		"chat_after_a_cut":         {chats, llmtest.Fault{Kind: llmtest.Cut}, `,"stream":true}`},
		"messages_after_malformed": {messages, llmtest.Fault{Kind: llmtest.Malformed}, `,"stream":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, targets)
			h.mock.Script(test.fault)
			response, text := test.ask(h, test.rest)
			wantHeaders(t, response, "2", "claude/"+sonnet)
			if response.StatusCode != 200 || strings.Contains(text, `"error"`) || !strings.Contains(text, "hills") {
				t.Errorf("the caller got %d %s", response.StatusCode, text)
			}
		})
	}
}
