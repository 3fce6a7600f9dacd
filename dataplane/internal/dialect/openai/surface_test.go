package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

func pointer[T any](v T) *T { return &v }

func textPart(text string) chat.Part { return chat.Part{Kind: chat.Text, Text: text} }

func callPart(id, name, arguments string) chat.Part {
	return chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: id, Name: name, Arguments: arguments}}
}

func resultPart(id, name string, parts ...chat.Part) chat.Part {
	return chat.Part{Kind: chat.Result, Result: &chat.ToolResult{CallID: id, Name: name, Parts: parts}}
}

// requestGolden has what chat completions have, after the API reference.
const requestGolden = `{
  "model": "fast", "stream": true, "stream_options": {"include_usage": true},
  "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "developer", "content": [{"type": "text", "text": "Use tools.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
    {"role": "user", "name": "ada", "content": [
      {"type": "text", "text": "Which gauge is this?", "prompt_cache_breakpoint": {"mode": "explicit"}},
      {"type": "image_url", "image_url": {"url": "https://example.test/gauge.png", "detail": "high"}},
      {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
      {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
      {"type": "file", "file": {"filename": "flow.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
      {"type": "file", "file": {"filename": "flow.CSV", "file_data": "YSxi"}}]},
    {"role": "assistant", "content": null, "refusal": null, "annotations": [], "function_call": null,
      "reasoning_content": "Two calls.", "tool_calls": [
      {"id": "c1", "type": "function", "function": {"name": "level", "arguments": "{\"gauge\":1.50}"}, "extra_content": {"google": {"thought_signature": "sig=="}}},
      {"id": "c2", "type": "function", "function": {"name": "flow", "arguments": ""}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "7 m"},
    {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "high"}]},
    {"role": "user", "content": "And now?"},
    {"role": "system", "content": "Metres."},
    {"role": "assistant", "content": [{"type": "text", "text": "Still "}, {"type": "refusal", "refusal": "No."}], "thinking_blocks": [
      {"type": "thinking", "thinking": "Hm.", "signature": "EqoB"}, {"type": "redacted_thinking", "data": "Emwk"}]}
  ],
  "tools": [
    {"type": "function", "function": {"name": "level", "description": "Of water.", "parameters": {"type":"object","properties":{"gauge":{"type":"number","maximum":1e3}}}, "strict": true}, "cache_control": {"type": "ephemeral"}},
    {"type": "function", "function": {"name": "flow"}}],
  "tool_choice": {"type": "function", "function": {"name": "level"}}, "parallel_tool_calls": false,
  "response_format": {"type": "json_schema", "json_schema": {"name": "reading", "description": "One.", "schema": {"type": "object"}, "strict": false}},
  "max_tokens": 10, "max_completion_tokens": 400, "reasoning_effort": "xhigh",
  "temperature": 0.70, "top_p": 1e-1, "top_k": 40, "presence_penalty": -2.0, "frequency_penalty": 0, "seed": -7,
  "stop": ["END", "\u0000"], "n": 2, "logprobs": true, "top_logprobs": 3,
  "user": "u1", "service_tier": "flex", "metadata": {"team": "rivers"}, "modalities": ["text"], "store": false
}`

