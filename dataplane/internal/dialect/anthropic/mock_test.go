package anthropic_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// exchange sends a request to the mock of the provider and reads its answer, streamed
// or whole.
func exchange(t *testing.T, mock http.Handler, r *chat.Request) (chat.Choice, chat.Usage) {
	t.Helper()
	provider := anthropic.NewProvider()
	body, lossy, err := provider.Request(r)
	if err != nil || len(lossy) > 0 {
		t.Fatalf("lossy %v, %v", lossy, err)
	}
	request := httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(string(body)))
	request.Header.Set("X-Api-Key", "k")
	request.Header.Set("Anthropic-Version", "2023-06-01")
	recorder := httptest.NewRecorder()
	mock.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		t.Fatalf("%s is refused: %+v", body, provider.Failure(recorder.Code, recorder.Body.Bytes()))
	}
	if r.Stream {
		choice, steps, done := gather(t, provider, recorder.Body.Bytes())
		if !done {
			t.Fatal("the stream has no end")
		}
		return choice, *steps[len(steps)-1].Usage
	}
	answer, err := provider.Answer(recorder.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return answer.Choices[0], answer.Usage
}

// TestConversationWithTheMock: three turns with thinking and tools. The mock refuses
// thinking that does not come back to the byte, and calls without results.
func TestConversationWithTheMock(t *testing.T) {
	for _, stream := range []bool{false, true} {
		mock := llmtest.New(llmtest.Options{APIKey: "k", AnswerTokens: 3})
		r := &chat.Request{
			Model: "claude-opus-5", Stream: stream, Reasoning: chat.Reasoning{Effort: "high", Summary: true},
			System:   []chat.Part{{Text: "Be brief.", Cache: &chat.CacheMark{TTL: "1h"}}},
			Messages: user(chat.Part{Text: "compare level and flow"}, chat.Part{Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "iVBORw0K"}}),
			Tools: []chat.Tool{
				{Name: "level", Schema: `{"type":"object","properties":{"gauge":{"type":"string"}}}`, Strict: ptr(true)},
				{Name: "flow", Description: "Flow."},
			},
		}
		first, usage := exchange(t, mock, r)
		kinds := []chat.Kind{}
		results := chat.Message{}
		for _, part := range first.Parts {
			kinds = append(kinds, part.Kind)
			if part.Kind == chat.Call {
				results.Parts = append(results.Parts, chat.Part{Kind: chat.Result, Result: &chat.ToolResult{CallID: part.Call.ID, Parts: []chat.Part{{Text: "7"}}}})
			}
		}
		if diff := cmp.Diff([]chat.Kind{chat.Thinking, chat.Text, chat.Call, chat.Call}, kinds); diff != "" || first.Stop != chat.StopTools {
			t.Fatalf("stream %v: %s, stop %v", stream, diff, first.Stop)
		}
		if call := first.Parts[2].Call; call.Name != "level" || call.Arguments != `{"gauge":"the weir"}` {
			t.Errorf("call %+v", call)
		}
		ledger := mock.Ledger().Total.Tokens
		want := &usagev1.TokenUsage{Input: ledger.Input, CacheWrite_1H: ledger.CacheWrite1h, Output: ledger.Output, Reasoning: ledger.Reasoning}
		if diff := cmp.Diff(want, usage.Tokens, protocmp.Transform()); diff != "" || want.CacheWrite_1H == 0 || want.Reasoning == 0 {
			t.Errorf("stream %v: usage %s", stream, diff)
		}
		results.Parts = append(results.Parts, chat.Part{Text: "go on"})
		r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: first.Parts}, results, chat.Message{Role: chat.Instruction, Parts: []chat.Part{{Text: "In metres."}}})
		second, _ := exchange(t, mock, r)
		if second.Stop != chat.StopEnd || second.Parts[1].Text != llmtest.Answer("go on", 0, 3) {
			t.Errorf("stream %v: %+v", stream, second)
		}
	}
}

func TestFormatsWithTheMock(t *testing.T) {
	for _, stream := range []bool{false, true} {
		for _, model := range []string{"claude-opus-5", "claude-opus-4-1"} {
			choice, _ := exchange(t, llmtest.New(llmtest.Options{APIKey: "k"}), &chat.Request{
				Model: model, Stream: stream, Messages: user(chat.Part{Text: "how high"}),
				Format: chat.Format{Shape: chat.JSONSchema, Schema: `{"type":"object","properties":{"metres":{"type":"number"}}}`, Strict: ptr(true)},
			})
			if diff := cmp.Diff(chat.Choice{Parts: []chat.Part{{Text: `{"metres":7.5}`}}, Stop: chat.StopEnd}, choice); diff != "" {
				t.Errorf("%s, stream %v: %s", model, stream, diff)
			}
		}
	}
}
