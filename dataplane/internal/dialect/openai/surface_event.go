package openai

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// writing is the state of a stream on its way to the caller.
type writing struct {
	// head begins every chunk.
	head    []byte
	choices []writtenChoice
	usage   *chat.Usage
	failed  bool
}

// writtenChoice is a choice of the stream; open is the kind of the part that deltas are
// of. Parts come one after the other.
type writtenChoice struct {
	begun bool
	open  chat.Kind
	calls int
	// argued: the open call has arguments.
	argued bool
	// thought is the open thinking part, whole, in case it is signed at its end.
	thought   []byte
	signature string
}

// Event appends a chunk, or several. Usage waits for Finish, the latest counts; a ping is a
// comment.
func (s *Surface) Event(dst []byte, e chat.Event) []byte {
	switch {
	case e.Begin != nil:
		s.begin(e.Begin)
		_, dst = s.at(dst, 0)
		return dst
	case e.Open != nil:
		choice, dst := s.at(dst, e.Open.Choice)
		return s.open(dst, choice, e.Open)
	case e.Delta != nil:
		choice, dst := s.at(dst, e.Delta.Choice)
		return s.delta(dst, choice, e.Delta)
	case e.Close != nil:
		choice, dst := s.at(dst, e.Close.Choice)
		return s.close(dst, choice, e.Close.Choice)
	case e.End != nil:
		choice, dst := s.at(dst, e.End.Choice)
		dst = s.chunk(dst, e.End.Choice)
		return s.tail(dst, s.finishReason(e.End.Stop, choice.calls > 0), "")
	case e.Usage != nil:
		s.stream.usage = e.Usage
	case e.Ping:
		return append(dst, ": ping\n\n"...)
	case e.Failure != nil:
		s.stream.failed = true
		dst = append(dst, "data: "...)
		return append(append(dst, failureBody(e.Failure)...), "\n\n"...)
	}
	return dst
}

func (s *Surface) begin(b *chat.Begin) {
	head := jsonvalue.AppendQuoted([]byte(`data: {"id":`), b.ID)
	head = append(head, `,"object":"chat.completion.chunk","created":`...)
	head = strconv.AppendInt(head, s.created(b.Created), 10)
	head = jsonvalue.AppendQuoted(append(head, `,"model":`...), b.Model)
	head = append(head, `,"choices":[`...)
	s.stream.head = head
}

// at is the choice of an index. Its first chunk says whose message it is.
func (s *Surface) at(dst []byte, index int) (*writtenChoice, []byte) {
	for len(s.stream.choices) <= index {
		s.stream.choices = append(s.stream.choices, writtenChoice{})
	}
	choice := &s.stream.choices[index]
	if choice.begun {
		return choice, dst
	}
	choice.begun = true
	dst = append(s.chunk(dst, index), `"role":"assistant","content":"","refusal":null`...)
	return choice, s.tail(dst, "", "")
}

// chunk begins one, up to the fields of its delta.
func (s *Surface) chunk(dst []byte, choice int) []byte {
	if s.stream.head == nil {
		s.begin(&chat.Begin{})
	}
	dst = append(append(dst, s.stream.head...), `{"index":`...)
	return append(strconv.AppendInt(dst, int64(choice), 10), `,"delta":{`...)
}

// tail ends a chunk.
func (s *Surface) tail(dst []byte, finish, logprobs string) []byte {
	dst = append(dst, `},"logprobs":`...)
	if logprobs == "" {
		logprobs = "null"
	}
	dst = append(append(dst, logprobs...), `,"finish_reason":`...)
	if finish == "" {
		dst = append(dst, `null}]`...)
	} else {
		dst = append(append(append(dst, '"'), finish...), `"}]`...)
	}
	if s.asksUsage {
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...)
}

func (s *Surface) open(dst []byte, choice *writtenChoice, o *chat.Open) []byte {
	choice.open = o.Part.Kind
	choice.signature, choice.thought = o.Part.Signature, choice.thought[:0]
	switch o.Part.Kind {
	case chat.Call:
		return s.openCall(dst, choice, o)
	case chat.Redacted:
		return s.block(dst, o.Choice, wireThought{Type: blockRedacted, Data: o.Part.Data})
	}
	return s.said(dst, choice, o.Choice, o.Part.Text, "")
}

