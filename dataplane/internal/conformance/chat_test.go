package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var chatSpeaker = speaker{
	name: "openai-go_chat", script: "chat", ask: askChat, dialect: policyv1.Dialect_DIALECT_OPENAI, sequence: "choices.stop_sequence", strict: "tools.function.strict",
	stops: map[stop]string{ended: "stop", toCall: "tool_calls", cutShort: "length", onSequence: "stop"},
	types: map[int]string{400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error", 429: "rate_limit_error", 500: "server_error", 502: "server_error", 529: "server_error"},
	own:   map[int]string{429: "requests", 529: "overloaded_error"},
}

func askChat(t *testing.T, talk talk) (a answer) {
	var response *http.Response
	client := openai.NewClient(option.WithBaseURL(talk.Base+"/v1"), option.WithAPIKey(talk.Key), option.WithMaxRetries(talk.Retries), option.WithResponseInto(&response))
	params := chatParams(t, talk)
	var completion openai.ChatCompletion
	var beyond beyondSDK
	var err error
	if talk.Stream {
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		completion, err = streamChat(t, &client, params, &beyond)
	} else if whole, failed := client.Chat.Completions.New(t.Context(), params); failed != nil {
		err = failed
	} else {
		completion = *whole
		if len(completion.Choices) == 0 {
			t.Fatalf("no choices: %s", completion.RawJSON())
		}
		beyond.add(t, completion.Choices[0].Message.RawJSON())
	}
	if response != nil {
		a.Lossy = response.Header.Get("X-Weir-Lossy")
	}
	if len(completion.Choices) > 0 {
		a.chat(completion, beyond)
	}
	a.Failure = chatFailure(err)
	return a
}

func streamChat(t *testing.T, client *openai.Client, params openai.ChatCompletionNewParams, beyond *beyondSDK) (openai.ChatCompletion, error) {
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		chunk := stream.Current()
		if !all.AddChunk(chunk) {
			t.Errorf("the SDK can't add %s", chunk.RawJSON())
		}
		for _, choice := range chunk.Choices {
			beyond.add(t, choice.Delta.RawJSON())
		}
	}
	return all.ChatCompletion, stream.Err()
}

// beyondSDK are fields that applications find beside those that the SDK knows.
type beyondSDK struct {
	ReasoningContent string            `json:"reasoning_content"`
	ThinkingBlocks   []json.RawMessage `json:"thinking_blocks"`
	ToolCalls        []signedCall      `json:"tool_calls"`
}

// signedCall has what is kept beside a call; of a delta only where it begins.
type signedCall struct {
	ID           string          `json:"id"`
	ExtraContent json.RawMessage `json:"extra_content"`
}

func (b *beyondSDK) add(t *testing.T, raw string) {
	var more beyondSDK
	if err := json.Unmarshal([]byte(raw), &more); err != nil {
		t.Fatal(err)
	}
	b.ReasoningContent += more.ReasoningContent
	b.ThinkingBlocks = append(b.ThinkingBlocks, more.ThinkingBlocks...)
	b.ToolCalls = append(b.ToolCalls, more.ToolCalls...)
}

// call is how a call is sent back.
func (b *beyondSDK) call(made openai.ChatCompletionMessageToolCallUnion) openai.ChatCompletionMessageToolCallUnionParam {
	again := &openai.ChatCompletionMessageFunctionToolCallParam{ID: made.ID,
		Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: made.Function.Name, Arguments: made.Function.Arguments}}
	for _, signed := range b.ToolCalls {
		if signed.ID == made.ID && signed.ExtraContent != nil {
			again.SetExtraFields(map[string]any{"extra_content": signed.ExtraContent})
		}
	}
	return openai.ChatCompletionMessageToolCallUnionParam{OfFunction: again}
}

func (a *answer) chat(c openai.ChatCompletion, beyond beyondSDK) {
	choice := c.Choices[0]
	a.Text, a.Stop, a.Thinking = choice.Message.Content, choice.FinishReason, beyond.ReasoningContent
	a.Input, a.Cached, a.Output = c.Usage.PromptTokens, c.Usage.PromptTokensDetails.CachedTokens, c.Usage.CompletionTokens
	again := openai.ChatCompletionAssistantMessageParam{}
	if a.Text != "" {
		again.Content.OfString = openai.String(a.Text)
	}
	for _, made := range choice.Message.ToolCalls {
		a.Calls = append(a.Calls, call{made.ID, made.Function.Name, made.Function.Arguments})
		again.ToolCalls = append(again.ToolCalls, beyond.call(made))
	}
	extra := map[string]any{}
	if beyond.ReasoningContent != "" {
		extra["reasoning_content"] = beyond.ReasoningContent
	}
	if len(beyond.ThinkingBlocks) > 0 {
		extra["thinking_blocks"] = beyond.ThinkingBlocks
		var block struct{ Signature string }
		_ = json.Unmarshal(beyond.ThinkingBlocks[0], &block)
		a.Signature = block.Signature
	}
	again.SetExtraFields(extra)
	a.Again, _ = json.Marshal(again)
}

func chatFailure(err error) *failure {
	var refused *openai.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused):
		return &failure{Message: err.Error()}
	}
	f := &failure{Status: refused.StatusCode, Type: refused.Type, Code: refused.Code, Message: refused.Message}
	if refused.Response != nil {
		f.RetryAfter = refused.Response.Header.Get("Retry-After")
	}
	return f
}

func chatParams(t *testing.T, talk talk) openai.ChatCompletionNewParams {
	params := openai.ChatCompletionNewParams{Model: talk.Route, Messages: []openai.ChatCompletionMessageParamUnion{}, MaxCompletionTokens: openai.Int(talk.Max)}
	if talk.System != "" {
		params.Messages = append(params.Messages, openai.SystemMessage(talk.System))
	}
	for _, turn := range talk.Turns {
		params.Messages = append(params.Messages, chatTurn(turn)...)
	}
	for _, tool := range talk.Tools {
		params.Tools = append(params.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: tool.Name, Description: openai.String(tool.Description), Parameters: object(t, tool.Schema), Strict: openai.Bool(true)}))
	}
	if len(talk.Schema) > 0 {
		params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
			Name: "gauge", Strict: openai.Bool(true), Schema: talk.Schema}}
	}
	if len(talk.Stop) > 0 {
		params.Stop.OfStringArray = talk.Stop
	}
	if talk.Think {
		params.ReasoningEffort = shared.ReasoningEffortLow
	}
	return params
}

func chatTurn(turn turn) (messages []openai.ChatCompletionMessageParamUnion) {
	if turn.Answer != nil {
		return append(messages, param.Override[openai.ChatCompletionMessageParamUnion](turn.Answer))
	}
	for _, result := range turn.Results {
		messages = append(messages, openai.ToolMessage(result.Text, result.ID))
	}
	var parts []openai.ChatCompletionContentPartUnionParam
	if turn.Image != nil {
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: dataURL("image/png", turn.Image)}))
	}
	if turn.PDF != nil {
		parts = append(parts, openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{
			Filename: openai.String("level.pdf"), FileData: openai.String(dataURL("application/pdf", turn.PDF))}))
	}
	switch {
	case len(parts) > 0:
		return append(messages, openai.UserMessage(append(parts, openai.TextContentPart(turn.Text))))
	case turn.Text != "":
		return append(messages, openai.UserMessage(turn.Text))
	}
	return messages
}

func dataURL(kind string, data []byte) string {
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}

func object(t *testing.T, raw json.RawMessage) (fields map[string]any) {
	t.Helper()
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}
