package gemini_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var tokens = usagev1.TokenUsage{Input: 11, CacheRead: 2, CacheWrite_5M: 1, InputAudio: 7, Output: 1, OutputAudio: 8, Reasoning: 6}

func asked(t *testing.T, r *chat.Request) (string, chat.Lossy) {
	t.Helper()
	body, lossy, err := gemini.NewVertex().Request(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), lossy
}

func hello(r chat.Request) *chat.Request {
	r.Messages = append(r.Messages, chat.Message{Parts: []chat.Part{{Text: "a"}}})
	return &r
}

func TestProviderWritesARequest(t *testing.T) {
	no := false
	r := &chat.Request{
		Model: "gemini-3-flash", Stream: true,
		System: []chat.Part{{Text: "Be\n\"brief\".", Cache: &chat.CacheMark{}}},
		Messages: []chat.Message{
			{Role: chat.User, Name: "ann", Parts: []chat.Part{{Text: "<a>"}, {Kind: chat.Image, Media: &chat.Media{URL: "https://a/b.png", Detail: "high"}}}},
			{Role: chat.Instruction, Parts: []chat.Part{{Text: "Now shout."}}},
			{Role: chat.Assistant, Parts: []chat.Part{{Text: ""}, {Kind: chat.Redacted, Data: "x"},
				{Kind: chat.Call, Call: &chat.ToolCall{ID: "1", Name: "f", Arguments: `{"n": 1.0}`}},
				{Kind: chat.Call, Call: &chat.ToolCall{ID: "2", Name: "g", Arguments: `{"n`}}}},
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "1", Parts: []chat.Part{{Text: "two"}, {Text: "lines"}}}}}},
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "2", Failed: true, Parts: []chat.Part{{Text: `{"a":1}`}}}}, {Text: "go on"}}},
			{Role: chat.Assistant, Parts: nil},
		},
		Tools:         []chat.Tool{{Name: "f", Description: "d", Schema: `{"type": "object"}`}, {Name: "g"}},
		ToolChoice:    chat.ToolChoice{Choose: chat.Named, Name: "f"},
		ParallelTools: &no, MaxOutput: 9, User: "u", ServiceTier: "default", Stop: []string{"x"},
		Metadata:  map[string]string{"b": "2", "a": "1"},
		Reasoning: chat.Reasoning{Effort: "xhigh", Summary: true},
		Sampling:  chat.Sampling{Temperature: "0.70", Seed: "99999999999"},
		Format:    chat.Format{Shape: chat.JSONSchema, Name: "n", Schema: `{"type":"object"}`},
	}
	body, lossy := asked(t, r)
	want := `{"systemInstruction":{"parts":[{"text":"Be\n\"brief\"."}]},"contents":[` +
		`{"parts":[{"text":"<a>"},{"fileData":{"fileUri":"https://a/b.png"},"mediaResolution":{"level":"MEDIA_RESOLUTION_HIGH"}}],"role":"user"},` +
		`{"parts":[{"text":"Now shout."}],"role":"user"},` +
		`{"parts":[{"functionCall":{"id":"1","name":"f","args":{"n": 1.0}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"2","name":"g","args":{}}}],"role":"model"},` +
		`{"parts":[{"functionResponse":{"id":"1","name":"f","response":{"output":"two\nlines"}}},{"functionResponse":{"id":"2","name":"g","response":{"error":"{\"a\":1}"}}},{"text":"go on"}],"role":"user"}],` +
		`"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type": "object"}},{"name":"g"}]}],` +
		`"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},` +
		`"generationConfig":{"stopSequences":["x"],"maxOutputTokens":9,"temperature":0.70,"responseMimeType":"application/json","responseJsonSchema":{"type":"object"},"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"}},` +
		`"labels":{"a":"1","b":"2"},"serviceTier":"standard"}`
	if body != want {
		t.Errorf("body\n%s, want\n%s", body, want)
	}
	wantLossy := chat.Lossy{"system.cache", "messages.name", "messages.role", "messages.redacted_thinking", "messages.arguments", "parallel_tools", "seed", "reasoning.effort", "user"}
	if diff := cmp.Diff(wantLossy, lossy); diff != "" {
		t.Error(diff)
	}
}

