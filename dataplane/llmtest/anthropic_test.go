package llmtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// ask posts a body in Anthropic's dialect. A header without a value is not sent.
func ask(t *testing.T, server *httptest.Server, path, body string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"X-Api-Key": {apiKey}, "Anthropic-Version": {"2023-06-01"}}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		text = append(text, "|broken"...)
	}
	return response, string(text)
}

// messagesBody asks "hello there" for at most 100 tokens.
func messagesBody(more string) string {
	return `{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"hello there"}]` + more + `}`
}

const levelTool = `{"name":"level","input_schema":{"type":"object","properties":{"gauge":{"type":"string"},"metres":{"type":"number"}}}}`

func TestMessage(t *testing.T) {
	mock, server := start(t, llmtest.Options{CachedTokens: 2, AnswerTokens: 3})
	response, got := ask(t, server, "/v1/messages", messagesBody(``), nil)
	want := `{"id":"msg_000000000000000000000001","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"` + llmtest.Answer("hello there", 0, 3) + `"}],` +
		`"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":2,` +
		`"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"service_tier":"standard","inference_geo":"global"}}`
	if diff := cmp.Diff(want, got); diff != "" || response.Header.Get("Request-Id") == "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(llmtest.Served{Requests: 1, Completed: 1, Tokens: llmtest.Tokens{Input: 6, CachedInput: 2, Output: 3}}, mock.Ledger().Total); diff != "" {
		t.Error(diff)
	}
	if _, got := ask(t, server, "/v1/messages/count_tokens", `{"model":"m","messages":[{"role":"user","content":"hello there"}]}`, nil); got != "{\"input_tokens\":8}\n" {
		t.Errorf("count %s", got)
	}
}

