package gemini_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
)

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
