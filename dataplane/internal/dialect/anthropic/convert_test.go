package anthropic_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// goldenRequest has all that a request of this dialect can have and the canonical model
// too, in the form that the provider writes.
const goldenRequest = `{"model":"claude-opus-4-8","max_tokens":16000,
"system":[{"type":"text","text":"Be brief."},{"type":"text","text":"Rules of the weir.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
"messages":[
 {"role":"user","content":[
  {"type":"text","text":"What passes?\n\"quoted\" <b>"},
  {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}},
  {"type":"image","source":{"type":"url","url":"https://example.com/gauge.jpg"}},
  {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"Gauges"},
  {"type":"document","source":{"type":"text","media_type":"text/plain","data":"level: 7"}},
  {"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"},"cache_control":{"type":"ephemeral"}}]},
 {"role":"system","content":[{"type":"text","text":"From here on in metres."}]},
 {"role":"assistant","content":[
  {"type":"thinking","thinking":"Two gauges.","signature":"EqQBCgIYAg=="},
  {"type":"redacted_thinking","data":"EmwKAhgBEgy3"},
  {"type":"text","text":"I look."},
  {"type":"tool_use","id":"toolu_01","name":"level","input":{"gauge": "north", "depth":1.50}},
  {"type":"tool_use","id":"toolu_02","name":"level","input":{}}]},
 {"role":"user","content":[
  {"type":"tool_result","tool_use_id":"toolu_01","content":[{"type":"text","text":"7 m"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0K"}}]},
  {"type":"tool_result","tool_use_id":"toolu_02","content":[{"type":"text","text":"no gauge"}],"is_error":true,"cache_control":{"type":"ephemeral","ttl":"5m"}},
  {"type":"text","text":"And now?"}]}],
"tools":[
 {"name":"level","description":"Level of a gauge.","input_schema":{"type":"object","properties":{"gauge":{"type":"string"}}},"strict":true},
 {"name":"flow","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],
"tool_choice":{"type":"auto","disable_parallel_tool_use":true},
"thinking":{"type":"adaptive","display":"summarized"},
"output_config":{"effort":"xhigh","format":{"type":"json_schema","schema":{"type":"object","properties":{"m":{"type":"number","minimum":0.10}}}}},
"stop_sequences":["\n\nEnd","stop"],
"metadata":{"user_id":"u-17"},
"service_tier":"standard_only",
"stream":true}`

func goldenChat() *chat.Request {
	yes, no := true, false
	return &chat.Request{
		Model: "claude-opus-4-8", Stream: true, MaxOutput: 16000,
		System: []chat.Part{{Text: "Be brief."}, {Text: "Rules of the weir.", Cache: &chat.CacheMark{TTL: "1h"}}},
		Messages: []chat.Message{
			{Parts: []chat.Part{
				{Text: "What passes?\n\"quoted\" <b>"},
				{Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "iVBORw0K"}},
				{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/gauge.jpg"}},
				{Kind: chat.Document, Media: &chat.Media{Type: "application/pdf", Data: "JVBERi0=", Name: "Gauges"}},
				{Kind: chat.Document, Media: &chat.Media{Type: "text/plain", Data: "bGV2ZWw6IDc="}},
				{Kind: chat.Document, Media: &chat.Media{URL: "https://example.com/a.pdf"}, Cache: &chat.CacheMark{}},
			}},
			{Role: chat.Instruction, Parts: []chat.Part{{Text: "From here on in metres."}}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "Two gauges.", Signature: "EqQBCgIYAg=="},
				{Kind: chat.Redacted, Data: "EmwKAhgBEgy3"},
				{Text: "I look."},
				{Kind: chat.Call, Call: &chat.ToolCall{ID: "toolu_01", Name: "level", Arguments: `{"gauge": "north", "depth":1.50}`}},
				{Kind: chat.Call, Call: &chat.ToolCall{ID: "toolu_02", Name: "level", Arguments: `{}`}},
			}},
			{Parts: []chat.Part{
				{Kind: chat.Result, Result: &chat.ToolResult{CallID: "toolu_01", Parts: []chat.Part{{Text: "7 m"}, {Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "iVBORw0K"}}}}},
				{Kind: chat.Result, Result: &chat.ToolResult{CallID: "toolu_02", Parts: []chat.Part{{Text: "no gauge"}}, Failed: true}, Cache: &chat.CacheMark{TTL: "5m"}},
				{Text: "And now?"},
			}},
		},
		Tools: []chat.Tool{
			{Name: "level", Description: "Level of a gauge.", Schema: `{"type":"object","properties":{"gauge":{"type":"string"}}}`, Strict: &yes},
			{Name: "flow", Schema: `{"type":"object"}`, Cache: &chat.CacheMark{}},
		},
		ToolChoice: chat.ToolChoice{Choose: chat.Auto}, ParallelTools: &no,
		Format:      chat.Format{Shape: chat.JSONSchema, Schema: `{"type":"object","properties":{"m":{"type":"number","minimum":0.10}}}`, Strict: &yes},
		Reasoning:   chat.Reasoning{Effort: "xhigh", Budget: chat.Unbounded, Summary: true},
		Stop:        []string{"\n\nEnd", "stop"},
		User:        "u-17",
		ServiceTier: "standard_only",
	}
}

