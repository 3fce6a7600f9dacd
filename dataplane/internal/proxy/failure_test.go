package proxy_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var tooLongOrFiltered = []policyv1.Failure{policyv1.Failure_FAILURE_CONTEXT_TOO_LONG, policyv1.Failure_FAILURE_CONTENT_FILTER}

// refusals are providers' answers to a prompt that another target may take.
var refusals = map[string]struct {
	provider, model string
	stream          bool
	reply           reply
	source          usagev1.UsageSource
	// shown is what a caller finds of it in its own dialect where nothing follows.
	shown string
}{
	"openai_context": {"mock", "gpt-4o", false, reply{400, "application/json", `{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`}, none, `"code":"context_length_exceeded"`},
	"openai_filter_in_a_stream": {"mock", "gpt-4o", true, reply{200, sseType, opening + `data: {"error":{"message":"Filtered.","type":"invalid_request_error","code":"content_filter"}}` + "\n\n"},
		estimated, `"code":"content_filter"`},
	"openai_filtered_answer": {"mock", "gpt-4o", false, reply{200, "application/json", `{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":7,"completion_tokens":0}}`},
		reported, `"finish_reason":"content_filter"`},
	"openai_filtered_stream": {"mock", "gpt-4o", true, reply{200, sseType, opening + `data: {"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}` + "\n\ndata: [DONE]\n\n"},
		estimated, `"finish_reason":"content_filter"`},
	"azure_filter": {"mock", "gpt-4o", true, reply{400, "application/json", `{"error":{"message":"Filtered","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`}, none, `"code":"content_filter"`},
	"anthropic_context": {"claude", sonnet, false, reply{400, "application/json", `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 214850 tokens > 200000 maximum"}}`},
		none, "prompt is too long"},
	"anthropic_context_in_a_stream": {"claude", sonnet, true, reply{200, sseType, "event: error\ndata: " + `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}` + "\n\n"},
		estimated, "prompt is too long"},
	"gemini_context": {"gemini", flash, true, reply{400, "application/json", `[{"error":{"code":400,"message":"The input token count (2) exceeds the maximum number of tokens allowed (1).","status":"INVALID_ARGUMENT"}}]`},
		none, "exceeds the maximum number of tokens"},
	"gemini_blocked": {"gemini", flash, false, reply{200, "application/json", `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7}}`},
		reported, `"finish_reason":"content_filter"`},
	"gemini_blocked_in_a_stream": {"gemini", flash, true, reply{200, sseType, `data: {"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7}}` + "\r\n\r\n"},
		reported, `"finish_reason":"content_filter"`},
	"bedrock_context": {"aws", haiku, false, reply{400, "application/json", `{"message":"Input is too long for requested model."}`}, none, "Input is too long"},
	"bedrock_guardrail": {"aws", haiku, false, reply{200, "application/json", `{"output":{"message":{"role":"assistant","content":[{"text":"No."}]}},"stopReason":"guardrail_intervened","usage":{"inputTokens":7,"outputTokens":1,"totalTokens":8}}`},
		reported, `"finish_reason":"content_filter"`},
}

// TestRefusedPromptsGoToAnotherTarget where the route says so.
func TestRefusedPromptsGoToAnotherTarget(t *testing.T) {
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			h := everywhere(t, &policyv1.Route{Strategy: priority, Retry: &policyv1.Retry{MaxAttempts: 5, On: tooLongOrFiltered},
				Targets: []*policyv1.Target{to(test.provider, test.model, 0), to("mock", "odd-model", 0)}})
			h.first(test.reply)
			surface := chatSurfaces["chat"]
			response, text := h.askBy(&surface, test.stream)
			if response.StatusCode != 200 || !strings.Contains(text, "hills") || strings.Contains(text, test.shown) {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			wantHeaders(t, response, "2", "mock/odd-model")
			if _, ended := h.record(); ended.Attempts[0].Outcome != upstreamError || ended.Attempts[0].UsageSource != test.source {
				t.Errorf("recorded %v", ended.Attempts[0])
			}
		})
	}
}