func goldenRequest() *chat.Request {
	return &chat.Request{
		Model: "fast", Stream: true,
		System: []chat.Part{textPart("Be brief."), {Text: "Use tools.", Cache: &chat.CacheMark{TTL: "1h"}}},
		Messages: []chat.Message{
			{Role: chat.User, Name: "ada", Parts: []chat.Part{
				{Text: "Which gauge is this?", Cache: &chat.CacheMark{}},
				{Kind: chat.Image, Media: &chat.Media{URL: "https://example.test/gauge.png", Detail: "high"}},
				{Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "iVBORw0="}},
				{Kind: chat.Audio, Media: &chat.Media{Type: "audio/wav", Data: "UklGRg=="}},
				{Kind: chat.Document, Media: &chat.Media{Type: "application/pdf", Data: "JVBERi0=", Name: "flow.pdf"}},
				{Kind: chat.Document, Media: &chat.Media{Type: "text/csv", Data: "YSxi", Name: "flow.CSV"}},
			}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "Two calls."},
				{Kind: chat.Call, Signature: "sig==", Call: &chat.ToolCall{ID: "c1", Name: "level", Arguments: `{"gauge":1.50}`}},
				callPart("c2", "flow", "{}"),
			}},
			{Role: chat.User, Parts: []chat.Part{resultPart("c1", "level", textPart("7 m")), resultPart("c2", "flow", textPart("high")), textPart("And now?")}},
			{Role: chat.Instruction, Parts: []chat.Part{textPart("Metres.")}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "Hm.", Signature: "EqoB"}, {Kind: chat.Redacted, Data: "Emwk"},
				textPart("Still "), {Kind: chat.Refusal, Text: "No."},
			}},
		},
		Tools: []chat.Tool{
			{Name: "level", Description: "Of water.", Schema: `{"type":"object","properties":{"gauge":{"type":"number","maximum":1e3}}}`, Strict: pointer(true), Cache: &chat.CacheMark{}},
			{Name: "flow"},
		},
		ToolChoice: chat.ToolChoice{Choose: chat.Named, Name: "level"}, ParallelTools: pointer(false),
		Format:    chat.Format{Shape: chat.JSONSchema, Name: "reading", Description: "One.", Schema: `{"type": "object"}`, Strict: pointer(false)},
		MaxOutput: 400, Reasoning: chat.Reasoning{Effort: "xhigh"},
		Sampling: chat.Sampling{Temperature: "0.70", TopP: "1e-1", TopK: "40", PresencePenalty: "-2.0", FrequencyPenalty: "0", Seed: "-7"},
		Stop:     []string{"END", "\x00"}, N: 2, Logprobs: true, TopLogprobs: 3,
		User: "u1", ServiceTier: "flex", Metadata: map[string]string{"team": "rivers"},
	}
}

func TestSurfaceReadsARequest(t *testing.T) {
	got, fault := openai.NewSurface().Request([]byte(requestGolden))
	if fault != nil {
		t.Fatal(fault)
	}
	if diff := cmp.Diff(goldenRequest(), got); diff != "" {
		t.Error(diff)
	}
}

// with puts fields beside a model and a message.
func with(fields string) string {
	return `{"model":"m","messages":[{"role":"user","content":"hi"}]` + fields + `}`
}

func saying(messages string) string { return `{"model":"m","messages":[` + messages + `]}` }