func TestGoldenRequestIsRead(t *testing.T) {
	got, fault := anthropic.NewSurface().Request([]byte(goldenRequest))
	if fault != nil {
		t.Fatal(fault)
	}
	if diff := cmp.Diff(goldenChat(), got); diff != "" {
		t.Error(diff)
	}
}

func TestGoldenRequestIsWritten(t *testing.T) {
	got, lossy, err := anthropic.NewProvider().Request(goldenChat())
	if err != nil || len(lossy) > 0 {
		t.Fatalf("lossy %v, %v", lossy, err)
	}
	sameJSON(t, goldenRequest, string(got))
}

func sameJSON(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(decode(t, want), decode(t, got)); diff != "" {
		t.Error(diff)
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func user(parts ...chat.Part) []chat.Message { return []chat.Message{{Parts: parts}} }

// read reads a request of which only the given fields matter.
func read(t *testing.T, fields string) *chat.Request {
	t.Helper()
	request, fault := anthropic.NewSurface().Request([]byte(`{"model":"m","max_tokens":9` + fields + `}`))
	if fault != nil {
		t.Fatalf("%s: %v", fields, fault)
	}
	return request
}

func TestShortAndOldForms(t *testing.T) {
	for name, test := range map[string]struct {
		fields string
		want   chat.Request
	}{
		"strings": {`,"system":"s","messages":[{"role":"user","content":"hi"}]`,
			chat.Request{System: []chat.Part{{Text: "s"}}, Messages: user(chat.Part{Text: "hi"})}},
		"string_result": {`,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok","is_error":false}]}]`,
			chat.Request{Messages: user(chat.Part{Kind: chat.Result, Result: &chat.ToolResult{CallID: "t", Parts: []chat.Part{{Text: "ok"}}}})}},
		"mark_of_the_whole_request": {`,"messages":[{"role":"user","content":"hi"}],"cache_control":{"type":"ephemeral","ttl":"1h"}`,
			chat.Request{Messages: user(chat.Part{Text: "hi", Cache: &chat.CacheMark{TTL: "1h"}})}},
		"nulls": {`,"messages":[{"role":"user","content":"hi"}],"system":null,"tools":null,"thinking":null,"output_config":null,"metadata":{"user_id":null},"stream":null`,
			chat.Request{Messages: user(chat.Part{Text: "hi"})}},
		"old_format": {`,"messages":[],"output_format":{"type":"json_schema","schema":{}}`,
			chat.Request{Format: chat.Format{Shape: chat.JSONSchema, Schema: `{}`, Strict: ptr(true)}}},
		"sampling_as_written": {`,"messages":[],"temperature":0.70,"top_p":1e-1,"top_k":40`,
			chat.Request{Sampling: chat.Sampling{Temperature: "0.70", TopP: "1e-1", TopK: "40"}}},
		"budget":   {`,"messages":[],"thinking":{"type":"enabled","budget_tokens":2048}`, chat.Request{Reasoning: chat.Reasoning{Budget: 2048}}},
		"disabled": {`,"messages":[],"thinking":{"type":"disabled"}`, chat.Request{Reasoning: chat.Reasoning{Effort: "none"}}},
		"omitted":  {`,"messages":[],"thinking":{"type":"adaptive","display":"omitted"}`, chat.Request{Reasoning: chat.Reasoning{Budget: chat.Unbounded}}},
		"named_tool": {`,"messages":[],"tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"f"}`,
			chat.Request{Tools: []chat.Tool{{Name: "f", Schema: `{}`}}, ToolChoice: chat.ToolChoice{Choose: chat.Named, Name: "f"}}},
		"quotes_in_lists": {`,"messages":[],"stop_sequences":[ "a\",\"b]" , "c\\", "\\\"", "]" ]`, chat.Request{Stop: []string{`a","b]`, `c\`, `\"`, "]"}}},
		"escaped_names":   {`,"mess\u0061ges":[{"role":"user","content":"hi"}]`, chat.Request{Messages: user(chat.Part{Text: "hi"})}},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, test.fields)
			test.want.Model, test.want.MaxOutput = "m", 9
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestWhatARequestLoses(t *testing.T) {
	for fields, want := range map[string]chat.Lossy{
		`,"messages":[],"container":"c","x\"<\n":1,"inference_geo":"us"`:                                                                                {"container", "x???", "inference_geo"},
		`,"messages":[],"metadata":{"user_id":"u","team":1}`:                                                                                            {"metadata.team"},
		`,"messages":[],"thinking":{"type":"disabled"},"output_config":{"effort":"low","task_budget":{}}`:                                               {"output_config.effort", "output_config.task_budget"},
		`,"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"any"}`:                                      {"tools.web_search_20250305", "tool_choice"},
		`,"messages":[],"tools":[{"type":"bash_20250124","name":"bash"}],"tool_choice":{"type":"tool","name":"bash"}`:                                   {"tools.bash_20250124", "tool_choice"},
		`,"messages":[],"tools":[{"name":"f","input_schema":{},"input_examples":[{}],"defer_loading":true}]`:                                            {"tools.input_examples", "tools.defer_loading"},
		`,"messages":[{"role":"assistant","content":[{"type":"text","text":"a","citations":[{"type":"x"}]}]}]`:                                          {"messages.content.citations"},
		`,"messages":[{"role":"assistant","content":[{"type":"text","text":"a","citations":[]}]}]`:                                                      nil,
		`,"messages":[{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"n","input":{}}]}]`:                                      {"messages.content.server_tool_use"},
		`,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"s","name":"n","input":{},"caller":{"type":"direct"}}]}]`:                  nil,
		`,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"s","name":"n","input":{},"caller":{"type":"code_execution_20250825"}}]}]`: {"messages.content.caller"},
		`,"messages":[{"role":"user","content":[{"type":"document","context":"c","citations":{"enabled":true},"source":{"type":"url","url":"u"}}]}]`:    {"messages.content.citations", "messages.content.context"},
		`,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":"in parts"}}]}]`:                                {"messages.content.source"},
		`,"messages":[{"role":"user","content":[{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"kept"}]}]}]`:         {"messages.content.search_result"},
		`,"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"}]}],"cache_control":{"type":"ephemeral"}`:        {"cache_control"},
	} {
		if diff := cmp.Diff(want, read(t, fields).Lossy); diff != "" {
			t.Errorf("%s: %s", fields, diff)
		}
	}
}

func TestManyUnknownFieldsAreBounded(t *testing.T) {
	fields := `,"messages":[`
	for i := range 60 {
		if i > 0 {
			fields += ","
		}
		fields += `{"role":"user","content":"hi","x` + strconv.Itoa(i) + `":1}`
	}
	lossy := read(t, fields+"]").Lossy
	if len(lossy) != 33 || lossy[32] != "more" {
		t.Errorf("%d names: %v", len(lossy), lossy)
	}
}

func TestFaults(t *testing.T) {
	for body, field := range map[string]string{
		`[]`:                             "",
		`{"model":"m"`:                   "",
		`{"max_tokens":1,"messages":[]}`: "model",
		`{"model":1,"max_tokens":1,"messages":[]}`:                                                                                                         "model",
		`{"model":"m","messages":[]}`:                                                                                                                      "max_tokens",
		`{"model":"m","max_tokens":0,"messages":[]}`:                                                                                                       "max_tokens",
		`{"model":"m","max_tokens":1.5,"messages":[]}`:                                                                                                     "max_tokens",
		`{"model":"m","max_tokens":1}`:                                                                                                                     "messages",
		`{"model":"m","max_tokens":1,"messages":{}}`:                                                                                                       "messages",
		`{"model":"m","max_tokens":1,"messages":[7]}`:                                                                                                      "messages[0]",
		`{"model":"m","max_tokens":1,"messages":[],"messages":[]}`:                                                                                         "messages",
		`{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]}`:                                                                          "messages[0].role",
		`{"model":"m","max_tokens":1,"messages":[{"role":"user"}]}`:                                                                                        "messages[0].content",
		`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]}`:                                                            "messages[0].content[0].text",
		`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"text":"x"}]}]}`:                                                               "messages[0].content[0].type",
		`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":["x"]}]}`:                                                                        "messages[0].content[0]",
		`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":7}}]}]}`:                           "messages[0].content[0].source.url",
		`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"f"}}]}]}`:                 "messages[0].content[0].source.type",
		`{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"i","name":"n","input":"{}"}]}]}`:                  "messages[0].content[0].input",
		`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"2h"}}]}]}`: "messages[0].content[0].cache_control.ttl",
		`{"model":"m","max_tokens":1,"messages":[],"system":[{"type":"image","source":{"type":"url","url":"u"}}]}`:                                         "system",
		`{"model":"m","max_tokens":1,"messages":[],"tools":[{"name":"f"}]}`:                                                                                "tools[0].input_schema",
		`{"model":"m","max_tokens":1,"messages":[],"tool_choice":{"type":"required"}}`:                                                                     "tool_choice.type",
		`{"model":"m","max_tokens":1,"messages":[],"tool_choice":{"type":"tool"}}`:                                                                         "tool_choice.name",
		`{"model":"m","max_tokens":1,"messages":[],"thinking":{"type":"enabled"}}`:                                                                         "thinking.budget_tokens",
		`{"model":"m","max_tokens":1,"messages":[],"output_config":{"effort":"huge"}}`:                                                                     "output_config.effort",
		`{"model":"m","max_tokens":1,"messages":[],"output_config":{"format":{"type":"json"}}}`:                                                            "output_config.format.type",
		`{"model":"m","max_tokens":1,"messages":[],"stop_sequences":["a",1]}`:                                                                              "stop_sequences[1]",
		`{"model":"m","max_tokens":1,"messages":[],"temperature":"0.5"}`:                                                                                   "temperature",
		`{"model":"m","max_tokens":1,"messages":[],"stream":1}`:                                                                                            "stream",
	} {
		request, fault := anthropic.NewSurface().Request([]byte(body))
		if fault == nil || fault.Field != field || fault.Message == "" || request != nil {
			t.Errorf("%s: %v, want a fault of %q", body, fault, field)
		}
	}
}
