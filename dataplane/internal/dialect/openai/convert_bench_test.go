package openai_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// longRequest is a conversation of 20 KB with a tool.
func longRequest() []byte {
	var messages strings.Builder
	for i := range 10 {
		fmt.Fprintf(&messages, `{"role":"user","content":"%s"},{"role":"assistant","content":"%s","tool_calls":[{"id":"c%d","type":"function","function":{"name":"level","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c%d","content":"7 m"},`,
			strings.Repeat("The water comes down from the hills.\\n", 25), strings.Repeat("A gauge writes what has passed. ", 25), i, i)
	}
	return []byte(`{"model":"m","tools":[{"type":"function","function":{"name":"level","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}],"messages":[` +
		strings.TrimSuffix(messages.String(), ",") + `],"temperature":0.7}`)
}

func BenchmarkTranslateRequest(b *testing.B) {
	body := longRequest()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		request, fault := openai.NewSurface().Request(body)
		if fault != nil {
			b.Fatal(fault)
		}
		if _, _, err := openai.NewProvider().Request(request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSurfaceRequest(b *testing.B) {
	body := longRequest()
	for b.Loop() {
		if _, fault := openai.NewSurface().Request(body); fault != nil {
			b.Fatal(fault)
		}
	}
}

func BenchmarkProviderEvents(b *testing.B) {
	data := []byte(strings.TrimPrefix(chunk(`{"index":0,"delta":{"content":" water"},"logprobs":null,"finish_reason":null}`), "data: "))
	provider := openai.NewProvider()
	var events []chat.Event
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, _, err = provider.Events(events[:0], nil, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSurfaceEvent(b *testing.B) {
	surface := openai.NewSurface()
	surface.Event(nil, chat.Event{Begin: &chat.Begin{ID: "chatcmpl-1", Model: "m"}})
	surface.Event(nil, chat.Event{Open: &chat.Open{}})
	event := chat.Event{Delta: &chat.Delta{Text: " water"}}
	var space []byte
	b.ReportAllocs()
	for b.Loop() {
		space = surface.Event(space[:0], event)
	}
}
