// Package witness has OpenAI's own SDK read what the surfaces write. It is apart from their
// tests, whose fuzzing would have to build the SDK anew, in 3 GB.
package witness

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	sdkresponses "github.com/openai/openai-go/v3/responses"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

const (
	usage          = `{"prompt_tokens":19,"completion_tokens":30,"total_tokens":49,"prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":20}}`
	upstreamAnswer = `{"id":"a1","created":5,"model":"m","choices":[{"index":0,"message":{"content":"7 \"m\"\n","reasoning_content":"Look.","thinking_blocks":[{"type":"thinking","thinking":"Look.","signature":"EqoB"}],
		"tool_calls":[{"id":"c1","function":{"name":"level","arguments":"{\"a\":1}"}},{"id":"c2","function":{"name":"flow","arguments":""}}]},"finish_reason":"tool_calls"}],"usage":` + usage + `}`
)

var upstreamStream = []string{
	`{"id":"a1","created":5,"model":"m","choices":[{"delta":{"role":"assistant","reasoning_content":"Loo"}}]}`,
	`{"choices":[{"delta":{"reasoning_content":"k."}}]}`,
	`{"choices":[{"delta":{"thinking_blocks":[{"type":"thinking","thinking":"Look.","signature":"EqoB"}]}}]}`,
	`{"choices":[{"delta":{"content":"7 \"m\""}}]}`, `{"choices":[{"delta":{"content":"\n"}}]}`,
	`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"level","arguments":"{\"a\""}}]}}]}`,
	`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}`,
	`{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"c2","function":{"name":"flow","arguments":""}}]},"finish_reason":"tool_calls"}]}`,
	`{"choices":[],"usage":` + usage + `}`, `[DONE]`,
}

// written is the stream as a surface tells it.
func written(t *testing.T, surface chat.Surface) []byte {
	t.Helper()
	provider := openai.NewProvider()
	var stream []byte
	for _, data := range upstreamStream {
		events, _, err := provider.Events(nil, nil, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			stream = surface.Event(stream, e)
		}
	}
	return surface.Finish(stream)
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
	answer, err := openai.NewProvider().Answer([]byte(upstreamAnswer))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := openai.NewSurface().Answer(answer)
	client := serving(t, "application/json", http.StatusOK, body)
	got, err := client.Chat.Completions.New(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	see(t, got)
}

func TestTheSDKReadsStreams(t *testing.T) {
	surface := openai.NewSurface()
	if _, fault := surface.Request([]byte(`{"model":"m","messages":[{"role":"user","content":"hi"}],"stream_options":{"include_usage":true}}`)); fault != nil {
		t.Fatal(fault)
	}
	client := serving(t, "text/event-stream", http.StatusOK, written(t, surface))
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
		Model: "m", MaxOutput: 9, Reasoning: chat.Reasoning{Effort: "low"}, System: []chat.Part{{Text: "d"}},
		Messages: []chat.Message{
			{Parts: []chat.Part{{Text: "u"}, {Kind: chat.Image, Media: &chat.Media{URL: "https://e.test/i"}}}},
			{Role: chat.Assistant, Parts: []chat.Part{{Text: "a"}}},
			{Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "c1", Parts: []chat.Part{{Text: "r"}}}}}}},
		Tools: []chat.Tool{{Name: "f", Schema: `{"type":"object"}`}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSDKReadsResponses(t *testing.T) {
	answer, err := openai.NewProvider().Answer([]byte(upstreamAnswer))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := responses.NewSurface().Answer(answer)
	client := serving(t, "application/json", http.StatusOK, body)
	got, err := client.Responses.New(t.Context(), sdkresponses.ResponseNewParams{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	seeResponse(t, got)
}

func TestTheSDKReadsStreamsOfResponses(t *testing.T) {
	client := serving(t, "text/event-stream", http.StatusOK, written(t, responses.NewSurface()))
	stream := client.Responses.NewStreaming(t.Context(), sdkresponses.ResponseNewParams{Model: "m"})
	text, seen := "", false
	for stream.Next() {
		switch e := stream.Current().AsAny().(type) {
		case sdkresponses.ResponseTextDeltaEvent:
			text += e.Delta
		case sdkresponses.ResponseCompletedEvent:
			seeResponse(t, &e.Response)
			seen = true
		}
	}
	if stream.Err() != nil || text != "7 \"m\"\n" || !seen {
		t.Errorf("%v %q %v", stream.Err(), text, seen)
	}
}

func seeResponse(t *testing.T, got *sdkresponses.Response) {
	t.Helper()
	if got.ID != "resp_a1" || got.Status != "completed" || got.OutputText() != "7 \"m\"\n" || len(got.Output) != 4 || got.Usage.InputTokensDetails.CachedTokens != 8 || got.Usage.TotalTokens != 49 {
		t.Fatalf("%s", got.RawJSON())
	}
	if call := got.Output[2].AsFunctionCall(); call.CallID != "c1" || call.Arguments != `{"a":1}` {
		t.Errorf("%+v", call)
	}
	if thought := got.Output[0].AsReasoning(); thought.EncryptedContent != "thinking:EqoB" || thought.Summary[0].Text != "Look." {
		t.Errorf("%+v", thought)
	}
}
