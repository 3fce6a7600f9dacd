package openai

import (
	"encoding/json"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// Types of thinking_blocks.
const (
	blockThinking = "thinking"
	blockRedacted = "redacted_thinking"
)

// wireThought is an element of thinking_blocks.
type wireThought struct {
	Type      string  `json:"type"`
	Thinking  *string `json:"thinking,omitempty"`
	Signature string  `json:"signature,omitempty"`
	Data      string  `json:"data,omitempty"`
}

// newWireThought is a signed block; its text may be empty, where a provider keeps it.
func newWireThought(text, signature string) wireThought {
	return wireThought{Type: blockThinking, Thinking: &text, Signature: signature}
}

func (t *wireThought) text() string {
	if t.Thinking == nil {
		return ""
	}
	return *t.Thinking
}

// wireCall is a tool call of a message, or a piece of one in a stream.
type wireCall struct {
	Index        *int          `json:"index,omitempty"`
	ID           string        `json:"id,omitempty"`
	Type         string        `json:"type,omitempty"`
	Function     *wireFunction `json:"function,omitempty"`
	ExtraContent *wireExtra    `json:"extra_content,omitempty"`
}

type wireFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// wireExtra has the signature of a call that Gemini made.
type wireExtra struct {
	Google struct {
		ThoughtSignature string `json:"thought_signature,omitempty"`
	} `json:"google"`
}

func newWireCall(id, name, arguments, signature string) wireCall {
	call := wireCall{ID: id, Type: "function", Function: &wireFunction{Name: name, Arguments: arguments}}
	if signature != "" {
		call.ExtraContent = &wireExtra{}
		call.ExtraContent.Google.ThoughtSignature = signature
	}
	return call
}

func (c *wireCall) signature() string {
	if c.ExtraContent == nil {
		return ""
	}
	return c.ExtraContent.Google.ThoughtSignature
}

// wireAnswer is a whole answer.
type wireAnswer struct {
	ID          string          `json:"id"`
	Object      string          `json:"object"`
	Created     int64           `json:"created"`
	Model       string          `json:"model"`
	Choices     []wireChoice    `json:"choices"`
	Usage       *wireUsage      `json:"usage,omitempty"`
	ServiceTier string          `json:"service_tier,omitempty"`
	Error       json.RawMessage `json:"error,omitempty"`
}

type wireChoice struct {
	Index        int             `json:"index"`
	Message      wireReply       `json:"message"`
	Logprobs     json.RawMessage `json:"logprobs"`
	FinishReason string          `json:"finish_reason"`
	// StopReason is vLLM's: the stop sequence, as a string, or a token's number.
	StopReason json.RawMessage `json:"stop_reason,omitempty"`
}

// wireReply is the message of an answer, or what one chunk of a stream adds to it.
// reasoning is the name that some compatible servers have for reasoning_content.
type wireReply struct {
	Role             string          `json:"role,omitempty"`
	Content          *wireText       `json:"content"`
	Refusal          *string         `json:"refusal"`
	ReasoningContent string          `json:"reasoning_content,omitempty"`
	Reasoning        json.RawMessage `json:"reasoning,omitempty"`
	ThinkingBlocks   []wireThought   `json:"thinking_blocks,omitempty"`
	ToolCalls        []wireCall      `json:"tool_calls,omitempty"`
	FunctionCall     *wireFunction   `json:"function_call,omitempty"`
	Annotations      json.RawMessage `json:"annotations,omitempty"`
	Audio            json.RawMessage `json:"audio,omitempty"`
	Images           json.RawMessage `json:"images,omitempty"`
}

func (r *wireReply) thinking() string {
	if r.ReasoningContent != "" {
		return r.ReasoningContent
	}
	if r.Content != nil && r.Content.thinking != "" {
		return r.Content.thinking
	}
	return jsonscan.Text(r.Reasoning)
}

// wireUsage is what usage looks like to a caller.
type wireUsage struct {
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`
	TotalTokens      int64 `json:"total_tokens"`
	PromptDetails    struct {
		Cached     int64 `json:"cached_tokens"`
		CacheWrite int64 `json:"cache_write_tokens"`
		Audio      int64 `json:"audio_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
		Audio     int64 `json:"audio_tokens"`
	} `json:"completion_tokens_details"`
}
