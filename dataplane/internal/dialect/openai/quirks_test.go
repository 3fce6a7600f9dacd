package openai_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// TestStreamsOfCompatibleServers are as such servers send them.
func TestStreamsOfCompatibleServers(t *testing.T) {
	thinking := func(text string) chat.Part { return chat.Part{Kind: chat.Thinking, Text: text} }
	for name, test := range map[string]struct {
		chunks []string
		parts  []chat.Part
		stop   chat.Stop
		usage  *usagev1.TokenUsage
	}{
		"deepseek": {[]string{
			`{"id":"1","object":"chat.completion.chunk","created":1718345013,"model":"deepseek-reasoner","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":""},"logprobs":null,"finish_reason":null}]}`,
			`{"id":"1","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"Look."},"logprobs":null,"finish_reason":null}]}`,
			`{"id":"1","choices":[{"index":0,"delta":{"content":"7 m","reasoning_content":null},"logprobs":null,"finish_reason":null}]}`,
			`{"id":"1","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":17,"completion_tokens":9,"total_tokens":26,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":4},"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":17}}`,
		}, []chat.Part{thinking("Look."), textPart("7 m")}, chat.StopEnd, &usagev1.TokenUsage{Input: 17, Output: 5, Reasoning: 4}},
		"openrouter": {[]string{
			`: OPENROUTER PROCESSING`,
			`{"id":"gen-1","provider":"X","model":"m","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Look.","reasoning_details":[{"type":"reasoning.text","text":"Look.","index":0}]},"finish_reason":null,"native_finish_reason":null,"logprobs":null}]}`,
			`{"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":"7 m"},"finish_reason":"length","native_finish_reason":"MAX_TOKENS","logprobs":null}]}`,
			`{"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null,"logprobs":null}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`,
		}, []chat.Part{thinking("Look."), textPart("7 m")}, chat.StopLength, &usagev1.TokenUsage{Input: 3, Output: 2}},
		"vllm_continuous_usage": {[]string{
			`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":3,"total_tokens":3,"completion_tokens":0}}`,
			`{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"reasoning":"Look."},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":3,"total_tokens":4,"completion_tokens":1}}`,
			`{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"7 m"},"logprobs":null,"finish_reason":"stop","stop_reason":null}],"usage":{"prompt_tokens":3,"total_tokens":5,"completion_tokens":2}}`,
			`{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":3,"total_tokens":6,"completion_tokens":3}}`,
		}, []chat.Part{thinking("Look."), textPart("7 m")}, chat.StopEnd, &usagev1.TokenUsage{Input: 3, Output: 3}},
		"groq": {[]string{
			`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"llama","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"x_groq":{"id":"req_1"}}`,
			`{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"7 m"},"logprobs":null,"finish_reason":null}]}`,
			`{"id":"chatcmpl-1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.02,"prompt_tokens":18,"prompt_time":0.004,"completion_tokens":2,"completion_time":0.1,"total_tokens":20,"total_time":0.1}}}`,
		}, []chat.Part{textPart("7 m")}, chat.StopEnd, &usagev1.TokenUsage{Input: 18, Output: 2}},
		"mistral": {[]string{
			`{"id":"1","object":"chat.completion.chunk","created":1,"model":"magistral-medium-2509","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`,
			`{"id":"1","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Lo"}]}]},"finish_reason":null}]}`,
			`{"id":"1","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"ok."}]}]},"finish_reason":null}]}`,
			`{"id":"1","choices":[{"index":0,"delta":{"content":"7"},"finish_reason":null}]}`,
			`{"id":"1","choices":[{"index":0,"delta":{"content":[{"type":"text","text":" m"}]},"finish_reason":"model_length"}],"usage":{"prompt_tokens":10,"total_tokens":14,"completion_tokens":4}}`,
		}, []chat.Part{thinking("Look."), textPart("7 m")}, chat.StopLength, &usagev1.TokenUsage{Input: 10, Output: 4}},
		"together": {[]string{
			`{"id":"1","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"text":"7 m","logprobs":null,"finish_reason":null,"seed":null,"delta":{"token_id":1,"role":"assistant","content":"7 m","tool_calls":null}}],"model":"m","usage":null}`,
			`{"id":"1","choices":[{"index":0,"text":"","finish_reason":"eos","delta":{"token_id":2,"role":"assistant","content":""}}],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}`,
		}, []chat.Part{textPart("7 m")}, chat.StopEnd, &usagev1.TokenUsage{Input: 4, Output: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			stream, passed := "", dialect.Stream{Request: &dialect.Request{Stream: true, Choices: 1}}
			for _, chunk := range test.chunks {
				if chunk[0] == ':' {
					stream += chunk + "\n\n"
					continue
				}
				stream += "data: " + chunk + "\n\n"
				openai.Chat{}.Look(&passed, []byte(chunk))
			}
			got := fold(t, followed(t, openai.NewCompatible(), []byte(stream+"data: [DONE]\n\n")))
			if diff := cmp.Diff([]chat.Choice{{Stop: test.stop, Parts: test.parts}}, got.Choices); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.usage, got.Usage.Tokens, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.usage, passed.Answer.Usage, protocmp.Transform()); diff != "" || !passed.Total || len(passed.Answer.UsageSHA256) != 32 {
				t.Errorf("passed on, total %v: %s", passed.Total, diff)
			}
		})
	}
}

