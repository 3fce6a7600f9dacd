package reason

import (
	"bytes"
	"encoding/json"
	"slices"
)

// marks are what a filtered answer has somewhere: without one it is not taken apart.
var marks = [][]byte{
	[]byte("content_filter"), []byte("refusal"), []byte("SAFETY"), []byte("blockReason"), []byte("PROHIBITED_CONTENT"),
	[]byte("BLOCKLIST"), []byte("SPII"), []byte("guardrail_intervened"), []byte("context_window_exceeded"),
}

type wireAnswer struct {
	Choices []struct {
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Candidates []struct {
		Finish string `json:"finishReason"`
	} `json:"candidates"`
	Feedback struct {
		Block string `json:"blockReason"`
	} `json:"promptFeedback"`
	wireStop
	Delta      wireStop `json:"delta"`
	Incomplete struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
	Response *wireAnswer `json:"response"`
}

// wireStop is Anthropic's and Bedrock's.
type wireStop struct {
	Snake string `json:"stop_reason"`
	Camel string `json:"stopReason"`
}

// filters are the reasons to end that a filter gives.
var filters = []string{
	"content_filter", "content_filtered", "guardrail_intervened", "refusal",
	"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY",
}

// OfAnswer reads an answer that is no error, or one event of a stream: a filter stopped all of
// its choices, or the model's context was over before its end.
func OfAnswer(body []byte) Reason {
	if !slices.ContainsFunc(marks, func(mark []byte) bool { return bytes.Contains(body, mark) }) {
		return Other
	}
	var wire wireAnswer
	if json.Unmarshal(body, &wire) != nil {
		return Other
	}
	return wire.reason()
}

func (w *wireAnswer) reason() Reason {
	if w.Response != nil {
		return w.Response.reason()
	}
	ends := []string{w.Snake, w.Camel, w.Delta.Snake, w.Incomplete.Reason}
	for _, choice := range w.Choices {
		ends = append(ends, choice.Finish)
	}
	for _, candidate := range w.Candidates {
		ends = append(ends, candidate.Finish)
	}
	reason := Other
	if block := w.Feedback.Block; block != "" && block != "BLOCK_REASON_UNSPECIFIED" {
		reason = ContentFilter
	}
	for _, end := range ends {
		switch {
		case end == "":
		case slices.Contains(filters, end):
			reason = ContentFilter
		case end == "model_context_window_exceeded":
			return ContextTooLong
		default:
			return Other
		}
	}
	return reason
}
