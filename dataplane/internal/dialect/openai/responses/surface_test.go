package responses_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

func pointer[T any](v T) *T { return &v }

func textPart(text string) chat.Part { return chat.Part{Kind: chat.Text, Text: text} }

func callPart(id, name, arguments string) chat.Part {
	return chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: id, Name: name, Arguments: arguments}}
}

func resultPart(id, name string, parts ...chat.Part) chat.Part {
	return chat.Part{Kind: chat.Result, Result: &chat.ToolResult{CallID: id, Name: name, Parts: parts}}
}

// requestGolden has what a request without state has, after the API reference.
const requestGolden = `{
  "model": "fast", "stream": true, "store": false, "background": false, "stream_options": {"include_obfuscation": false},
  "instructions": "Be brief.",
  "input": [
    {"role": "developer", "content": "Use tools."},
    {"role": "user", "content": [
      {"type": "input_text", "text": "Which gauge?", "prompt_cache_breakpoint": {"mode": "explicit"}},
      {"type": "input_image", "image_url": "https://example.test/g.png", "detail": "low"},
      {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0=", "file_id": null},
      {"type": "input_file", "file_url": "https://example.test/d.pdf"},
      {"type": "input_file", "file_data": "YSxi", "filename": "flow.csv"}]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Two calls."}], "encrypted_content": "thinking:EqoB", "status": "completed"},
    {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "redacted:Emwk"},
    {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": "Looking.", "annotations": [], "logprobs": []}]},
    {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "call:sig"},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "level", "arguments": "{\"gauge\":1.50}", "status": "completed"},
    {"type": "function_call", "call_id": "c2", "name": "flow", "arguments": ""},
    {"type": "function_call_output", "call_id": "c1", "output": "7 m"},
    {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "high"}, {"type": "input_image", "image_url": "https://example.test/f.png"}]},
    {"type": "message", "role": "user", "content": "And now?"},
    {"role": "system", "content": "Metres."},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
  ],
  "tools": [{"type": "function", "name": "level", "description": "Of water.", "parameters": {"type":"object"}, "strict": true}, {"type": "function", "name": "flow", "parameters": null, "strict": null}],
  "tool_choice": {"type": "function", "name": "level"}, "parallel_tool_calls": false,
  "text": {"format": {"type": "json_schema", "name": "reading", "description": "One.", "schema": {"type": "object"}, "strict": false}},
  "reasoning": {"effort": "high", "summary": "auto"}, "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
  "max_output_tokens": 400, "temperature": 0.70, "top_p": 1e-1, "top_logprobs": 3,
  "safety_identifier": "u1", "service_tier": "flex", "metadata": {"team": "rivers"}, "truncation": "disabled", "previous_response_id": null
}`

