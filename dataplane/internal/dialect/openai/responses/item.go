package responses

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// States of items and responses.
const (
	inProgress = "in_progress"
	completed  = "completed"
	incomplete = "incomplete"
	failed     = "failed"
)

// outItem is one of a response's output; which fields it has follows from its type.
type outItem struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Status    string     `json:"status"`
	Role      string     `json:"role,omitempty"`
	Content   *[]outPart `json:"content,omitempty"`
	Summary   *[]outPart `json:"summary,omitempty"`
	Encrypted string     `json:"encrypted_content,omitempty"`
	CallID    string     `json:"call_id,omitempty"`
	Name      string     `json:"name,omitempty"`
	Arguments *string    `json:"arguments,omitempty"`
}

// outPart is a part of a message, or of a summary.
type outPart struct {
	Type        string          `json:"type"`
	Text        *string         `json:"text,omitempty"`
	Refusal     *string         `json:"refusal,omitempty"`
	Annotations *[]struct{}     `json:"annotations,omitempty"`
	Logprobs    json.RawMessage `json:"logprobs,omitempty"`
}

func textPart(text, logprobs string) outPart {
	return outPart{Type: "output_text", Text: &text, Annotations: &[]struct{}{}, Logprobs: tokensOf(logprobs)}
}

func refusalPart(text string) outPart { return outPart{Type: "refusal", Refusal: &text} }

func summaryPart(text string) outPart { return outPart{Type: "summary_text", Text: &text} }

// tokensOf are the tokens of chat completions' logprobs: the form of each is the same.
func tokensOf(logprobs string) json.RawMessage {
	fields, err := jsonscan.Fields(nil, []byte(logprobs), nil)
	if err == nil {
		for _, field := range fields {
			if string(field.Name) == "content" && field.Value[0] == '[' {
				return field.Value
			}
		}
	}
	return json.RawMessage("[]")
}

// itemID names an item by its place: ids of the dialect begin with what they are of.
func itemID(prefix, response string, index int) string {
	return prefix + strings.TrimPrefix(response, "resp_") + "_" + strconv.Itoa(index)
}

func message(id, status string, parts []outPart) outItem {
	return outItem{ID: id, Type: "message", Status: status, Role: "assistant", Content: &parts}
}

func functionCall(id, status string, call *chat.ToolCall) outItem {
	arguments := call.Arguments
	return outItem{ID: id, Type: "function_call", Status: status, CallID: call.ID, Name: call.Name, Arguments: &arguments}
}

// reasoning is an item of a thought; encrypted is what a provider signed, with its word.
func reasoning(id, status, encrypted string, summary ...outPart) outItem {
	if summary == nil {
		summary = []outPart{}
	}
	return outItem{ID: id, Type: "reasoning", Status: status, Summary: &summary, Encrypted: encrypted}
}

func signed(word, signature string) string {
	if signature == "" {
		return ""
	}
	return word + signature
}

// statusOf a response, and why it is incomplete. A turn that paused was not finished: to a
// caller that is what the cap on output means.
func statusOf(stop chat.Stop) (status, reason string) {
	switch stop {
	case chat.StopLength, chat.StopPaused:
		return incomplete, "max_output_tokens"
	case chat.StopFiltered:
		return incomplete, "content_filter"
	}
	return completed, ""
}

type outUsage struct {
	Input        int64 `json:"input_tokens"`
	InputDetails struct {
		Cached     int64 `json:"cached_tokens"`
		CacheWrite int64 `json:"cache_write_tokens"`
	} `json:"input_tokens_details"`
	Output        int64 `json:"output_tokens"`
	OutputDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	Total int64 `json:"total_tokens"`
}

// toUsage puts the buckets together; nil where there are none.
func toUsage(tokens *usagev1.TokenUsage) *outUsage {
	if tokens == nil {
		return nil
	}
	usage := &outUsage{}
	usage.InputDetails.Cached = tokens.GetCacheRead()
	usage.InputDetails.CacheWrite = tokens.GetCacheWrite_5M() + tokens.GetCacheWrite_1H()
	usage.OutputDetails.Reasoning = tokens.GetReasoning()
	usage.Input = tokens.GetInput() + tokens.GetInputImage() + usage.InputDetails.Cached + usage.InputDetails.CacheWrite + tokens.GetInputAudio()
	usage.Output = tokens.GetOutput() + tokens.GetOutputImage() + usage.OutputDetails.Reasoning + tokens.GetOutputAudio()
	usage.Total = usage.Input + usage.Output
	return usage
}
