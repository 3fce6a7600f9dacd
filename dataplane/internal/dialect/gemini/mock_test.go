package gemini_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
	"github.com/weirhq/weir/dataplane/llmtest"
)

func upstream(t *testing.T, options llmtest.Options) (*llmtest.Server, string) {
	t.Helper()
	mock := llmtest.New(options)
	server := httptest.NewServer(mock)
	t.Cleanup(server.Close)
	t.Cleanup(mock.Close)
	return mock, server.URL + "/v1beta"
}

func send(t *testing.T, base, path string, body []byte) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Goog-Api-Key", "k")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// ask sends a request to the mock and reads the answer, whole or streamed.
func ask(t *testing.T, base string, r *chat.Request) *chat.Answer {
	t.Helper()
	provider := gemini.NewProvider()
	body, _, err := provider.Request(r)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Stream {
		response := send(t, base, "/models/"+r.Model+":"+gemini.MethodGenerate, body)
		text, _ := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s for %s", response.StatusCode, text, body)
		}
		answer, err := provider.Answer(text)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	reader := sse.NewReader(send(t, base, "/models/"+r.Model+":"+gemini.MethodStream+"?alt=sse", body).Body, nil, 1<<20)
	answer := &chat.Answer{Choices: make([]chat.Choice, max(r.N, 1))}
	for done := false; !done; {
		event, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		var events []chat.Event
		if events, done, err = provider.Events(nil, event.Type, event.Data); err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			fold(answer, e)
		}
	}
	return answer
}

func TestConversationWithTheMock(t *testing.T) {
	for _, stream := range []bool{false, true} {
		mock, base := upstream(t, llmtest.Options{APIKey: "k", AnswerTokens: 3, ReasoningTokens: 4, CachedTokens: 2})
		r := &chat.Request{Model: "gemini-3-flash", Stream: stream, Reasoning: chat.Reasoning{Effort: "low", Summary: true},
			System: []chat.Part{{Text: "be brief"}}, Tools: []chat.Tool{{Name: "level", Schema: `{"type":"object","properties":{"weir":{"type":"integer"}}}`}},
			ToolChoice: chat.ToolChoice{Choose: chat.Any}, Messages: []chat.Message{{Parts: []chat.Part{{Text: "how high"}}}}}
		first := ask(t, base, r).Choices[0]
		call := first.Parts[len(first.Parts)-1]
		if first.Stop != chat.StopTools || first.Parts[0].Kind != chat.Thinking || call.Call.Arguments != `{"weir":1}` || call.Signature == "" {
			t.Fatalf("stream %v: %+v", stream, first)
		}
		r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: first.Parts},
			chat.Message{Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: call.Call.ID, Parts: []chat.Part{{Text: "2 m"}}}}}})
		r.ToolChoice, r.N = chat.ToolChoice{}, 2
		second := ask(t, base, r)
		for i, choice := range second.Choices {
			if got := choice.Parts[len(choice.Parts)-1].Text; choice.Stop != chat.StopEnd || got != llmtest.Answer("", i, 3) {
				t.Errorf("stream %v, choice %d: %+v", stream, i, choice)
			}
		}
		billed, told := mock.Ledger().Total.Tokens, second.Usage.Tokens
		if told.Output != 6 || told.Reasoning != 8 || told.CacheRead != 2 || billed.Output != 9 || len(second.Usage.SHA256) == 0 {
			t.Errorf("stream %v: told %+v, billed %+v", stream, told, billed)
		}
		for i := range r.Messages[1].Parts {
			r.Messages[1].Parts[i].Signature = "" // as another model's would be
		}
		ask(t, base, r)
	}
}

func TestMockRefusals(t *testing.T) {
	mock, base := upstream(t, llmtest.Options{APIKey: "k"})
	mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: 2500e6})
	provider := gemini.NewProvider()
	body, _, err := provider.Request(hello(chat.Request{Model: "m"}))
	if err != nil {
		t.Fatal(err)
	}
	response := send(t, base, "/models/m:"+gemini.MethodStream, body)
	text, _ := io.ReadAll(response.Body)
	failure := provider.Failure(response.StatusCode, text)
	if failure.Status != 429 || failure.Type != "RESOURCE_EXHAUSTED" || failure.RetryAfter != 2500e6 {
		t.Errorf("%+v from %s", failure, text)
	}
	mock.Script(llmtest.Fault{Kind: llmtest.Cut, After: 2})
	reader := sse.NewReader(send(t, base, "/models/m:"+gemini.MethodStream+"?alt=sse", body).Body, nil, 1<<20)
	for {
		event, err := reader.Next()
		if err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Error(err)
			}
			break
		}
		if _, done, _ := provider.Events(nil, event.Type, event.Data); done {
			t.Error("a torn stream is done")
		}
	}
}
