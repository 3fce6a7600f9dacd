package endtoend_test

import (
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
)

// routesOf the demo, one to a provider of each dialect; the rest of a row is the same.
var routesOf = []row{
	{route: "demo", provider: "mock", model: "gpt-4o-mini", inputNano: 150, outputNano: 600},
	{route: "claude", provider: "anthropic", model: "claude-haiku-4-5", inputNano: 1000, outputNano: 5000},
	{route: "gemini", provider: "google", model: "gemini-2.5-flash", inputNano: 300, outputNano: 2500},
	{route: "claude-on-aws", provider: "bedrock", model: "anthropic.claude-sonnet-4-5-20250929-v1:0", inputNano: 3000, outputNano: 15000},
}

// everyDialect asks each provider in two dialects, through the whole of Weir: policy, agent,
// Kafka, ClickHouse.
func (s *stack) everyDialect(t *testing.T) {
	app := newApplication(s.env["WEIR_AGENT_URL"], s.env["WEIR_KEY"])
	var last *http.Response
	claude := anthropic.NewClient(anthropicoption.WithBaseURL(s.env["WEIR_AGENT_URL"]), anthropicoption.WithAPIKey(s.env["WEIR_KEY"]),
		anthropicoption.WithMaxRetries(0), anthropicoption.WithMiddleware(func(r *http.Request, next anthropicoption.MiddlewareNext) (*http.Response, error) {
			response, err := next(r)
			last = response
			return response, err
		}))
	for _, told := range routesOf {
		t.Run(told.route, func(t *testing.T) {
			params := request("What does a weir do?")
			params.Model = told.route
			answer, err := app.client.Chat.Completions.New(t.Context(), params)
			if err != nil {
				t.Fatal(err)
			}
			told.surface, told.input, told.output = "openai_chat", answer.Usage.PromptTokens, answer.Usage.CompletionTokens
			s.expectRow(t, app.requestID(t), told)

			message, err := claude.Messages.New(t.Context(), anthropic.MessageNewParams{Model: told.route, MaxTokens: 100,
				Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("What does a weir do?"))}})
			if err != nil {
				t.Fatal(err)
			}
			if message.Content[0].Text != answer.Choices[0].Message.Content {
				t.Errorf("%q as a message, %q as a completion", message.Content[0].Text, answer.Choices[0].Message.Content)
			}
			told.surface, told.input, told.output = "anthropic_messages", message.Usage.InputTokens, message.Usage.OutputTokens
			s.expectRow(t, last.Header.Get("X-Weir-Request-Id"), told)
		})
	}
	params := request("Each token as it comes.")
	params.Model = "claude-on-aws"
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := app.client.Chat.Completions.NewStreaming(t.Context(), params)
	defer stream.Close()
	told := routesOf[3]
	for stream.Next() {
		told.input, told.output = stream.Current().Usage.PromptTokens, stream.Current().Usage.CompletionTokens
	}
	if stream.Err() != nil {
		t.Fatal(stream.Err())
	}
	told.surface, told.streamed = "openai_chat", true
	s.expectRow(t, app.requestID(t), told)
}
