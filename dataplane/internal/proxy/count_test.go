package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/quota"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const toCount = `{"model":"routed","system":"Be brief.","messages":[{"role":"user","content":"how much water passed"}],` +
	`"tools":[{"name":"level","input_schema":{"type":"object"}}]}`

// TestCountTokens: the caller gets the provider's own number, which differs between them.
func TestCountTokens(t *testing.T) {
	messages := func(h *harness) (*http.Response, string) {
		return h.messageTo("/v1/messages/count_tokens?beta=true", toCount)
	}
	contents := func(body string) func(h *harness) (*http.Response, string) {
		return func(h *harness) (*http.Response, string) { return h.generate("routed:countTokens", body) }
	}
	const asContents = `{"contents":[{"parts":[{"text":"how much water passed"}]}]}`
	const inRequest = `{"generateContentRequest":{"model":"models/routed","systemInstruction":{"parts":[{"text":"Be brief."}]},` +
		`"contents":[{"parts":[{"text":"how much water passed"}]}],"generationConfig":{"maxOutputTokens":9}}}`
	ofAnthropic, ofGemini := usagev1.Surface_SURFACE_ANTHROPIC_COUNT_TOKENS, usagev1.Surface_SURFACE_GEMINI_COUNT_TOKENS
	for name, test := range map[string]struct {
		targets          []*policyv1.Target
		ask              func(*harness) (*http.Response, string)
		path, sent, said string
		surface          usagev1.Surface
	}{
		"messages_by_anthropic": {toSonnet, messages, "/v1/messages/count_tokens", strings.Replace(toCount, `"routed"`, `"`+sonnet+`"`, 1), `{"input_tokens":13}`, ofAnthropic},
		"messages_by_gemini": {toFlash, messages, geminiModels + flash + ":countTokens",
			`{"generateContentRequest":{"model":"models/` + flash + `","systemInstruction":{"parts":[{"text":"Be brief."}]},` +
				`"contents":[{"parts":[{"text":"how much water passed"}],"role":"user"}],` +
				`"tools":[{"functionDeclarations":[{"name":"level","parametersJsonSchema":{"type":"object"}}]}]}}`, `{"input_tokens":15}`, ofAnthropic},
		"messages_by_vertex": {toVertex, messages, vertexProject + "/models/" + flash + ":countTokens",
			`{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"parts":[{"text":"how much water passed"}],"role":"user"}],` +
				`"tools":[{"functionDeclarations":[{"name":"level","parametersJsonSchema":{"type":"object"}}]}]}`, `{"input_tokens":15}`, ofAnthropic},
		"contents_by_gemini": {toFlash, contents(inRequest), geminiModels + flash + ":countTokens", strings.Replace(inRequest, "models/routed", "models/"+flash, 1),
			`{"totalTokens":15,"promptTokensDetails":[{"modality":"TEXT","tokenCount":15}]}`, ofGemini},
		"contents_by_vertex": {toVertex, contents(asContents), vertexProject + "/models/" + flash + ":countTokens", asContents,
			`{"totalTokens":10,"promptTokensDetails":[{"modality":"TEXT","tokenCount":10}]}`, ofGemini},
		"contents_by_anthropic": {toSonnet, contents(inRequest), "/v1/messages/count_tokens",
			`{"model":"` + sonnet + `","system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"how much water passed"}]}]}`, `{"totalTokens":12}`, ofGemini},
	} {
		t.Run(name, func(t *testing.T) {
			h := google(t, test.targets)
			response, text := test.ask(h)
			if response.StatusCode != 200 || strings.TrimSpace(text) != test.said || response.Header.Get("X-Weir-Lossy") != "" {
				t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
			}
			if got := h.mock.Requests()[0]; got.Path != test.path || string(got.Body) != test.sent {
				t.Errorf("asked at %s\n%s, want\n%s", got.Path, got.Body, test.sent)
			}
			started, ended := h.record()
			if diff := cmp.Diff(ending{answered, 200, "", none, noTokens, 0}, endingOf(ended), protocmp.Transform()); diff != "" || ended.Surface != test.surface {
				t.Errorf("recorded %v\n%s", ended, diff)
			}
			if a := started.Attempts[0]; a.UsageSource != none || a.GetCostNanoUsd() != 0 || a.CostNanoUsd == nil {
				t.Errorf("started as %v", a)
			}
		})
	}
}

// To have tokens counted takes nothing of a budget, and a budget that is spent does not keep
// anybody from it.
func TestCountTokensIsFree(t *testing.T) {
	var p *purse
	var meter *quota.Meter
	h := google(t, toSonnet, quotas(map[string]int64{firstID: 1}, &p, &meter))
	h.meters(p, meter, budgetOf(firstID))
	response, text := h.messageTo("/v1/messages/count_tokens", toCount)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	if _, ended := h.record(); len(ended.Charges) != 0 || p.spent(firstID) != 0 {
		t.Errorf("charged %v, %d spent", ended.Charges, p.spent(firstID))
	}
	if response, text := h.messageTo("/v1/messages", message+`}`); response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a message: %d %s", response.StatusCode, text)
	}
}

func TestCountTokensThatNobodyCounts(t *testing.T) {
	h := google(t, toGPT)
	response, text := h.messageTo("/v1/messages/count_tokens", toCount)
	if response.StatusCode != 400 || !strings.Contains(text, `"code":"dialect_mismatch"`) || !strings.Contains(text, "does not guess") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	response, text = h.generate("routed:countTokens", `{"contents":[{"parts":[{"text":"a"}]}]}`)
	wantGoogles(t, response, text, 400, "INVALID_ARGUMENT", "dialect_mismatch")
	h = google(t, []*policyv1.Target{to("mock", "gpt-4o", 0), to("claude", sonnet, 0)})
	response, text = h.messageTo("/v1/messages/count_tokens", toCount)
	wantHeaders(t, response, "1", "claude/"+sonnet)
	if text != `{"input_tokens":13}`+"\n" {
		t.Error(text)
	}
}

func TestCountTokensThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		status int
		code   string
		want   ending
	}{
		"error":    {`{"error":{"code":429,"message":"later","status":"RESOURCE_EXHAUSTED"}}`, 429, `"type":"rate_limit_error"`, ending{upstreamError, 429, "upstream_error", none, noTokens, 0}},
		"nonsense": {`{"totalTokens":"many"}`, 502, `"code":"upstream_malformed"`, ending{broke, 502, "upstream_malformed", none, noTokens, 0}},
		"nothing":  {`{}`, 502, `"code":"upstream_malformed"`, ending{broke, 502, "upstream_malformed", none, noTokens, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			h := google(t, toFlash)
			h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if test.status != 502 {
					w.WriteHeader(test.status)
				}
				_, _ = w.Write([]byte(test.body))
			})
			response, text := h.messageTo("/v1/messages/count_tokens", toCount)
			if response.StatusCode != test.status || !strings.Contains(text, test.code) {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			wantEnding(t, h, test.want)
		})
	}
}
