package anthropic_test

import (
	"maps"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// written is what a request becomes beside model, max_tokens and one message.
func written(t *testing.T, r chat.Request) (map[string]any, chat.Lossy) {
	t.Helper()
	if r.Model == "" {
		r.Model = "m"
	}
	if r.Messages == nil {
		r.Messages = user(chat.Part{Text: "hi"})
	}
	body, lossy, err := anthropic.NewProvider().Request(&r)
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(body) {
		t.Errorf("%q", body)
	}
	wire := decode(t, string(body))
	if wire["model"] != r.Model {
		t.Errorf("model %v", wire["model"])
	}
	return wire, lossy
}

func TestWhatAProviderWrites(t *testing.T) {
	for name, test := range map[string]struct {
		request chat.Request
		want    string // of what is there, the fields that count
		lossy   chat.Lossy
	}{
		"default_cap": {chat.Request{}, `{"max_tokens":32000}`, nil},
		"unheard": {chat.Request{N: 2, Logprobs: true, TopLogprobs: 3, Metadata: map[string]string{"a": "b"}, ServiceTier: "flex",
			Sampling: chat.Sampling{Seed: "1", PresencePenalty: "0.1", FrequencyPenalty: "0.2"}},
			`{"service_tier":null,"seed":null}`,
			chat.Lossy{"presence_penalty", "frequency_penalty", "seed", "service_tier", "n", "logprobs", "top_logprobs", "metadata"}},
		"hot":            {chat.Request{Sampling: chat.Sampling{Temperature: "1.7"}}, `{"temperature":1}`, chat.Lossy{"temperature"}},
		"default_tier":   {chat.Request{ServiceTier: "default"}, `{"service_tier":"standard_only"}`, nil},
		"sampled":        {chat.Request{Model: "claude-opus-4-6", Sampling: chat.Sampling{Temperature: "0.70", TopK: "4"}}, `{"temperature":0.7,"top_k":4}`, nil},
		"not_sampled":    {chat.Request{Model: "claude-haiku-5-5", Sampling: chat.Sampling{Temperature: "1.7", TopP: "0.5"}}, `{"temperature":null,"top_p":null}`, chat.Lossy{"temperature", "top_p"}},
		"thinks_sampled": {chat.Request{Reasoning: chat.Reasoning{Budget: 2000}, Sampling: chat.Sampling{Temperature: "0.5", TopP: "0.96"}}, `{"temperature":null,"top_p":0.96,"max_tokens":34000}`, chat.Lossy{"temperature"}},

		"effort":              {chat.Request{Reasoning: chat.Reasoning{Effort: "high", Summary: true}}, `{"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"high"}}`, nil},
		"least_effort":        {chat.Request{Model: "claude-sonnet-5", Reasoning: chat.Reasoning{Effort: "minimal"}}, `{"output_config":{"effort":"low"}}`, chat.Lossy{"reasoning.effort"}},
		"no_effort":           {chat.Request{Reasoning: chat.Reasoning{Effort: "none"}}, `{"thinking":{"type":"disabled"},"output_config":null}`, nil},
		"budget":              {chat.Request{Model: "claude-opus-4-6", Reasoning: chat.Reasoning{Budget: 5000}}, `{"thinking":{"type":"enabled","budget_tokens":5000}}`, nil},
		"budget_too_small":    {chat.Request{Reasoning: chat.Reasoning{Budget: 10}}, `{"thinking":{"type":"enabled","budget_tokens":1024}}`, chat.Lossy{"reasoning.budget"}},
		"budget_of_new_model": {chat.Request{Model: "claude-opus-4-7", Reasoning: chat.Reasoning{Budget: 5000}}, `{"thinking":{"type":"adaptive"}}`, chat.Lossy{"reasoning.budget"}},
		"effort_of_old_model": {chat.Request{Model: "claude-haiku-4-5-20251001", MaxOutput: 9000, Reasoning: chat.Reasoning{Effort: "high"}}, `{"thinking":{"type":"enabled","budget_tokens":8999},"output_config":null}`, nil},
		"no_room_to_think":    {chat.Request{Model: "claude-haiku-4-5", MaxOutput: 100, Reasoning: chat.Reasoning{Effort: "low"}}, `{"thinking":null}`, chat.Lossy{"reasoning.effort"}},
		"old_model_adapts":    {chat.Request{Model: "claude-3-7-sonnet-20250219", Reasoning: chat.Reasoning{Budget: chat.Unbounded}}, `{"thinking":{"type":"enabled","budget_tokens":8192},"max_tokens":40192}`, nil},
		"thinks_with_forced_tool": {chat.Request{Reasoning: chat.Reasoning{Effort: "high"}, Tools: []chat.Tool{{Name: "f"}}, ToolChoice: chat.ToolChoice{Choose: chat.Any}},
			`{"thinking":null,"output_config":{"effort":"high"},"tool_choice":{"type":"any"},"tools":[{"name":"f","input_schema":{"type":"object"}}]}`, chat.Lossy{"reasoning.effort"}},
		"budget_in_mid_turn": {chat.Request{Model: "claude-sonnet-4-5", Reasoning: chat.Reasoning{Effort: "high"}, Messages: []chat.Message{
			{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, Call: &chat.ToolCall{ID: "c.1", Name: "f"}}}},
			{Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "c.1"}}}}}},
			`{"thinking":null,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"c_1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c_1","content":[]}]}]}`,
			chat.Lossy{"reasoning.effort"}},

		"strict_format": {chat.Request{Format: chat.Format{Shape: chat.JSONSchema, Name: "n", Description: "d", Strict: ptr(true), Schema: `{"a":1.0}`}},
			`{"output_config":{"format":{"type":"json_schema","schema":{"a":1.0}}},"tools":null}`, chat.Lossy{"format.description"}},
		"format_with_thinking": {chat.Request{Reasoning: chat.Reasoning{Effort: "low"}, Format: chat.Format{Shape: chat.JSONSchema, Strict: ptr(false), Schema: `{}`}},
			`{"output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}},"thinking":{"type":"adaptive"}}`, chat.Lossy{"format.strict"}},
		"loose_format": {chat.Request{Format: chat.Format{Shape: chat.JSONSchema, Schema: `{"a":1.0}`}},
			`{"output_config":null,"tools":[{"name":"json_answer","input_schema":{"a":1.0}}],"tool_choice":{"type":"tool","name":"json_answer","disable_parallel_tool_use":true}}`, nil},
		"always_thinks": {chat.Request{Model: "claude-fable-5-1", Reasoning: chat.Reasoning{Effort: "none"}, Tools: []chat.Tool{{Name: "f"}}, ToolChoice: chat.ToolChoice{Choose: chat.Any}},
			`{"thinking":null,"tool_choice":{"type":"auto"}}`, chat.Lossy{"tool_choice", "reasoning.effort"}},
		"any_object_of_one_that_always_thinks": {chat.Request{Model: "claude-mythos-5", Format: chat.Format{Shape: chat.JSONObject}},
			`{"tools":null,"output_config":null}`, chat.Lossy{"format"}},
		"format_of_old_model": {chat.Request{Model: "claude-opus-4-20250514", Format: chat.Format{Shape: chat.JSONSchema, Name: "n", Description: "d", Schema: `{"a":1}`}},
			`{"output_config":null,"tools":[{"name":"n","description":"d","input_schema":{"a":1}}],"tool_choice":{"type":"tool","name":"n","disable_parallel_tool_use":true}}`, nil},
		"any_object": {chat.Request{Format: chat.Format{Shape: chat.JSONObject}},
			`{"tools":[{"name":"json_answer","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"json_answer","disable_parallel_tool_use":true}}`, nil},
		"any_object_beside_tools": {chat.Request{Format: chat.Format{Shape: chat.JSONObject}, Tools: []chat.Tool{{Name: "f"}}},
			`{"output_config":null,"tool_choice":null}`, chat.Lossy{"format"}},

		"parallel_tools":    {chat.Request{ParallelTools: ptr(true), Tools: []chat.Tool{{Name: "f"}}}, `{"tool_choice":null}`, nil},
		"single_tool":       {chat.Request{ParallelTools: ptr(false), Tools: []chat.Tool{{Name: "f"}}}, `{"tool_choice":{"type":"auto","disable_parallel_tool_use":true}}`, nil},
		"no_tools":          {chat.Request{ParallelTools: ptr(false), Tools: []chat.Tool{{Name: "f"}}, ToolChoice: chat.ToolChoice{Choose: chat.Never}}, `{"tool_choice":{"type":"none"}}`, nil},
		"choice_of_nothing": {chat.Request{ParallelTools: ptr(false), ToolChoice: chat.ToolChoice{Choose: chat.Auto}}, `{"tool_choice":null}`, nil},

		"instruction_goes_ahead": {chat.Request{Model: "claude-opus-4-6", System: []chat.Part{{Text: "a"}}, Messages: []chat.Message{
			{Parts: []chat.Part{{Text: "hi"}}}, {Role: chat.Instruction, Parts: []chat.Part{{Text: "b"}}}}},
			`{"system":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, chat.Lossy{"messages.role"}},
		"instruction_stays": {chat.Request{Model: "claude-opus-5", Messages: []chat.Message{
			{Parts: []chat.Part{{Text: "hi"}}}, {Role: chat.Instruction, Parts: []chat.Part{{Text: "b"}}}}},
			`{"system":null,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"system","content":[{"type":"text","text":"b"}]}]}`, nil},
		"no_utf8": {chat.Request{User: "a\xffb\xe6\xb5"}, `{"metadata":{"user_id":"a\ufffdb\ufffd\ufffd"}}`, nil},
		"nothing_said": {chat.Request{Messages: []chat.Message{{Role: chat.Assistant, Parts: []chat.Part{{}}}, {Name: "ann", Parts: []chat.Part{{Text: "hi"}, {}}}}},
			`{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, chat.Lossy{"messages.name"}},
		"parts_without_a_place": {chat.Request{Messages: user(
			chat.Part{Kind: chat.Audio, Media: &chat.Media{}}, chat.Part{Kind: chat.Thinking, Text: "unsigned"}, chat.Part{Kind: chat.Refusal, Text: "no", Signature: "s"},
			chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "u", Detail: "high"}}, chat.Part{Kind: chat.Document, Media: &chat.Media{Type: "text/csv", Data: "YSxi"}},
			chat.Part{Kind: chat.Call, Signature: "g", Call: &chat.ToolCall{ID: "i", Name: "n", Arguments: `{"cut":`}},
			chat.Part{Kind: chat.Call}, chat.Part{Kind: chat.Result}, chat.Part{Kind: chat.Image})},
			`{"messages":[{"role":"user","content":[{"type":"text","text":"no"},{"type":"image","source":{"type":"url","url":"u"}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,b"}},{"type":"tool_use","id":"i","name":"n","input":{}}]}]}`,
			chat.Lossy{"messages.audio", "messages.thinking", "messages.refusal", "messages.signature", "messages.detail", "messages.media_type", "messages.arguments"}},
	} {
		t.Run(name, func(t *testing.T) {
			wire, lossy := written(t, test.request)
			if diff := cmp.Diff(test.lossy, lossy); diff != "" {
				t.Error(diff)
			}
			want := decode(t, test.want)
			maps.DeleteFunc(wire, func(field string, _ any) bool { _, counts := want[field]; return !counts })
			maps.DeleteFunc(want, func(_ string, value any) bool { return value == nil })
			if diff := cmp.Diff(want, wire); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Names of models of all ages and platforms, by what depends on them.
func TestGenerations(t *testing.T) {
	for model, want := range map[string]string{
		"claude-3-5-haiku-20241022": "enabled", "claude-opus-4-1-20250805": "enabled", "claude-sonnet-4@20250514": "enabled",
		"us.anthropic.claude-haiku-4-5-20251001-v1:0": "enabled", "anthropic/claude-4.5-sonnet": "enabled",
		"claude-opus-4-6": "adaptive", "anthropic.claude-opus-4-7-v1": "adaptive", "claude-sonnet-5": "adaptive",
		"claude-mythos-preview": "adaptive", "some-alias": "adaptive", "claude-opus-10-2": "adaptive",
	} {
		wire, _ := written(t, chat.Request{Model: model, Reasoning: chat.Reasoning{Effort: "low"}})
		if thinking, _ := wire["thinking"].(map[string]any); thinking["type"] != want {
			t.Errorf("%s: %v", model, wire["thinking"])
		}
	}
}

func TestFailures(t *testing.T) {
	p := anthropic.NewProvider()
	got := p.Failure(529, []byte(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}`))
	if diff := cmp.Diff(&chat.Failure{Status: 529, Type: "overloaded_error", Message: "Overloaded"}, got); diff != "" {
		t.Error(diff)
	}
	for _, body := range []string{"", "<html>", "[]", `{"error":"no"}`, `{"error":null}`} {
		if got := p.Failure(502, []byte(body)); got.Status != 502 || got.Message == "" || got.Type != "" {
			t.Errorf("%q: %+v", body, got)
		}
	}
	s := anthropic.NewSurface()
	for want, failure := range map[string]chat.Failure{
		`{"type":"error","error":{"type":"rate_limit_error","message":"slow","code":"rate_limit_exceeded"}}`: {Status: 429, Type: "tokens", Code: "rate_limit_exceeded", Message: "slow"},
		`{"type":"error","error":{"type":"overloaded_error","message":"full"}}`:                              {Status: 503, Type: "overloaded_error", Message: "full"},
		`{"type":"error","error":{"type":"invalid_request_error","message":"no","param":"p"}}`:               {Status: 422, Param: "p", Message: "no"},
	} {
		if got := string(s.Failure(&failure)); got != want+"\n" {
			t.Errorf("%s", got)
		}
	}
}
