package openai_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const usageGolden = `{"prompt_tokens":19,"completion_tokens":30,"total_tokens":49,"prompt_tokens_details":{"cached_tokens":8,"cache_write_tokens":4,"audio_tokens":2},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":1}}`

const logprobsGolden = `{"content":[{"token":"7","logprob":-0.10,"bytes":[55],"top_logprobs":[]}],"refusal":null}`

// answerGolden is what an upstream sends.
const answerGolden = `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m-2026","choices":[
 {"index":1,"message":{"role":"assistant","content":null,"refusal":"No."},"logprobs":null,"finish_reason":"content_filter"},
 {"index":0,"message":{"role":"assistant","content":"7 m","refusal":null,"annotations":[{"type":"url_citation"}],"reasoning_content":"Look.","thinking_blocks":[{"type":"thinking","thinking":"Look.","signature":"EqoB"},{"type":"redacted_thinking","data":"Em=="}],
  "tool_calls":[{"id":"c1","type":"function","function":{"name":"level","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"flow","arguments":"{}"},"extra_content":{"google":{"thought_signature":"sig"}}}]},
  "logprobs":` + logprobsGolden + `,"finish_reason":"tool_calls"}],
 "usage":` + usageGolden + `,"service_tier":"default","system_fingerprint":"fp"}`

func goldenUsage() chat.Usage {
	sum := sha256.Sum256([]byte(usageGolden))
	return chat.Usage{ServiceTier: "default", SHA256: sum[:],
		Tokens: &usagev1.TokenUsage{Input: 5, CacheRead: 8, CacheWrite_5M: 4, InputAudio: 2, Output: 9, Reasoning: 20, OutputAudio: 1}}
}

func goldenAnswer() *chat.Answer {
	return &chat.Answer{
		ID: "chatcmpl-1", Model: "m-2026", Created: time.Unix(1700000000, 0).UTC(), Usage: goldenUsage(),
		Choices: []chat.Choice{
			{Stop: chat.StopTools, Logprobs: logprobsGolden, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "Look.", Signature: "EqoB"}, {Kind: chat.Redacted, Data: "Em=="}, textPart("7 m"), callPart("c1", "level", `{"a":1}`),
				{Kind: chat.Call, Signature: "sig", Call: &chat.ToolCall{ID: "c2", Name: "flow", Arguments: "{}"}},
			}},
			{Stop: chat.StopFiltered, Parts: []chat.Part{{Kind: chat.Refusal, Text: "No."}}},
		},
	}
}

