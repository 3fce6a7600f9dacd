package responses_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	ours "github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

// events tell an answer in a stream, texts in two pieces.
func events(answer *chat.Answer) []chat.Event {
	list := []chat.Event{{Begin: &chat.Begin{ID: answer.ID, Model: answer.Model, Created: answer.Created}}, {Ping: true}}
	choice := answer.Choices[0]
	logprobs := choice.Logprobs
	for i, part := range choice.Parts {
		open := part
		open.Text = ""
		text := []rune(part.Text)
		if part.Kind == chat.Thinking {
			open.Signature = ""
		}
		if part.Kind == chat.Call {
			open.Call = &chat.ToolCall{ID: part.Call.ID, Name: part.Call.Name}
			text = []rune(part.Call.Arguments)
		}
		list = append(list, chat.Event{Open: &chat.Open{Index: i, Part: open}})
		for _, piece := range []string{string(text[:len(text)/2]), string(text[len(text)/2:])} {
			delta := &chat.Delta{Index: i, Text: piece}
			if part.Kind == chat.Call {
				delta.Text, delta.Arguments = "", piece
			}
			if part.Kind == chat.Text {
				delta.Logprobs, logprobs = logprobs, ""
			}
			list = append(list, chat.Event{Delta: delta})
		}
		if part.Kind == chat.Thinking && part.Signature != "" {
			list = append(list, chat.Event{Delta: &chat.Delta{Index: i, Signature: part.Signature}})
		}
		list = append(list, chat.Event{Close: &chat.Close{Index: i}})
	}
	return append(list, chat.Event{End: &chat.End{Stop: choice.Stop}}, chat.Event{Usage: &answer.Usage})
}

func written(events []chat.Event) string {
	surface := ours.NewSurface()
	var b []byte
	for _, e := range events {
		b = surface.Event(b, e)
	}
	return string(surface.Finish(b))
}

// event is one of a stream; its sequence number is checked when it is read.
type event struct {
	Type     string
	Response json.RawMessage
}

func read(t *testing.T, stream string) (list []event, text string) {
	t.Helper()
	for raw := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		if strings.HasPrefix(raw, ":") {
			continue
		}
		name, data, found := strings.Cut(raw, "\ndata: ")
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil || !found || name != "event: "+e.Type {
			t.Fatalf("%s: %v", raw, err)
		}
		prefix := fmt.Sprintf(`{"type":%q,"sequence_number":%d`, e.Type, len(list))
		rest, found := strings.CutPrefix(data, prefix)
		if !found {
			t.Fatalf("%s does not begin with %s", data, prefix)
		}
		if e.Response != nil {
			rest = ""
		}
		list, text = append(list, e), text+strings.TrimPrefix(e.Type, "response.")+rest+"\n"
	}
	return list, text
}

