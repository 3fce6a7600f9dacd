package gemini

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// candidate is one of a streamed answer's.
type candidate struct {
	index int // of the answer
	parts int // that were opened
	open  bool
	kind  chat.Kind // of the part that is open
	calls bool
	ended bool
}

// Events reads one chunk. There is no end mark: a stream is whole once every candidate
// has said why it ended, which is in the last chunk with usage. What comes after that, or
// after an error, is nothing.
func (p *Provider) Events(dst []chat.Event, _, data []byte) ([]chat.Event, bool, error) {
	if len(data) == 0 {
		return dst, false, nil // a comment
	}
	r, err := readResponse(data)
	if err != nil {
		return dst, false, err
	}
	if r.err != nil {
		return append(dst, chat.Event{Failure: r.err}), false, nil
	}
	s := steps{provider: p, events: dst}
	s.begin(r)
	for i := range r.candidates {
		s.candidate(&r.candidates[i])
	}
	if r.blocked && len(p.candidates) == 0 {
		s.add(chat.Event{End: &chat.End{Stop: chat.StopFiltered}})
		p.ended = p.wanted
	}
	if p.ended < p.wanted {
		return s.events, false, nil
	}
	if r.usage.Tokens != nil {
		s.add(chat.Event{Usage: &r.usage})
	}
	return s.events, true, nil
}

// steps are those of one chunk.
type steps struct {
	provider *Provider
	events   []chat.Event
}

func (s *steps) add(e chat.Event) { s.events = append(s.events, e) }

func (s *steps) begin(r *response) {
	p := s.provider
	if p.begun {
		return
	}
	p.begun, p.id = true, r.id
	s.add(chat.Event{Begin: &chat.Begin{ID: r.id, Model: r.model, Created: r.created}})
}

func (s *steps) candidate(said *candidateSaid) {
	p := s.provider
	c := p.candidates[said.index]
	if c == nil {
		if p.candidates == nil {
			p.candidates = map[int]*candidate{}
		}
		c = &candidate{index: said.index}
		p.candidates[said.index] = c
	}
	if c.ended {
		return
	}
	for i := range said.parts {
		next := p.answerPart(&said.parts[i])
		s.part(c, &next, &said.logprobs)
	}
	if said.reason == "" {
		return
	}
	s.close(c)
	c.ended = true
	p.ended++
	s.add(chat.Event{End: &chat.End{Choice: c.index, Stop: stopOf(said.reason, c.calls)}})
}

// part is steps of a part: texts go on with one that is open, other parts are whole.
// logprobs go with the first text.
func (s *steps) part(c *candidate, next *chat.Part, logprobs *string) {
	spoken := next.Kind == chat.Text || next.Kind == chat.Thinking
	if blank(next) {
		return
	}
	if !c.open || !spoken || c.kind != next.Kind {
		s.close(c)
		s.open(c, next)
	}
	delta := chat.Delta{Choice: c.index, Index: c.parts - 1}
	switch {
	case spoken:
		delta.Text, delta.Signature = next.Text, next.Signature
		if next.Kind == chat.Text {
			delta.Logprobs, *logprobs = *logprobs, ""
		}
		s.add(chat.Event{Delta: &delta})
	case next.Kind == chat.Call:
		delta.Arguments = next.Call.Arguments
		s.add(chat.Event{Delta: &delta})
	}
	if !spoken || next.Signature != "" {
		s.close(c)
	}
}

func (s *steps) open(c *candidate, next *chat.Part) {
	opened := chat.Part{Kind: next.Kind, Media: next.Media}
	if next.Kind == chat.Call {
		c.calls = true
		opened.Signature = next.Signature
		opened.Call = &chat.ToolCall{ID: next.Call.ID, Name: next.Call.Name}
	}
	s.add(chat.Event{Open: &chat.Open{Choice: c.index, Index: c.parts, Part: opened}})
	c.open, c.kind = true, next.Kind
	c.parts++
}

func (s *steps) close(c *candidate) {
	if c.open {
		s.add(chat.Event{Close: &chat.Close{Choice: c.index, Index: c.parts - 1}})
		c.open = false
	}
}
