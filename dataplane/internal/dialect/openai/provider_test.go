package openai_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

func TestProviderWritesARequest(t *testing.T) {
	body, lossy, err := openai.NewProvider().Request(goldenRequest())
	if err != nil {
		t.Fatal(err)
	}
	equalJSON(t, `{
  "model": "fast", "stream": true, "stream_options": {"include_usage": true},
  "messages": [
    {"role": "system", "content": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Use tools."}]},
    {"role": "user", "name": "ada", "content": [
      {"type": "text", "text": "Which gauge is this?"},
      {"type": "image_url", "image_url": {"url": "https://example.test/gauge.png", "detail": "high"}},
      {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
      {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
      {"type": "file", "file": {"filename": "flow.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
      {"type": "file", "file": {"filename": "flow.CSV", "file_data": "data:text/csv;base64,YSxi"}}]},
    {"role": "assistant", "content": null, "tool_calls": [
      {"id": "c1", "type": "function", "function": {"name": "level", "arguments": "{\"gauge\":1.50}"}},
      {"id": "c2", "type": "function", "function": {"name": "flow", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "7 m"},
    {"role": "tool", "tool_call_id": "c2", "content": "high"},
    {"role": "user", "content": "And now?"},
    {"role": "system", "content": "Metres."},
    {"role": "assistant", "content": "Still ", "refusal": "No."}
  ],
  "tools": [
    {"type": "function", "function": {"name": "level", "description": "Of water.", "parameters": {"type":"object","properties":{"gauge":{"type":"number","maximum":1e3}}}, "strict": true}},
    {"type": "function", "function": {"name": "flow"}}],
  "tool_choice": {"type": "function", "function": {"name": "level"}}, "parallel_tool_calls": false,
  "response_format": {"type": "json_schema", "json_schema": {"name": "reading", "description": "One.", "schema": {"type": "object"}, "strict": false}},
  "max_completion_tokens": 400, "reasoning_effort": "xhigh",
  "temperature": 0.70, "top_p": 1e-1, "presence_penalty": -2.0, "frequency_penalty": 0, "seed": -7,
  "stop": ["END", "\u0000"], "n": 2, "logprobs": true, "top_logprobs": 3, "user": "u1", "service_tier": "flex"
}`, string(body))
	want := "messages.cache messages.thinking messages.signature messages.redacted_thinking tools.cache metadata top_k"
	if got := strings.Join(lossy, " "); got != want {
		t.Errorf("lossy: %s", got)
	}
	for _, number := range []string{`"temperature":0.70`, `"top_p":1e-1`, `"presence_penalty":-2.0`, `"maximum":1e3`} {
		if !strings.Contains(string(body), number) {
			t.Errorf("%s is not as it was written", number)
		}
	}
}

