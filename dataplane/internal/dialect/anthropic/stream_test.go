package anthropic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	startUsage = `{"input_tokens":25,"cache_creation_input_tokens":8,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":8},"output_tokens":1,"service_tier":"standard"}`
	deltaUsage = `{"input_tokens":30,"output_tokens":89,"output_tokens_details":{"thinking_tokens":9}}`
)

var goldenStream = []string{
	`{"type":"message_start","message":{"id":"msg_02","type":"message","role":"assistant","model":"claude-opus-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":` + startUsage + `}}`,
	`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Two "}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"gauges."}}`,
	`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB=="}}`,
	`{"type":"content_block_stop","index":0}`,
	`{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Emw="}}`,
	`{"type":"content_block_stop","index":1}`,
	`{"type": "ping"}`,
	`{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}`,
	`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}`,
	`{"type":"content_block_stop","index":2}`,
	`{"type":"content_block_start","index":3,"content_block":{"type":"text","text":""}}`,
	`{"type":"content_block_delta","index":3,"delta":{"type":"citations_delta","citation":{}}}`,
	`{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"Is\n<7>"}}`,
	`{"type":"content_block_stop","index":3}`,
	`{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_9","name":"level","input":{}}}`,
	`{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}`,
	`{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\"gauge\": \"no"}}`,
	`{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"rth\"}"}}`,
	`{"type":"content_block_stop","index":4}`,
	`{"type":"something_new","of":"later"}`,
	`{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":` + deltaUsage + `}`,
	`{"type":"message_stop"}`,
}

func goldenSteps() []chat.Event {
	return []chat.Event{
		{Begin: &chat.Begin{ID: "msg_02", Model: "claude-opus-5"}},
		{Open: &chat.Open{Index: 0, Part: chat.Part{Kind: chat.Thinking}}},
		{Delta: &chat.Delta{Index: 0, Text: "Two "}},
		{Delta: &chat.Delta{Index: 0, Text: "gauges."}},
		{Delta: &chat.Delta{Index: 0, Signature: "EqQB=="}},
		{Close: &chat.Close{Index: 0}},
		{Open: &chat.Open{Index: 1, Part: chat.Part{Kind: chat.Redacted, Data: "Emw="}}},
		{Close: &chat.Close{Index: 1}},
		{Ping: true},
		{Open: &chat.Open{Index: 2}},
		{Delta: &chat.Delta{Index: 2, Text: "Is\n<7>"}},
		{Close: &chat.Close{Index: 2}},
		{Open: &chat.Open{Index: 3, Part: chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: "toolu_9", Name: "level"}}}},
		{Delta: &chat.Delta{Index: 3, Arguments: `{"gauge": "no`}},
		{Delta: &chat.Delta{Index: 3, Arguments: `rth"}`}},
		{Close: &chat.Close{Index: 3}},
		{End: &chat.End{Stop: chat.StopTools}},
		{Usage: &chat.Usage{
			Tokens: &usagev1.TokenUsage{Input: 30, CacheWrite_1H: 8, Output: 80, Reasoning: 9},
			SHA256: digest(startUsage, deltaUsage), ServiceTier: "standard",
		}},
	}
}

func TestGoldenStreamIsRead(t *testing.T) {
	got, done, err := events(anthropic.NewProvider(), goldenStream...)
	if diff := cmp.Diff(goldenSteps(), got, protocmp.Transform()); diff != "" || !done || err != nil {
		t.Errorf("%s, done %v, %v", diff, done, err)
	}
}

const writtenStream = `event: message_start
data: {"type":"message_start","message":{"type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0},"id":"msg_02","model":"claude-opus-5"}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Two "}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"gauges."}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB=="}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Emw="}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Is\n<7>"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_9","name":"level","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"gauge\": \"no"}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"rth\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":30,"cache_creation_input_tokens":8,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":8},"output_tokens":89,"output_tokens_details":{"thinking_tokens":9},"service_tier":"standard"}}

event: message_stop
data: {"type":"message_stop"}

`

func TestGoldenStreamIsWritten(t *testing.T) {
	surface := anthropic.NewSurface()
	var got []byte
	for _, step := range goldenSteps() {
		got = surface.Event(got, step)
	}
	if diff := cmp.Diff(writtenStream, string(surface.Finish(got))); diff != "" {
		t.Error(diff)
	}
}

