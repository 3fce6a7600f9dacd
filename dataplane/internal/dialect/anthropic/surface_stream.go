package anthropic

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// surfaceStream is where a stream to the caller is. Why it ended and its usage go out
// together, at its end.
type surfaceStream struct {
	begun, failed bool
	id            string
	parts         []sentPart
	blocks        int // so far
	end           chat.End
	usage         chat.Usage
}

// sentPart is a part that was opened; block is -1 where it has no place: media.
type sentPart struct {
	kind  chat.Kind
	block int
}

// part is one that was opened and has a place.
func (t *surfaceStream) part(index int) (part sentPart, ok bool) {
	if index < 0 || index >= len(t.parts) {
		return part, false
	}
	return t.parts[index], t.parts[index].block >= 0
}

// Event appends an event. Choices but the first have no place, nor have logprobs: this
// dialect can't ask for either.
func (s *Surface) Event(dst []byte, e chat.Event) []byte {
	w := writer{b: dst}
	t := &s.stream
	switch {
	case e.Ping:
		w.b = append(w.b, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
	case e.Failure != nil:
		t.failed = true
		w.b = errorEvent(w.b, failureJSON(e.Failure))
	case e.Begin != nil && !t.begun:
		t.begun, t.id = true, e.Begin.ID
		w.start(e.Begin)
	case !t.begun:
	case e.Open != nil && e.Open.Choice == 0:
		t.opens(&w, e.Open)
	case e.Delta != nil && e.Delta.Choice == 0:
		t.delta(&w, e.Delta)
	case e.Close != nil && e.Close.Choice == 0:
		t.closes(&w, e.Close)
	case e.End != nil && e.End.Choice == 0:
		t.end = *e.End
	case e.Usage != nil:
		t.usage = *e.Usage
	}
	return w.b
}

// Finish appends why the answer ended, its usage, and the end mark.
func (s *Surface) Finish(dst []byte) []byte {
	w := writer{b: dst}
	t := &s.stream
	if !t.begun || t.failed {
		return dst
	}
	w.event("message_delta")
	w.raw("delta", "{")
	w.stop(t.end.Stop, t.end.Sequence)
	w.close('}')
	w.usage(&t.usage)
	w.end()
	w.event("message_stop")
	w.end()
	return w.b
}

func (w *writer) event(name string) {
	w.b = append(w.b, "event: "...)
	w.b = append(w.b, name...)
	w.b = append(w.b, "\ndata: {\"type\":\""...)
	w.b = append(w.b, name...)
	w.b = append(w.b, '"')
}

func (w *writer) end() { w.b = append(w.b, "}\n\n"...) }

// start writes usage that is provisional: what it is comes at the end.
func (w *writer) start(b *chat.Begin) {
	w.event("message_start")
	w.raw("message", `{"type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,`+
		`"usage":{"input_tokens":0,"output_tokens":0}`)
	w.text("id", b.ID)
	w.text("model", b.Model)
	w.close('}')
	w.end()
}

func (t *surfaceStream) opens(w *writer, o *chat.Open) {
	if o.Index != len(t.parts) {
		return
	}
	if o.Part.Media != nil || o.Part.Result != nil {
		t.parts = append(t.parts, sentPart{block: -1})
		return
	}
	t.parts = append(t.parts, sentPart{kind: o.Part.Kind, block: t.blocks})
	w.event("content_block_start")
	w.count("index", int64(t.blocks))
	t.blocks++
	w.key("content_block")
	switch o.Part.Kind {
	case chat.Thinking:
		w.b = append(w.b, `{"type":"thinking","thinking":"","signature":""}`...)
	case chat.Redacted:
		w.b = append(w.b, `{"type":"redacted_thinking"`...)
		w.text("data", o.Part.Data)
		w.close('}')
	case chat.Call:
		w.toolUse(called(&o.Part), t.id+"_"+strconv.Itoa(o.Index))
		w.raw("input", "{}")
		w.close('}')
	default:
		w.b = append(w.b, `{"type":"text","text":""}`...)
	}
	w.end()
	t.delta(w, &chat.Delta{Index: o.Index, Text: o.Part.Text, Signature: o.Part.Signature})
}

// delta writes what there is: text, arguments or a signature, each an event.
func (t *surfaceStream) delta(w *writer, d *chat.Delta) {
	part, ok := t.part(d.Index)
	if !ok {
		return
	}
	switch {
	case d.Text == "":
	case part.kind == chat.Thinking:
		w.delta(part.block, "thinking_delta", "thinking", d.Text)
	case part.kind == chat.Text, part.kind == chat.Refusal:
		w.delta(part.block, "text_delta", "text", d.Text)
	}
	if d.Arguments != "" && part.kind == chat.Call {
		w.delta(part.block, "input_json_delta", "partial_json", d.Arguments)
	}
	if d.Signature != "" && part.kind == chat.Thinking {
		w.delta(part.block, "signature_delta", "signature", d.Signature)
	}
}

func (t *surfaceStream) closes(w *writer, c *chat.Close) {
	part, ok := t.part(c.Index)
	if !ok {
		return
	}
	w.event("content_block_stop")
	w.count("index", int64(part.block))
	w.end()
}

func (w *writer) delta(index int, kind, name, text string) {
	w.event("content_block_delta")
	w.count("index", int64(index))
	w.raw("delta", `{"type":"`)
	w.b = append(w.b, kind...)
	w.b = append(w.b, '"')
	w.text(name, text)
	w.close('}')
	w.end()
}
