package openai_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/llmtest"
)

// ask sends a body to the mock provider, and returns its answer.
func ask(t *testing.T, options llmtest.Options, body []byte) []byte {
	t.Helper()
	options.APIKey = "k"
	mock := llmtest.New(options)
	server := httptest.NewServer(mock)
	t.Cleanup(server.Close)
	t.Cleanup(mock.Close)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer k")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, string(answer), err)
	}
	return answer
}

// TestTheMockIsUnderstood: the mock provider takes what is written, and tells the same
// whole and streamed.
func TestTheMockIsUnderstood(t *testing.T) {
	options := llmtest.Options{AnswerTokens: 7, ReasoningTokens: 3, CachedTokens: 2}
	request := &chat.Request{Model: "gpt-4o", N: 2, Messages: []chat.Message{{Parts: []chat.Part{textPart("how high?")}}}}
	read := func(stream bool) *chat.Answer {
		request.Stream = stream
		provider := openai.NewProvider()
		body, _, err := provider.Request(request)
		if err != nil {
			t.Fatal(err)
		}
		got := ask(t, options, body)
		if stream {
			return fold(t, followed(t, provider, got))
		}
		answer, err := provider.Answer(got)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	whole, streamed := read(false), read(true)
	if diff := cmp.Diff(whole.Choices, streamed.Choices); diff != "" {
		t.Error(diff)
	}
	text := llmtest.Answer("how high?", 1, 7)
	if diff := cmp.Diff([]chat.Part{textPart(text)}, whole.Choices[1].Parts); diff != "" {
		t.Error(diff)
	}
	for _, usage := range []chat.Usage{whole.Usage, streamed.Usage} {
		if tokens := usage.Tokens; tokens.GetOutput() != 14 || tokens.GetReasoning() != 6 || tokens.GetCacheRead() != 2 || usage.ServiceTier != "default" {
			t.Errorf("%+v", usage)
		}
	}
}

// serving is a client of OpenAI's own SDK, answered with the bytes.
func serving(t *testing.T, contentType string, status int, body []byte) sdk.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return sdk.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey("k"), option.WithMaxRetries(0))
}

func witnessed() *chat.Answer {
	return &chat.Answer{ID: "a1", Model: "m", Created: time.Unix(5, 0), Usage: goldenUsage(), Choices: []chat.Choice{{Stop: chat.StopTools, Logprobs: logprobsGolden, Parts: []chat.Part{
		{Kind: chat.Thinking, Text: "Look.", Signature: "EqoB"}, textPart("7 \"m\"\n"), callPart("c1", "level", `{"a":1}`), callPart("c2", "flow", "")}}}}
}

// see compares what the SDK made of an answer.
func see(t *testing.T, got *sdk.ChatCompletion) {
	t.Helper()
	choice := got.Choices[0]
	if got.ID != "a1" || got.Created != 5 || choice.Message.Content != "7 \"m\"\n" || choice.FinishReason != "tool_calls" || len(choice.Message.ToolCalls) != 2 {
		t.Fatalf("%+v", got)
	}
	first, second := choice.Message.ToolCalls[0], choice.Message.ToolCalls[1]
	if first.ID != "c1" || first.Function.Name != "level" || first.Function.Arguments != `{"a":1}` || second.Function.Arguments != "{}" {
		t.Errorf("%+v, %+v", first, second)
	}
	if usage := got.Usage; usage.PromptTokens != 19 || usage.CompletionTokens != 30 || usage.PromptTokensDetails.CachedTokens != 8 || usage.CompletionTokensDetails.ReasoningTokens != 20 {
		t.Errorf("%+v", usage)
	}
}