func TestSurfaceWritesAStream(t *testing.T) {
	_, got := read(t, written(events(goldenAnswer())))
	part := func(kind, text string) string { return fmt.Sprintf(`"part":{"type":"summary_text","text":%q}}`, text) }
	want := strings.Join([]string{
		`created`, `in_progress`,
		`output_item.added,"output_index":0,"item":{"id":"rs_msg_01_0","type":"reasoning","status":"in_progress","summary":[]}}`,
		`reasoning_summary_part.added,"output_index":0,"item_id":"rs_msg_01_0","summary_index":0,` + part("", ""),
		`reasoning_summary_text.delta,"output_index":0,"item_id":"rs_msg_01_0","summary_index":0,"delta":"Lo"}`,
		`reasoning_summary_text.delta,"output_index":0,"item_id":"rs_msg_01_0","summary_index":0,"delta":"ok."}`,
		`reasoning_summary_text.done,"output_index":0,"item_id":"rs_msg_01_0","summary_index":0,"text":"Look."}`,
		`reasoning_summary_part.done,"output_index":0,"item_id":"rs_msg_01_0","summary_index":0,` + part("", "Look."),
		`output_item.done,"output_index":0,"item":{"id":"rs_msg_01_0","type":"reasoning","status":"completed","summary":[{"type":"summary_text","text":"Look."}],"encrypted_content":"thinking:EqoB"}}`,
		`output_item.added,"output_index":1,"item":{"id":"rs_msg_01_1","type":"reasoning","status":"completed","summary":[],"encrypted_content":"redacted:Em=="}}`,
		`output_item.done,"output_index":1,"item":{"id":"rs_msg_01_1","type":"reasoning","status":"completed","summary":[],"encrypted_content":"redacted:Em=="}}`,
		`output_item.added,"output_index":2,"item":{"id":"msg_msg_01_2","type":"message","status":"in_progress","role":"assistant","content":[]}}`,
		`content_part.added,"output_index":2,"item_id":"msg_msg_01_2","content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}`,
		`output_text.delta,"output_index":2,"item_id":"msg_msg_01_2","content_index":0,"delta":"7","logprobs":` + tokens + `}`,
		`output_text.delta,"output_index":2,"item_id":"msg_msg_01_2","content_index":0,"delta":" m","logprobs":[]}`,
		`output_text.done,"output_index":2,"item_id":"msg_msg_01_2","content_index":0,"text":"7 m","logprobs":` + tokens + `}`,
		`content_part.done,"output_index":2,"item_id":"msg_msg_01_2","content_index":0,"part":{"type":"output_text","text":"7 m","annotations":[],"logprobs":` + tokens + `}}`,
		`content_part.added,"output_index":2,"item_id":"msg_msg_01_2","content_index":1,"part":{"type":"refusal","refusal":""}}`,
		`refusal.delta,"output_index":2,"item_id":"msg_msg_01_2","content_index":1,"delta":"N"}`,
		`refusal.delta,"output_index":2,"item_id":"msg_msg_01_2","content_index":1,"delta":"o."}`,
		`refusal.done,"output_index":2,"item_id":"msg_msg_01_2","content_index":1,"refusal":"No."}`,
		`content_part.done,"output_index":2,"item_id":"msg_msg_01_2","content_index":1,"part":{"type":"refusal","refusal":"No."}}`,
		`output_item.done,"output_index":2,"item":{"id":"msg_msg_01_2","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"7 m","annotations":[],"logprobs":` + tokens + `},{"type":"refusal","refusal":"No."}]}}`,
		`output_item.added,"output_index":3,"item":{"id":"rs_msg_01_3","type":"reasoning","status":"completed","summary":[],"encrypted_content":"call:sig"}}`,
		`output_item.done,"output_index":3,"item":{"id":"rs_msg_01_3","type":"reasoning","status":"completed","summary":[],"encrypted_content":"call:sig"}}`,
		`output_item.added,"output_index":4,"item":{"id":"fc_msg_01_4","type":"function_call","status":"in_progress","call_id":"c1","name":"level","arguments":""}}`,
		`function_call_arguments.delta,"output_index":4,"item_id":"fc_msg_01_4","delta":"{\"a"}`,
		`function_call_arguments.delta,"output_index":4,"item_id":"fc_msg_01_4","delta":"\":1}"}`,
		`function_call_arguments.done,"output_index":4,"item_id":"fc_msg_01_4","arguments":"{\"a\":1}"}`,
		`output_item.done,"output_index":4,"item":{"id":"fc_msg_01_4","type":"function_call","status":"completed","call_id":"c1","name":"level","arguments":"{\"a\":1}"}}`,
		`output_item.added,"output_index":5,"item":{"id":"fc_msg_01_5","type":"function_call","status":"in_progress","call_id":"c2","name":"flow","arguments":""}}`,
		`function_call_arguments.delta,"output_index":5,"item_id":"fc_msg_01_5","delta":"{}"}`,
		`function_call_arguments.done,"output_index":5,"item_id":"fc_msg_01_5","arguments":"{}"}`,
		`output_item.done,"output_index":5,"item":{"id":"fc_msg_01_5","type":"function_call","status":"completed","call_id":"c2","name":"flow","arguments":"{}"}}`,
		`completed`, ``}, "\n")
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Error(diff)
	}
}

