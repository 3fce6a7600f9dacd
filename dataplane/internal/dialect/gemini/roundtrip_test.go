package gemini_test

import (
	"errors"
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
)

// TestRequestsComeBack: what the dialect has of a request survives the way to the wire
// and back.
func TestRequestsComeBack(t *testing.T) {
	for seed := range uint64(2000) {
		d := &dice{Rand: rand.New(rand.NewPCG(seed, 1))}
		want := d.request()
		body, lossy, err := gemini.NewVertex().Request(want)
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