// TestTheSDKReadsAnswers: OpenAI's own SDK reads what a surface writes.
func TestTheSDKReadsAnswers(t *testing.T) {
	body, _ := openai.NewSurface().Answer(witnessed())
	client := serving(t, "application/json", http.StatusOK, body)
	got, err := client.Chat.Completions.New(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	see(t, got)
	if len(got.Choices[0].Logprobs.Content) != 1 {
		t.Errorf("%+v", got.Choices[0].Logprobs)
	}
}

func TestTheSDKReadsStreams(t *testing.T) {
	surface := openai.NewSurface()
	if _, fault := surface.Request([]byte(with(`,"stream_options":{"include_usage":true}`))); fault != nil {
		t.Fatal(fault)
	}
	client := serving(t, "text/event-stream", http.StatusOK, written(surface, events(witnessed())))
	stream := client.Chat.Completions.NewStreaming(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	var sum sdk.ChatCompletionAccumulator
	thinking := ""
	for stream.Next() {
		chunk := stream.Current()
		if !sum.AddChunk(chunk) {
			t.Fatalf("a chunk that does not fit: %s", chunk.RawJSON())
		}
		if len(chunk.Choices) > 0 {
			var piece string
			_ = json.Unmarshal([]byte(chunk.Choices[0].Delta.JSON.ExtraFields["reasoning_content"].Raw()), &piece)
			thinking += piece
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	see(t, &sum.ChatCompletion)
	if thinking != "Look." {
		t.Errorf("thinking %q", thinking)
	}
}

func TestTheSDKRaisesFailures(t *testing.T) {
	failure := &chat.Failure{Status: 529, Type: "overloaded_error", Message: "Busy"}
	client := serving(t, "text/event-stream", http.StatusOK, openai.NewSurface().Event(nil, chat.Event{Failure: failure}))
	stream := client.Chat.Completions.NewStreaming(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	if stream.Next() || stream.Err() == nil || !strings.Contains(stream.Err().Error(), "Busy") {
		t.Errorf("%v", stream.Err())
	}
	client = serving(t, "application/json", 400, openai.NewSurface().Failure(&chat.Failure{Status: 400, Param: "p", Message: "Bad"}))
	if _, err := client.Chat.Completions.New(t.Context(), sdk.ChatCompletionNewParams{Model: "m"}); err == nil || !strings.Contains(err.Error(), "Bad") {
		t.Error(err)
	}
}

// TestTheSDKsRequestsAreRead: what OpenAI's own SDK sends, a surface reads.
func TestTheSDKsRequestsAreRead(t *testing.T) {
	body, err := json.Marshal(sdk.ChatCompletionNewParams{
		Model: "m", MaxCompletionTokens: sdk.Int(9), ReasoningEffort: "low",
		Messages: []sdk.ChatCompletionMessageParamUnion{sdk.DeveloperMessage("d"), sdk.UserMessage([]sdk.ChatCompletionContentPartUnionParam{
			sdk.TextContentPart("u"), sdk.ImageContentPart(sdk.ChatCompletionContentPartImageImageURLParam{URL: "https://e.test/i"})}),
			sdk.AssistantMessage("a"), sdk.ToolMessage("r", "c1")},
		Tools: []sdk.ChatCompletionToolUnionParam{sdk.ChatCompletionFunctionTool(sdk.FunctionDefinitionParam{Name: "f", Parameters: sdk.FunctionParameters{"type": "object"}})},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, fault := openai.NewSurface().Request(body)
	if fault != nil {
		t.Fatal(fault)
	}
	want := &chat.Request{
		Model: "m", MaxOutput: 9, Reasoning: chat.Reasoning{Effort: "low"}, System: []chat.Part{textPart("d")},
		Messages: []chat.Message{
			{Parts: []chat.Part{textPart("u"), {Kind: chat.Image, Media: &chat.Media{URL: "https://e.test/i"}}}},
			{Role: chat.Assistant, Parts: []chat.Part{textPart("a")}},
			{Parts: []chat.Part{resultPart("c1", "", textPart("r"))}}},
		Tools: []chat.Tool{{Name: "f", Schema: `{"type":"object"}`}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
