package bedrock_test

import (
	"crypto/sha256"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const usageObject = `{"cacheDetails":[{"inputTokens":3,"ttl":"1h"},{"inputTokens":4,"ttl":"5m"}],"cacheReadInputTokens":5,"cacheWriteInputTokens":7,"inputTokens":11,"outputTokens":2,"totalTokens":25}`

func TestProviderReadsAnAnswer(t *testing.T) {
	got, err := bedrock.NewProvider().Answer([]byte(`{"metrics":{"latencyMs":7},"output":{"message":{"role":"assistant","content":[
		{"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"cmVk"}},{"text":"a\n"},
		{"toolUse":{"toolUseId":"t1","name":"f","input":{"n": 1.0}}},{"toolUse":{"toolUseId":"t2","name":"nova_grounding","input":{},"type":"server_tool_use"}},
		{"image":{"format":"png","source":{"bytes":"aGk="}}},{"citationsContent":{"content":[{"text":"b"},{"text":"c"}],"citations":[{}]}},{"video":{}}]}},
		"stopReason":"stop_sequence","additionalModelResponseFields":{"stop_sequence":"END"},"serviceTier":{"type":"flex"},"trace":{},"usage":` + usageObject + `}`))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(usageObject))
	want := &chat.Answer{
		Choices: []chat.Choice{{Stop: chat.StopSequence, Sequence: "END", Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "hm", Signature: "c2ln"}, {Kind: chat.Redacted, Data: "cmVk"}, {Text: "a\n"},
			{Kind: chat.Call, Call: &chat.ToolCall{ID: "t1", Name: "f", Arguments: `{"n": 1.0}`}},
			{Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "aGk="}}, {Text: "bc"}}}},
		Usage: chat.Usage{ServiceTier: "flex", SHA256: sum[:], Tokens: &usagev1.TokenUsage{Input: 11, CacheRead: 5, CacheWrite_5M: 4, CacheWrite_1H: 3, Output: 2}},
		Lossy: chat.Lossy{"content", "content.citations"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestStops(t *testing.T) {
	for reason, want := range map[string]chat.Stop{
		"end_turn": chat.StopEnd, "tool_use": chat.StopTools, "max_tokens": chat.StopLength, "stop_sequence": chat.StopSequence,
		"guardrail_intervened": chat.StopFiltered, "content_filtered": chat.StopFiltered, "model_context_window_exceeded": chat.StopLength,
		"malformed_model_output": chat.StopUnknown, "malformed_tool_use": chat.StopUnknown, "new": chat.StopUnknown,
	} {
		answer, err := bedrock.NewProvider().Answer([]byte(`{"output":{"message":{"content":[]}},"stopReason":"` + reason + `"}`))
		if err != nil || answer.Choices[0].Stop != want {
			t.Errorf("%s: %+v, %v", reason, answer, err)
		}
	}
}

// TestUsage: what does not add up is no usage.
func TestUsage(t *testing.T) {
	for object, want := range map[string]*usagev1.TokenUsage{
		`{"inputTokens":1,"outputTokens":2,"totalTokens":3}`:                                                         {Input: 1, Output: 2},
		`{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":4}`:                                               {Input: 1, Output: 2, CacheWrite_5M: 4},
		`{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":4,"cacheDetails":[{"ttl":"1h","inputTokens":9}]}`: {Input: 1, Output: 2, CacheWrite_1H: 4},
		`{"inputTokens":0,"outputTokens":0,"cacheReadInputTokens":null,"cacheDetails":[]}`:                           {},
		`{"outputTokens":2}`: nil, `{"inputTokens":2}`: nil, `{"inputTokens":-1,"outputTokens":2}`: nil, `{"inputTokens":1.5,"outputTokens":2}`: nil,
		`{"inputTokens":1,"outputTokens":2,"cacheDetails":[{"ttl":"1h","inputTokens":-1}]}`: nil, `null`: nil, `7`: nil,
	} {
		answer, err := bedrock.NewProvider().Answer([]byte(`{"output":{"message":{"content":[]}},"usage":` + object + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, answer.Usage.Tokens, protocmp.Transform()); diff != "" || (answer.Usage.SHA256 == nil) != (want == nil) {
			t.Errorf("%s: %s", object, diff)
		}
	}
}

func TestProviderReadsWhatIsNoAnswer(t *testing.T) {
	for _, body := range []string{``, `<html>`, `{}`, `[]`, `{"message":"slow"}`, `{"output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"version":"1.0"}`,
		`{"output":{"message":null}}`, `{"output":{"message":{"content":{}}}}`} {
		if got, err := bedrock.NewProvider().Answer([]byte(body)); err == nil {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

// TestEmulatedAnswer: the arguments of the tool that stands for a format are the text.
func TestEmulatedAnswer(t *testing.T) {
	provider := bedrock.NewProvider()
	if _, _, err := provider.Request(hello(chat.Request{Model: haiku, Format: chat.Format{Shape: chat.JSONObject}})); err != nil {
		t.Fatal(err)
	}
	got, err := provider.Answer([]byte(`{"output":{"message":{"content":[{"toolUse":{"toolUseId":"t","name":"json_answer","input":{"a": 1}}}]}},"stopReason":"tool_use"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]chat.Choice{{Stop: chat.StopEnd, Parts: []chat.Part{{Text: `{"a": 1}`}}}}, got.Choices); diff != "" {
		t.Error(diff)
	}
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   chat.Failure
	}{
		"message":   {429, `{"message":"Too many requests."}`, chat.Failure{Status: 429, Message: "Too many requests."}},
		"large":     {403, `{"Message":"User is not authorized."}`, chat.Failure{Status: 403, Message: "User is not authorized."}},
		"type":      {400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"bad"}`, chat.Failure{Status: 400, Type: "ValidationException", Message: "bad"}},
		"type_uri":  {403, `{"__type":"AccessDeniedException:http://internal.amazon.com/coral/","message":"no"}`, chat.Failure{Status: 403, Type: "AccessDeniedException", Message: "no"}},
		"html":      {502, "<html>", chat.Failure{Status: 502, Message: "The upstream answered with status 502."}},
		"empty":     {500, "", chat.Failure{Status: 500, Message: "The upstream answered with status 500."}},
		"not_texts": {500, `{"message":7}`, chat.Failure{Status: 500, Message: "The upstream answered with status 500."}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(&test.want, bedrock.NewProvider().Failure(test.status, []byte(test.body))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
