package proxy_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const question = `{"model":"chat","messages":[{"role":"user","content":"how much water passed"}]`

func params(route string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: route, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("how much water passed")}}
}

func TestSDKGetsAnAnswer(t *testing.T) {
	h := newHarness(t)
	client := h.client(goodKey)
	answer, err := client.Chat.Completions.New(context.Background(), params("chat"))
	if err != nil {
		t.Fatal(err)
	}
	if want := llmtest.Answer("how much water passed", 0, 20); answer.Choices[0].Message.Content != want {
		t.Errorf("content %q, want %q", answer.Choices[0].Message.Content, want)
	}
	started, ended := h.record()
	if started.Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || started.Attempts[0].UsageSource != usagev1.UsageSource_USAGE_SOURCE_ESTIMATED {
		t.Errorf("started as %v", started)
	}
	want := &usagev1.UsageRecord{
		RequestId: started.RequestId, Surface: usagev1.Surface_SURFACE_OPENAI_CHAT, ProjectId: "project-1", KeyId: "k-good",
		RouteId: "r-chat", Route: "chat", Outcome: usagev1.Outcome_OUTCOME_OK, Status: 200,
		PolicyEpoch: 1, PolicyVersion: 7, RevocationVersion: 9,
		Attempts: []*usagev1.Attempt{{
			ProviderId: "mock", Provider: "mock", Model: "gpt-4o", Status: 200, Outcome: usagev1.Outcome_OUTCOME_OK,
			Usage:       &usagev1.TokenUsage{Input: 10, Output: 20},
			UsageSource: usagev1.UsageSource_USAGE_SOURCE_REPORTED, PriceBookVersion: "book-1",
			CostNanoUsd: proto.Int64(225_000), // 10 × 2,500,000 + 20 × 10,000,001 pico, half up
			Cause:       usagev1.Cause_CAUSE_FIRST, ServiceTier: usagev1.ServiceTier_SERVICE_TIER_STANDARD,
		}},
		Candidates: []*usagev1.Candidate{{Provider: "mock", Model: "gpt-4o", Verdict: usagev1.Verdict_VERDICT_CHOSEN}},
	}
	ignored := protocmp.IgnoreFields(&usagev1.UsageRecord{}, "started_at_us", "duration_us", "overhead_us", "time_to_first_token_us")
	ignoredToo := protocmp.IgnoreFields(&usagev1.Attempt{}, "started_after_us", "duration_us", "time_to_first_token_us", "raw_usage_sha256")
	if diff := cmp.Diff(want, ended, protocmp.Transform(), ignored, ignoredToo); diff != "" {
		t.Error(diff)
	}
	if ended.DurationUs <= 0 || ended.OverheadUs <= 0 || ended.OverheadUs > ended.DurationUs || ended.TimeToFirstTokenUs <= 0 || len(ended.Attempts[0].RawUsageSha256) != 32 {
		t.Errorf("times or hash missing: %v", ended)
	}
}

func TestSDKGetsAStream(t *testing.T) {
	for name, asks := range map[string]bool{"usage_asked_for": true, "usage_not_asked_for": false} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			p := params("chat")
			if asks {
				p.StreamOptions.IncludeUsage = openai.Bool(true)
			}
			client := h.client(goodKey)
			stream := client.Chat.Completions.NewStreaming(context.Background(), p)
			content, usage := "", int64(0)
			for stream.Next() {
				chunk := stream.Current()
				usage += chunk.Usage.TotalTokens
				if len(chunk.Choices) > 0 {
					content += chunk.Choices[0].Delta.Content
				} else if !asks {
					t.Errorf("an event without choices: %s", chunk.RawJSON())
				}
			}
			if stream.Err() != nil || content != llmtest.Answer("how much water passed", 0, 20) {
				t.Errorf("content %q, %v", content, stream.Err())
			}
			if (usage == 30) != asks {
				t.Errorf("the caller saw usage %d", usage)
			}
			_, ended := h.record()
			if ended.Outcome != usagev1.Outcome_OUTCOME_OK || !ended.Streamed || ended.Attempts[0].GetCostNanoUsd() != 225_000 ||
				ended.Attempts[0].UsageSource != usagev1.UsageSource_USAGE_SOURCE_REPORTED {
				t.Errorf("recorded %v", ended)
			}
			sent := h.mock.Requests()[0]
			var body struct {
				Options struct {
					IncludeUsage bool `json:"include_usage"`
				} `json:"stream_options"`
			}
			if err := json.Unmarshal(sent.Body, &body); err != nil || !body.Options.IncludeUsage {
				t.Errorf("upstream got %s", sent.Body)
			}
		})
	}
}

