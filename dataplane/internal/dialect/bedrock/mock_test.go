package bedrock_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/eventstream"
	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// TestRequestsReadBack: of a request that Converse has a place for, nothing is left out or
// changed.
func TestRequestsReadBack(t *testing.T) {
	for seed := range uint64(500) {
		r := (&dice{Rand: rand.New(rand.NewPCG(seed, 1))}).request()
		body, lossy, err := bedrock.NewProvider().Request(r)
		if err != nil || lossy != nil {
			t.Fatalf("seed %d: %v, %v", seed, lossy, err)
		}
		if diff := cmp.Diff(r, read(t, r.Model, body)); diff != "" {
			t.Fatalf("seed %d: %s\n%s", seed, body, diff)
		}
	}
}

func send(t *testing.T, mock *llmtest.Server, r *chat.Request, body []byte) *http.Response {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, path(r.Model, r.Stream), strings.NewReader(string(body)))
	request.Header.Set("Authorization", "Bearer k")
	answer := httptest.NewRecorder()
	mock.ServeHTTP(answer, request)
	return answer.Result()
}

// ask sends a request to the mock and reads the answer, whole or streamed.
func ask(t *testing.T, mock *llmtest.Server, r *chat.Request) *chat.Answer {
	t.Helper()
	provider := bedrock.NewProvider()
	body, _, err := provider.Request(r)
	if err != nil {
		t.Fatal(err)
	}
	response := send(t, mock, r, body)
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("status %d: %s for %s", response.StatusCode, text, body)
	}
	if !r.Stream {
		text, _ := io.ReadAll(response.Body)
		answer, err := provider.Answer(text)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	reader := eventstream.NewReader(response.Body, nil, 1<<20)
	answer := &chat.Answer{Choices: make([]chat.Choice, 1)}
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

// fold puts an event into the answer that a stream is of.
func fold(answer *chat.Answer, e chat.Event) {
	choice := &answer.Choices[0]
	switch {
	case e.Open != nil:
		choice.Parts = append(choice.Parts, e.Open.Part)
	case e.Delta != nil:
		part := &choice.Parts[e.Delta.Index]
		part.Text += e.Delta.Text
		part.Signature += e.Delta.Signature
		if part.Call != nil {
			part.Call.Arguments += e.Delta.Arguments
		}
	case e.End != nil:
		choice.Stop, choice.Sequence = e.End.Stop, e.End.Sequence
	case e.Usage != nil:
		answer.Usage = *e.Usage
	}
}

// TestRandomRequestsAreTaken by the mock, whose rules are Bedrock's; whole and streamed
// answers are the same.
func TestRandomRequestsAreTaken(t *testing.T) {
	mock := llmtest.New(llmtest.Options{APIKey: "k", AnswerTokens: 5})
	for seed := range uint64(200) {
		r := (&dice{Rand: rand.New(rand.NewPCG(seed, 2))}).request()
		for i := range r.Messages { // thinking that is not the mock's own is refused
			parts := r.Messages[i].Parts[:0]
			for _, p := range r.Messages[i].Parts {
				if p.Kind != chat.Thinking {
					parts = append(parts, p)
				}
			}
			r.Messages[i].Parts = parts
		}
		whole := ask(t, mock, r)
		r.Stream = true
		streamed := ask(t, mock, r)
		for _, answer := range []*chat.Answer{whole, streamed} {
			for _, part := range answer.Choices[0].Parts {
				if part.Call != nil {
					part.Call.ID = ""
					if whole.Choices[0].Stop == chat.StopLength {
						part.Call.Arguments = "" // a stream has what was cut off
					}
				}
			}
		}
		if diff := cmp.Diff(whole, streamed, protocmp.Transform()); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
	if ledger := mock.Ledger(); ledger.Total.Completed != 400 || ledger.Refused != 0 {
		t.Errorf("%+v", ledger.Total)
	}
}

// TestConversationWithTheMock goes on with thinking and a call of the model's own.
func TestConversationWithTheMock(t *testing.T) {
	for _, stream := range []bool{false, true} {
		mock := llmtest.New(llmtest.Options{APIKey: "k", AnswerTokens: 3, ReasoningTokens: 4, CachedTokens: 2})
		r := &chat.Request{Model: sonnet, Stream: stream, Reasoning: chat.Reasoning{Effort: "low"}, ServiceTier: "flex",
			System: []chat.Part{{Text: "be very brief here", Cache: &chat.CacheMark{TTL: "1h"}}}, Tools: []chat.Tool{{Name: "level", Schema: `{"type":"object","properties":{"weir":{"type":"integer"}}}`}},
			Messages: []chat.Message{{Parts: []chat.Part{{Text: "what level is it"}}}}}
		first := ask(t, mock, r)
		choice := first.Choices[0]
		call := choice.Parts[len(choice.Parts)-1].Call
		if choice.Stop != chat.StopTools || choice.Parts[0].Kind != chat.Thinking || choice.Parts[0].Signature == "" || call.Arguments != `{"weir":7}` {
			t.Fatalf("%+v", choice)
		}
		paid := mock.Ledger().Total.Tokens
		want := &usagev1.TokenUsage{Input: paid.Input, CacheRead: paid.CachedInput, CacheWrite_1H: paid.CacheWrite1h, Output: paid.Output + paid.Reasoning}
		if diff := cmp.Diff(want, first.Usage.Tokens, protocmp.Transform()); diff != "" || paid.CacheWrite1h == 0 || first.Usage.ServiceTier != "flex" {
			t.Errorf("the usage is not the invoice: %s, %+v", diff, first.Usage)
		}
		r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: choice.Parts},
			chat.Message{Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: call.ID, Parts: []chat.Part{{Text: "two metres"}}}}, {Text: "so how high"}}})
		second := ask(t, mock, r).Choices[0]
		if last := second.Parts[len(second.Parts)-1]; second.Stop != chat.StopEnd || last.Text != llmtest.Answer("so how high", 0, 3) {
			t.Errorf("%+v", second)
		}
	}
}

