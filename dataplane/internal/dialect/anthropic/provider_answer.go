package anthropic

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

var errNoMessage = errors.New("the answer is no message")

// wireMessage is an answer, whole or as a stream begins it.
type wireMessage struct {
	Type         string
	ID           string
	Model        string
	Content      []wireBlock
	StopReason   string `json:"stop_reason"`
	StopSequence string `json:"stop_sequence"`
	StopDetails  any    `json:"stop_details"`
	Usage        json.RawMessage
	Error        *wireError
}

type wireBlock struct {
	Type                            string
	Text, Thinking, Signature, Data string
	ID, Name                        string
	Input                           json.RawMessage
	Citations                       []any
}

// Answer reads a whole answer.
func (p *Provider) Answer(body []byte) (*chat.Answer, error) {
	var wire wireMessage
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if wire.Error != nil {
		return nil, fmt.Errorf("%w: %s", errNoMessage, wire.Error.Type)
	}
	if wire.Type != "message" {
		return nil, errNoMessage
	}
	answer := &chat.Answer{ID: wire.ID, Model: wire.Model}
	choice := chat.Choice{Stop: p.stop(wire.StopReason), Sequence: wire.StopSequence}
	for i := range wire.Content {
		if part, ok := p.part(&wire.Content[i]); ok {
			choice.Parts = append(choice.Parts, part)
		} else {
			answer.Lossy.Add("content." + wire.Content[i].Type)
		}
		if len(wire.Content[i].Citations) > 0 {
			answer.Lossy.Add("content.citations")
		}
	}
	if wire.StopDetails != nil {
		answer.Lossy.Add("stop_details")
	}
	answer.Choices = []chat.Choice{choice}
	readUsage(answer, wire.Usage)
	return answer, nil
}

func readUsage(answer *chat.Answer, object []byte) {
	var c counts
	c.read(object)
	answer.Usage = c.usage()
	if answer.Usage.Tokens != nil {
		sum := sha256.Sum256(object)
		answer.Usage.SHA256 = sum[:]
	}
	if c.requests {
		answer.Lossy.Add("usage.server_tool_use")
	}
}

func (c *counts) usage() chat.Usage {
	return chat.Usage{Tokens: c.disjoint(), ServiceTier: c.served(), Geo: c.geo, Unpriced: c.requests}
}

// part is what a block is; false: there is no place for it, as for those of tools that
// the provider ran.
func (p *Provider) part(b *wireBlock) (chat.Part, bool) {
	switch b.Type {
	case "text":
		return chat.Part{Text: b.Text}, true
	case "thinking":
		return chat.Part{Kind: chat.Thinking, Text: b.Thinking, Signature: b.Signature}, true
	case "redacted_thinking":
		return chat.Part{Kind: chat.Redacted, Data: b.Data}, true
	case "tool_use":
		if p.emulated != "" && b.Name == p.emulated {
			return chat.Part{Text: string(b.Input)}, true
		}
		return chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: b.ID, Name: b.Name, Arguments: string(b.Input)}}, true
	}
	return chat.Part{}, false
}

var stops = map[string]chat.Stop{
	"end_turn":                      chat.StopEnd,
	"max_tokens":                    chat.StopLength,
	"model_context_window_exceeded": chat.StopLength,
	"stop_sequence":                 chat.StopSequence,
	"tool_use":                      chat.StopTools,
	"pause_turn":                    chat.StopPaused,
	"refusal":                       chat.StopFiltered,
}

func (p *Provider) stop(reason string) chat.Stop {
	if stop := stops[reason]; stop != chat.StopTools || p.emulated == "" {
		return stop
	}
	return chat.StopEnd
}