func TestBytesPassUntouched(t *testing.T) {
	h := newHarness(t)
	body := "{ \"zeta\" : 1.50 ,\n\t\"model\":\"ch\\u0061t\", \"messages\":[{\"content\":\"caf\\u00e9 \\/ é\",\"role\":\"user\"}],\"unknown\":{\"b\":1,\"a\":[]} }"
	response, text := h.post(goodKey, body, "OpenAI-Beta", "x=1", "X-Custom", "kept", "Cookie", "c=1", "X-Weir-Secret", "no", "X-Forwarded-For", "10.0.0.1")
	sent := h.mock.Requests()[0]
	if want := strings.Replace(body, `"ch\u0061t"`, `"gpt-4o"`, 1); string(sent.Body) != want {
		t.Errorf("upstream got\n%s, want\n%s", sent.Body, want)
	}
	for name, want := range map[string]string{"Authorization": "Bearer " + upstreamKey, "Openai-Beta": "x=1", "X-Custom": "kept",
		"Cookie": "", "X-Weir-Secret": "", "X-Forwarded-For": "", "Accept-Encoding": "identity"} {
		if got := sent.Header.Get(name); got != want {
			t.Errorf("upstream got %s: %q, want %q", name, got, want)
		}
	}
	direct, err := http.NewRequest(http.MethodPost, h.upstream.URL+"/v1/chat/completions", strings.NewReader(string(sent.Body)))
	if err != nil {
		t.Fatal(err)
	}
	direct.Header.Set("Authorization", "Bearer "+upstreamKey)
	unproxied, err := http.DefaultClient.Do(direct)
	if err != nil {
		t.Fatal(err)
	}
	defer unproxied.Body.Close()
	if response.Header.Get("Openai-Version") != unproxied.Header.Get("Openai-Version") || !json.Valid([]byte(text)) {
		t.Errorf("answer %v", response.Header)
	}
	if id := response.Header.Get("X-Weir-Request-Id"); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("request id %q", id)
	}
	if response.Header.Get("X-Weir-Policy-Version") != "7" {
		t.Errorf("policy version %q", response.Header.Get("X-Weir-Policy-Version"))
	}
}

func TestCachedAndReasoningTokensArePricedApart(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{CachedTokens: 7, ReasoningTokens: 30, AnswerTokens: 5})
	h.post(goodKey, question+`}`)
	_, ended := h.record()
	attempt := ended.Attempts[0]
	want := &usagev1.TokenUsage{Input: 3, CacheRead: 7, Reasoning: 30, Output: 5}
	if diff := cmp.Diff(want, attempt.Usage, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	// 3 × 2,500,000 + 7 × 1,250,000 + 35 × 10,000,001 = 366,250,035 pico-dollars
	if attempt.GetCostNanoUsd() != 366_250 {
		t.Errorf("cost %d nano-dollars", attempt.GetCostNanoUsd())
	}
	// 10 × 2,500,000 + 35 × 10,000,001 = 375,000,035 without a cache
	if attempt.GetCacheSavedNanoUsd() != 375_000-366_250 {
		t.Errorf("saved %d nano-dollars", attempt.GetCacheSavedNanoUsd())
	}
}

func TestUnknownPriceIsAbsent(t *testing.T) {
	h := newHarness(t)
	h.post(goodKey, strings.Replace(question, `"chat"`, `"odd"`, 1)+`,"max_tokens":5}`)
	started, ended := h.record()
	for _, record := range []*usagev1.UsageRecord{started, ended} {
		if a := record.Attempts[0]; a.CostNanoUsd != nil || a.PriceBookVersion != "book-1" || a.Usage.Output != 5 {
			t.Errorf("recorded %v", a)
		}
	}
}

func TestRecordEndsBeforeTheLastByte(t *testing.T) {
	for name, body := range map[string]string{"whole": question + `}`, "stream": question + `,"stream":true}`} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.mock.Script(llmtest.Fault{Kind: llmtest.Huge, After: 1, Size: 256 << 10}) // more than the server's buffers hold
			entered, release := make(chan struct{}), make(chan struct{})
			h.recorder.onEnd = func() { close(entered); <-release }
			var got lines
			whole := make(chan struct{})
			go func() {
				defer close(whole)
				request, _ := http.NewRequest(http.MethodPost, h.agent.URL+"/v1/chat/completions", strings.NewReader(body))
				request.Header.Set("Authorization", "Bearer "+goodKey)
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				_, _ = io.Copy(&got, response.Body)
			}()
			last := map[string]string{"whole": `"system_fingerprint":"fp_llmtest"}`, "stream": "data: [DONE]\n\n"}[name]
			<-entered
			time.Sleep(20 * time.Millisecond) // what was sent too early arrives
			if strings.HasSuffix(got.String(), last) {
				t.Error("the caller has it all before its record ended")
			}
			close(release)
			if <-whole; !strings.HasSuffix(got.String(), last) {
				t.Errorf("the answer has %d bytes", len(got.String()))
			}
		})
	}
}
