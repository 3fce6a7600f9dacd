package reason_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/reason"
)

// golden are answers as providers give them, each with where it is described or was seen.
var golden = map[string]struct {
	status int
	body   string
	want   reason.Reason
}{
	// https://platform.openai.com/docs/guides/error-codes
	"openai":              {400, `{"error":{"message":"This model's maximum context length is 128000 tokens. However, your messages resulted in 140003 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, reason.ContextTooLong},
	"openai_without_code": {400, `{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 10346 tokens","type":"invalid_request_error","param":null,"code":null}}`, reason.ContextTooLong},
	// https://platform.openai.com/docs/api-reference/responses-streaming/error
	"openai_responses_failed": {0, `{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"context_length_exceeded","message":"Your input exceeds the context window of this model. Please adjust your input and try again."}}}`, reason.ContextTooLong},
	"openai_responses_event":  {0, `{"type":"error","code":"context_length_exceeded","message":"Your input exceeds the context window of this model.","param":"input"}`, reason.ContextTooLong},
	"openai_policy":           {400, `{"error":{"code":"content_policy_violation","message":"Your request was rejected.","param":null,"type":"invalid_request_error"}}`, reason.ContentFilter},
	"openai_images":           {400, `{"error":{"message":"Your request was rejected as a result of our safety system.","type":"user_error","param":null,"code":"moderation_blocked"}}`, reason.ContentFilter},
	"openai_reasoning":        {400, `{"error":{"message":"Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}`, reason.ContentFilter},
	// https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
	"azure":       {400, `{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"high"}}}}}`, reason.ContentFilter},
	"azure_inner": {400, `{"error":{"message":"Filtered.","code":"BadRequest","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, reason.ContentFilter},
	// https://platform.claude.com/docs/en/api/errors and https://platform.claude.com/docs/en/build-with-claude/context-windows
	"anthropic":        {400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 214850 tokens > 200000 maximum"},"request_id":"req_1"}`, reason.ContextTooLong},
	"anthropic_output": {400, `{"type":"error","error":{"type":"invalid_request_error","message":"input length and ` + "`max_tokens`" + ` exceed context limit: 190000 + 20000 > 200000, decrease input length or ` + "`max_tokens`" + ` and try again"}}`, reason.ContextTooLong},
	"anthropic_filter": {400, `{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}`, reason.ContentFilter},
	// https://ai.google.dev/gemini-api/docs/troubleshooting
	"gemini":       {400, `{"error":{"code":400,"message":"The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).","status":"INVALID_ARGUMENT"}}`, reason.ContextTooLong},
	"gemini_array": {400, "[{\n\"error\":{\"code\":400,\"message\":\"The input token count exceeds the maximum number of tokens allowed 1048576.\",\"status\":\"INVALID_ARGUMENT\"}}\n]", reason.ContextTooLong},
	// https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/api-errors
	"vertex": {400, `{"error":{"code":400,"message":"Unable to submit request because the input token count is 1100000 but model only supports up to 1048576. Reduce the input token count and try again.","status":"INVALID_ARGUMENT"}}`, reason.ContextTooLong},
	// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
	"bedrock":           {400, `{"message":"Input is too long for requested model."}`, reason.ContextTooLong},
	"bedrock_typed":     {400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"The model returned the following errors: prompt is too long: 210000 tokens > 200000 maximum"}`, reason.ContextTooLong},
	"bedrock_embedding": {400, `{"message":"400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9001 "}`, reason.ContextTooLong},
	// Servers that speak OpenAI's dialect, in their own words.
	"groq":       {400, `{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, reason.ContextTooLong},
	"xai":        {400, `{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}`, reason.ContextTooLong},
	"mistral":    {400, `{"object":"error","message":"Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","param":null,"code":"3051"}`, reason.ContextTooLong},
	"vllm_old":   {400, `{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages","type":"BadRequestError","param":null,"code":400}`, reason.ContextTooLong},
	"vllm":       {400, `{"error":{"message":"The decoder prompt (length 9000) is longer than the maximum model length of 8192.","type":"BadRequestError","param":null,"code":400}}`, reason.ContextTooLong},
	"llama_cpp":  {400, `{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":8192}}`, reason.ContextTooLong},
	"tgi":        {422, "{\"error\":\"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`\",\"error_type\":\"validation\"}", reason.ContextTooLong},
	"moonshot":   {400, `{"error":{"type":"invalid_request_error","message":"Invalid request: Your request exceeded model token limit: 262144"}}`, reason.ContextTooLong},
	"plain_text": {500, `context length exceeded`, reason.ContextTooLong},
	"deepseek":   {400, `{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}`, reason.ContentFilter},
	"alibaba":    {400, `{"error":{"code":"data_inspection_failed","param":null,"message":"Input data may contain inappropriate content.","type":"data_inspection_failed"}}`, reason.ContentFilter},
	// https://openrouter.ai/docs/api-reference/errors
	"openrouter": {403, `{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["violence"],"flagged_input":"x","provider_name":"p"}}}`, reason.ContentFilter},

	// What is neither.
	"too_much_at_once":      {429, `{"error":{"message":"Request too large: please reduce the length of the messages","code":"rate_limit_exceeded"}}`, reason.Other},
	"too_much_at_once_413":  {413, `{"error":{"message":"Request too large for model: please reduce the length of the messages","type":"tokens","code":"rate_limit_exceeded"}}`, reason.Other},
	"anthropic_overloaded":  {529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, reason.Other},
	"bad_request":           {400, `{"error":{"message":"Invalid value: 'x'","type":"invalid_request_error","param":"messages[0].role","code":"invalid_value"}}`, reason.Other},
	"quoted_beside":         {400, `{"error":{"message":"Unknown field"},"request":"prompt is too long"}`, reason.Other},
	"output_cap":            {400, `{"error":{"message":"max_tokens is too large: 200000. This model supports at most 16384 completion tokens","code":"invalid_value"}}`, reason.Other},
	"larger_than_any_error": {400, `{"error":{"message":"prompt is too long` + strings.Repeat(" ", 64<<10) + `"}}`, reason.Other},
	"nothing":               {400, ``, reason.Other},
}

func TestErrorsOfProviders(t *testing.T) {
	for name, test := range golden {
		t.Run(name, func(t *testing.T) {
			if got := reason.OfError(test.status, []byte(test.body)); got != test.want {
				t.Errorf("reason %d, want %d", got, test.want)
			}
		})
	}
}

func TestFilteredAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want reason.Reason
	}{
		// https://platform.openai.com/docs/api-reference/chat/object: finish_reason
		"openai":        {`{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"content_filter"}]}`, reason.ContentFilter},
		"openai_chunk":  {`{"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}`, reason.ContentFilter},
		"one_is_left":   {`{"choices":[{"finish_reason":"content_filter"},{"finish_reason":"stop"}]}`, reason.Other},
		"responses":     {`{"object":"response","status":"incomplete","incomplete_details":{"reason":"content_filter"}}`, reason.ContentFilter},
		"responses_end": {`{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}`, reason.ContentFilter},
		// https://platform.claude.com/docs/en/api/handling-stop-reasons
		"anthropic":         {`{"type":"message","content":[],"stop_reason":"refusal"}`, reason.ContentFilter},
		"anthropic_event":   {`{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"output_tokens":1}}`, reason.ContentFilter},
		"anthropic_context": {`{"type":"message","content":[],"stop_reason":"model_context_window_exceeded"}`, reason.ContextTooLong},
		// https://ai.google.dev/api/generate-content#BlockReason and #FinishReason
		"gemini_prompt":  {`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9}}`, reason.ContentFilter},
		"gemini_answer":  {`{"candidates":[{"finishReason":"SAFETY","index":0}]}`, reason.ContentFilter},
		"gemini_ratings": {`{"promptFeedback":{"safetyRatings":[{"category":"HARM_CATEGORY_SAFETY"}]},"candidates":[{"finishReason":"STOP"}]}`, reason.Other},
		// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html: stopReason
		"bedrock_guardrail": {`{"output":{"message":{"role":"assistant","content":[{"text":"Sorry"}]}},"stopReason":"guardrail_intervened"}`, reason.ContentFilter},
		"bedrock_filter":    {`{"stopReason":"content_filtered"}`, reason.ContentFilter},
		"says_the_word":     {`{"choices":[{"message":{"content":"content_filter"},"finish_reason":"stop"}]}`, reason.Other},
		"not_json":          {`content_filter`, reason.Other},
	} {
		t.Run(name, func(t *testing.T) {
			if got := reason.OfAnswer([]byte(test.body)); got != test.want {
				t.Errorf("reason %d, want %d", got, test.want)
			}
		})
	}
}

func FuzzReasons(f *testing.F) {
	for _, test := range golden {
		f.Add(test.body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if reason.OfError(429, []byte(body)) != reason.Other {
			t.Error("a limit of rates is no other reason")
		}
		reason.OfError(400, []byte(body))
		reason.OfAnswer([]byte(body))
	})
}