func TestSurfaceReadsARequest(t *testing.T) {
	want := &chat.Request{
		Model: "fast", Stream: true, System: []chat.Part{textPart("Be brief."), textPart("Use tools.")},
		Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{
				{Text: "Which gauge?", Cache: &chat.CacheMark{}},
				{Kind: chat.Image, Media: &chat.Media{URL: "https://example.test/g.png", Detail: "low"}},
				{Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "iVBORw0="}},
				{Kind: chat.Document, Media: &chat.Media{URL: "https://example.test/d.pdf"}},
				{Kind: chat.Document, Media: &chat.Media{Type: "text/csv", Data: "YSxi", Name: "flow.csv"}},
			}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "Two calls.", Signature: "EqoB"}, {Kind: chat.Redacted, Data: "Emwk"}, textPart("Looking."),
				{Kind: chat.Call, Signature: "sig", Call: &chat.ToolCall{ID: "c1", Name: "level", Arguments: `{"gauge":1.50}`}},
				callPart("c2", "flow", "{}"),
			}},
			{Role: chat.User, Parts: []chat.Part{resultPart("c1", "level", textPart("7 m")),
				resultPart("c2", "flow", textPart("high"), chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://example.test/f.png"}}), textPart("And now?")}},
			{Role: chat.Instruction, Parts: []chat.Part{textPart("Metres.")}},
			{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Refusal, Text: "No."}}},
		},
		Tools:      []chat.Tool{{Name: "level", Description: "Of water.", Schema: `{"type":"object"}`, Strict: pointer(true)}, {Name: "flow"}},
		ToolChoice: chat.ToolChoice{Choose: chat.Named, Name: "level"}, ParallelTools: pointer(false),
		Format:    chat.Format{Shape: chat.JSONSchema, Name: "reading", Description: "One.", Schema: `{"type": "object"}`, Strict: pointer(false)},
		MaxOutput: 400, Reasoning: chat.Reasoning{Effort: "high", Summary: true},
		Sampling: chat.Sampling{Temperature: "0.70", TopP: "1e-1"}, Logprobs: true, TopLogprobs: 3,
		User: "u1", ServiceTier: "flex", Metadata: map[string]string{"team": "rivers"},
	}
	got, fault := responses.NewSurface().Request([]byte(requestGolden))
	if fault != nil {
		t.Fatal(fault)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// with puts fields beside a model and an input.
func with(fields string) string { return `{"model":"m","input":"hi"` + fields + `}` }

func giving(items string) string { return `{"model":"m","input":[` + items + `]}` }

func TestSurfaceReadsOtherFormsOfARequest(t *testing.T) {
	hi := []chat.Message{{Parts: []chat.Part{textPart("hi")}}}
	for name, test := range map[string]struct {
		body string
		want chat.Request
	}{
		"text":        {with(`,"text":{"format":{"type":"text"}}`), chat.Request{Messages: hi}},
		"json_object": {with(`,"text":{"format":{"type":"json_object"}}`), chat.Request{Messages: hi, Format: chat.Format{Shape: chat.JSONObject}}},
		"required":    {with(`,"tool_choice":"required"`), chat.Request{Messages: hi, ToolChoice: chat.ToolChoice{Choose: chat.Any}}},
		"user":        {with(`,"user":"u"`), chat.Request{Messages: hi, User: "u"}},
		"allowed_tools": {with(`,"tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"b"}]}`),
			chat.Request{Messages: hi, Tools: []chat.Tool{{Name: "b"}}, ToolChoice: chat.ToolChoice{Choose: chat.Auto}}},
		"reasoning_text": {giving(`{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"r"}]},{"role":"user","content":"hi"}`),
			chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Thinking, Text: "r"}}}, hi[0]}}},
		"signature_without_words": {giving(`{"type":"reasoning","summary":[],"encrypted_content":"thinking:s"}`),
			chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Thinking, Signature: "s"}}}}}},
		"foreign_reasoning": {giving(`{"type":"reasoning","summary":[],"encrypted_content":"gAAA"},{"role":"user","content":"hi"}`),
			chat.Request{Messages: hi, Lossy: chat.Lossy{"input.encrypted_content"}}},
		"lossy": {with(`,"store":true,"truncation":"auto","max_tool_calls":2,"tools":[{"type":"web_search"},{"type":"custom","name":"c"}],"tool_choice":{"type":"web_search"},"include":["file_search_call.results"],"text":{"verbosity":"low"}`),
			chat.Request{Messages: hi, Lossy: chat.Lossy{"store", "truncation", "max_tool_calls", "tools.web_search", "tools.custom", "tool_choice.web_search", "include.file_search_call.results", "text.verbosity"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, fault := responses.NewSurface().Request([]byte(test.body))
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

func TestSurfaceNamesTheFieldThatIsWrong(t *testing.T) {
	for body, want := range map[string]string{
		`7`:                                               "",
		`{"input":"hi"}`:                                  "model",
		`{"model":"m"}`:                                   "input",
		`{"model":"m","input":[]}`:                        "input",
		`{"model":"m","input":7}`:                         "input",
		with(`,"previous_response_id":"resp_1"`):          "previous_response_id",
		with(`,"conversation":"conv_1"`):                  "conversation",
		with(`,"prompt":{"id":"p"}`):                      "prompt",
		with(`,"background":true`):                        "background",
		with(`,"stream":true,"stream":true`):              "stream",
		with(`,"temperature":"1"`):                        "temperature",
		with(`,"reasoning":{"effort":"very"}`):            "reasoning.effort",
		with(`,"metadata":{"a":1}`):                       "metadata",
		with(`,"text":{"format":{"type":"json_schema"}}`): "text.format.schema",
		with(`,"tools":[{"type":"function"}]`):            "tools[0].name",
		with(`,"tool_choice":{"type":"function"}`):        "tool_choice.name",
		with(`,"tool_choice":{"type":"allowed_tools"}`):   "tool_choice.mode",
		with(`,"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[]}`): "tool_choice.tools",
		giving(`7`):                                "input[0]",
		giving(`{"content":"x"}`):                  "input[0].role",
		giving(`{"type":"item_reference"}`):        "input[0].type",
		giving(`{"type":"message","role":"user"}`): "input[0].content",
		giving(`{"role":"user","content":[{"type":"input_text","text":7}]}`):         "input[0].content[0].text",
		giving(`{"role":"user","content":[{"text":"x"}]}`):                           "input[0].content[0].type",
		giving(`{"role":"user","content":[{"type":"output_text","text":"x"}]}`):      "input[0].content[0].type",
		giving(`{"role":"user","content":[{"type":"input_image"}]}`):                 "input[0].content[0].image_url",
		giving(`{"role":"user","content":[{"type":"input_file","file_id":"f"}]}`):    "input[0].content[0].file_id",
		giving(`{"role":"user","content":[{"type":"input_file","file_data":"a_"}]}`): "input[0].content[0].file_data",
		giving(`{"type":"function_call","name":"f"}`):                                "input[0].call_id",
		giving(`{"type":"function_call","call_id":"c"}`):                             "input[0].name",
		giving(`{"type":"function_call","call_id":"c","name":"f","arguments":"["}`):  "input[0].arguments",
		giving(`{"type":"function_call_output","output":"x"}`):                       "input[0].call_id",
		giving(`{"type":"function_call_output","call_id":"c"}`):                      "input[0].output",
		giving(`{"type":"reasoning","summary":[{"text":1}]}`):                        "input[0].summary[0].text",
	} {
		_, fault := responses.NewSurface().Request([]byte(body))
		if fault == nil || fault.Field != want || fault.Message == "" {
			t.Errorf("%s: %v, want a fault of %q", body, fault, want)
		}
	}
}

func TestFailuresHaveTheFormOfTheDialect(t *testing.T) {
	got := string(responses.NewSurface().Failure(&chat.Failure{Status: 400, Param: "input", Message: "m"}))
	if !strings.HasPrefix(got, `{"error":{"message":"m","type":"invalid_request_error","param":"input"`) {
		t.Error(got)
	}
}