func TestStreamsOfOtherServers(t *testing.T) {
	got, _, err := events(anthropic.NewProvider(), `{"type":"message_start","message":{"id":"m"}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"at once"}}`,
		`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":1}}}`,
		`{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}`,
		`{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"end"}}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, `{"type":"message_stop"}`, `{"type":"message_start"}`)
	want := []chat.Event{
		{Begin: &chat.Begin{ID: "m"}},
		{Open: &chat.Open{}}, {Delta: &chat.Delta{Text: "at once"}}, {Close: &chat.Close{}},
		{Open: &chat.Open{Index: 1, Part: chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: "t", Name: "f"}}}}, {Delta: &chat.Delta{Index: 1, Arguments: `{"a":1}`}}, {Close: &chat.Close{Index: 1}},
		// no usage: half of it was said
		{End: &chat.End{Stop: chat.StopSequence, Sequence: "end"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s, %v", diff, err)
	}
}

func TestBrokenStreams(t *testing.T) {
	start := `{"type":"message_start","message":{"id":"m"}}`
	for name, data := range map[string][]string{
		"no_json":      {start, `{"type":`},
		"no_start":     {`{"type":"message_stop"}`},
		"two_starts":   {start, start},
		"empty_start":  {`{"type":"message_start"}`},
		"empty_block":  {start, `{"type":"content_block_start","index":0}`},
		"block_twice":  {start, `{"type":"content_block_start","index":0,"content_block":{"type":"text"}}`, `{"type":"content_block_start","index":0,"content_block":{"type":"text"}}`},
		"no_block":     {start, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`},
		"in_between":   {start, `{"type":"content_block_start","index":0,"content_block":{"type":"text"}}`, `{"type":"content_block_start","index":1,"content_block":{"type":"text"}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`},
		"after_end":    {start, `{"type":"content_block_start","index":0,"content_block":{"type":"text"}}`, `{"type":"content_block_stop","index":0}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`},
		"unopened_end": {start, `{"type":"content_block_stop","index":3}`},
	} {
		if got, _, err := events(anthropic.NewProvider(), data...); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestFailureInAStream(t *testing.T) {
	got, done, err := events(anthropic.NewProvider(), `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`)
	want := []chat.Event{{Failure: &chat.Failure{Status: 529, Type: "overloaded_error", Message: "Overloaded"}}}
	if diff := cmp.Diff(want, got); diff != "" || done || err != nil {
		t.Errorf("%s, done %v, %v", diff, done, err)
	}
	got, _, _ = events(anthropic.NewProvider(), `{"type":"error"}`)
	if len(got) != 1 || got[0].Failure.Status != 500 || got[0].Failure.Message == "" {
		t.Errorf("an error that says nothing: %+v", got)
	}
	surface := anthropic.NewSurface()
	text := surface.Event(surface.Event(nil, chat.Event{Begin: &chat.Begin{}}), want[0])
	text = surface.Finish(text)
	if !strings.HasSuffix(string(text), "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n") {
		t.Errorf("%s", text)
	}
}

// Steps that are out of order, or of other choices, leave no trace.
func TestStrayStepsAreNotWritten(t *testing.T) {
	surface := anthropic.NewSurface()
	if got := surface.Finish(surface.Event(nil, chat.Event{Open: &chat.Open{}})); len(got) > 0 {
		t.Errorf("before the beginning: %s", got)
	}
	text := surface.Event(nil, chat.Event{Begin: &chat.Begin{}})
	begun := len(text)
	for _, step := range []chat.Event{
		{}, {Begin: &chat.Begin{}}, {Open: &chat.Open{Index: 4}}, {Open: &chat.Open{Choice: 1}}, {Delta: &chat.Delta{Text: "x"}}, {Delta: &chat.Delta{Index: -1, Text: "x"}},
		{Delta: &chat.Delta{Choice: 1, Text: "x"}}, {Close: &chat.Close{}}, {Close: &chat.Close{Index: -1}}, {End: &chat.End{Choice: 1, Stop: chat.StopLength}},
	} {
		text = surface.Event(text, step)
	}
	if len(text) != begun {
		t.Errorf("%s", text[begun:])
	}
}

// Media in a stream has no place; the blocks after it move up.
func TestMediaInAStreamIsLeftOut(t *testing.T) {
	surface := anthropic.NewSurface()
	text := surface.Event(nil, chat.Event{Begin: &chat.Begin{}})
	begun := len(text)
	for _, step := range []chat.Event{
		{Open: &chat.Open{Part: chat.Part{Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "iVBORw0K"}}}}, {Delta: &chat.Delta{Text: "x"}}, {Close: &chat.Close{}},
		{Open: &chat.Open{Index: 1, Part: chat.Part{Text: "seen"}}}, {Close: &chat.Close{Index: 1}},
	} {
		text = surface.Event(text, step)
	}
	want := `event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"seen"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

`
	if diff := cmp.Diff(want, string(text[begun:])); diff != "" {
		t.Error(diff)
	}
}