func (s *Surface) openCall(dst []byte, choice *writtenChoice, o *chat.Open) []byte {
	choice.calls++
	choice.argued = o.Part.Call.Arguments != ""
	if s.legacy {
		if choice.calls > 1 {
			return dst
		}
		dst = append(s.chunk(dst, o.Choice), `"function_call":`...)
		dst = append(dst, jsonvalue.Encode(wireFunction{Name: o.Part.Call.Name, Arguments: o.Part.Call.Arguments})...)
		return s.tail(dst, "", "")
	}
	call := newWireCall(o.Part.Call.ID, o.Part.Call.Name, o.Part.Call.Arguments, o.Part.Signature)
	index := choice.calls - 1
	call.Index = &index
	dst = append(s.chunk(dst, o.Choice), `"tool_calls":[`...)
	return s.tail(append(append(dst, jsonvalue.Encode(call)...), ']'), "", "")
}

func (s *Surface) delta(dst []byte, choice *writtenChoice, d *chat.Delta) []byte {
	if d.Signature != "" {
		choice.signature = d.Signature
	}
	if choice.open == chat.Call {
		return s.arguments(dst, choice, d.Choice, d.Arguments)
	}
	return s.said(dst, choice, d.Choice, d.Text, d.Logprobs)
}

// said appends more of a text. Logprobs come with it.
func (s *Surface) said(dst []byte, choice *writtenChoice, index int, text, logprobs string) []byte {
	if text == "" && logprobs == "" {
		return dst
	}
	dst = s.chunk(dst, index)
	switch choice.open {
	case chat.Text:
		dst = append(dst, `"content":`...)
	case chat.Refusal:
		dst = append(dst, `"refusal":`...)
	case chat.Thinking:
		choice.thought = append(choice.thought, text...)
		dst = append(dst, `"reasoning_content":`...)
	}
	return s.tail(jsonvalue.AppendQuoted(dst, text), "", logprobs)
}

func (s *Surface) arguments(dst []byte, choice *writtenChoice, index int, piece string) []byte {
	if piece == "" || s.legacy && choice.calls > 1 {
		return dst
	}
	choice.argued = true
	dst = s.chunk(dst, index)
	if s.legacy {
		dst = append(dst, `"function_call":{"arguments":`...)
		return s.tail(append(jsonvalue.AppendQuoted(dst, piece), '}'), "", "")
	}
	dst = append(dst, `"tool_calls":[{"index":`...)
	dst = strconv.AppendInt(dst, int64(choice.calls-1), 10)
	dst = append(dst, `,"function":{"arguments":`...)
	return s.tail(append(jsonvalue.AppendQuoted(dst, piece), `}}]`...), "", "")
}

// close ends a part: a call without arguments gets an empty object, thinking that is
// signed its block.
func (s *Surface) close(dst []byte, choice *writtenChoice, index int) []byte {
	switch {
	case choice.open == chat.Call && !choice.argued:
		return s.arguments(dst, choice, index, "{}")
	case choice.open == chat.Thinking && choice.signature != "":
		return s.block(dst, index, newWireThought(string(choice.thought), choice.signature))
	}
	return dst
}

func (s *Surface) block(dst []byte, index int, thought wireThought) []byte {
	dst = append(s.chunk(dst, index), `"thinking_blocks":[`...)
	return s.tail(append(append(dst, jsonvalue.Encode(thought)...), ']'), "", "")
}

// Finish appends the usage event, where the caller asked for it and it is known, and the
// end mark.
func (s *Surface) Finish(dst []byte) []byte {
	if s.stream.failed {
		return dst
	}
	if usage := s.stream.usage; s.asksUsage && usage != nil && usage.Tokens != nil {
		if s.stream.head == nil {
			s.begin(&chat.Begin{})
		}
		dst = append(append(dst, s.stream.head...), `],"usage":`...)
		dst = append(dst, jsonvalue.Encode(toWireUsage(usage.Tokens))...)
		if usage.ServiceTier != "" {
			dst = jsonvalue.AppendQuoted(append(dst, `,"service_tier":`...), usage.ServiceTier)
		}
		dst = append(dst, "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}
