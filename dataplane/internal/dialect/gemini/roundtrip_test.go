package gemini_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// dice makes what the dialect has, at random.
type dice struct {
	*rand.Rand
	calls int
}

func pick[T any](d *dice, of ...T) T { return of[d.IntN(len(of))] }

func (d *dice) text() string {
	return pick(d, "a", "how high", `"quoted\`, "line\r\n\ttab\x01", "größe 水 😀", "<b>&", "data: x\n\n", `{"a":`) + fmt.Sprint(d.IntN(100))
}

func (d *dice) signature() string { return pick(d, "", "", "c2lnbmF0dXJl", "_-_-") }

func (d *dice) object() string {
	return pick(d, `{}`, `{"a": 1.50, "b":[{"c":null}]}`, `{"type":"object"}`, "{\n \"ü\": \"\\u00fc\"}")
}

func (d *dice) media() chat.Part {
	p := chat.Part{Kind: pick(d, chat.Image, chat.Document, chat.Audio)}
	kind := map[chat.Kind]string{chat.Image: "image/png", chat.Document: "application/pdf", chat.Audio: "audio/wav"}[p.Kind]
	p.Media = &chat.Media{Type: kind, Data: "aGk=", Name: pick(d, "", "level.bin")}
	if d.IntN(2) == 0 {
		p.Media.Data, p.Media.URL = "", "https://example.com/a?b=c"
	}
	if p.Kind == chat.Image {
		p.Media.Detail = pick(d, "", "low", "high")
	}
	return p
}

func (d *dice) call() chat.Part {
	d.calls++
	return chat.Part{Kind: chat.Call, Signature: d.signature(), Call: &chat.ToolCall{ID: fmt.Sprint("id", d.calls), Name: pick(d, "level", "flow"), Arguments: d.object()}}
}

func (d *dice) result(of *chat.ToolCall) chat.Part {
	result := &chat.ToolResult{CallID: of.ID, Name: of.Name, Failed: d.IntN(3) == 0}
	result.Parts = append(result.Parts, chat.Part{Text: pick(d, d.text(), d.object(), "", `{"output":"x"}`, `["a"]`, `"a"`)})
	for range d.IntN(2) {
		result.Parts = append(result.Parts, d.media())
	}
	return chat.Part{Kind: chat.Result, Result: result}
}

// turns alternate; each call is answered in the next turn.
func (d *dice) turns() (messages []chat.Message) {
	var called []*chat.ToolCall
	for range 1 + d.IntN(3) {
		user := chat.Message{Role: chat.User}
		for _, call := range called {
			user.Parts = append(user.Parts, d.result(call))
		}
		for range 1 + d.IntN(2) {
			user.Parts = append(user.Parts, pick(d, chat.Part{Text: d.text()}, d.media()))
		}
		assistant := chat.Message{Role: chat.Assistant, Parts: d.spoken()}
		called = nil
		for _, p := range assistant.Parts {
			if p.Kind == chat.Call {
				called = append(called, p.Call)
			}
		}
		messages = append(messages, user, assistant)
	}
	return messages[:len(messages)-1]
}

// spoken are a model's parts, no two texts in a row.
func (d *dice) spoken() (parts []chat.Part) {
	if d.IntN(2) == 0 {
		parts = append(parts, chat.Part{Kind: chat.Thinking, Text: d.text(), Signature: d.signature()})
	}
	parts = append(parts, chat.Part{Text: d.text(), Signature: d.signature()})
	for range d.IntN(3) {
		parts = append(parts, d.call())
	}
	return parts
}

func (d *dice) request() *chat.Request {
	r := &chat.Request{Model: "gemini-3-flash", Messages: d.turns()}
	for range d.IntN(3) {
		r.System = append(r.System, chat.Part{Text: d.text()})
	}
	for i := range d.IntN(3) {
		r.Tools = append(r.Tools, chat.Tool{Name: fmt.Sprint("t", i), Description: pick(d, "", d.text()), Schema: pick(d, "", d.object())})
	}
	if r.Tools != nil {
		r.ToolChoice = pick(d, chat.ToolChoice{}, chat.ToolChoice{Choose: chat.Auto}, chat.ToolChoice{Choose: chat.Never}, chat.ToolChoice{Choose: chat.Any}, chat.ToolChoice{Choose: chat.Named, Name: "t0"})
	}
	r.Format = pick(d, chat.Format{}, chat.Format{Shape: chat.JSONObject}, chat.Format{Shape: chat.JSONSchema, Schema: d.object()})
	r.Reasoning = pick(d, chat.Reasoning{}, chat.Reasoning{Summary: true}, chat.Reasoning{Budget: 128, Summary: true}, chat.Reasoning{Budget: chat.Unbounded},
		chat.Reasoning{Effort: pick(d, "minimal", "low", "medium", "high")})
	if d.IntN(4) == 0 {
		r.Model = "gemini-2.5-flash"
		r.Reasoning = chat.Reasoning{Effort: "none"}
		r.Messages = []chat.Message{{Parts: []chat.Part{{Text: d.text()}}}}
	}
	r.MaxOutput, r.N, r.Stop = d.Int64N(3), d.Int64N(3), pick(d, nil, []string{d.text(), "END"})
	if r.Logprobs = d.IntN(2) == 0; r.Logprobs {
		r.TopLogprobs = d.Int64N(5)
	}
	r.Sampling = chat.Sampling{Temperature: pick(d, "", "0.70"), TopP: pick(d, "", "1"), TopK: pick(d, "", "40"), PresencePenalty: pick(d, "", "-0.5"), FrequencyPenalty: pick(d, "", "1e-1"), Seed: pick(d, "", "-7")}
	r.ServiceTier = pick(d, "", "flex", "priority", "standard")
	r.Metadata = pick(d, nil, map[string]string{"team": "a", "env-1": ""})
	return r
}

// TestRequestsComeBack: what the dialect has of a request survives the way to the wire
// and back.
func TestRequestsComeBack(t *testing.T) {
	for seed := range uint64(2000) {
		d := &dice{Rand: rand.New(rand.NewPCG(seed, 1))}
		want := d.request()
		body, lossy, err := gemini.NewProvider().Request(want)
		if err != nil || lossy != nil {
			t.Fatalf("seed %d: %v, %v", seed, lossy, err)
		}
		got, fault := gemini.NewSurface().Request(body)
		if fault != nil {
			t.Fatalf("seed %d: %v in %s", seed, fault, body)
		}
		want.Model = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s\nin %s", seed, diff, body)
		}
	}
}

func (d *dice) answer() *chat.Answer {
	a := &chat.Answer{ID: pick(d, "r", "r2"), Model: "m"}
	for range 1 + d.IntN(2) {
		choice := chat.Choice{Parts: d.spoken(), Stop: pick(d, chat.StopUnknown, chat.StopEnd, chat.StopLength, chat.StopFiltered)}
		if choice.Stop == chat.StopEnd && choice.Parts[len(choice.Parts)-1].Kind == chat.Call {
			choice.Stop = chat.StopTools
		}
		a.Choices = append(a.Choices, choice)
	}
	if d.IntN(3) > 0 {
		a.Usage = chat.Usage{ServiceTier: pick(d, "", "flex"), Tokens: &usagev1.TokenUsage{Input: d.Int64N(9), CacheRead: d.Int64N(9), InputAudio: d.Int64N(2), Output: d.Int64N(9), OutputAudio: d.Int64N(2), Reasoning: d.Int64N(9)}}
	}
	return a
}

// TestAnswersComeBack: whole, as events and as an array.
func TestAnswersComeBack(t *testing.T) {
	ignored := cmp.Options{protocmp.Transform(), cmpopts.IgnoreFields(chat.Usage{}, "SHA256")}
	for seed := range uint64(2000) {
		d := &dice{Rand: rand.New(rand.NewPCG(seed, 2))}
		want := d.answer()
		body, lossy := gemini.NewSurface().Answer(want)
		got, err := gemini.NewProvider().Answer(body)
		if err != nil || lossy != nil {
			t.Fatalf("seed %d: %v, %v in %s", seed, lossy, err, body)
		}
		if diff := cmp.Diff(want, got, ignored); diff != "" {
			t.Fatalf("seed %d: %s\nin %s", seed, diff, body)
		}
		wire := written(gemini.NewSurface(), d.events(want))
		onOneLine(want)
		if diff := cmp.Diff(want, streamed(t, len(want.Choices), wire), ignored); diff != "" {
			t.Fatalf("seed %d: %s\nin %s", seed, diff, wire)
		}
		array := written(gemini.NewArraySurface(), d.events(want))
		if diff := cmp.Diff(want.Usage.Tokens, gemini.ParseAnswer([]byte(array)).Usage, ignored); diff != "" {
			t.Fatalf("seed %d: %s\nin %s", seed, diff, array)
		}
	}
}

// onOneLine does to arguments what a stream has to.
func onOneLine(a *chat.Answer) {
	for _, choice := range a.Choices {
		for _, part := range choice.Parts {
			if part.Call != nil {
				part.Call.Arguments = strings.ReplaceAll(part.Call.Arguments, "\n", " ")
			}
		}
	}
}

// events are an answer's, its texts in two deltas.
func (d *dice) events(a *chat.Answer) (events []chat.Event) {
	events = append(events, chat.Event{Begin: &chat.Begin{ID: a.ID, Model: a.Model}})
	for c, choice := range a.Choices {
		for i, part := range choice.Parts {
			open := chat.Part{Kind: part.Kind}
			delta := func(delta chat.Delta) {
				delta.Choice, delta.Index = c, i
				events = append(events, chat.Event{Delta: &delta})
			}
			if part.Kind == chat.Call {
				open.Call = &chat.ToolCall{ID: part.Call.ID, Name: part.Call.Name}
			}
			events = append(events, chat.Event{Open: &chat.Open{Choice: c, Index: i, Part: open}})
			if part.Kind == chat.Call {
				half := len(part.Call.Arguments) / 2
				delta(chat.Delta{Arguments: part.Call.Arguments[:half]})
				delta(chat.Delta{Arguments: part.Call.Arguments[half:], Signature: part.Signature})
			} else {
				delta(chat.Delta{Text: part.Text[:1]})
				delta(chat.Delta{Text: part.Text[1:]})
				if part.Signature != "" {
					delta(chat.Delta{Signature: part.Signature})
				}
			}
			events = append(events, chat.Event{Close: &chat.Close{Choice: c, Index: i}})
		}
		events = append(events, chat.Event{End: &chat.End{Choice: c, Stop: choice.Stop}})
	}
	return append(events, chat.Event{Usage: &a.Usage})
}

// streamed puts a stream together again.
func streamed(t *testing.T, n int, wire string) *chat.Answer {
	t.Helper()
	provider := gemini.NewProvider()
	if _, _, err := provider.Request(hello(chat.Request{N: int64(n)})); err != nil {
		t.Fatal(err)
	}
	reader := sse.NewReader(strings.NewReader(wire), nil, 1<<20)
	a := &chat.Answer{Choices: make([]chat.Choice, n)}
	for done := false; ; {
		event, err := reader.Next()
		if errors.Is(err, io.EOF) && done {
			return a
		}
		if err != nil || done {
			t.Fatalf("done %v, %v: %s", done, err, wire)
		}
		var events []chat.Event
		if events, done, err = provider.Events(nil, event.Type, event.Data); err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			fold(a, e)
		}
	}
}

func fold(a *chat.Answer, e chat.Event) {
	switch {
	case e.Begin != nil:
		a.ID, a.Model = e.Begin.ID, e.Begin.Model
	case e.Open != nil:
		choice := &a.Choices[e.Open.Choice]
		choice.Parts = append(choice.Parts, e.Open.Part)
	case e.Delta != nil:
		part := &a.Choices[e.Delta.Choice].Parts[e.Delta.Index]
		part.Text += e.Delta.Text
		part.Signature += e.Delta.Signature
		if part.Call != nil {
			part.Call.Arguments += e.Delta.Arguments
		}
	case e.End != nil:
		a.Choices[e.End.Choice].Stop = e.End.Stop
	case e.Usage != nil:
		a.Usage = *e.Usage
	}
}

// FuzzSurfaceRequest: any body gives a request or a fault, and what was read can be
// written and read again.
func FuzzSurfaceRequest(f *testing.F) {
	f.Add([]byte(wire))
	for seed := range uint64(20) {
		body, _, _ := gemini.NewProvider().Request((&dice{Rand: rand.New(rand.NewPCG(seed, 3))}).request())
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request, fault := gemini.NewSurface().Request(body)
		if (request == nil) == (fault == nil) {
			t.Fatalf("%q: %v and %v", body, request, fault)
		}
		if fault != nil {
			return
		}
		again, _, err := gemini.NewProvider().Request(request)
		if err != nil {
			return
		}
		if _, fault := gemini.NewSurface().Request(again); fault != nil {
			t.Fatalf("%q became %q: %v", body, again, fault)
		}
	})
}

// FuzzProvider: of an answer, whole or as an event, nothing is invented: its texts are in
// the bytes that came.
func FuzzProvider(f *testing.F) {
	for seed := range uint64(20) {
		body, _ := gemini.NewSurface().Answer((&dice{Rand: rand.New(rand.NewPCG(seed, 4))}).answer())
		f.Add(body)
	}
	f.Add([]byte(`{"promptFeedback":{"blockReason":"SAFETY"}}`))
	f.Add([]byte(`{"error":{"code":1,"details":[{"retryDelay":"-1s"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, done, err := gemini.NewProvider().Events(nil, nil, body)
		if done && err != nil {
			t.Fatalf("%q is done and broken: %v", body, err)
		}
		open := map[[2]int]bool{}
		for _, e := range events {
			inOrder(t, open, e)
		}
		gemini.NewProvider().Failure(500, body)
		answer, err := gemini.NewProvider().Answer(body)
		if err != nil {
			return
		}
		if bytes.IndexByte(body, '\\') < 0 && strings.ToValidUTF8(string(body), "") == string(body) {
			for _, choice := range answer.Choices {
				for _, part := range choice.Parts {
					if part.Kind == chat.Call && !bytes.Contains(body, []byte(part.Call.Name)) {
						t.Fatalf("%q calls %q", body, part.Call.Name)
					}
				}
			}
		}
		gemini.NewSurface().Answer(answer)
	})
}

func inOrder(t *testing.T, open map[[2]int]bool, e chat.Event) {
	t.Helper()
	switch {
	case e.Open != nil:
		open[[2]int{e.Open.Choice, e.Open.Index}] = true
	case e.Delta != nil:
		if !open[[2]int{e.Delta.Choice, e.Delta.Index}] {
			t.Fatalf("a delta of what is not open: %+v", e.Delta)
		}
	case e.Close != nil:
		at := [2]int{e.Close.Choice, e.Close.Index}
		if !open[at] {
			t.Fatalf("%v is closed and was not open", at)
		}
		delete(open, at)
	}
}

// conversation is a request of about 20 KB.
func conversation() *chat.Request {
	r := &chat.Request{Model: "gemini-3-flash", System: []chat.Part{{Text: "Be brief."}}, Tools: []chat.Tool{{Name: "level", Schema: `{"type":"object","properties":{"weir":{"type":"integer"}}}`}}}
	for i := range 10 {
		id := fmt.Sprint("id", i)
		r.Messages = append(r.Messages,
			chat.Message{Role: chat.User, Parts: []chat.Part{{Text: strings.Repeat("how much water passed the gate\n", 50)}}},
			chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, Call: &chat.ToolCall{ID: id, Name: "level", Arguments: `{"weir":3}`}}}},
			chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: id, Name: "level", Parts: []chat.Part{{Text: strings.Repeat(`two "metres" `, 20)}}}}}},
			chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Text: "It is two metres high."}}})
	}
	return r
}