func TestMistralsParts(t *testing.T) {
	answer, err := openai.NewCompatible().Answer([]byte(`{"id":"1","object":"chat.completion","created":1,"model":"magistral-medium-2509","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","tool_calls":null,
		"content":[{"type":"thinking","thinking":[{"type":"text","text":"Look."}]},{"type":"text","text":"7 m"},{"type":"reference","reference_ids":[1]}]}}],"usage":{"prompt_tokens":10,"total_tokens":14,"completion_tokens":4}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []chat.Choice{{Stop: chat.StopEnd, Parts: []chat.Part{{Kind: chat.Thinking, Text: "Look."}, textPart("7 m")}}}
	if diff := cmp.Diff(want, answer.Choices); diff != "" || len(answer.Lossy) != 1 || answer.Lossy[0] != "choices.message.content" {
		t.Error(diff, answer.Lossy)
	}
}

// TestErrorsOfCompatibleServers have many forms; the caller is told what they say.
func TestErrorsOfCompatibleServers(t *testing.T) {
	for name, test := range map[string]struct{ body, message, code string }{
		"openai":          {`{"error":{"message":"No such model.","type":"invalid_request_error","param":null,"code":"model_not_found"}}`, "No such model.", "model_not_found"},
		"ollama":          {`{"error":"model 'x' not found"}`, "model 'x' not found", ""},
		"ollama_openai":   {`{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}`, `model "x" not found, try pulling it first`, ""},
		"vllm":            {`{"object":"error","message":"The model x does not exist.","type":"NotFoundError","param":null,"code":404}`, "The model x does not exist.", "404"},
		"fastapi":         {`{"detail":"Not Found"}`, "Not Found", ""},
		"fastapi_invalid": {`{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required","input":{}}]}`, "Field required", ""},
		"mistral":         {`{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error","param":null,"code":null}`, "Extra inputs are not permitted", ""},
		"message_only":    {`{"message":"Unauthorized","request_id":"1"}`, "Unauthorized", ""},
		"openrouter":      {`{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"x"}}}`, "Provider returned error", "502"},
		"a_page":          {`<html>`, "The provider answered with status 418.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := openai.NewCompatible().Failure(418, []byte(test.body)); got.Status != 418 || got.Message != test.message || got.Code != test.code {
				t.Errorf("%+v", got)
			}
		})
	}
	events, done, err := openai.NewCompatible().Events(nil, nil, []byte(`{"object":"error","message":"max_tokens is too large","type":"BadRequestError","param":null,"code":400}`))
	if err != nil || !done || len(events) != 1 || events[0].Failure == nil || events[0].Failure.Status != 400 || !strings.Contains(events[0].Failure.Message, "too large") {
		t.Errorf("%+v %v %v", events, done, err)
	}
	if !openai.ParseAnswer([]byte(`{"object":"error","message":"m"}`)).Failed {
		t.Error("an error of vLLM is none to callers of its own dialect")
	}
}
