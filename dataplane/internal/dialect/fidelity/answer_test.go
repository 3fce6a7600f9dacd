package fidelity

// answered is something that an answer can have.
type answered struct {
	name string
	// told is a whole answer by provider.
	told map[string]string
	// marks are in what the caller gets; heard, by surface, where it is written otherwise.
	marks []string
	heard map[string][]string
}

func completion(message, rest string) string {
	return `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",` + message + `}` + rest + `}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`
}

func message(content, rest string) string {
	return `{"id":"m","type":"message","role":"assistant","model":"m","content":[` + content + `]` + rest + `,"usage":{"input_tokens":10,"output_tokens":20}}`
}

func generated(parts, rest string) string {
	return `{"candidates":[{"index":0,"content":{"role":"model","parts":[` + parts + `]}` + rest + `}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":20,"totalTokenCount":30},"responseId":"r","modelVersion":"m"}`
}

func converse(content, stop string) string {
	return `{"output":{"message":{"role":"assistant","content":[` + content + `]}},"stopReason":"` + stop + `","usage":{"inputTokens":10,"outputTokens":20,"totalTokens":30}}`
}

// told is an answer by provider, in the order of providers; empty: it can't say it. What
// OpenAI says others say alike.
func told(openai, anthropic, gemini, bedrock string) map[string]string {
	answers := map[string]string{}
	for i, answer := range []string{openai, openai, anthropic, gemini, bedrock} {
		if answer != "" {
			answers[providers[i].name] = answer
		}
	}
	return answers
}

// heard is marks by surface, in the order of surfaces.
func heard(chat, response, message, content string) map[string][]string {
	marks := map[string][]string{}
	for i, mark := range []string{chat, response, message, content} {
		marks[surfaces[i].name] = []string{mark}
	}
	return marks
}