func TestProviderReadsAnAnswer(t *testing.T) {
	got, err := openai.NewProvider().Answer([]byte(answerGolden))
	if err != nil {
		t.Fatal(err)
	}
	want := goldenAnswer()
	want.Lossy = chat.Lossy{"choices.message.annotations"}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// choiceWith reads an answer of one choice.
func choiceWith(t *testing.T, choice string) chat.Choice {
	t.Helper()
	answer, err := openai.NewProvider().Answer([]byte(`{"id":"a","choices":[` + choice + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Choices[0]
}

func TestProviderReadsOtherFormsOfAnAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		choice string
		want   chat.Choice
	}{
		"reasoning_of_vllm": {`{"message":{"content":"a","reasoning":"r"},"finish_reason":"stop"}`, chat.Choice{Stop: chat.StopEnd, Parts: []chat.Part{{Kind: chat.Thinking, Text: "r"}, textPart("a")}}},
		"stop_sequence":     {`{"message":{"content":"a"},"finish_reason":"stop","stop_reason":"END"}`, chat.Choice{Stop: chat.StopSequence, Sequence: "END", Parts: []chat.Part{textPart("a")}}},
		"stop_token":        {`{"message":{"content":"a"},"finish_reason":"stop","stop_reason":128009}`, chat.Choice{Stop: chat.StopEnd, Parts: []chat.Part{textPart("a")}}},
		"forced_call":       {`{"message":{"tool_calls":[{"id":"i","function":{"name":"f","arguments":"{"}}]},"finish_reason":"stop"}`, chat.Choice{Stop: chat.StopTools, Parts: []chat.Part{callPart("i", "f", "{")}}},
		"length":            {`{"message":{"content":""},"finish_reason":"length"}`, chat.Choice{Stop: chat.StopLength}},
		"nobody_knows":      {`{"message":{},"finish_reason":null}`, chat.Choice{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, choiceWith(t, test.choice)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCallsWithoutAnIDGetOne(t *testing.T) {
	first := choiceWith(t, `{"message":{"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}`)
	again := choiceWith(t, `{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}`)
	id := first.Parts[0].Call.ID
	if len(id) < 20 || len(id) > 40 || id != again.Parts[0].Call.ID || first.Stop != chat.StopTools {
		t.Errorf("%+v, %+v", first, again)
	}
}

func TestWhatIsNoAnswer(t *testing.T) {
	for _, body := range []string{``, `[]`, `{}`, `{"choices":[]}`, `{"choices":[{"message":{"content":7}}]}`, `{"choices":[{}],"error":{"message":"SECRET"}}`, `{"choices":"SECRET"`} {
		if _, err := openai.NewProvider().Answer([]byte(body)); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// equalJSON compares texts by what they mean.
func equalJSON(t *testing.T, want, got string) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Error(diff)
	}
}

func TestSurfaceWritesAnAnswer(t *testing.T) {
	body, lossy := openai.NewSurface().Answer(goldenAnswer())
	equalJSON(t, `{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m-2026","service_tier":"default","usage":`+usageGolden+`,"choices":[
 {"index":0,"message":{"role":"assistant","content":"7 m","refusal":null,"reasoning_content":"Look.","thinking_blocks":[{"type":"thinking","thinking":"Look.","signature":"EqoB"},{"type":"redacted_thinking","data":"Em=="}],
  "tool_calls":[{"id":"c1","type":"function","function":{"name":"level","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"flow","arguments":"{}"},"extra_content":{"google":{"thought_signature":"sig"}}}]},
  "logprobs":`+logprobsGolden+`,"finish_reason":"tool_calls"},
 {"index":1,"message":{"role":"assistant","content":null,"refusal":"No."},"logprobs":null,"finish_reason":"content_filter"}]}`, string(body))
	if lossy != nil {
		t.Error(lossy)
	}
}

func TestSurfaceWritesWhyAnAnswerEnded(t *testing.T) {
	for stop, want := range map[chat.Stop]string{
		chat.StopUnknown: "stop", chat.StopEnd: "stop", chat.StopSequence: "stop", chat.StopTools: "tool_calls",
		chat.StopLength: "length", chat.StopPaused: "length", chat.StopFiltered: "content_filter",
	} {
		body, _ := openai.NewSurface().Answer(&chat.Answer{Choices: []chat.Choice{{Stop: stop}}})
		if !strings.Contains(string(body), `"finish_reason":"`+want+`"`) {
			t.Errorf("%v: %s", stop, body)
		}
	}
}

func TestSurfaceNamesWhatAnAnswerLoses(t *testing.T) {
	_, lossy := openai.NewSurface().Answer(&chat.Answer{Lossy: chat.Lossy{"content.citations"}, Choices: []chat.Choice{
		{Stop: chat.StopSequence, Sequence: "END", Parts: []chat.Part{{Kind: chat.Image, Media: &chat.Media{}}, {Kind: chat.Audio, Media: &chat.Media{}}}}}})
	if diff := cmp.Diff(chat.Lossy{"content.citations", "choices.message.images", "choices.message.audio", "choices.stop_sequence"}, lossy); diff != "" {
		t.Error(diff)
	}
}

// legacy is a surface whose caller knows functions only.
func legacy(t *testing.T) *openai.Surface {
	t.Helper()
	surface := openai.NewSurface()
	if _, fault := surface.Request([]byte(with(`,"functions":[{"name":"f"}]`))); fault != nil {
		t.Fatal(fault)
	}
	return surface
}

func TestCallersOfFunctionsGetAFunctionCall(t *testing.T) {
	answer := &chat.Answer{Created: time.Unix(1, 0), Choices: []chat.Choice{{Stop: chat.StopTools, Parts: []chat.Part{callPart("c1", "f", `{ }`), callPart("c2", "f", `{"a":1}`)}}}}
	body, lossy := legacy(t).Answer(answer)
	equalJSON(t, `{"id":"","object":"chat.completion","created":1,"model":"","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"function_call":{"name":"f","arguments":"{ }"}},"logprobs":null,"finish_reason":"function_call"}]}`, string(body))
	if len(lossy) != 1 || lossy[0] != "choices.message.tool_calls" {
		t.Error(lossy)
	}
	stream := string(written(legacy(t), events(answer)))
	for _, want := range []string{`"delta":{"function_call":{"name":"f","arguments":""}}`, `"delta":{"function_call":{"arguments":"{ }"}}`, `"finish_reason":"function_call"`} {
		if strings.Count(stream, want) != 1 {
			t.Errorf("%s is not there once in\n%s", want, stream)
		}
	}
	if strings.Contains(stream, "tool_calls") {
		t.Error(stream)
	}
}

// events tell an answer in a stream, texts in pieces of 3 characters.
func events(answer *chat.Answer) []chat.Event {
	list := []chat.Event{{Begin: &chat.Begin{ID: answer.ID, Model: answer.Model, Created: answer.Created}}, {Ping: true}}
	for c, choice := range answer.Choices {
		for i, part := range choice.Parts {
			list = append(list, partEvents(c, i, part)...)
		}
		list = append(list, chat.Event{End: &chat.End{Choice: c, Stop: choice.Stop, Sequence: choice.Sequence}})
	}
	return append(list, chat.Event{Usage: &answer.Usage})
}

func partEvents(choice, index int, part chat.Part) []chat.Event {
	open := part
	open.Text = ""
	if part.Kind == chat.Thinking {
		open.Signature = ""
	}
	rest := []rune(part.Text)
	if part.Kind == chat.Call {
		open.Call = &chat.ToolCall{ID: part.Call.ID, Name: part.Call.Name}
		rest = []rune(part.Call.Arguments)
	}
	list := []chat.Event{{Open: &chat.Open{Choice: choice, Index: index, Part: open}}}
	for len(rest) > 0 {
		piece := string(rest[:min(3, len(rest))])
		rest = rest[min(3, len(rest)):]
		delta := &chat.Delta{Choice: choice, Index: index}
		if part.Kind == chat.Call {
			delta.Arguments = piece
		} else {
			delta.Text = piece
		}
		list = append(list, chat.Event{Delta: delta})
	}
	if part.Kind == chat.Thinking && part.Signature != "" {
		list = append(list, chat.Event{Delta: &chat.Delta{Choice: choice, Index: index, Signature: part.Signature}})
	}
	return append(list, chat.Event{Close: &chat.Close{Choice: choice, Index: index}})
}

func written(surface *openai.Surface, events []chat.Event) []byte {
	var b []byte
	for _, e := range events {
		b = surface.Event(b, e)
	}
	return surface.Finish(b)
}

// followed reads a stream with a provider.
func followed(t *testing.T, provider *openai.Provider, stream []byte) []chat.Event {
	t.Helper()
	var list []chat.Event
	reader := sse.NewReader(bytes.NewReader(stream), nil, 1<<20)
	for {
		event, err := reader.Next()
		if err != nil {
			t.Fatalf("no end: %v", err)
		}
		var done bool
		if list, done, err = provider.Events(list, event.Type, event.Data); err != nil {
			t.Fatal(err)
		}
		if done {
			return list
		}
	}
}

// fold puts a stream together, and sees to the order of its events.
func fold(t *testing.T, list []chat.Event) *chat.Answer {
	t.Helper()
	answer := &chat.Answer{}
	open := make(map[int]bool)
	for _, e := range list {
		switch {
		case e.Begin != nil:
			answer.ID, answer.Model, answer.Created = e.Begin.ID, e.Begin.Model, e.Begin.Created
		case e.Open != nil:
			choice := choiceOf(answer, e.Open.Choice)
			if open[e.Open.Choice] || e.Open.Index != len(choice.Parts) {
				t.Fatalf("part %d opens out of turn", e.Open.Index)
			}
			open[e.Open.Choice] = true
			part := e.Open.Part
			if part.Call != nil {
				part.Call = pointer(*part.Call)
			}
			choice.Parts = append(choice.Parts, part)
		case e.Delta != nil:
			choice := choiceOf(answer, e.Delta.Choice)
			if !open[e.Delta.Choice] || e.Delta.Index != len(choice.Parts)-1 {
				t.Fatalf("a delta of a part that is not open: %+v", e.Delta)
			}
			part := &choice.Parts[e.Delta.Index]
			part.Text += e.Delta.Text
			part.Signature += e.Delta.Signature
			choice.Logprobs += e.Delta.Logprobs
			if part.Call != nil {
				part.Call.Arguments += e.Delta.Arguments
			}
		case e.Close != nil:
			if !open[e.Close.Choice] {
				t.Fatal("a part that is not open closes")
			}
			open[e.Close.Choice] = false
		case e.End != nil:
			if open[e.End.Choice] {
				t.Fatal("a choice ends with a part open")
			}
			choice := choiceOf(answer, e.End.Choice)
			choice.Stop, choice.Sequence = e.End.Stop, e.End.Sequence
		case e.Usage != nil:
			answer.Usage = *e.Usage
		}
	}
	return answer
}

func choiceOf(answer *chat.Answer, index int) *chat.Choice {
	for len(answer.Choices) <= index {
		answer.Choices = append(answer.Choices, chat.Choice{})
	}
	return &answer.Choices[index]
}
