package openai

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Answer writes a whole answer. Lossy, in the words of an answer: media that a model
// made, the stop sequence that ended it, and further calls where the caller knows
// function_call only.
func (s *Surface) Answer(answer *chat.Answer) ([]byte, chat.Lossy) {
	lossy := answer.Lossy
	wire := wireAnswer{
		ID: answer.ID, Object: "chat.completion", Created: s.created(answer.Created), Model: answer.Model,
		Choices: make([]wireChoice, 0, len(answer.Choices)), ServiceTier: answer.Usage.ServiceTier,
	}
	for i := range answer.Choices {
		wire.Choices = append(wire.Choices, s.choice(i, &answer.Choices[i], &lossy))
	}
	if answer.Usage.Tokens != nil {
		usage := toWireUsage(answer.Usage.Tokens)
		wire.Usage = &usage
	}
	return append(jsonvalue.Encode(&wire), '\n'), lossy
}

// created is the time of the answer; of one whose dialect does not say, now.
func (s *Surface) created(at time.Time) int64 {
	if at.IsZero() {
		at = s.now()
	}
	return at.Unix()
}

func (s *Surface) choice(index int, choice *chat.Choice, lossy *chat.Lossy) wireChoice {
	wire := wireChoice{Index: index, Message: wireReply{Role: "assistant"}, Logprobs: json.RawMessage(choice.Logprobs)}
	var texts replyTexts
	for i := range choice.Parts {
		if kind := wire.Message.add(&texts, &choice.Parts[i]); kind != "" {
			lossy.Add("choices.message." + kind)
		}
	}
	texts.into(&wire.Message)
	calls := len(wire.Message.ToolCalls)
	if s.legacy && calls > 0 {
		wire.Message.FunctionCall = wire.Message.ToolCalls[0].Function
		wire.Message.ToolCalls = nil
		if calls > 1 {
			lossy.Add("choices.message.tool_calls")
		}
	}
	if choice.Stop == chat.StopSequence && choice.Sequence != "" {
		lossy.Add("choices.stop_sequence")
	}
	wire.FinishReason = s.finishReason(choice.Stop, calls > 0)
	if len(wire.Logprobs) == 0 {
		wire.Logprobs = json.RawMessage("null")
	}
	return wire
}

// replyTexts are those of a reply, each of parts that may be many.
type replyTexts struct {
	content, refusal, thinking strings.Builder
	speaks, refuses            bool
}

func (t *replyTexts) into(r *wireReply) {
	if t.speaks {
		r.Content = &wireText{text: t.content.String()}
	}
	if t.refuses {
		refusal := t.refusal.String()
		r.Refusal = &refusal
	}
	r.ReasoningContent = t.thinking.String()
}

// add puts a part in its place. What has none is named.
func (r *wireReply) add(texts *replyTexts, part *chat.Part) (lost string) {
	switch part.Kind {
	case chat.Text:
		texts.speaks = true
		texts.content.WriteString(part.Text)
	case chat.Refusal:
		texts.refuses = true
		texts.refusal.WriteString(part.Text)
	case chat.Thinking:
		texts.thinking.WriteString(part.Text)
		if part.Signature != "" {
			r.ThinkingBlocks = append(r.ThinkingBlocks, newWireThought(part.Text, part.Signature))
		}
	case chat.Redacted:
		r.ThinkingBlocks = append(r.ThinkingBlocks, wireThought{Type: blockRedacted, Data: part.Data})
	case chat.Call:
		r.ToolCalls = append(r.ToolCalls, newWireCall(part.Call.ID, part.Call.Name, orEmptyObject(part.Call.Arguments), part.Signature))
	case chat.Image:
		return "images"
	case chat.Audio:
		return "audio"
	default:
		return "content"
	}
	return ""
}

// orEmptyObject: a call without arguments is parsed by clients all the same.
func orEmptyObject(arguments string) string {
	if arguments == "" {
		return "{}"
	}
	return arguments
}

// finishReason of OpenAI. A turn that paused was not finished: to a caller that is
// what length means.
func (s *Surface) finishReason(stop chat.Stop, called bool) string {
	switch stop {
	case chat.StopLength, chat.StopPaused:
		return "length"
	case chat.StopFiltered:
		return "content_filter"
	case chat.StopTools:
		called = true
	}
	switch {
	case called && s.legacy:
		return "function_call"
	case called:
		return "tool_calls"
	}
	return "stop"
}

// toWireUsage puts the buckets together: OpenAI's totals have all of their details in
// them.
func toWireUsage(tokens *usagev1.TokenUsage) wireUsage {
	var usage wireUsage
	usage.PromptDetails.Cached = tokens.GetCacheRead()
	usage.PromptDetails.CacheWrite = tokens.GetCacheWrite_5M() + tokens.GetCacheWrite_1H()
	usage.PromptDetails.Audio = tokens.GetInputAudio()
	usage.CompletionDetails.Reasoning = tokens.GetReasoning()
	usage.CompletionDetails.Audio = tokens.GetOutputAudio()
	usage.PromptTokens = tokens.GetInput() + tokens.GetInputImage() + usage.PromptDetails.Cached + usage.PromptDetails.CacheWrite + usage.PromptDetails.Audio
	usage.CompletionTokens = tokens.GetOutput() + tokens.GetOutputImage() + usage.CompletionDetails.Reasoning + usage.CompletionDetails.Audio
	usage.TotalTokens = usage.PromptTokens + usage.CompletionTokens
	return usage
}
