package dialect_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

// TestUnbounded: what makes a request unbounded is named, as its caller wrote it.
func TestUnbounded(t *testing.T) {
	chat, messages, generate := openai.Chat{}.Parse, anthropic.Messages{}.Parse, gemini.Generate{}.Parse
	response, completion := responses.Passed{}.Parse, metered.Completions{}.Parse
	const bounded = "-"
	for name, test := range map[string]struct {
		parse  func([]byte) (dialect.Request, *dialect.Refusal)
		fields string
		// field is wanted where nothing is known of the model, known where its limits are.
		field, known string
		said         string // a part of the message
	}{
		"chat":                    {chat, `"max_tokens":5`, bounded, bounded, ""},
		"chat_no_cap":             {chat, `"n":2`, "max_completion_tokens", bounded, "how many tokens an answer may have"},
		"chat_older_cap_odd":      {chat, `"max_tokens":1e3`, "max_tokens", "max_tokens", "whole number"},
		"chat_cap_odd":            {chat, `"max_tokens":5,"max_completion_tokens":-1`, "max_completion_tokens", "max_completion_tokens", "whole number"},
		"chat_choices":            {chat, `"max_tokens":5,"n":1.5`, "n", "n", "how many answers"},
		"chat_image":              {chat, `"max_tokens":5,"messages":[{"content":[{"image_url":{}},{"file":{}}]}]`, "image_url", bounded, "more tokens than it has bytes"},
		"chat_file":               {chat, `"max_tokens":5,"messages":[{"content":[{"file":{}}]}]`, "file", bounded, ""},
		"chat_audio":              {chat, `"max_tokens":5,"messages":[{"content":[{"input_audio":{}}]}]`, "input_audio", bounded, ""},
		"chat_escaped":            {chat, `"max_tokens":5,"messages":[{"\u0072ole":"user"}]`, "", bounded, "escapes"},
		"chat_search_tool":        {chat, `"max_tokens":5,"tools":[{"type":"web_search"}]`, "tools", "tools", "other rates"},
		"chat_other_models":       {chat, `"max_tokens":5,"models":["other"]`, "models", "models", "other rates"},
		"chat_prediction":         {chat, `"max_tokens":5,"prediction":{"type":"content","content":"x"}`, "prediction", "prediction", "billed as output"},
		"chat_no_prediction":      {chat, `"max_tokens":5,"prediction":null`, bounded, bounded, ""},
		"completions_no_cap":      {completion, `"max_completion_tokens":5`, "max_tokens", bounded, "not there"},
		"completions_best_of":     {completion, `"max_tokens":5,"best_of":"a"`, "best_of", "best_of", "how many answers"},
		"completions_choices":     {completion, `"max_tokens":5,"n":0`, "n", "n", ""},
		"responses_no_cap":        {response, `"input":"a"`, "max_output_tokens", bounded, ""},
		"responses_search":        {response, `"max_output_tokens":50,"tools":[{"type":"web_search"}]`, "tools", "tools", "other rates"},
		"responses_prompt":        {response, `"max_output_tokens":50,"prompt":{"id":"p"}`, "prompt", "prompt", "other rates"},
		"responses_file":          {response, `"max_output_tokens":50,"input":[{"content":[{"file_url":"x"}]}]`, "file_url", bounded, ""},
		"messages":                {messages, `"max_tokens":5`, bounded, bounded, ""},
		"messages_no_cap":         {messages, `"messages":[]`, "max_tokens", bounded, ""},
		"messages_image":          {messages, `"max_tokens":5,"messages":[{"content":[{"source":{}}]}]`, "source", bounded, ""},
		"messages_tools":          {messages, `"max_tokens":5,"tools":[{"type":"web_search_20260209"}]`, "tools", "tools", "each turn"},
		"messages_own_tools":      {messages, `"max_tokens":5,"tools":[{"type":"bash_20250124"}]`, "tools", bounded, ""},
		"messages_mcp":            {messages, `"max_tokens":5,"mcp_servers":[{}]`, "mcp_servers", "mcp_servers", ""},
		"messages_container":      {messages, `"max_tokens":5,"container":"c"`, "container", bounded, ""},
		"messages_fast_of_a_kind": {messages, `"max_tokens":5,"speed":7`, "speed", "speed", ""},
		"messages_fast":           {messages, `"max_tokens":5,"speed":"fast"`, bounded, bounded, ""},
		"messages_geo":            {messages, `"max_tokens":5,"inference_geo":"us"`, bounded, bounded, ""},
		"gemini":                  {generate, `"generationConfig":{"maxOutputTokens":5}`, bounded, bounded, ""},
		"gemini_no_cap":           {generate, `"contents":[]`, "generationConfig.maxOutputTokens", bounded, ""},
		"gemini_no_object":        {generate, `"generationConfig":7`, "generationConfig.maxOutputTokens", "generationConfig.maxOutputTokens", ""},
		"gemini_choices":          {generate, `"generationConfig":{"maxOutputTokens":5,"candidate_count":true}`, "generationConfig.candidateCount", "generationConfig.candidateCount", ""},
		"gemini_file":             {generate, `"generationConfig":{"maxOutputTokens":5},"contents":[{"parts":[{"file_data":{}}]}]`, "fileData", bounded, ""},
		"gemini_cache":            {generate, `"generationConfig":{"maxOutputTokens":5},"cached_content":"c"`, "cachedContent", bounded, ""},
		"gemini_search":           {generate, `"generationConfig":{"maxOutputTokens":5},"tools":[{"googleSearch":{}}]`, "tools", "tools", ""},
		"gemini_image":            {generate, `"generationConfig":{"maxOutputTokens":5,"responseModalities":["image"]}`, bounded, bounded, ""},
		"embeddings":              {metered.Embeddings{}.Parse, `"input":"a"`, bounded, bounded, ""},
		"embeddings_of_gemini":    {gemini.Embed{}.Parse, `"content":{"parts":[{"inlineData":{}}]}`, "inlineData", bounded, ""},
		"speech":                  {metered.Speech{}.Parse, `"input":"a"`, "", "", "can be foreseen"},
		"converse":                {bedrock.Converse{}.Parse, `"inferenceConfig":{"maxTokens":5}`, bounded, bounded, ""},
		"converse_of_many_kinds":  {bedrock.Converse{}.Parse, `"inferenceConfig":{"maxTokens":5},"messages":[{"content":[{"image":{}}]}]`, "", bounded, "more tokens than it has bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			request, refusal := test.parse([]byte(`{"model":"models/m",` + test.fields + `}`))
			if refusal != nil {
				t.Fatal(refusal)
			}
			for _, limits := range []struct {
				in, out int64
				want    string
			}{{0, 0, test.field}, {1000, 100, test.known}} {
				got := request.Unbounded(limits.in, limits.out)
				switch {
				case limits.want == bounded && got == nil:
				case got == nil || limits.want == bounded || got.Field != limits.want:
					t.Errorf("limits %d and %d: %+v, want %q", limits.in, limits.out, got, limits.want)
				case !strings.HasPrefix(got.Message, got.Field) || !strings.Contains(got.Message, test.said):
					t.Errorf("%q", got.Message)
				}
			}
		})
	}
}