// TestRefusedPromptsEndWhereNothingFollows: the caller is told what the provider said.
func TestRefusedPromptsEndWhereNothingFollows(t *testing.T) {
	for name, test := range refusals {
		for why, retry := range map[string]*policyv1.Retry{
			"the_route_does_not_say_so":   {},
			"the_last_target_says_it_too": {MaxAttempts: 5, On: tooLongOrFiltered},
		} {
			t.Run(name+"/"+why, func(t *testing.T) {
				targets, replies := []*policyv1.Target{to("mock", "odd-model", 0), to(test.provider, test.model, 0)}, []reply{refusals["openai_context"].reply, test.reply}
				if retry.On == nil {
					targets, replies = targets[1:], replies[1:]
				}
				h := everywhere(t, &policyv1.Route{Strategy: priority, Retry: retry, Targets: targets})
				h.first(replies...)
				surface := chatSurfaces["chat"]
				response, text := h.askBy(&surface, test.stream)
				if !strings.Contains(text, test.shown) || strings.Contains(text, "hills") {
					t.Errorf("%d %s", response.StatusCode, text)
				}
				if _, ended := h.record(); len(ended.Attempts) != len(targets) {
					t.Errorf("recorded %v", ended)
				}
			})
		}
	}
}

// TestTargetsThatTakeNoMoreArePassedOver: gpt-4o takes 128,000 tokens, dear-model 1,000.
func TestTargetsThatTakeNoMoreArePassedOver(t *testing.T) {
	for name, test := range map[string]struct {
		first, second string
		attempts      string
		status        int
	}{
		"less":      {"gpt-4o", "dear-model", "1", 400},
		"more":      {"dear-model", "gpt-4o", "2", 200},
		"not_known": {"gpt-4o", "odd-model", "2", 200},
	} {
		t.Run(name, func(t *testing.T) {
			h := everywhere(t, &policyv1.Route{Strategy: priority, Retry: &policyv1.Retry{MaxAttempts: 5, On: tooLongOrFiltered},
				Targets: []*policyv1.Target{to("mock", test.first, 0), to("mock", test.second, 0)}})
			h.first(refusals["openai_context"].reply)
			surface := chatSurfaces["chat"]
			response, text := h.askBy(&surface, false)
			if response.StatusCode != test.status || response.Header.Get("X-Weir-Attempts") != test.attempts {
				t.Errorf("%d after %s: %s", response.StatusCode, response.Header.Get("X-Weir-Attempts"), text)
			}
		})
	}
}

// TestCloudflaresErrors: some say that the provider was not reached, some can't know.
func TestCloudflaresErrors(t *testing.T) {
	for status, source := range map[int]usagev1.UsageSource{520: estimated, 521: none, 522: none, 523: none, 524: estimated, 525: none, 526: none} {
		h := everywhere(t, &policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
		h.first(reply{status, "text/html", "<html>"})
		surface := chatSurfaces["chat"]
		if response, text := h.askBy(&surface, false); response.StatusCode != 200 || response.Header.Get("X-Weir-Attempts") != "2" {
			t.Errorf("%d: %d %s", status, response.StatusCode, text)
		}
		if _, ended := h.record(); ended.Attempts[0].UsageSource != source || ended.Attempts[0].Status != int32(status) {
			t.Errorf("%d is recorded as %v", status, ended.Attempts[0])
		}
	}
}

// TestFiltersAreNoFaultOfTheTarget: one that stops prompts is as well as before.
func TestFiltersAreNoFaultOfTheTarget(t *testing.T) {
	for _, name := range []string{"openai_filtered_answer", "openai_filtered_stream", "openai_filter_in_a_stream", "openai_context"} {
		test := refusals[name]
		h := everywhere(t, &policyv1.Route{Strategy: priority, Retry: &policyv1.Retry{MaxAttempts: 5, On: tooLongOrFiltered},
			Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
		h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if !bytes.Contains(body, []byte(`"gpt-4o"`)) {
				h.mock.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", test.reply.kind)
			w.WriteHeader(test.reply.status)
			_, _ = io.WriteString(w, test.reply.body)
		})
		surface := chatSurfaces["chat"]
		for range 30 {
			h.askBy(&surface, test.stream)
			<-h.done
		}
		for ticket, ended := range h.recorder.ended {
			if len(ended.Attempts) != 2 || ended.Attempts[0].Model != "gpt-4o" {
				t.Errorf("%s: request %d went to %v", name, ticket, ended.Attempts)
				break
			}
		}
	}
}