func BenchmarkRequest(b *testing.B) {
	request := conversation()
	body, _, err := gemini.NewProvider().Request(request)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, fault := gemini.NewSurface().Request(body); fault != nil {
				b.Fatal(fault)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := gemini.NewProvider().Request(request); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("passed", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, refusal := gemini.ParseRequest(body); refusal != nil {
				b.Fatal(refusal)
			}
		}
	})
}

func BenchmarkEvent(b *testing.B) {
	chunk := []byte(`{"candidates":[{"content":{"parts":[{"text":"how much water passed"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":4,"totalTokenCount":16},"modelVersion":"gemini-3-flash","responseId":"r1"}`)
	b.Run("read", func(b *testing.B) {
		provider := gemini.NewProvider()
		var events []chat.Event
		b.ReportAllocs()
		for b.Loop() {
			events, _, _ = provider.Events(events[:0], nil, chunk)
		}
	})
	b.Run("write", func(b *testing.B) {
		surface := gemini.NewSurface()
		surface.Event(nil, chat.Event{Open: &chat.Open{}})
		var space []byte
		event := chat.Event{Delta: &chat.Delta{Text: "how much water passed"}}
		b.ReportAllocs()
		for b.Loop() {
			space = surface.Event(space[:0], event)
		}
	})
	b.Run("passed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if gemini.Finishes(chunk) == 0 && gemini.Speaks(chunk) {
				gemini.ParseAnswer(chunk)
			}
		}
	})
}
