package endtoend_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// application is what a customer writes: the official SDK, pointed at the agent.
type application struct {
	client openai.Client
	last   *http.Response
}

func newApplication(agentURL, key string) *application {
	a := &application{}
	a.client = openai.NewClient(
		option.WithBaseURL(agentURL+"/v1"),
		option.WithAPIKey(key),
		option.WithMaxRetries(0),
		option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			response, err := next(r)
			a.last = response
			return response, err
		}),
	)
	return a
}

func request(content string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    "demo",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(content)},
	}
}

// complete returns the request's id as the agent named it.
func (a *application) complete(t *testing.T, content string) (requestID string, answer *openai.ChatCompletion) {
	t.Helper()
	answer, err := a.client.Chat.Completions.New(t.Context(), request(content))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Choices[0].Message.Content == "" {
		t.Error("the completion has no text")
	}
	return a.requestID(t), answer
}

func (a *application) stream(t *testing.T, content string) (requestID, text string) {
	t.Helper()
	stream := a.client.Chat.Completions.NewStreaming(t.Context(), request(content))
	defer stream.Close()
	var answer strings.Builder
	events := 0
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			answer.WriteString(choice.Delta.Content)
			events++
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if events < 2 {
		t.Errorf("the stream had %d events, want several", events)
	}
	return a.requestID(t), answer.String()
}

func (a *application) requestID(t *testing.T) string {
	t.Helper()
	id := a.last.Header.Get("x-weir-request-id")
	if id == "" {
		t.Fatal("the answer has no x-weir-request-id")
	}
	return id
}

// refused returns the status and the stable code of the error that a request gets.
func (a *application) refused(t *testing.T) (status int, code, message string) {
	t.Helper()
	_, err := a.client.Chat.Completions.New(t.Context(), request("refuse me"))
	var refusal *openai.Error
	if err == nil {
		return http.StatusOK, "", ""
	}
	if !errors.As(err, &refusal) {
		t.Fatalf("not an OpenAI-shaped error: %v", err)
	}
	return refusal.StatusCode, refusal.Code, refusal.Message
}