var answers = []answered{
	{name: "text", marks: []string{"textmark"}, told: told(
		completion(`"content":"textmark"`, `,"finish_reason":"stop"`), message(`{"type":"text","text":"textmark"}`, `,"stop_reason":"end_turn"`),
		generated(`{"text":"textmark"}`, `,"finishReason":"STOP"`), converse(`{"text":"textmark"}`, "end_turn"))},
	{name: "parallel calls", marks: []string{"toolone", "argone", "tooltwo", "argtwo"}, told: told(
		completion(`"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"toolone","arguments":"{\"x\":\"argone\"}"}},{"id":"b","type":"function","function":{"name":"tooltwo","arguments":"{\"x\":\"argtwo\"}"}}]`, `,"finish_reason":"tool_calls"`),
		message(`{"type":"tool_use","id":"a","name":"toolone","input":{"x":"argone"}},{"type":"tool_use","id":"b","name":"tooltwo","input":{"x":"argtwo"}}`, `,"stop_reason":"tool_use"`),
		generated(`{"functionCall":{"name":"toolone","args":{"x":"argone"}}},{"functionCall":{"name":"tooltwo","args":{"x":"argtwo"}}}`, `,"finishReason":"STOP"`),
		converse(`{"toolUse":{"toolUseId":"a","name":"toolone","input":{"x":"argone"}}},{"toolUse":{"toolUseId":"b","name":"tooltwo","input":{"x":"argtwo"}}}`, "tool_use"))},
	{name: "it ended to call tools", heard: heard(`"finish_reason":"tool_calls"`, `"type":"function_call"`, `"stop_reason":"tool_use"`, `"functionCall"`), told: told(
		completion(`"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"toolone","arguments":"{}"}}]`, `,"finish_reason":"tool_calls"`),
		message(`{"type":"tool_use","id":"a","name":"toolone","input":{}}`, `,"stop_reason":"tool_use"`),
		generated(`{"functionCall":{"name":"toolone","args":{}}}`, `,"finishReason":"STOP"`),
		converse(`{"toolUse":{"toolUseId":"a","name":"toolone","input":{}}}`, "tool_use"))},
	{name: "thinking", marks: []string{"thoughtmark"}, told: told(
		completion(`"reasoning_content":"thoughtmark","content":"x"`, `,"finish_reason":"stop"`),
		message(`{"type":"thinking","thinking":"thoughtmark","signature":"c2lnbWFyaw=="},{"type":"text","text":"x"}`, `,"stop_reason":"end_turn"`),
		generated(`{"text":"thoughtmark","thought":true},{"text":"x"}`, `,"finishReason":"STOP"`),
		converse(`{"reasoningContent":{"reasoningText":{"text":"thoughtmark","signature":"c2lnbWFyaw=="}}},{"text":"x"}`, "end_turn"))},
	{name: "signature of thinking", marks: []string{"c2lnbWFyaw=="}, told: told("",
		message(`{"type":"thinking","thinking":"t","signature":"c2lnbWFyaw=="},{"type":"text","text":"x"}`, `,"stop_reason":"end_turn"`), "",
		converse(`{"reasoningContent":{"reasoningText":{"text":"t","signature":"c2lnbWFyaw=="}}},{"text":"x"}`, "end_turn"))},
	{name: "signature of a call", marks: []string{"c2lnbWFyaw=="}, told: told("", "",
		generated(`{"functionCall":{"name":"toolone","args":{}},"thoughtSignature":"c2lnbWFyaw=="}`, `,"finishReason":"STOP"`), "")},
	{name: "redacted thinking", marks: []string{"cmVkbWFyaw=="}, told: told("",
		message(`{"type":"redacted_thinking","data":"cmVkbWFyaw=="},{"type":"text","text":"x"}`, `,"stop_reason":"end_turn"`), "",
		converse(`{"reasoningContent":{"redactedContent":"cmVkbWFyaw=="}},{"text":"x"}`, "end_turn"))},
	{name: "refusal", marks: []string{"nomark"}, told: told(
		completion(`"content":null,"refusal":"nomark"`, `,"finish_reason":"stop"`), "", "", "")},
	{name: "image", marks: []string{"bWFyaw=="}, told: told("", "", generated(`{"inlineData":{"mimeType":"image/png","data":"bWFyaw=="}}`, `,"finishReason":"STOP"`), "")},
	{name: "logprobs", marks: []string{"0.125"}, told: told(
		completion(`"content":"x"`, `,"logprobs":{"content":[{"token":"x","logprob":-0.125,"bytes":[120],"top_logprobs":[]}],"refusal":null},"finish_reason":"stop"`), "",
		generated(`{"text":"x"}`, `,"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"x","tokenId":1,"logProbability":-0.125}],"topCandidates":[{"candidates":[]}]}`), "")},
	{name: "several choices", marks: []string{"choiceone", "choicetwo"}, told: told(
		`{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"choiceone"},"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":"choicetwo"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`, "",
		`{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"choiceone"}]},"finishReason":"STOP"},{"index":1,"content":{"role":"model","parts":[{"text":"choicetwo"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":20,"totalTokenCount":30},"responseId":"r","modelVersion":"m"}`, "")},
	{name: "it was cut for length", heard: heard(`"finish_reason":"length"`, `"reason":"max_output_tokens"`, `"stop_reason":"max_tokens"`, `"finishReason":"MAX_TOKENS"`), told: told(
		completion(`"content":"x"`, `,"finish_reason":"length"`), message(`{"type":"text","text":"x"}`, `,"stop_reason":"max_tokens"`),
		generated(`{"text":"x"}`, `,"finishReason":"MAX_TOKENS"`), converse(`{"text":"x"}`, "max_tokens"))},
	{name: "it was filtered", heard: heard(`"finish_reason":"content_filter"`, `"reason":"content_filter"`, `"stop_reason":"refusal"`, `"finishReason":"SAFETY"`), told: told(
		completion(`"content":"x"`, `,"finish_reason":"content_filter"`), message(`{"type":"text","text":"x"}`, `,"stop_reason":"refusal"`),
		generated(`{"text":"x"}`, `,"finishReason":"SAFETY"`), converse(`{"text":"x"}`, "content_filtered"))},
	{name: "which stop sequence ended it", marks: []string{"stopmark"}, told: told("", message(`{"type":"text","text":"x"}`, `,"stop_reason":"stop_sequence","stop_sequence":"stopmark"`), "", "")},
	{name: "tokens read from the cache", heard: heard(`"cached_tokens":400`, `"cached_tokens":400`, `"cache_read_input_tokens":400`, `"cachedContentTokenCount":400`), told: told(
		`{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":500,"completion_tokens":20,"total_tokens":520,"prompt_tokens_details":{"cached_tokens":400}}}`,
		`{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":100,"cache_read_input_tokens":400,"output_tokens":20}}`,
		`{"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":500,"cachedContentTokenCount":400,"candidatesTokenCount":20,"totalTokenCount":520},"responseId":"r","modelVersion":"m"}`,
		`{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{"inputTokens":100,"outputTokens":20,"totalTokens":520,"cacheReadInputTokens":400}}`)},
	{name: "tokens written to the cache", heard: heard(`"cache_write_tokens":300`, `"cache_write_tokens":300`, `"cache_creation_input_tokens":300`, "nowhere"), told: told("",
		`{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":100,"cache_creation_input_tokens":300,"output_tokens":20}}`, "",
		`{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn","usage":{"inputTokens":100,"outputTokens":20,"totalTokens":420,"cacheWriteInputTokens":300}}`)},
	{name: "reasoning tokens", heard: heard(`"reasoning_tokens":15`, `"reasoning_tokens":15`, `"thinking_tokens":15`, `"thoughtsTokenCount":15`), told: told(
		`{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"completion_tokens_details":{"reasoning_tokens":15}}}`, "",
		`{"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":15,"totalTokenCount":30},"responseId":"r","modelVersion":"m"}`, "")},
}