// TestAStreamEndsWithTheWholeAnswer: what a stream ends with is the answer in one piece.
func TestAStreamEndsWithTheWholeAnswer(t *testing.T) {
	answers := []*chat.Answer{goldenAnswer()}
	for seed := range uint64(300) {
		answers = append(answers, randomAnswer(rand.New(rand.NewPCG(seed, 2))))
	}
	for _, answer := range answers {
		list, _ := read(t, written(events(answer)))
		last := list[len(list)-1]
		whole, _ := ours.NewSurface().Answer(answer)
		equalJSON(t, string(whole), string(last.Response))
		if !strings.Contains(string(last.Response), `"status":"`+strings.TrimPrefix(last.Type, "response.")+`"`) {
			t.Errorf("%s: %s", last.Type, last.Response)
		}
	}
}

func TestStreamsThatFail(t *testing.T) {
	failure := chat.Event{Failure: &chat.Failure{Status: 429, Message: "Slow down"}}
	list, text := read(t, written([]chat.Event{failure}))
	if len(list) != 1 || text != `error,"code":"rate_limit_exceeded","message":"Slow down","param":null}`+"\n" {
		t.Error(text)
	}
	answer := events(goldenAnswer())
	list, _ = read(t, written(append(answer[:len(answer)-2:len(answer)-2], failure)))
	last := list[len(list)-1]
	if last.Type != "response.failed" || !strings.Contains(string(last.Response), `"error":{"code":"rate_limit_exceeded","message":"Slow down"}`) || !strings.Contains(string(last.Response), `"call_id":"c2"`) {
		t.Errorf("%s %s", last.Type, last.Response)
	}
}

func TestAnEmptyStreamIsAnEmptyResponse(t *testing.T) {
	if list, _ := read(t, written(nil)); len(list) != 3 || list[2].Type != "response.completed" {
		t.Error(list)
	}
}

// FuzzEvents: whatever an upstream of chat completions streams, its events are JSON, numbered
// densely, and end with a response.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"choices":[{"delta":{"reasoning_content":"r"}}]}|{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[]}}]}|{"choices":[{"index":1,"delta":{"content":"b"}},{"delta":{"refusal":"c"},"logprobs":{}}]}|{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{"}}]},"finish_reason":"length"}]}|[DONE]`))
	f.Add([]byte(`{"choices":[{"delta":{"thinking_blocks":[{"type":"thinking","signature":"s"},{"type":"redacted_thinking","data":"d"}]}}]}|{"error":{}}`))
	f.Fuzz(func(t *testing.T, stream []byte) {
		provider := openai.NewProvider()
		var list []chat.Event
		for data := range bytes.SplitSeq(stream, []byte("|")) {
			var done bool
			var err error
			if list, done, err = provider.Events(list, nil, data); err != nil || done {
				break
			}
		}
		got, _ := read(t, written(list))
		last := got[len(got)-1]
		if last.Type != "error" && last.Response == nil {
			t.Fatalf("it ends with %s", last.Type)
		}
	})
}

func BenchmarkSurfaceEvent(b *testing.B) {
	surface := ours.NewSurface()
	space := surface.Event(nil, chat.Event{Begin: &chat.Begin{ID: "a", Model: "m", Created: time.Unix(5, 0)}})
	surface.Event(space, chat.Event{Open: &chat.Open{}})
	delta := chat.Event{Delta: &chat.Delta{Text: " water"}}
	b.ReportAllocs()
	for b.Loop() {
		space = surface.Event(space[:0], delta)
	}
}
