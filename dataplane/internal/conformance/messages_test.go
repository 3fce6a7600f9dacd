package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var messagesSpeaker = speaker{
	name: "anthropic-sdk-go", script: "messages", ask: askMessages, dialect: policyv1.Dialect_DIALECT_ANTHROPIC, display: "thinking.display", effort: "output_config.effort", callSignature: "content.signature",
	stops: map[stop]string{ended: "end_turn", toCall: "tool_use", cutShort: "max_tokens", onSequence: "stop_sequence"},
	types: map[int]string{400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 500: "api_error", 502: "api_error", 529: "overloaded_error"},
}

func askMessages(t *testing.T, talk talk) (a answer) {
	var response *http.Response
	client := anthropic.NewClient(option.WithoutEnvironmentDefaults(), option.WithBaseURL(talk.Base), option.WithAPIKey(talk.Key),
		option.WithMaxRetries(talk.Retries), option.WithResponseInto(&response))
	params := messagesParams(t, talk)
	var message anthropic.Message
	var err error
	if talk.Stream {
		stream := client.Messages.NewStreaming(t.Context(), params)
		for stream.Next() {
			if err := message.Accumulate(stream.Current()); err != nil {
				t.Errorf("the SDK can't add %s: %v", stream.Current().RawJSON(), err)
			}
		}
		err = stream.Err()
	} else if whole, failed := client.Messages.New(t.Context(), params); failed != nil {
		err = failed
	} else {
		message = *whole
	}
	if response != nil {
		a.Lossy = response.Header.Get("X-Weir-Lossy")
	}
	a.message(message)
	a.Failure = messagesFailure(err)
	return a
}

func (a *answer) message(m anthropic.Message) {
	for _, block := range m.Content {
		switch block := block.AsAny().(type) {
		case anthropic.TextBlock:
			a.Text += block.Text
		case anthropic.ThinkingBlock:
			a.Thinking += block.Thinking
			a.Signature += block.Signature
		case anthropic.ToolUseBlock:
			a.Calls = append(a.Calls, call{block.ID, block.Name, string(block.Input)})
		}
	}
	a.Stop, a.Sequence = string(m.StopReason), m.StopSequence
	a.Cached = m.Usage.CacheReadInputTokens
	a.Input = m.Usage.InputTokens + m.Usage.CacheCreationInputTokens + a.Cached
	a.Output = m.Usage.OutputTokens
	if len(m.Content) > 0 {
		a.Again, _ = json.Marshal(m.ToParam())
	}
}

func messagesFailure(err error) *failure {
	var refused *anthropic.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused):
		return &failure{Message: err.Error()}
	}
	f := &failure{Status: refused.StatusCode, Type: string(refused.Type()), Message: refused.RawJSON()}
	if refused.Response != nil {
		f.RetryAfter = refused.Response.Header.Get("Retry-After")
	}
	return f
}

func messagesParams(t *testing.T, talk talk) anthropic.MessageNewParams {
	params := anthropic.MessageNewParams{Model: talk.Route, MaxTokens: talk.Max, Messages: []anthropic.MessageParam{}, StopSequences: talk.Stop}
	if talk.System != "" {
		params.System = []anthropic.TextBlockParam{{Text: talk.System}}
	}
	for _, turn := range talk.Turns {
		params.Messages = append(params.Messages, messagesTurn(turn))
	}
	for _, tool := range talk.Tools {
		schema := object(t, tool.Schema)
		delete(schema, "type")
		declared := anthropic.ToolParam{Name: tool.Name, Description: anthropic.String(tool.Description), InputSchema: anthropic.ToolInputSchemaParam{ExtraFields: schema}}
		params.Tools = append(params.Tools, anthropic.ToolUnionParam{OfTool: &declared})
	}
	if len(talk.Schema) > 0 {
		params.OutputConfig.Format.Schema = object(t, talk.Schema)
	}
	if talk.Think {
		params.Thinking.OfAdaptive = &anthropic.ThinkingConfigAdaptiveParam{Display: anthropic.ThinkingConfigAdaptiveDisplaySummarized}
		params.OutputConfig.Effort = anthropic.OutputConfigEffortLow
	}
	return params
}

func messagesTurn(turn turn) anthropic.MessageParam {
	if turn.Answer != nil {
		return param.Override[anthropic.MessageParam](turn.Answer)
	}
	var blocks []anthropic.ContentBlockParamUnion
	for _, result := range turn.Results {
		blocks = append(blocks, anthropic.NewToolResultBlock(result.ID, result.Text, false))
	}
	if turn.Image != nil {
		blocks = append(blocks, anthropic.NewImageBlockBase64("image/png", base64.StdEncoding.EncodeToString(turn.Image)))
	}
	if turn.PDF != nil {
		blocks = append(blocks, anthropic.NewDocumentBlock(anthropic.Base64PDFSourceParam{Data: base64.StdEncoding.EncodeToString(turn.PDF)}))
	}
	if turn.Text != "" {
		blocks = append(blocks, anthropic.NewTextBlock(turn.Text))
	}
	return anthropic.NewUserMessage(blocks...)
}
