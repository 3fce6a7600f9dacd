package bedrock

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

var errNoAnswer = errors.New("the answer has no message")

type wireAnswer struct {
	Output struct {
		Message *struct{ Content []wireBlock }
	}
	StopReason  string
	More        wireMore `json:"additionalModelResponseFields"`
	Usage       json.RawMessage
	ServiceTier wireTier
	Type        string `json:"__type"`
}

// wireMore is what only some models tell.
type wireMore struct {
	StopSequence string `json:"stop_sequence"`
}

type wireTier struct{ Type string }

// wireBlock has one field, by which its kind is known.
type wireBlock struct {
	Text             *string
	ToolUse          *wireToolUse
	ReasoningContent *struct {
		ReasoningText   *struct{ Text, Signature string }
		RedactedContent string
	}
	Image            *wireFile
	CitationsContent *struct{ Content []struct{ Text string } }
}

type wireToolUse struct {
	ToolUseID string `json:"toolUseId"`
	Name      string
	Input     json.RawMessage
	// Type is said of tools that the provider runs.
	Type string
}

type wireFile struct {
	Format string
	Source struct{ Bytes string }
}

// Answer reads a whole answer. Neither its id, which is in a header, nor its model is told.
func (p *Provider) Answer(body []byte) (*chat.Answer, error) {
	var wire wireAnswer
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if wire.Output.Message == nil {
		return nil, fmt.Errorf("%w %s", errNoAnswer, errorName(wire.Type))
	}
	answer := &chat.Answer{Usage: usageOf(wire.Usage, wire.ServiceTier.Type)}
	choice := chat.Choice{Stop: p.stop(wire.StopReason), Sequence: wire.More.StopSequence}
	for i := range wire.Output.Message.Content {
		if part, ok := p.part(&wire.Output.Message.Content[i], &answer.Lossy); ok {
			choice.Parts = append(choice.Parts, part)
		}
	}
	answer.Choices = []chat.Choice{choice}
	return answer, nil
}

// part is what a block is; false: there is no place for it, as for those of tools that the
// provider ran.
func (p *Provider) part(b *wireBlock, lossy *chat.Lossy) (chat.Part, bool) {
	switch {
	case b.Text != nil:
		return chat.Part{Text: *b.Text}, true
	case b.ToolUse != nil && b.ToolUse.Type == "":
		if p.emulated != "" && b.ToolUse.Name == p.emulated {
			return chat.Part{Text: string(b.ToolUse.Input)}, true
		}
		return chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: b.ToolUse.ToolUseID, Name: b.ToolUse.Name, Arguments: string(b.ToolUse.Input)}}, true
	case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil:
		text := b.ReasoningContent.ReasoningText
		return chat.Part{Kind: chat.Thinking, Text: text.Text, Signature: text.Signature}, true
	case b.ReasoningContent != nil:
		return chat.Part{Kind: chat.Redacted, Data: b.ReasoningContent.RedactedContent}, true
	case b.Image != nil && b.Image.Source.Bytes != "":
		return b.Image.part(), true
	case b.CitationsContent != nil:
		lossy.Add("content.citations")
		var said strings.Builder
		for _, piece := range b.CitationsContent.Content {
			said.WriteString(piece.Text)
		}
		return chat.Part{Text: said.String()}, true
	}
	lossy.Add("content")
	return chat.Part{}, false
}

func (f *wireFile) part() chat.Part {
	return chat.Part{Kind: chat.Image, Media: &chat.Media{Type: "image/" + f.Format, Data: f.Source.Bytes}}
}

// stops are the reasons why an answer ended. That the model wrote what can't be read says
// nothing.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
var stops = map[string]chat.Stop{
	"end_turn":                      chat.StopEnd,
	"tool_use":                      chat.StopTools,
	"max_tokens":                    chat.StopLength,
	"model_context_window_exceeded": chat.StopLength,
	"stop_sequence":                 chat.StopSequence,
	"guardrail_intervened":          chat.StopFiltered,
	"content_filtered":              chat.StopFiltered,
	"malformed_model_output":        chat.StopUnknown,
	"malformed_tool_use":            chat.StopUnknown,
}

func (p *Provider) stop(reason string) chat.Stop {
	if stop := stops[reason]; stop != chat.StopTools || p.emulated == "" {
		return stop
	}
	return chat.StopEnd
}