func TestSurfaceReadsOtherFormsOfARequest(t *testing.T) {
	hi := []chat.Message{{Parts: []chat.Part{textPart("hi")}}}
	for name, test := range map[string]struct {
		body string
		want chat.Request
	}{
		"functions": {with(`,"functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"}`),
			chat.Request{Messages: hi, Tools: []chat.Tool{{Name: "f", Schema: "{}"}}, ParallelTools: pointer(false), ToolChoice: chat.ToolChoice{Choose: chat.Named, Name: "f"}}},
		"function_messages": {saying(`{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}`),
			chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{callPart("call_0", "f", "{}")}}, {Parts: []chat.Part{resultPart("call_0", "f", textPart("1"))}}}}},
		"max_tokens":        {with(`,"max_tokens":7`), chat.Request{Messages: hi, MaxOutput: 7}},
		"one_stop":          {with(`,"stop":"END"`), chat.Request{Messages: hi, Stop: []string{"END"}}},
		"required":          {with(`,"tool_choice":"required"`), chat.Request{Messages: hi, ToolChoice: chat.ToolChoice{Choose: chat.Any}}},
		"no_tools":          {with(`,"tool_choice":"none"`), chat.Request{Messages: hi, ToolChoice: chat.ToolChoice{Choose: chat.Never}}},
		"json_object":       {with(`,"response_format":{"type":"json_object"}`), chat.Request{Messages: hi, Format: chat.Format{Shape: chat.JSONObject}}},
		"text":              {with(`,"response_format":{"type":"text"}`), chat.Request{Messages: hi}},
		"safety_identifier": {with(`,"safety_identifier":"s","user":"s"`), chat.Request{Messages: hi, User: "s"}},
		"budget":            {with(`,"thinking":{"type":"enabled","budget_tokens":2048}`), chat.Request{Messages: hi, Reasoning: chat.Reasoning{Budget: 2048, Summary: true}}},
		"adaptive":          {with(`,"thinking":{"type":"adaptive"}`), chat.Request{Messages: hi, Reasoning: chat.Reasoning{Budget: chat.Unbounded, Summary: true}}},
		"no_thinking":       {with(`,"thinking":{"type":"disabled"}`), chat.Request{Messages: hi, Reasoning: chat.Reasoning{Effort: "none"}}},
		"nulls":             {with(`,"temperature":null,"stop":null,"tools":null,"audio":null,"logit_bias":null`), chat.Request{Messages: hi}},
		"allowed_tools": {with(`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"b"}}]}},"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}]`),
			chat.Request{Messages: hi, Tools: []chat.Tool{{Name: "b"}}, ToolChoice: chat.ToolChoice{Choose: chat.Any}}},
		"reasoning_of_vllm": {saying(`{"role":"assistant","content":"a","reasoning":"r"}`),
			chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Thinking, Text: "r"}, textPart("a")}}}}},
		"blocks_beside_reasoning": {saying(`{"role":"assistant","content":"a","reasoning_content":"r","thinking_blocks":[{"type":"thinking","thinking":"r","signature":"s"}]}`),
			chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Thinking, Text: "r", Signature: "s"}, textPart("a")}}}}},
		"image_of_a_tool": {saying(`{"role":"tool","tool_call_id":"x","name":"f","content":[{"type":"image_url","image_url":{"url":"https://e.test/i"}}]}`),
			chat.Request{Messages: []chat.Message{{Parts: []chat.Part{resultPart("x", "f", chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://e.test/i"}})}}}}},
		"escaped_name": {with(`,"te\u006dperature":1`), chat.Request{Messages: hi, Sampling: chat.Sampling{Temperature: "1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, fault := openai.NewSurface().Request([]byte(test.body))
			if fault != nil {
				t.Fatal(fault)
			}
			test.want.Model = "m"
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSurfaceNamesWhatItCantCarry(t *testing.T) {
	for body, want := range map[string]string{
		with(`,"logit_bias":{"5":1},"prediction":{},"web_search_options":{},"prompt_cache_key":"k","verbosity":"low"`): "logit_bias prediction web_search_options prompt_cache_key verbosity",
		with(`,"audio":{"voice":"x"},"modalities":["text","audio"],"store":true`):                                      "audio modalities store",
		with(`,"tools":[{"type":"custom","custom":{"name":"c"}}],"tool_choice":{"type":"custom","custom":{}}`):         "tools.custom tool_choice.custom",
		with(`,"user":"a","safety_identifier":"b"`):                                                                    "user",
		with(`,"stream_options":{"include_obfuscation":false,"x":1},"response_format":{"type":"text","y":1}`):          "stream_options.x response_format.y",
		with(`,"bad\nname":1,"":2`): "(unnamed)",
		saying(`{"role":"system","name":"n","content":"s"},{"role":"user","content":[{"type":"text","text":"t","z":1}]},{"role":"assistant","content":"a","audio":{"id":"1"}}`): "messages.name messages.content.z messages.audio",
	} {
		got, fault := openai.NewSurface().Request([]byte(body))
		if fault != nil {
			t.Errorf("%s: %v", body, fault)
		} else if strings.Join(got.Lossy, " ") != want {
			t.Errorf("%s: %q, want %q", body, got.Lossy, want)
		}
	}
}

func TestUnknownFieldsAreNamedWithinBounds(t *testing.T) {
	var fields strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&fields, `,"f%d":1`, i)
	}
	got, fault := openai.NewSurface().Request([]byte(with(fields.String())))
	if fault != nil || len(got.Lossy) != 33 || got.Lossy[32] != "..." {
		t.Error(fault, got.Lossy)
	}
}

func TestSurfaceNamesTheFieldThatIsWrong(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                        "",
		`{"model":"m"}`:             "messages",
		with(`,"temperature":"1"`):  "temperature",
		with(`,"stream":1`):         "stream",
		with(`,"n":0`):              "n",
		with(`,"max_tokens":1.5`):   "max_tokens",
		with(`,"stop":[1]`):         "stop[0]",
		with(`,"metadata":{"a":1}`): "metadata",
		with(`,"seed":1,"seed":2`):  "seed",
		with(`,"tools":{}`):         "tools",
		with(`,"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]`):             "tools[0].function.parameters",
		with(`,"tools":[{"type":"function"}]`):                                                     "tools[0].function",
		with(`,"functions":[{}]`):                                                                  "functions[0].name",
		with(`,"tool_choice":"some"`):                                                              "tool_choice",
		with(`,"tool_choice":{"type":"function"}`):                                                 "tool_choice.function",
		with(`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}`): "tool_choice.allowed_tools.tools",
		with(`,"response_format":{"type":"xml"}`):                                                  "response_format.type",
		with(`,"response_format":{"type":"json_schema"}`):                                          "response_format.json_schema",
		with(`,"reasoning_effort":"very"`):                                                         "reasoning_effort",
		with(`,"thinking":{"budget_tokens":0}`):                                                    "thinking.budget_tokens",
		`{"messages":[{"role":"user","content":"hi"}]}`:                                            "model",
		saying(``):                                             "messages",
		saying(`7`):                                            "messages[0]",
		saying(`{"content":"x"}`):                              "messages[0].role",
		saying(`{"role":"boss","content":"x"}`):                "messages[0].role",
		saying(`{"role":"user"}`):                              "messages[0].content",
		saying(`{"role":"user","content":7}`):                  "messages[0].content",
		saying(`{"role":"assistant"}`):                         "messages[0].content",
		saying(`{"role":"tool","content":"x"}`):                "messages[0].tool_call_id",
		saying(`{"role":"function","name":"f","content":"x"}`): "messages[0]",
		saying(`{"role":"user","content":"a"},{"role":"user","content":[{"type":"image_url","image_url":{"url":""}}]}`): "messages[1].content[0].image_url.url",
		saying(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,a_b="}}]}`):     "messages[0].content[0].image_url.url",
		saying(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAA"}}]}`):    "messages[0].content[0].image_url.url",
		saying(`{"role":"user","content":[{"type":"image_url","image_url":"https://e.test"}]}`):                         "messages[0].content[0].image_url",
		saying(`{"role":"user","content":[{"type":"text"}]}`):                                                           "messages[0].content[0].text",
		saying(`{"role":"user","content":[{"type":"video_url"}]}`):                                                      "messages[0].content[0].type",
		saying(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://e.test"}}]}`):               "messages[0].content[0].type",
		saying(`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA"}}]}`):                      "messages[0].content[0].input_audio.format",
		saying(`{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}`):                               "messages[0].content[0].file.file_id",
		saying(`{"role":"user","content":[{"type":"file","file":{}}]}`):                                                 "messages[0].content[0].file.file_data",
		saying(`{"role":"assistant","tool_calls":[{"id":"x","type":"custom"}]}`):                                        "messages[0].tool_calls[0].type",
		saying(`{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f"}}]}`):                       "messages[0].tool_calls[0].id",
		saying(`{"role":"assistant","tool_calls":[{"id":"x","function":{"name":"f","arguments":"{"}}]}`):                "messages[0].tool_calls[0].function.arguments",
		saying(`{"role":"assistant","thinking_blocks":[{}]}`):                                                           "messages[0].thinking_blocks[0].type",
	} {
		_, fault := openai.NewSurface().Request([]byte(body))
		if fault == nil || fault.Field != want || fault.Message == "" {
			t.Errorf("%s: %v, want a fault of %q", body, fault, want)
		}
	}
}