// The example of the provider's documentation, in our words.
func TestMessageStream(t *testing.T) {
	mock, server := start(t, llmtest.Options{AnswerTokens: 2})
	_, got := ask(t, server, "/v1/messages", strings.Replace(messagesBody(`,"stream":true,"thinking":{"type":"adaptive"},"tools":[`+levelTool+`]`), "hello there", "what level", 1), nil)
	words := strings.Fields(llmtest.Answer("what level", 0, 2))
	wanted := []string{
		`message_start|{"type":"message_start","message":{"id":"msg_000000000000000000000001","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,`,
		`content_block_start|{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
		`ping|{"type":"ping"}`,
		`content_block_delta|{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"`, ``, ``, ``,
		`content_block_delta|{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"`,
		`content_block_stop|{"type":"content_block_stop","index":0}`,
		`content_block_start|{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}`,
		`content_block_delta|{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"` + words[0] + `"}}`,
		`content_block_delta|{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":" ` + words[1] + `"}}`,
		`content_block_stop|{"type":"content_block_stop","index":1}`,
		`content_block_start|{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_000000000000000000000100","name":"level","input":{}}}`,
		`content_block_delta|{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"gauge\""}}`, ``, ``, ``, ``,
		`content_block_stop|{"type":"content_block_stop","index":2}`,
		`message_delta|{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":11,"output_tokens_details":{"thinking_tokens":4}}}`,
		`message_stop|{"type":"message_stop"}`,
	}
	events := strings.Split(strings.TrimSuffix(got, "\n\n"), "\n\n")
	if len(events) != len(wanted) {
		t.Fatalf("%d events, want %d:\n%s", len(events), len(wanted), got)
	}
	for i, event := range events {
		event = strings.Replace(strings.TrimPrefix(event, "event: "), "\ndata: ", "|", 1)
		if !strings.HasPrefix(event, wanted[i]) {
			t.Errorf("event %d is %s, want %s", i, event, wanted[i])
		}
	}
	if tokens := mock.Ledger().Total.Tokens; tokens != (llmtest.Tokens{Input: 9, Output: 7, Reasoning: 4}) {
		t.Errorf("ledger %+v", tokens)
	}
}

type message struct {
	Content []struct {
		Type, Text, Thinking, Signature, Data, ID, Name string
		Input                                           json.RawMessage
	}
	StopReason   string `json:"stop_reason"`
	StopSequence string `json:"stop_sequence"`
	Usage        map[string]any
}

func answerTo(t *testing.T, server *httptest.Server, body string) message {
	t.Helper()
	var got message
	if _, text := ask(t, server, "/v1/messages", body, nil); json.Unmarshal([]byte(text), &got) != nil || len(got.Content) == 0 {
		t.Fatal(text)
	}
	return got
}

func TestMessageKinds(t *testing.T) {
	_, server := start(t, llmtest.Options{})
	first := strings.Fields(llmtest.Answer("hello there", 0, 20))
	for name, test := range map[string]struct {
		more  string
		kinds string
		stop  string
		check func(m message) bool
	}{
		"capped":        {`,"max_tokens":2`, "text", "max_tokens", func(m message) bool { return m.Content[0].Text == first[0]+" "+first[1] }},
		"stop_sequence": {`,"stop_sequences":["zzz","` + first[1] + ` "]`, "text", "stop_sequence", func(m message) bool { return m.Content[0].Text == first[0]+" " && m.StopSequence == first[1]+" " }},
		"any_tool": {`,"tools":[` + levelTool + `],"tool_choice":{"type":"any"}`, "tool_use", "tool_use", func(m message) bool {
			return string(m.Content[0].Input) == `{"gauge":"the weir","metres":7.5}`
		}},
		"named_tool": {`,"tools":[` + levelTool + `,{"name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"f"}`, "tool_use", "tool_use", func(m message) bool {
			return m.Content[0].Name == "f" && string(m.Content[0].Input) == "{}"
		}},
		"tool_not_meant": {`,"tools":[` + levelTool + `]`, "text", "end_turn", nil},
		"tools_in_words": {`,"tools":[{"name":"hello","input_schema":{}},{"name":"there","input_schema":{}}]`, "text tool_use tool_use", "tool_use", func(m message) bool { return m.Content[1].ID != m.Content[2].ID }},
		"one_tool":       {`,"tools":[{"name":"hello","input_schema":{}},{"name":"there","input_schema":{}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`, "text tool_use", "tool_use", nil},
		"no_tool":        {`,"tools":[{"name":"hello","input_schema":{}}],"tool_choice":{"type":"none"}`, "text", "end_turn", nil},
		"format":         {`,"output_config":{"format":{"type":"json_schema","schema":{"properties":{"ok":{"type":"boolean"},"of":{"type":"object","properties":{"k":{"enum":["a"]}}}}}}}`, "text", "end_turn", func(m message) bool { return m.Content[0].Text == `{"ok":true,"of":{"k":"a"}}` }},
		"thinking": {`,"max_tokens":5000,"thinking":{"type":"enabled","budget_tokens":2000}`, "thinking text", "end_turn", func(m message) bool {
			return m.Content[0].Thinking != "" && m.Content[0].Signature != "" && m.Usage["output_tokens"] == 24.0
		}},
		"omitted": {`,"thinking":{"type":"adaptive","display":"omitted"}`, "thinking text", "end_turn", func(m message) bool { return m.Content[0].Thinking == "" && m.Content[0].Signature != "" }},
		"redacted": {`,"thinking":{"type":"adaptive"},"messages":[{"role":"user","content":"ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_1"}]`, "redacted_thinking text", "end_turn",
			func(m message) bool { return m.Content[0].Data != "" }},
		"refused": {`,"messages":[{"role":"user","content":"ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL_1"}]`, "text", "refusal", nil},
		"cached": {`,"system":[{"type":"text","text":"a b c","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":[{"type":"text","text":"d","cache_control":{"type":"ephemeral"}},{"type":"text","text":"e f"}]}]`, "text", "end_turn",
			func(m message) bool {
				return m.Usage["cache_creation_input_tokens"] == 10.0 && m.Usage["input_tokens"] == 2.0 && m.Usage["cache_creation"].(map[string]any)["ephemeral_1h_input_tokens"] == 6.0
			}},
	} {
		t.Run(name, func(t *testing.T) {
			body := messagesBody(test.more)
			if strings.HasPrefix(test.more, `,"max_tokens"`) {
				body = strings.Replace(body, `"max_tokens":100,`, "", 1)
			}
			if strings.Contains(test.more, `"messages"`) {
				body = strings.Replace(body, `"messages":[{"role":"user","content":"hello there"}],`, "", 1)
			}
			got := answerTo(t, server, body)
			kinds := make([]string, 0, len(got.Content))
			for _, block := range got.Content {
				kinds = append(kinds, block.Type)
			}
			if strings.Join(kinds, " ") != test.kinds || got.StopReason != test.stop || test.check != nil && !test.check(got) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Thinking must come back as it was, and results for all calls.
func TestTurnsComeBack(t *testing.T) {
	_, server := start(t, llmtest.Options{})
	turn := `{"role":"user","content":"what level"}`
	begin := `{"model":"m","max_tokens":100,"thinking":{"type":"adaptive"},"tools":[` + levelTool + `],"messages":[` + turn
	first := answerTo(t, server, begin+`]}`)
	assistant, _ := json.Marshal(map[string]any{"role": "assistant", "content": []any{
		map[string]any{"type": "thinking", "thinking": first.Content[0].Thinking, "signature": first.Content[0].Signature},
		map[string]any{"type": "tool_use", "id": first.Content[2].ID, "name": "level", "input": map[string]any{}}}})
	result := func(id string) string {
		return `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + id + `","content":[{"type":"text","text":"7 m"}]}]}]}`
	}
	for name, test := range map[string]struct{ body, want string }{
		"whole":         {begin + "," + string(assistant) + result(first.Content[2].ID), `"stop_reason":"end_turn"`},
		"other_id":      {begin + "," + string(assistant) + result("toolu_other"), "unexpected `tool_use_id`"},
		"no_result":     {begin + "," + string(assistant) + "," + turn + "]}", "without `tool_result` blocks"},
		"not_as_it_was": {begin + "," + strings.Replace(string(assistant), `"thinking":"`, `"thinking":"I `, 1) + result(first.Content[2].ID), "messages.1.content.0: Invalid `signature`"},
	} {
		if _, got := ask(t, server, "/v1/messages", test.body, nil); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestRefusedMessages(t *testing.T) {
	mock, server := start(t, llmtest.Options{Models: []string{"m"}})
	for name, test := range map[string]struct {
		body   string
		header http.Header
		status int
		want   string
	}{
		"no_key":        {messagesBody(``), http.Header{"X-Api-Key": nil}, 401, "authentication_error"},
		"wrong_key":     {messagesBody(``), http.Header{"X-Api-Key": {"sk-ant-wrong"}}, 401, "invalid x-api-key"},
		"no_version":    {messagesBody(``), http.Header{"Anthropic-Version": nil}, 400, "anthropic-version: header is required"},
		"no_json":       {`{`, nil, 400, "not valid JSON"},
		"no_model":      {`{"max_tokens":1,"messages":[{"role":"user","content":"x"}]}`, nil, 400, "model: Field required"},
		"other_model":   {strings.Replace(messagesBody(``), `"m"`, `"n"`, 1), nil, 404, "not_found_error"},
		"no_cap":        {`{"model":"m","messages":[{"role":"user","content":"x"}]}`, nil, 400, "max_tokens: Field required"},
		"no_messages":   {`{"model":"m","max_tokens":1,"messages":[]}`, nil, 400, "messages: at least one message is required"},
		"extra_field":   {messagesBody(`,"seed":1`), nil, 400, "seed: Extra inputs are not permitted"},
		"role":          {`{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]}`, nil, 400, "messages.0.role"},
		"empty_text":    {`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`, nil, 400, "must be non-empty"},
		"no_source":     {`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url"}}]}]}`, nil, 400, "messages.0.content.0.source: Field required"},
		"new_block":     {`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, nil, 400, "image_url"},
		"hot":           {messagesBody(`,"temperature":1.5`), nil, 400, "temperature"},
		"no_schema":     {messagesBody(`,"tools":[{"name":"f"}]`), nil, 400, "tools.0.custom.input_schema"},
		"no_such_tool":  {messagesBody(`,"tools":[` + levelTool + `],"tool_choice":{"type":"tool","name":"f"}`), nil, 400, "Tool 'f' not found"},
		"thinks_forced": {messagesBody(`,"tools":[` + levelTool + `],"tool_choice":{"type":"any"},"thinking":{"type":"adaptive"}`), nil, 400, "Thinking may not be enabled"},
		"large_budget":  {messagesBody(`,"thinking":{"type":"enabled","budget_tokens":1024}`), nil, 400, "budget_tokens"},
		"bad_fault":     {messagesBody(``), http.Header{llmtest.FaultHeader: {"{"}}, 400, llmtest.FaultHeader},
	} {
		t.Run(name, func(t *testing.T) {
			response, got := ask(t, server, "/v1/messages", test.body, test.header)
			if response.StatusCode != test.status || !strings.HasPrefix(got, `{"type":"error","error":{"type":"`) || !strings.Contains(got, test.want) {
				t.Errorf("status %d, %s", response.StatusCode, got)
			}
		})
	}
	if ledger := mock.Ledger(); ledger.Refused != 19 || ledger.Total.Requests != 0 {
		t.Errorf("ledger %+v", ledger)
	}
}

func TestMessageFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault  llmtest.Fault
		stream string
		check  func(r *http.Response, text string) bool
		output int64
	}{
		"status": {llmtest.Fault{Kind: llmtest.Status, Status: 529, RetryAfter: 1500 * time.Millisecond}, "true", func(r *http.Response, text string) bool {
			return r.StatusCode == 529 && r.Header.Get("Retry-After") == "2" && strings.Contains(text, "overloaded_error")
		}, 0},
		"error_body": {llmtest.Fault{Kind: llmtest.ErrorBody}, "false", func(r *http.Response, text string) bool {
			return r.StatusCode == 200 && strings.HasPrefix(text, `{"type":"error"`)
		}, 0},
		"content_type": {llmtest.Fault{Kind: llmtest.ContentType}, "true", func(r *http.Response, _ string) bool {
			return strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
		}, 0},
		"whole_cut": {llmtest.Fault{Kind: llmtest.Cut}, "false", func(_ *http.Response, text string) bool { return strings.HasSuffix(text, "|broken") }, 20},
		"cut": {llmtest.Fault{Kind: llmtest.Cut, After: 4}, "true", func(_ *http.Response, text string) bool {
			return strings.HasSuffix(text, "|broken") && strings.Count(text, "\n\n") == 4
		}, 2},
		"malformed": {llmtest.Fault{Kind: llmtest.Malformed, After: 2}, "true", func(_ *http.Response, text string) bool {
			return strings.Contains(text, "not an event") && strings.Contains(text, "message_stop")
		}, 20},
		"huge": {llmtest.Fault{Kind: llmtest.Huge, After: 3, Size: 1 << 20}, "true", func(_ *http.Response, text string) bool {
			return len(text) > 1<<20 && strings.Contains(text, "message_stop")
		}, 21},
		"whole_huge": {llmtest.Fault{Kind: llmtest.Huge, Size: 1 << 20}, "false", func(_ *http.Response, text string) bool { return len(text) > 1<<20 && json.Valid([]byte(text)) }, 1},
		"error_event": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 5}, "true", func(_ *http.Response, text string) bool {
			return strings.Contains(text, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"") && !strings.Contains(text, "message_stop")
		}, 3},
		"no_usage": {llmtest.Fault{Kind: llmtest.NoUsage}, "true", func(_ *http.Response, text string) bool {
			return !strings.Contains(text, "usage") && strings.Contains(text, "message_stop")
		}, 20},
		"no_done": {llmtest.Fault{Kind: llmtest.NoDone}, "true", func(_ *http.Response, text string) bool {
			return strings.Contains(text, "message_delta") && !strings.Contains(text, "message_stop")
		}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			mock, server := start(t, llmtest.Options{})
			mock.Script(test.fault)
			response, text := ask(t, server, "/v1/messages", messagesBody(`,"stream":`+test.stream), nil)
			if !test.check(response, text) {
				t.Errorf("status %d, %.2000s", response.StatusCode, text)
			}
			server.Close()
			if got := mock.Ledger().Total.Tokens.Output; got != test.output {
				t.Errorf("the ledger counts %d output tokens, want %d", got, test.output)
			}
		})
	}
}
