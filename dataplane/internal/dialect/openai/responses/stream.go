package responses

import (
	"encoding/json"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// writing is the state of a stream on its way to the caller.
type writing struct {
	sequence int
	response response
	begun    bool
	// items are those that ended, divided by commas; index is of the next one.
	items []byte
	index int
	// item is the open one, of kind; its text so far, and the parts of a message that
	// ended.
	item     outItem
	kind     chat.Kind
	text     []byte
	logprobs []json.RawMessage
	parts    []outPart
	// messaging: a message is open and takes further parts.
	messaging bool
	call      chat.ToolCall
	signature string
}

// Event appends the events of a step. Of an answer the first choice is told.
func (s *Surface) Event(dst []byte, e chat.Event) []byte {
	switch {
	case e.Begin != nil:
		return s.begin(dst, e.Begin)
	case e.Ping:
		return append(dst, ": ping\n\n"...)
	case e.Failure != nil:
		return s.fail(dst, e.Failure)
	case e.Usage != nil && e.Usage.Tokens != nil:
		s.stream.response.usage = e.Usage
	case e.Open != nil && e.Open.Choice == 0:
		return s.open(dst, &e.Open.Part)
	case e.Delta != nil && e.Delta.Choice == 0:
		return s.delta(dst, e.Delta)
	case e.Close != nil && e.Close.Choice == 0:
		return s.close(dst)
	case e.End != nil && e.End.Choice == 0:
		s.stream.response.status, s.stream.response.reason = statusOf(e.End.Stop)
	}
	return dst
}

func (s *Surface) begin(dst []byte, b *chat.Begin) []byte {
	s.stream.begun = true
	s.stream.response = response{surface: s, id: responseID(b.ID), model: b.Model, created: s.createdAt(b.Created), status: inProgress}
	dst = s.whole(dst, "response.created")
	return s.whole(dst, "response.in_progress")
}

// event begins one; end ends it.
func (s *Surface) event(dst []byte, kind string) []byte {
	dst = append(append(dst, "event: "...), kind...)
	dst = append(append(append(dst, "\ndata: {\"type\":\""...), kind...), `","sequence_number":`...)
	dst = strconv.AppendInt(dst, int64(s.stream.sequence), 10)
	s.stream.sequence++
	return dst
}

func end(dst []byte) []byte { return append(dst, "}\n\n"...) }

// whole is an event that has the response.
func (s *Surface) whole(dst []byte, kind string) []byte {
	dst = append(s.event(dst, kind), `,"response":`...)
	return end(s.stream.response.append(dst))
}

// ofItem is an event of the open item, with the item itself.
func (s *Surface) ofItem(dst []byte, kind string, item *outItem) []byte {
	dst = append(s.event(dst, kind), `,"output_index":`...)
	dst = strconv.AppendInt(dst, int64(s.stream.index), 10)
	dst = append(append(dst, `,"item":`...), jsonvalue.Encode(item)...)
	return end(dst)
}

// within is an event inside of the open item; place names the index of the part.
func (s *Surface) within(dst []byte, kind, place string) []byte {
	dst = append(s.event(dst, kind), `,"output_index":`...)
	dst = strconv.AppendInt(dst, int64(s.stream.index), 10)
	dst = jsonvalue.AppendQuoted(append(dst, `,"item_id":`...), s.stream.item.ID)
	if place == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), place...), `":`...)
	return strconv.AppendInt(dst, int64(len(s.stream.parts)), 10)
}

// add begins an item.
func (s *Surface) add(dst []byte, item outItem) []byte {
	s.stream.item = item
	return s.ofItem(dst, "response.output_item.added", &item)
}

// done ends the open item as it is.
func (s *Surface) done(dst []byte, item outItem) []byte {
	dst = s.ofItem(dst, "response.output_item.done", &item)
	if len(s.stream.items) > 0 {
		s.stream.items = append(s.stream.items, ',')
	}
	s.stream.items = append(s.stream.items, jsonvalue.Encode(item)...)
	s.stream.index++
	return dst
}

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
		dst = s.partEvent(dst, "response.reasoning_summary_part.added", summaryPart(""))
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
		st.messaging, st.parts = true, nil
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
		part := s.part()
		dst = s.said(dst, "text")
		dst = s.partEvent(dst, "response.reasoning_summary_part.done", part)
		return s.done(dst, reasoning(st.item.ID, completed, signed(ofThinking, st.signature), part))
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

// Finish ends the stream with the whole response.
func (s *Surface) Finish(dst []byte) []byte {
	st := &s.stream
	if st.response.failure != nil {
		return dst
	}
	if !st.begun {
		dst = s.begin(dst, &chat.Begin{})
	}
	if st.response.status == inProgress {
		st.response.status = completed
	}
	dst = s.endMessage(dst, st.response.status)
	st.response.output = append(append([]byte{'['}, st.items...), ']')
	return s.whole(dst, "response."+st.response.status)
}

// fail ends the stream: with a response that failed where one had begun.
func (s *Surface) fail(dst []byte, f *chat.Failure) []byte {
	s.stream.response.failure = f
	if s.stream.begun {
		s.stream.response.status = failed
		s.stream.response.output = append(append([]byte{'['}, s.stream.items...), ']')
		return s.whole(dst, "response.failed")
	}
	dst = append(append(s.event(dst, "error"), `,"code":"`...), errorCode(f.Status)...)
	dst = jsonvalue.AppendQuoted(append(dst, `","message":`...), f.Message)
	return end(append(dst, `,"param":null`...))
}
