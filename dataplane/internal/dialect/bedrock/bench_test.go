package bedrock_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// conversation is a request of about 20 KB.
func conversation() *chat.Request {
	r := &chat.Request{Model: sonnet, System: []chat.Part{{Text: "Be brief.", Cache: &chat.CacheMark{}}}, Tools: []chat.Tool{{Name: "level", Schema: `{"type":"object","properties":{"weir":{"type":"integer"}}}`}}}
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

// TestWritingAllocatesNoMoreForMore: a longer conversation costs its bytes, no more pieces.
func TestWritingAllocatesNoMoreForMore(t *testing.T) {
	allocations := func(text string) float64 {
		r := hello(chat.Request{Model: sonnet, System: []chat.Part{{Text: text}}})
		for range 50 {
			r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Text: text}}}, chat.Message{Parts: []chat.Part{{Text: text}}})
		}
		return testing.AllocsPerRun(20, func() {
			if _, _, err := bedrock.NewProvider().Request(r); err != nil {
				t.Fatal(err)
			}
		})
	}
	if small, large := allocations("a"), allocations(strings.Repeat("a ", 2000)); large > small || small > 20 {
		t.Errorf("%v allocations for short texts, %v for long ones", small, large)
	}
}

func BenchmarkRequest(b *testing.B) {
	request := conversation()
	body, _, err := bedrock.NewProvider().Request(request)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := bedrock.NewProvider().Request(request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEvent(b *testing.B) {
	provider := bedrock.NewProvider()
	events, _, _ := provider.Events(nil, []byte("messageStart"), []byte(`{"role":"assistant"}`))
	name, data := []byte("contentBlockDelta"), []byte(`{"contentBlockIndex":0,"delta":{"text":" how much water passed"},"p":"abcdefghijklmnopqrstuvwxyzABCDEFGH"}`)
	b.ReportAllocs()
	for b.Loop() {
		events, _, _ = provider.Events(events[:0], name, data)
	}
}

func BenchmarkAnswer(b *testing.B) {
	body := []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"` + strings.Repeat("how much water passed ", 100) + `"}]}},"stopReason":"end_turn","usage":` + usageObject + `}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bedrock.NewProvider().Answer(body); err != nil {
			b.Fatal(err)
		}
	}
}
