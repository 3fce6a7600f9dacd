package responses

import (
	"strconv"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// Answer writes a whole answer: its first choice, of which a response has one. Lossy, in
// the words of a response: media that a model made and the stop sequence that ended it.
func (s *Surface) Answer(answer *chat.Answer) ([]byte, chat.Lossy) {
	lossy := answer.Lossy
	r := response{surface: s, id: responseID(answer.ID), model: answer.Model, created: s.createdAt(answer.Created), status: completed}
	if answer.Usage.Tokens != nil {
		r.usage = &answer.Usage
	}
	if len(answer.Choices) > 1 {
		lossy.Add("choices")
	}
	if len(answer.Choices) > 0 {
		choice := &answer.Choices[0]
		r.status, r.reason = statusOf(choice.Stop)
		if choice.Stop == chat.StopSequence && choice.Sequence != "" {
			lossy.Add("stop_sequence")
		}
		r.output = jsonvalue.Encode(items(r.id, r.status, choice, &lossy))
	}
	return append(r.append(nil), '\n'), lossy
}

// items puts texts that follow each other into one message.
func items(response, status string, choice *chat.Choice, lossy *chat.Lossy) []outItem {
	list := []outItem{}
	logprobs := choice.Logprobs
	for i := range choice.Parts {
		part := &choice.Parts[i]
		switch part.Kind {
		case chat.Text, chat.Refusal:
			out := refusalPart(part.Text)
			if part.Kind == chat.Text {
				out, logprobs = textPart(part.Text, logprobs), ""
			}
			if n := len(list); n > 0 && list[n-1].Content != nil {
				*list[n-1].Content = append(*list[n-1].Content, out)
				continue
			}
			list = append(list, message(itemID("msg_", response, len(list)), completed, []outPart{out}))
		case chat.Thinking:
			list = append(list, reasoning(itemID("rs_", response, len(list)), completed, signed(ofThinking, part.Signature), summaries(part.Text)...))
		case chat.Redacted:
			list = append(list, reasoning(itemID("rs_", response, len(list)), completed, ofRedacted+part.Data))
		case chat.Call:
			if part.Signature != "" {
				list = append(list, reasoning(itemID("rs_", response, len(list)), completed, ofCall+part.Signature))
			}
			call := *part.Call
			if call.Arguments == "" {
				call.Arguments = "{}"
			}
			list = append(list, functionCall(itemID("fc_", response, len(list)), completed, &call))
		default:
			lossy.Add("output")
		}
	}
	if n := len(list); n > 0 && list[n-1].Content != nil {
		list[n-1].Status = status // the last of the words may have been cut off
	}
	return list
}

func summaries(text string) []outPart {
	if text == "" {
		return nil
	}
	return []outPart{summaryPart(text)}
}

func responseID(id string) string {
	if len(id) > 5 && id[:5] == "resp_" {
		return id
	}
	return "resp_" + id
}

// createdAt is the time of the answer; of one whose dialect does not say, now.
func (s *Surface) createdAt(at time.Time) int64 {
	if at.IsZero() {
		at = s.now()
	}
	return at.Unix()
}

// response is the object that answers, and that the events of a stream begin and end with.
type response struct {
	surface        *Surface
	id, model      string
	created        int64
	status, reason string
	output         []byte // items, an array; nil: none
	usage          *chat.Usage
	failure        *chat.Failure
}

func (r *response) append(dst []byte) []byte {
	dst = jsonvalue.AppendQuoted(append(dst, `{"id":`...), r.id)
	dst = append(dst, `,"object":"response","created_at":`...)
	dst = strconv.AppendInt(dst, r.created, 10)
	dst = append(append(dst, `,"status":"`...), r.status...)
	dst = jsonvalue.AppendQuoted(append(dst, `","model":`...), r.model)
	dst = append(dst, `,"output":`...)
	if r.output == nil {
		dst = append(dst, "[]"...)
	}
	dst = append(dst, r.output...)
	dst = r.appendEnd(dst)
	dst = append(dst, r.surface.echo...)
	if r.usage == nil {
		return append(dst, `,"usage":null}`...)
	}
	if r.usage.ServiceTier != "" {
		dst = jsonvalue.AppendQuoted(append(dst, `,"service_tier":`...), r.usage.ServiceTier)
	}
	dst = append(dst, `,"usage":`...)
	return append(append(dst, jsonvalue.Encode(toUsage(r.usage.Tokens))...), '}')
}

// appendEnd says why the response is not whole.
func (r *response) appendEnd(dst []byte) []byte {
	if r.failure == nil {
		dst = append(dst, `,"error":null`...)
	} else {
		dst = append(append(dst, `,"error":{"code":"`...), errorCode(r.failure.Status)...)
		dst = append(jsonvalue.AppendQuoted(append(dst, `","message":`...), r.failure.Message), '}')
	}
	if r.reason == "" {
		return append(dst, `,"incomplete_details":null`...)
	}
	return append(append(append(dst, `,"incomplete_details":{"reason":"`...), r.reason...), `"}`...)
}

// errorCode is one of those that a response has.
func errorCode(status int) string {
	switch {
	case status == 429:
		return "rate_limit_exceeded"
	case status >= 500:
		return "server_error"
	}
	return "invalid_prompt"
}