func TestProviderAsksForThinking(t *testing.T) {
	for name, test := range map[string]struct {
		model     string
		reasoning chat.Reasoning
		want      string
		lossy     bool
	}{
		"budget":         {"gemini-3-pro", chat.Reasoning{Budget: 5, Effort: "low"}, `{"thinkingBudget":5}`, true},
		"unbounded":      {"gemini-2.5-pro", chat.Reasoning{Budget: chat.Unbounded}, `{"thinkingBudget":-1}`, false},
		"off":            {"gemini-2.5-flash", chat.Reasoning{Effort: "none"}, `{"thinkingBudget":0}`, false},
		"off_not_there":  {"gemini-3-flash", chat.Reasoning{Effort: "none"}, `{"thinkingLevel":"MINIMAL"}`, true},
		"least_of_large": {"gemini-3.1-pro", chat.Reasoning{Effort: "minimal"}, `{"thinkingLevel":"LOW"}`, true},
		"medium":         {"gemini-3-flash", chat.Reasoning{Effort: "medium"}, `{"thinkingLevel":"MEDIUM"}`, false},
		"medium_counted": {"gemini-2.5-flash", chat.Reasoning{Effort: "medium"}, `{"thinkingBudget":8192}`, false},
		"most_counted":   {"gemini-2.5-flash", chat.Reasoning{Effort: "max"}, `{"thinkingBudget":24576}`, true},
		"unknown":        {"gemini-3-flash", chat.Reasoning{Effort: "huge"}, `{}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			body, lossy := asked(t, hello(chat.Request{Model: test.model, Reasoning: test.reasoning}))
			if want := `"generationConfig":{"thinkingConfig":` + test.want + `}}`; !strings.HasSuffix(body, want) || (lossy != nil) != test.lossy {
				t.Errorf("%s, %v, want %s", body, lossy, want)
			}
		})
	}
}

func TestProviderLeavesOut(t *testing.T) {
	for name, test := range map[string]struct {
		r     chat.Request
		lossy string
	}{
		"metadata_in_capitals": {chat.Request{Metadata: map[string]string{"Team": "a"}}, "metadata"},
		"metadata_too_long":    {chat.Request{Metadata: map[string]string{"a": strings.Repeat("x", 64)}}, "metadata"},
		"service_tier":         {chat.Request{ServiceTier: "scale"}, "service_tier"},
		"detail":               {chat.Request{Model: "gemini-2.5-pro", Messages: []chat.Message{{Parts: []chat.Part{{Kind: chat.Image, Media: &chat.Media{URL: "u", Detail: "high"}}}}}}, "messages.detail"},
		"refusal":              {chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Refusal, Text: "no"}}}}}, "messages.refusal"},
		"format":               {chat.Request{Format: chat.Format{Shape: chat.JSONObject, Description: "d"}}, "format.description"},
	} {
		t.Run(name, func(t *testing.T) {
			body, lossy := asked(t, hello(test.r))
			if diff := cmp.Diff(chat.Lossy{test.lossy}, lossy); diff != "" || strings.Contains(body, "labels") || strings.Contains(body, "Resolution") {
				t.Errorf("%s in %s", diff, body)
			}
		})
	}
}

func TestProviderWritesValidText(t *testing.T) {
	body, _ := asked(t, &chat.Request{Messages: []chat.Message{{Parts: []chat.Part{{Text: "a\xffb\x00\u2028\b"}}}}})
	if want := "{\"contents\":[{\"parts\":[{\"text\":\"a\ufffdb\\u0000\u2028\\u0008\"}],\"role\":\"user\"}]}"; body != want {
		t.Errorf("%s, want %s", body, want)
	}
}

func TestProviderRefusesWhatCantBeSaid(t *testing.T) {
	for field, r := range map[string]*chat.Request{
		"messages":        {Messages: []chat.Message{{Parts: []chat.Part{{Text: ""}}}}},
		"messages[0]":     {Messages: []chat.Message{{Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "lost"}}}}}},
		"tools[0].schema": hello(chat.Request{Tools: []chat.Tool{{Name: "f", Schema: "[]"}}}),
		"format.schema":   hello(chat.Request{Format: chat.Format{Shape: chat.JSONSchema, Schema: `{"a`}}),
	} {
		_, _, err := gemini.NewProvider().Request(r)
		if err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestProviderReadsAnAnswer(t *testing.T) {
	got, err := gemini.NewProvider().Answer([]byte(`{"candidates":[
		{"index":1,"content":{"parts":[{"text":"x"}],"role":"model"},"finishReason":"SAFETY","safetyRatings":[]},
		{"content":{"parts":[{"text":"th","thought":true},{"text":"inking","thought":true},{"text":"a"},{"text":"b","thoughtSignature":"c2ln"},{"text":"c"},
			{"functionCall":{"name":"f","args":{"n":1.0}},"thoughtSignature":"ZnVu"},{"functionCall":{"id":"i","name":"g"}},{"text":""}],"role":"model"},
			"finishReason":"STOP","avgLogprobs":-0.1,"groundingMetadata":{},"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-0.10,"tokenId":4},{"token":"b"}],"topCandidates":[{"candidates":[{"token":"z","logProbability":-2}]}]}}],
		"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"totalTokenCount":6},"modelVersion":"gemini-2.5-flash","responseId":"r1","createTime":"2026-11-01T10:00:00.5Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Usage.SHA256) != 32 {
		t.Error("the usage has no digest")
	}
	got.Usage.SHA256 = nil
	want := &chat.Answer{ID: "r1", Model: "gemini-2.5-flash", Created: time.Date(2026, 11, 1, 10, 0, 0, 5e8, time.UTC), Lossy: chat.Lossy{"candidates.groundingMetadata"},
		Usage: chat.Usage{Tokens: &usagev1.TokenUsage{Input: 4, Output: 2}},
		Choices: []chat.Choice{
			{Stop: chat.StopTools, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "thinking"}, {Text: "ab", Signature: "c2ln"}, {Text: "c"},
				{Kind: chat.Call, Signature: "ZnVu", Call: &chat.ToolCall{ID: "call_r1_0", Name: "f", Arguments: `{"n":1.0}`}},
				{Kind: chat.Call, Call: &chat.ToolCall{ID: "i", Name: "g", Arguments: `{}`}}},
				Logprobs: `{"content":[{"token":"a","logprob":-0.10,"bytes":null,"top_logprobs":[{"token":"z","logprob":-2,"bytes":null}]},{"token":"b","logprob":0,"bytes":null,"top_logprobs":[]}],"refusal":null}`},
			{Stop: chat.StopFiltered, Parts: []chat.Part{{Text: "x"}}},
		}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestProviderReadsWhatIsNoAnswer(t *testing.T) {
	for _, body := range []string{``, `<html>`, `{}`, `[]`, `{"error":{"code":500,"status":"INTERNAL"}}`, `{"candidates":[]}`, `{"candidates":7}`,
		`{"candidates":[{"index":-1}]}`, `{"candidates":[{"content":{"parts":[{"text":7}]}}]}`} {
		if got, err := gemini.NewProvider().Answer([]byte(body)); err == nil {
			t.Errorf("%s: %+v", body, got)
		}
	}
	blocked, err := gemini.NewProvider().Answer([]byte(`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4}}`))
	if err != nil || len(blocked.Choices) != 1 || blocked.Choices[0].Stop != chat.StopFiltered || blocked.Usage.Tokens.Input != 4 {
		t.Errorf("%+v, %v", blocked, err)
	}
}

func TestFailures(t *testing.T) {
	quota := `{"error":{"code":429,"message":"You exceeded your quota.","status":"RESOURCE_EXHAUSTED","details":[
		{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaValue":"5"}]},
		{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"23.5s"}]}}`
	field := `[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents"}]},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]`
	for name, test := range map[string]struct {
		status int
		body   string
		want   chat.Failure
	}{
		"quota": {429, quota, chat.Failure{Status: 429, Type: "RESOURCE_EXHAUSTED", Message: "You exceeded your quota.", RetryAfter: 23500 * time.Millisecond}},
		"array": {400, field, chat.Failure{Status: 400, Type: "INVALID_ARGUMENT", Code: "API_KEY_INVALID", Param: "contents", Message: "bad"}},
		"html":  {502, "<html>", chat.Failure{Status: 502, Message: "The upstream answered with status 502."}},
		"empty": {500, "{}", chat.Failure{Status: 500, Message: "The upstream answered with status 500."}},
	} {
		t.Run(name, func(t *testing.T) {
			got := gemini.NewProvider().Failure(test.status, []byte(test.body))
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
			again := gemini.NewProvider().Failure(test.status, gemini.NewSurface().Failure(got))
			if got.Type == "" {
				return // then the status has a name that was not there
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Error(diff)
			}
		})
	}
}
