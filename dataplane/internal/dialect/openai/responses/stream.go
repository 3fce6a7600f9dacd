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
