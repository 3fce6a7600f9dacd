package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

var (
	errFailed    = errors.New("openai answer: it is an error")
	errNoChoices = errors.New("openai answer: it has no choices")
)

// Answer reads a whole answer.
func (p *Provider) Answer(body []byte) (*chat.Answer, error) {
	var wire struct {
		wireAnswer
		Usage json.RawMessage `json:"usage"` // ParseAnswer reads it
	}
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, fmt.Errorf("openai answer: %w", plainError(err))
	}
	if len(wire.Error) > 0 && string(wire.Error) != "null" {
		return nil, errFailed
	}
	if len(wire.Choices) == 0 {
		return nil, errNoChoices
	}
	answer := &chat.Answer{ID: wire.ID, Model: wire.Model, Created: createdAt(wire.Created), Usage: usageOf(body)}
	slices.SortStableFunc(wire.Choices, func(a, b wireChoice) int { return a.Index - b.Index })
	for i := range wire.Choices {
		answer.Choices = append(answer.Choices, fromWireChoice(wire.ID, &wire.Choices[i], &answer.Lossy))
	}
	return answer, nil
}

// plainError says what is wrong and quotes nothing of an answer.
func plainError(err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return fmt.Errorf("a %s where %s has none", wrongType.Value, wrongType.Field)
	}
	return errors.New("not valid JSON")
}

func createdAt(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func usageOf(body []byte) chat.Usage {
	said := ParseAnswer(body)
	return chat.Usage{Tokens: said.Usage, SHA256: said.UsageSHA256, ServiceTier: said.ServiceTier}
}

func fromWireChoice(answerID string, wire *wireChoice, lossy *chat.Lossy) chat.Choice {
	choice := chat.Choice{Parts: fromWireReply(&wire.Message, lossy)}
	for i, part := range choice.Parts {
		if part.Kind == chat.Call {
			part.Call.ID = callID(part.Call.ID, answerID, wire.Index, i)
		}
	}
	if raw := string(wire.Logprobs); raw != "null" {
		choice.Logprobs = raw
	}
	choice.Stop, choice.Sequence = stopOf(wire.FinishReason, wire.StopReason, len(wire.Message.ToolCalls) > 0 || wire.Message.FunctionCall != nil)
	return choice
}

// fromWireReply has the parts in the order in which a model makes them.
func fromWireReply(wire *wireReply, lossy *chat.Lossy) []chat.Part {
	parts := thoughtsOf(wire)
	if wire.Content != nil && wire.Content.text != "" {
		parts = append(parts, chat.Part{Kind: chat.Text, Text: wire.Content.text})
	}
	if wire.Refusal != nil && *wire.Refusal != "" {
		parts = append(parts, chat.Part{Kind: chat.Refusal, Text: *wire.Refusal})
	}
	for i := range wire.ToolCalls {
		if part := callOf(&wire.ToolCalls[i]); part.Call.Name != "" {
			parts = append(parts, part)
		} else {
			lossy.Add("choices.message.tool_calls")
		}
	}
	if call := wire.FunctionCall; call != nil {
		parts = append(parts, chat.Part{Kind: chat.Call, Call: &chat.ToolCall{Name: call.Name, Arguments: call.Arguments}})
	}
	noteLost(wire, lossy)
	return parts
}

// callID is the id of a call that came without, as a function_call does: other dialects
// need one. The same answer gives the same.
func callID(id, answerID string, choice, part int) string {
	if id != "" {
		return id
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", answerID, choice, part))
	return "call_" + hex.EncodeToString(sum[:12])
}

func callOf(call *wireCall) chat.Part {
	part := chat.Part{Kind: chat.Call, Signature: call.signature(), Call: &chat.ToolCall{ID: call.ID}}
	if call.Function != nil {
		part.Call.Name, part.Call.Arguments = call.Function.Name, call.Function.Arguments
	}
	return part
}

// thoughtsOf are signed blocks where they are there: their text is that of
// reasoning_content.
func thoughtsOf(wire *wireReply) (parts []chat.Part) {
	for _, block := range wire.ThinkingBlocks {
		switch block.Type {
		case blockThinking:
			parts = append(parts, chat.Part{Kind: chat.Thinking, Text: block.text(), Signature: block.Signature})
		case blockRedacted:
			parts = append(parts, chat.Part{Kind: chat.Redacted, Data: block.Data})
		}
	}
	if thinking := wire.thinking(); thinking != "" && !slices.ContainsFunc(parts, isThinking) {
		parts = append(parts, chat.Part{Kind: chat.Thinking, Text: thinking})
	}
	return parts
}

func isThinking(part chat.Part) bool { return part.Kind == chat.Thinking }

func noteLost(wire *wireReply, lossy *chat.Lossy) {
	if wire.Content != nil && wire.Content.lost {
		lossy.Add("choices.message.content")
	}
	for name, raw := range map[string]json.RawMessage{"annotations": wire.Annotations, "audio": wire.Audio, "images": wire.Images} {
		if len(raw) > 0 && string(raw) != "null" && !jsonvalue.EmptyArray(raw) {
			lossy.Add("choices.message." + name)
		}
	}
}

// stopOf reads why a choice ended. A call that was forced ends with stop: to the caller
// it is a call all the same. vLLM says which sequence it met. Beside OpenAI's words there
// are those of Mistral (model_length), Together (eos) and of servers that pass on another
// dialect's.
func stopOf(finish string, sequence json.RawMessage, called bool) (chat.Stop, string) {
	switch finish {
	case "stop", "eos", "eos_token", "end_turn", "stop_sequence", "STOP":
		if met := jsonscan.Text(sequence); met != "" && !called {
			return chat.StopSequence, met
		}
		if called {
			return chat.StopTools, ""
		}
		return chat.StopEnd, ""
	case "length", "model_length", "max_tokens", "MAX_TOKENS":
		return chat.StopLength, ""
	case "tool_calls", "function_call", "tool_use", "tool_call":
		return chat.StopTools, ""
	case "content_filter", "safety", "sensitive", "refusal", "SAFETY":
		return chat.StopFiltered, ""
	}
	return chat.StopUnknown, ""
}
