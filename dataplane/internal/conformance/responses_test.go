package conformance_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var responsesSpeaker = speaker{
	name: "openai-go_responses", script: "responses", ask: askResponses, dialect: policyv1.Dialect_DIALECT_OPENAI,
	stopless: true, responses: true, display: "reasoning.summary", strict: "tools.strict", opaque: true,
	stops: map[stop]string{ended: "completed", toCall: "completed", cutShort: "incomplete max_output_tokens"},
	types: chatSpeaker.types, own: chatSpeaker.own,
}

func askResponses(t *testing.T, talk talk) (a answer) {
	var seen *http.Response
	client := openai.NewClient(option.WithBaseURL(talk.Base+"/v1"), option.WithAPIKey(talk.Key), option.WithMaxRetries(talk.Retries), option.WithResponseInto(&seen))
	params := responsesParams(t, talk)
	var response *responses.Response
	var err error
	if talk.Stream {
		response, a.Failure, err = streamResponse(t, &client, params)
	} else {
		response, err = client.Responses.New(t.Context(), params)
	}
	if seen != nil {
		a.Lossy = seen.Header.Get("X-Weir-Lossy")
	}
	if response != nil && err == nil {
		a.response(response)
	}
	if err != nil {
		a.Failure = chatFailure(err)
	}
	return a
}

// streamResponse takes the response from the last event; what came before must say the same.
func streamResponse(t *testing.T, client *openai.Client, params responses.ResponseNewParams) (last *responses.Response, failed *failure, err error) {
	stream := client.Responses.NewStreaming(t.Context(), params)
	var text, arguments, thinking strings.Builder
	for stream.Next() {
		switch event := stream.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			text.WriteString(event.Delta)
		case responses.ResponseFunctionCallArgumentsDeltaEvent:
			arguments.WriteString(event.Delta)
		case responses.ResponseReasoningSummaryTextDeltaEvent:
			thinking.WriteString(event.Delta)
		case responses.ResponseCompletedEvent:
			last = &event.Response
		case responses.ResponseIncompleteEvent:
			last = &event.Response
		case responses.ResponseFailedEvent:
			failed = &failure{Message: event.Response.Error.Message}
		case responses.ResponseErrorEvent:
			failed = &failure{Message: event.Message}
		}
	}
	if last != nil {
		var whole answer
		whole.response(last)
		for _, call := range whole.Calls {
			whole.Text += call.Arguments
		}
		if said := text.String() + arguments.String() + thinking.String(); said != whole.Text+whole.Thinking {
			t.Errorf("streamed %q, and in the end %q", said, whole.Text+whole.Thinking)
		}
	}
	return last, failed, stream.Err()
}

func (a *answer) response(r *responses.Response) {
	a.Text, a.Stop = r.OutputText(), string(r.Status)
	if r.IncompleteDetails.Reason != "" {
		a.Stop += " " + r.IncompleteDetails.Reason
	}
	a.Input, a.Cached, a.Output = r.Usage.InputTokens, r.Usage.InputTokensDetails.CachedTokens, r.Usage.OutputTokens
	var again []json.RawMessage
	for _, item := range r.Output {
		again = append(again, json.RawMessage(item.RawJSON()))
		switch item := item.AsAny().(type) {
		case responses.ResponseFunctionToolCall:
			a.Calls = append(a.Calls, call{item.CallID, item.Name, item.Arguments})
		case responses.ResponseReasoningItem:
			a.Signature += item.EncryptedContent
			for _, summary := range item.Summary {
				a.Thinking += summary.Text
			}
		}
	}
	a.Again, _ = json.Marshal(again)
}

func responsesParams(t *testing.T, talk talk) responses.ResponseNewParams {
	params := responses.ResponseNewParams{Model: talk.Route, MaxOutputTokens: openai.Int(talk.Max), Store: openai.Bool(false)}
	if talk.System != "" {
		params.Instructions = openai.String(talk.System)
	}
	for _, turn := range talk.Turns {
		params.Input.OfInputItemList = append(params.Input.OfInputItemList, responsesTurn(t, turn)...)
	}
	for _, tool := range talk.Tools {
		declared := &responses.FunctionToolParam{Name: tool.Name, Description: openai.String(tool.Description), Parameters: object(t, tool.Schema), Strict: openai.Bool(true)}
		params.Tools = append(params.Tools, responses.ToolUnionParam{OfFunction: declared})
	}
	if len(talk.Schema) > 0 {
		params.Text.Format.OfJSONSchema = &responses.ResponseFormatTextJSONSchemaConfigParam{Name: "gauge", Strict: openai.Bool(true), Schema: object(t, talk.Schema)}
	}
	if talk.Think {
		params.Reasoning = shared.ReasoningParam{Effort: shared.ReasoningEffortLow, Summary: shared.ReasoningSummaryAuto}
		params.Include = []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent}
	}
	return params
}

func responsesTurn(t *testing.T, turn turn) (items []responses.ResponseInputItemUnionParam) {
	if turn.Answer != nil {
		var again []json.RawMessage
		if err := json.Unmarshal(turn.Answer, &again); err != nil {
			t.Fatal(err)
		}
		for _, item := range again {
			items = append(items, param.Override[responses.ResponseInputItemUnionParam](item))
		}
		return items
	}
	for _, result := range turn.Results {
		items = append(items, responses.ResponseInputItemUnionParam{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{
			CallID: openai.String(result.ID), Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{OfString: openai.String(result.Text)}}})
	}
	var content responses.ResponseInputMessageContentListParam
	if turn.Image != nil {
		content = append(content, responses.ResponseInputContentUnionParam{OfInputImage: &responses.ResponseInputImageParam{
			Detail: responses.ResponseInputImageDetailAuto, ImageURL: openai.String(dataURL("image/png", turn.Image))}})
	}
	if turn.PDF != nil {
		content = append(content, responses.ResponseInputContentUnionParam{OfInputFile: &responses.ResponseInputFileParam{
			Filename: openai.String("level.pdf"), FileData: openai.String(dataURL("application/pdf", turn.PDF))}})
	}
	if turn.Text != "" {
		content = append(content, responses.ResponseInputContentParamOfInputText(turn.Text))
		items = append(items, responses.ResponseInputItemParamOfMessage(content, responses.EasyInputMessageRoleUser))
	}
	return items
}
