package anthropic_test

import (
	"crypto/sha256"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const goldenUsage = `{"input_tokens":12,"cache_creation_input_tokens":30,"cache_read_input_tokens":400,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":57,"output_tokens_details":{"thinking_tokens":40},"service_tier":"priority"}`

const goldenAnswer = `{"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-5","content":[
 {"type":"thinking","thinking":"North is high.","signature":"EqQB+/=="},
 {"type":"redacted_thinking","data":"Emw="},
 {"type":"text","text":"I <look>."},
 {"type":"tool_use","id":"toolu_01","name":"level","input":{"gauge": "north", "m":1.50}}],
"stop_reason":"tool_use","stop_sequence":null,"usage":` + goldenUsage + `}`

func goldenParts() []chat.Part {
	return []chat.Part{
		{Kind: chat.Thinking, Text: "North is high.", Signature: "EqQB+/=="},
		{Kind: chat.Redacted, Data: "Emw="},
		{Text: "I <look>."},
		{Kind: chat.Call, Call: &chat.ToolCall{ID: "toolu_01", Name: "level", Arguments: `{"gauge": "north", "m":1.50}`}},
	}
}

func goldenTokens() *usagev1.TokenUsage {
	return &usagev1.TokenUsage{Input: 12, CacheRead: 400, CacheWrite_5M: 10, CacheWrite_1H: 20, Output: 17, Reasoning: 40}
}

func digest(texts ...string) []byte {
	hash := sha256.New()
	for _, text := range texts {
		_, _ = hash.Write([]byte(text))
	}
	return hash.Sum(nil)
}

func TestGoldenAnswer(t *testing.T) {
	got, err := anthropic.NewProvider().Answer([]byte(goldenAnswer))
	if err != nil {
		t.Fatal(err)
	}
	want := &chat.Answer{
		ID: "msg_01", Model: "claude-opus-5",
		Choices: []chat.Choice{{Parts: goldenParts(), Stop: chat.StopTools}},
		Usage:   chat.Usage{Tokens: goldenTokens(), SHA256: digest(goldenUsage), ServiceTier: "priority"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	body, lossy := anthropic.NewSurface().Answer(got)
	if len(lossy) > 0 {
		t.Errorf("lossy %v", lossy)
	}
	sameJSON(t, goldenAnswer, string(body))
}

func TestStops(t *testing.T) {
	for reason, want := range map[string]struct {
		stop  chat.Stop
		again string
	}{
		"end_turn": {chat.StopEnd, "end_turn"}, "max_tokens": {chat.StopLength, "max_tokens"}, "stop_sequence": {chat.StopSequence, "stop_sequence"},
		"tool_use": {chat.StopTools, "tool_use"}, "pause_turn": {chat.StopPaused, "pause_turn"}, "refusal": {chat.StopFiltered, "refusal"},
		"model_context_window_exceeded": {chat.StopLength, "max_tokens"}, "something_new": {chat.StopUnknown, "end_turn"},
	} {
		answer, err := anthropic.NewProvider().Answer([]byte(`{"type":"message","content":[],"stop_reason":"` + reason + `","stop_sequence":"\n\n"}`))
		if err != nil || answer.Choices[0].Stop != want.stop || answer.Choices[0].Sequence != "\n\n" || answer.Usage.Tokens != nil || answer.Usage.SHA256 != nil {
			t.Errorf("%s: %+v, %v", reason, answer, err)
		}
		body, _ := anthropic.NewSurface().Answer(answer)
		if wire := decode(t, string(body)); wire["stop_reason"] != want.again || wire["stop_sequence"] != "\n\n" {
			t.Errorf("%s came back as %s", reason, body)
		}
	}
}

func TestNoAnswers(t *testing.T) {
	for _, body := range []string{``, `[]`, `{}`, `{"type":"message","content":"x"}`, `{"type":"error","error":{"type":"api_error","message":"m"}}`, `{"choices":[]}`} {
		if answer, err := anthropic.NewProvider().Answer([]byte(body)); err == nil {
			t.Errorf("%s: %+v", body, answer)
		}
	}
}

func TestWhatAnAnswerLoses(t *testing.T) {
	answer, err := anthropic.NewProvider().Answer([]byte(`{"type":"message","stop_reason":"refusal","stop_details":{"type":"refusal","category":"bio"},
		"content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[]},
		{"type":"text","text":"found","citations":[{"type":"web_search_result_location"}]}],
		"usage":{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_search_requests":1}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := chat.Lossy{"content.server_tool_use", "content.web_search_tool_result", "content.citations", "stop_details", "usage.server_tool_use"}
	if diff := cmp.Diff(want, answer.Lossy); diff != "" || len(answer.Choices[0].Parts) != 1 {
		t.Errorf("%s, %d parts", diff, len(answer.Choices[0].Parts))
	}
}

func TestForeignAnswers(t *testing.T) {
	body, lossy := anthropic.NewSurface().Answer(&chat.Answer{ID: "chatcmpl.1", Model: "m", Usage: chat.Usage{Tokens: &usagev1.TokenUsage{Input: 1, InputAudio: 2, Output: 3, OutputAudio: 4, Reasoning: 5}, ServiceTier: "default"},
		Choices: []chat.Choice{{Stop: chat.StopLength, Logprobs: `{}`, Parts: []chat.Part{
			{Kind: chat.Refusal, Text: "no"}, {Kind: chat.Audio, Media: &chat.Media{}},
			{Kind: chat.Call, Signature: "s", Call: &chat.ToolCall{Name: "f", Arguments: `{"cut":`}}, {Kind: chat.Call},
		}}, {}}})
	if diff := cmp.Diff(chat.Lossy{"n", "logprobs", "content", "content.signature", "content.input"}, lossy); diff != "" {
		t.Error(diff)
	}
	sameJSON(t, `{"id":"chatcmpl.1","type":"message","role":"assistant","model":"m","stop_reason":"max_tokens","stop_sequence":null,
		"content":[{"type":"text","text":"no"},{"type":"tool_use","id":"toolu_chatcmpl_1_2","name":"f","input":{}},{"type":"tool_use","id":"toolu_chatcmpl_1_3","name":"","input":{}}],
		"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":12,"output_tokens_details":{"thinking_tokens":5},"service_tier":"standard"}}`, string(body))
	if body, _ := anthropic.NewSurface().Answer(&chat.Answer{}); decode(t, string(body))["stop_reason"] != "end_turn" {
		t.Errorf("an empty answer: %s", body)
	}
}

// A format that the dialect has not is asked for by a tool; its arguments are the text.
func TestEmulatedFormat(t *testing.T) {
	emulates := func() *anthropic.Provider {
		p := anthropic.NewProvider()
		_, _, _ = p.Request(&chat.Request{Format: chat.Format{Shape: chat.JSONObject}})
		return p
	}
	answer, err := emulates().Answer([]byte(`{"type":"message","stop_reason":"tool_use","content":[{"type":"tool_use","id":"t","name":"json_answer","input":{"m": 7.0}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]chat.Choice{{Parts: []chat.Part{{Text: `{"m": 7.0}`}}, Stop: chat.StopEnd}}, answer.Choices); diff != "" {
		t.Error(diff)
	}
	got, done, err := events(emulates(), `{"type":"message_start","message":{"id":"m"}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"json_answer","input":{}}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"m\":"}}`,
		`{"type":"content_block_stop","index":0}`,
		`{"type":"message_delta","delta":{"stop_reason":"tool_use"}}`, `{"type":"message_stop"}`)
	want := []chat.Event{
		{Begin: &chat.Begin{ID: "m"}}, {Open: &chat.Open{}}, {Delta: &chat.Delta{Text: `{"m":`}}, {Close: &chat.Close{}}, {End: &chat.End{Stop: chat.StopEnd}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !done || err != nil {
		t.Errorf("%s, done %v, %v", diff, done, err)
	}
}

// events reads data of events until one fails.
func events(p *anthropic.Provider, data ...string) (all []chat.Event, done bool, err error) {
	for _, text := range data {
		if all, done, err = p.Events(all, nil, []byte(text)); err != nil {
			return all, done, err
		}
	}
	return all, done, nil
}
