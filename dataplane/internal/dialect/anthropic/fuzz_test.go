package anthropic_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
)

// streamed sends a choice through a stream, text rune by rune, and puts it together
// again.
func streamed(t *testing.T, choice chat.Choice) chat.Choice {
	t.Helper()
	surface := anthropic.NewSurface()
	wire := surface.Event(nil, chat.Event{Begin: &chat.Begin{ID: "i"}})
	step := func(e chat.Event) { wire = surface.Event(wire, e) }
	for i, part := range choice.Parts {
		open := part
		open.Text, open.Signature = "", ""
		if part.Call != nil {
			open.Call = &chat.ToolCall{ID: part.Call.ID, Name: part.Call.Name}
		}
		step(chat.Event{Open: &chat.Open{Index: i, Part: open}})
		for _, c := range part.Text {
			step(chat.Event{Delta: &chat.Delta{Index: i, Text: string(c)}})
		}
		if part.Call != nil {
			step(chat.Event{Delta: &chat.Delta{Index: i, Arguments: part.Call.Arguments}})
		}
		step(chat.Event{Delta: &chat.Delta{Index: i, Signature: part.Signature}})
		step(chat.Event{Close: &chat.Close{Index: i}})
	}
	step(chat.Event{End: &chat.End{Stop: choice.Stop, Sequence: choice.Sequence}})
	got, _, done := gather(t, anthropic.NewProvider(), surface.Finish(wire))
	if !done {
		t.Fatalf("no end in %s", wire)
	}
	return got
}

// gather reads a stream's bytes into steps, and these into a choice.
func gather(t *testing.T, provider *anthropic.Provider, wire []byte) (choice chat.Choice, steps []chat.Event, done bool) {
	t.Helper()
	reader := sse.NewReader(bytes.NewReader(wire), nil, 1<<20)
	for !done {
		event, err := reader.Next()
		if err != nil {
			break
		}
		if steps, done, err = provider.Events(steps, event.Type, event.Data); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range steps {
		switch {
		case step.Open != nil:
			choice.Parts = append(choice.Parts, step.Open.Part)
		case step.Delta != nil:
			part := &choice.Parts[step.Delta.Index]
			part.Text += step.Delta.Text
			part.Signature += step.Delta.Signature
			if part.Call != nil {
				part.Call.Arguments += step.Delta.Arguments
			}
		case step.End != nil:
			choice.Stop, choice.Sequence = step.End.Stop, step.End.Sequence
		}
	}
	for i := range choice.Parts {
		if call := choice.Parts[i].Call; call != nil && call.Arguments == "" {
			call.Arguments = "{}"
		}
	}
	return choice, steps, done
}

// FuzzSurfaceRequest: what is accepted is written as JSON that is accepted again, and
// from there on stays the same; no text in it grows.
func FuzzSurfaceRequest(f *testing.F) {
	f.Add([]byte(goldenRequest))
	f.Add([]byte(`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}],"cache_control":{"type":"ephemeral"}}`))
	f.Add([]byte(`{"model":"claude-3-haiku","max_tokens":1,"messages":[{"role":"system","content":""},{"role":"user","content":[{"type":"document","source":{"type":"content","content":"x"}}]}],"output_format":{"type":"json_schema","schema":{}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, fault := anthropic.NewSurface().Request(body)
		if fault != nil {
			if fault.Message == "" {
				t.Fatal("a fault without words")
			}
			return
		}
		for _, m := range request.Messages {
			for _, part := range m.Parts {
				if part.Text != "" && len(part.Text) > 3*len(body) {
					t.Fatalf("text that is longer than the body: %q", part.Text)
				}
			}
		}
		wire, _, err := anthropic.NewProvider().Request(request)
		if err != nil || !json.Valid(wire) {
			t.Fatalf("%q became %q, %v", body, wire, err)
		}
		second, fault := anthropic.NewSurface().Request(wire)
		if fault != nil {
			t.Fatalf("%q became %q: %v", body, wire, fault)
		}
		once, _, _ := anthropic.NewProvider().Request(second)
		third, fault := anthropic.NewSurface().Request(once)
		if fault != nil {
			t.Fatalf("%q became %q: %v", wire, once, fault)
		}
		if twice, _, _ := anthropic.NewProvider().Request(third); !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q", once, twice)
		}
	})
}

// FuzzProviderAnswer: what is read as an answer is written as one, and its texts are in
// the body.
func FuzzProviderAnswer(f *testing.F) {
	f.Add([]byte(goldenAnswer))
	f.Add([]byte(`{"type":"message","content":[{"type":"tool_use","input":null}],"usage":{"input_tokens":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		anthropic.NewProvider().Failure(500, body)
		answer, err := anthropic.NewProvider().Answer(body)
		if err != nil {
			return
		}
		if (answer.Usage.Tokens == nil) != (answer.Usage.SHA256 == nil) {
			t.Fatalf("usage %+v", answer.Usage)
		}
		wire, _ := anthropic.NewSurface().Answer(answer)
		again, err := anthropic.NewProvider().Answer(wire)
		if err != nil || len(again.Choices) != 1 || len(again.Choices[0].Parts) != len(answer.Choices[0].Parts) {
			t.Fatalf("%q became %q, %v", body, wire, err)
		}
	})
}

// FuzzProviderEvents: whatever the events, steps are in order (parts are opened once, in
// turn, before their deltas, and closed before the next one), their texts are of the events, and a surface can write them.
func FuzzProviderEvents(f *testing.F) {
	f.Add([]byte(strings.Join(goldenStream, "\n")))
	f.Add([]byte(`{"type":"error","error":{"type":"x"}}`))
	f.Fuzz(func(t *testing.T, lines []byte) {
		provider, surface := anthropic.NewProvider(), anthropic.NewSurface()
		opened, closed, text, source := 0, 0, 0, 0
		var wire []byte
		for data := range bytes.SplitSeq(lines, []byte("\n")) {
			steps, done, err := provider.Events(nil, nil, data)
			if err != nil {
				break
			}
			source += len(data)
			for _, step := range steps {
				switch {
				case step.Open != nil:
					if step.Open.Index != opened || closed != opened {
						t.Fatalf("part %d opened as %d, %d closed", opened, step.Open.Index, closed)
					}
					opened++
				case step.Delta != nil:
					if step.Delta.Index != opened-1 || closed == opened {
						t.Fatalf("a delta of part %d of %d, %d closed", step.Delta.Index, opened, closed)
					}
					text += len(step.Delta.Text) + len(step.Delta.Arguments)
				case step.Close != nil:
					closed++
				}
				wire = surface.Event(wire, step)
			}
			if done {
				break
			}
		}
		if text > 3*source { // a broken byte becomes three
			t.Fatalf("%d bytes of text from %d", text, source)
		}
		if wire = surface.Finish(wire); len(wire) > 0 && !bytes.HasSuffix(wire, []byte("}\n\n")) {
			t.Fatalf("the stream ends in %q", wire)
		}
	})
}