func TestCompatibleServersGetWhatTheyKnow(t *testing.T) {
	body, lossy, err := openai.NewCompatible().Request(&chat.Request{
		Model: "m", System: []chat.Part{textPart("a"), textPart("b")}, MaxOutput: 9, Sampling: chat.Sampling{TopK: "4"},
		Messages: []chat.Message{
			{Parts: []chat.Part{textPart("c"), textPart("d")}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "own"}, {Kind: chat.Thinking, Text: "foreign", Signature: "s"}, {Kind: chat.Refusal, Text: "No."},
				{Kind: chat.Call, Signature: "g", Call: &chat.ToolCall{ID: "i", Name: "f"}}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	equalJSON(t, `{"model":"m","max_tokens":9,"top_k":4,"messages":[{"role":"system","content":"a\n\nb"},{"role":"user","content":"c\n\nd"},
		{"role":"assistant","content":"No.","reasoning_content":"own","tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"g"}}}]}]}`, string(body))
	if diff := cmp.Diff(chat.Lossy{"messages.thinking"}, lossy); diff != "" {
		t.Error(diff)
	}
}

func TestProviderWritesOtherFormsOfARequest(t *testing.T) {
	tools := []chat.Tool{{Name: "f"}}
	const function = `"tools":[{"type":"function","function":{"name":"f"}}]`
	for name, test := range map[string]struct {
		request     chat.Request
		want, lossy string
	}{
		"no_tools_to_choose": {chat.Request{ToolChoice: chat.ToolChoice{Choose: chat.Any}, ParallelTools: pointer(true)}, ``, "tool_choice"},
		"auto_of_nothing":    {chat.Request{ToolChoice: chat.ToolChoice{Choose: chat.Auto}}, ``, ""},
		"auto":               {chat.Request{Tools: tools, ToolChoice: chat.ToolChoice{Choose: chat.Auto}}, `,"tool_choice":"auto",` + function, ""},
		"never":              {chat.Request{Tools: tools, ToolChoice: chat.ToolChoice{Choose: chat.Never}}, `,"tool_choice":"none",` + function, ""},
		"any":                {chat.Request{Tools: tools, ToolChoice: chat.ToolChoice{Choose: chat.Any}}, `,"tool_choice":"required",` + function, ""},
		"small_budget":       {chat.Request{Reasoning: chat.Reasoning{Budget: 1024, Summary: true}}, `,"reasoning_effort":"low"`, "reasoning.summary reasoning.budget"},
		"medium_budget":      {chat.Request{Reasoning: chat.Reasoning{Budget: 8192}}, `,"reasoning_effort":"medium"`, "reasoning.budget"},
		"large_budget":       {chat.Request{Reasoning: chat.Reasoning{Budget: 30000}}, `,"reasoning_effort":"high"`, "reasoning.budget"},
		"effort_and_budget":  {chat.Request{Reasoning: chat.Reasoning{Budget: 30000, Effort: "low"}}, `,"reasoning_effort":"low"`, "reasoning.budget"},
		"unbounded":          {chat.Request{Reasoning: chat.Reasoning{Budget: chat.Unbounded}}, ``, ""},
		"json":               {chat.Request{Format: chat.Format{Shape: chat.JSONObject}}, `,"response_format":{"type":"json_object"}`, ""},
		"schema_unnamed":     {chat.Request{Format: chat.Format{Shape: chat.JSONSchema, Schema: `{}`}}, `,"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{}}}`, ""},
		"no_priority":        {chat.Request{ServiceTier: "standard_only"}, `,"service_tier":"default"`, ""},
		"foreign_tier":       {chat.Request{ServiceTier: "batch"}, ``, "service_tier"},
	} {
		t.Run(name, func(t *testing.T) {
			body, lossy, err := openai.NewProvider().Request(&test.request)
			if err != nil {
				t.Fatal(err)
			}
			equalJSON(t, `{"model":"","messages":[]`+test.want+`}`, string(body))
			if got := strings.Join(lossy, " "); got != test.lossy {
				t.Errorf("lossy: %q", got)
			}
		})
	}
}

func TestProviderWritesMessages(t *testing.T) {
	image := chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://e.test/i"}}
	failed := resultPart("x", "f", textPart("oh"), image)
	failed.Result.Failed = true
	failed.Cache = &chat.CacheMark{}
	const imageWire = `{"type":"image_url","image_url":{"url":"https://e.test/i"}}`
	for name, test := range map[string]struct {
		message     chat.Message
		want, lossy string
	}{
		"image_of_a_result": {chat.Message{Parts: []chat.Part{failed, textPart("so?")}},
			`{"role":"tool","tool_call_id":"x","content":"oh"},{"role":"user","content":[` + imageWire + `,{"type":"text","text":"so?"}]}`, "messages.cache messages.failed"},
		"empty_result":       {chat.Message{Parts: []chat.Part{resultPart("x", "f")}}, `{"role":"tool","tool_call_id":"x","content":""}`, ""},
		"nothing":            {chat.Message{}, `{"role":"user","content":""}`, ""},
		"nothing_left":       {chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Redacted, Data: "d"}, image}}, `{"role":"assistant","content":""}`, "messages.redacted_thinking messages.image"},
		"document_by_url":    {chat.Message{Parts: []chat.Part{textPart("a"), {Kind: chat.Document, Media: &chat.Media{URL: "https://e.test/d"}}}}, `{"role":"user","content":"a"}`, "messages.document"},
		"document_unnamed":   {chat.Message{Parts: []chat.Part{{Kind: chat.Document, Media: &chat.Media{Type: "text/plain", Data: "YQ=="}}}}, `{"role":"user","content":[{"type":"file","file":{"filename":"document.txt","file_data":"data:text/plain;base64,YQ=="}}]}`, ""},
		"audio_of_elsewhere": {chat.Message{Parts: []chat.Part{{Kind: chat.Audio, Media: &chat.Media{Type: "audio/flac", Data: "YQ=="}}}}, `{"role":"user","content":""}`, "messages.audio"},
		"mp3":                {chat.Message{Parts: []chat.Part{{Kind: chat.Audio, Media: &chat.Media{Type: "audio/mpeg", Data: "YQ=="}}}}, `{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"YQ==","format":"mp3"}}]}`, ""},
		"instruction":        {chat.Message{Role: chat.Instruction, Parts: []chat.Part{textPart("a"), image}}, `{"role":"system","content":"a"}`, "system"},
	} {
		t.Run(name, func(t *testing.T) {
			body, lossy, err := openai.NewProvider().Request(&chat.Request{Messages: []chat.Message{test.message}})
			if err != nil {
				t.Fatal(err)
			}
			equalJSON(t, `{"model":"","messages":[`+test.want+`]}`, string(body))
			if got := strings.Join(lossy, " "); got != test.lossy {
				t.Errorf("lossy: %q", got)
			}
		})
	}
}

func TestARequestThatCantBeWrittenIsAnError(t *testing.T) {
	if _, _, err := openai.NewProvider().Request(&chat.Request{Tools: []chat.Tool{{Name: "f", Schema: "{"}}}); err == nil {
		t.Error("a broken schema was written")
	}
}
