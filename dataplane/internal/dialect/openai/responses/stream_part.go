package responses

import (
	"encoding/json"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// open begins a part. Texts are parts of one message, other parts are items of their own.
func (s *Surface) open(dst []byte, part *chat.Part) []byte {
	st := &s.stream
	isMessage := part.Kind == chat.Text || part.Kind == chat.Refusal
	if !isMessage {
		dst = s.endMessage(dst, completed)
	}
	st.kind, st.text, st.logprobs, st.signature = part.Kind, st.text[:0], nil, part.Signature
	switch {
	case isMessage:
		dst = s.openText(dst)
	case part.Kind == chat.Thinking:
		dst = s.add(dst, reasoning(itemID("rs_", st.response.id, st.index), inProgress, ""))
	case part.Kind == chat.Redacted:
		dst = s.silent(dst, ofRedacted+part.Data)
	case part.Kind == chat.Call:
		if part.Signature != "" {
			dst = s.silent(dst, ofCall+part.Signature)
		}
		st.call = *part.Call
		st.call.Arguments = ""
		dst = s.add(dst, functionCall(itemID("fc_", st.response.id, st.index), inProgress, &st.call))
		return s.more(dst, part.Call.Arguments, "")
	}
	return s.more(dst, part.Text, "")
}

func (s *Surface) openText(dst []byte) []byte {
	st := &s.stream
	if !st.messaging {
		st.messaging = true
		dst = s.add(dst, message(itemID("msg_", st.response.id, st.index), inProgress, []outPart{}))
	}
	return s.partEvent(dst, "response.content_part.added", s.part())
}

// silent is an item of reasoning without words.
func (s *Surface) silent(dst []byte, encrypted string) []byte {
	item := reasoning(itemID("rs_", s.stream.response.id, s.stream.index), completed, encrypted)
	return s.done(s.add(dst, item), item)
}

// part is the open one as far as it came.
func (s *Surface) part() outPart {
	text := string(s.stream.text)
	switch s.stream.kind {
	case chat.Refusal:
		return refusalPart(text)
	case chat.Thinking:
		return summaryPart(text)
	}
	part := textPart(text, "")
	if len(s.stream.logprobs) > 0 {
		part.Logprobs = join(s.stream.logprobs)
	}
	return part
}

// join makes one array of several.
func join(arrays []json.RawMessage) json.RawMessage {
	var tokens []json.RawMessage
	for _, array := range arrays {
		var some []json.RawMessage
		_ = json.Unmarshal(array, &some) // arrays, all of them
		tokens = append(tokens, some...)
	}
	return jsonvalue.Encode(tokens)
}

// partEvent has a part of a message or a summary.
func (s *Surface) partEvent(dst []byte, kind string, part outPart) []byte {
	dst = append(s.within(dst, kind, s.place()), `,"part":`...)
	return end(append(dst, jsonvalue.Encode(part)...))
}

// place is the name of a part's index; empty: it has none.
func (s *Surface) place() string {
	switch s.stream.kind {
	case chat.Call:
		return ""
	case chat.Thinking:
		return "summary_index"
	}
	return "content_index"
}

func (s *Surface) delta(dst []byte, d *chat.Delta) []byte {
	if d.Signature != "" {
		s.stream.signature = d.Signature
	}
	return s.more(dst, d.Text+d.Arguments, d.Logprobs)
}

var textEvents = map[chat.Kind]string{
	chat.Text: "response.output_text", chat.Refusal: "response.refusal",
	chat.Thinking: "response.reasoning_summary_text", chat.Call: "response.function_call_arguments",
}

// more goes on with the open part.
func (s *Surface) more(dst []byte, text, logprobs string) []byte {
	if text == "" && logprobs == "" {
		return dst
	}
	if s.stream.kind == chat.Thinking && len(s.stream.text) == 0 { // a provider may keep its words
		dst = s.partEvent(dst, "response.reasoning_summary_part.added", summaryPart(""))
	}
	s.stream.text = append(s.stream.text, text...)
	dst = s.within(dst, textEvents[s.stream.kind]+".delta", s.place())
	dst = jsonvalue.AppendQuoted(append(dst, `,"delta":`...), text)
	if s.stream.kind == chat.Text {
		tokens := tokensOf(logprobs)
		if logprobs != "" {
			s.stream.logprobs = append(s.stream.logprobs, tokens)
		}
		dst = append(append(dst, `,"logprobs":`...), tokens...)
	}
	return end(dst)
}

// close ends a part, and its item: but that of a message, which may have more.
func (s *Surface) close(dst []byte) []byte {
	st := &s.stream
	switch st.kind {
	case chat.Redacted:
		return dst
	case chat.Call:
		return s.closeCall(dst)
	case chat.Thinking:
		return s.closeThought(dst)
	}
	part := s.part()
	field := map[chat.Kind]string{chat.Text: "text", chat.Refusal: "refusal"}[st.kind]
	dst = s.said(dst, field)
	dst = s.partEvent(dst, "response.content_part.done", part)
	st.parts = append(st.parts, part)
	return dst
}

// said tells the whole of what came in pieces.
func (s *Surface) said(dst []byte, field string) []byte {
	dst = s.within(dst, textEvents[s.stream.kind]+".done", s.place())
	dst = append(append(append(dst, `,"`...), field...), `":`...)
	dst = jsonvalue.AppendQuoted(dst, string(s.stream.text))
	if s.stream.kind == chat.Text {
		dst = append(append(dst, `,"logprobs":`...), s.part().Logprobs...)
	}
	return end(dst)
}

func (s *Surface) closeThought(dst []byte) []byte {
	var summary []outPart
	if len(s.stream.text) > 0 {
		summary = []outPart{s.part()}
		dst = s.said(dst, "text")
		dst = s.partEvent(dst, "response.reasoning_summary_part.done", summary[0])
	}
	return s.done(dst, reasoning(s.stream.item.ID, completed, signed(ofThinking, s.stream.signature), summary...))
}

func (s *Surface) closeCall(dst []byte) []byte {
	if len(s.stream.text) == 0 {
		dst = s.more(dst, "{}", "")
	}
	dst = s.said(dst, "arguments")
	s.stream.call.Arguments = string(s.stream.text)
	return s.done(dst, functionCall(s.stream.item.ID, completed, &s.stream.call))
}

func (s *Surface) endMessage(dst []byte, status string) []byte {
	if !s.stream.messaging {
		return dst
	}
	s.stream.messaging = false
	dst = s.done(dst, message(s.stream.item.ID, status, s.stream.parts))
	s.stream.parts = nil
	return dst
}