// TestFormatsWithTheMock: natively or by a tool, the text is the object.
func TestFormatsWithTheMock(t *testing.T) {
	yes := true
	schema := `{"type":"object","properties":{"level":{"type":"number"}}}`
	for _, stream := range []bool{false, true} {
		for _, model := range []string{sonnet, haiku, novaLite, oss} {
			r := hello(chat.Request{Model: model, Stream: stream, Format: chat.Format{Shape: chat.JSONSchema, Schema: schema, Strict: &yes}})
			got := ask(t, llmtest.New(llmtest.Options{APIKey: "k"}), r).Choices[0]
			if len(got.Parts) != 1 || got.Parts[0].Text != `{"level":7.5}` || got.Stop != chat.StopEnd {
				t.Errorf("%s, stream %v: %+v", model, stream, got)
			}
		}
	}
}

func TestFaultsOfTheMock(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"exception": {Kind: llmtest.ErrorEvent, After: 2, Status: 429}, "damaged": {Kind: llmtest.Malformed, After: 2}, "no_end": {Kind: llmtest.NoDone},
	} {
		t.Run(name, func(t *testing.T) {
			mock := llmtest.New(llmtest.Options{APIKey: "k"})
			mock.Script(fault)
			r := hello(chat.Request{Model: sonnet, Stream: true})
			provider := bedrock.NewProvider()
			body, _, _ := provider.Request(r)
			reader := eventstream.NewReader(send(t, mock, r, body).Body, nil, 1<<20)
			var events []chat.Event
			for {
				event, err := reader.Next()
				if err != nil {
					if errors.Is(err, io.EOF) == (name == "damaged") {
						t.Error(err)
					}
					break
				}
				var done bool
				if events, done, err = provider.Events(events, event.Type, event.Data); done || err != nil {
					t.Errorf("done %v, %v", done, err)
				}
			}
			last := events[len(events)-1].Failure
			if (last != nil && last.Status == 429) != (name == "exception") {
				t.Errorf("%s", brief(events))
			}
		})
	}
	mock := llmtest.New(llmtest.Options{APIKey: "k"})
	mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 429})
	response := send(t, mock, hello(chat.Request{Model: sonnet}), []byte(`{"messages":[{"role":"user","content":[{"text":"a"}]}]}`))
	text, _ := io.ReadAll(response.Body)
	if f := bedrock.NewProvider().Failure(response.StatusCode, text); f.Status != 429 || !strings.HasPrefix(f.Message, "Too many requests") {
		t.Errorf("%+v", f)
	}
}

// path is where Bedrock has a model.
func path(model string, stream bool) string {
	if stream {
		return "/model/" + url.PathEscape(model) + "/converse-stream"
	}
	return "/model/" + url.PathEscape(model) + "/converse"
}
