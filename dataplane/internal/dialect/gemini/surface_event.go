package gemini

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// stream is what a streamed answer needs to remember.
type stream struct {
	// before and after frame the next chunk.
	before, after string
	begin         chat.Begin
	parts         map[place]*openPart
	ends          []chat.End
	malformed     map[int]string // of a choice: its call that is no object
	usage         chat.Usage
	failed        bool
}

// place of a part in a streamed answer.
type place struct{ choice, index int }

// openPart is a part that goes on. The arguments of a call are kept: they go out whole.
type openPart struct {
	chat.Part
	call      chat.ToolCall
	arguments []byte
}

// Event appends the chunk for an event, if there is one. The reasons to end and usage go
// into the last chunk, which Finish appends.
func (s *Surface) Event(dst []byte, e chat.Event) []byte {
	switch {
	case e.Begin != nil:
		s.begin = *e.Begin
	case e.Open != nil:
		return s.opened(dst, e.Open)
	case e.Delta != nil:
		return s.delta(dst, e.Delta)
	case e.Close != nil:
		return s.closed(dst, place{e.Close.Choice, e.Close.Index})
	case e.End != nil:
		s.ends = append(s.ends, *e.End)
	case e.Usage != nil:
		s.usage = *e.Usage
	case e.Failure != nil:
		s.failed = true
		return s.close(s.chunk(dst, failure(e.Failure).appendTo))
	}
	return dst // a ping among others: a comment would be an error to Google's SDKs
}

// Finish appends the last chunk; nothing after an error, which ended the stream.
func (s *Surface) Finish(dst []byte) []byte {
	if s.failed {
		return dst
	}
	return s.close(s.chunk(dst, func(o *out) {
		o.begin('{')
		o.open("candidates", '[')
		for _, end := range s.ends {
			o.ended(end, s.malformed[end.Choice])
		}
		o.end(']')
		var none chat.Lossy // it was said with the request, or can't be any more
		o.usage(&s.usage, &none)
		o.identity(s.begin.ID, s.begin.Model, s.begin.Created)
		o.end('}')
	}))
}

func (s *Surface) close(dst []byte) []byte {
	if s.array {
		return append(dst, arrayEnd...)
	}
	return dst
}

func (o *out) ended(end chat.End, malformed string) {
	reason := reasonOf(end.Stop)
	if malformed != "" {
		reason = malformedCall
	}
	o.item('{')
	o.raw("content", `{"parts":[],"role":"model"}`)
	o.text("finishReason", reason)
	o.said("finishMessage", malformed)
	o.number("index", int64(end.Choice))
	o.end('}')
}

func (s *Surface) chunk(dst []byte, write func(*out)) []byte {
	o := out{b: append(dst, s.before...)}
	start := len(o.b)
	write(&o)
	oneLine(o.b[start:])
	if s.array {
		s.before = arrayNext
	}
	return append(o.b, s.after...)
}

// oneLine takes the line breaks out of JSON that came with some: an event's data has none.
// In strings they are escaped.
func oneLine(json []byte) {
	for _, c := range []byte{'\n', '\r'} {
		for rest := json; ; {
			at := bytes.IndexByte(rest, c)
			if at < 0 {
				break
			}
			rest[at] = ' '
			rest = rest[at+1:]
		}
	}
}

// spoken appends a chunk with one part of one choice.
func (s *Surface) spoken(dst []byte, choice int, logprobs string, part func(*out)) []byte {
	return s.chunk(dst, func(o *out) {
		o.begin('{')
		o.open("candidates", '[')
		o.item('{')
		o.open("content", '{')
		o.open("parts", '[')
		part(o)
		o.end(']')
		o.text("role", "model")
		o.end('}')
		o.number("index", int64(choice))
		o.logprobs(logprobs)
		o.end('}')
		o.end(']')
		o.identity(s.begin.ID, s.begin.Model, s.begin.Created)
		o.end('}')
	})
}

func (s *Surface) opened(dst []byte, open *chat.Open) []byte {
	part := &openPart{Part: open.Part}
	if open.Part.Call != nil {
		part.call, part.arguments = *open.Part.Call, []byte(open.Part.Call.Arguments)
	}
	if s.parts == nil {
		s.parts = map[place]*openPart{}
	}
	s.parts[place{open.Choice, open.Index}] = part
	switch part.Kind {
	case chat.Text, chat.Thinking, chat.Refusal:
		if part.Text != "" || part.Signature != "" {
			return s.text(dst, open.Choice, part.Kind, &chat.Delta{Text: part.Text, Signature: part.Signature})
		}
	case chat.Image, chat.Audio, chat.Document:
		return s.spoken(dst, open.Choice, "", func(o *out) { o.media(part.Media) })
	}
	return dst
}

func (s *Surface) delta(dst []byte, delta *chat.Delta) []byte {
	part := s.parts[place{delta.Choice, delta.Index}]
	switch {
	case part == nil:
		return dst
	case part.Kind == chat.Call:
		part.arguments = append(part.arguments, delta.Arguments...)
		if delta.Signature != "" {
			part.Signature = delta.Signature
		}
		return dst
	}
	return s.text(dst, delta.Choice, part.Kind, delta)
}

func (s *Surface) text(dst []byte, choice int, kind chat.Kind, delta *chat.Delta) []byte {
	return s.spoken(dst, choice, delta.Logprobs, func(o *out) {
		o.item('{')
		o.spoken(kind, delta.Text, delta.Signature)
		o.end('}')
	})
}

// closed appends a call, now that it is whole.
func (s *Surface) closed(dst []byte, at place) []byte {
	part := s.parts[at]
	delete(s.parts, at)
	if part == nil || part.Kind != chat.Call {
		return dst
	}
	part.call.Arguments = string(part.arguments)
	if part.call.Arguments != "" && !isObject(part.arguments) {
		if s.malformed == nil {
			s.malformed = map[int]string{}
		}
		s.malformed[at.choice] = malformed(&part.call)
		return dst
	}
	return s.spoken(dst, at.choice, "", func(o *out) { o.call(&part.call, part.Signature) })
}
