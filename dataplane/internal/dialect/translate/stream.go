package translate

import (
	"cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Event is what one event of the upstream is for the caller.
type Event struct {
	// Opens: nothing of the answer is in it.
	Opens bool
	// Done: it ended the stream in order.
	Done bool
}

// Event appends to dst what an event of the upstream is on the caller's wire, and notes in
// s what it says. An error means that the stream is broken.
func (a *Attempt) Event(dst []byte, s *dialect.Stream, name, data []byte) ([]byte, Event, error) {
	steps, done, err := a.provider.Events(a.steps[:0], name, data)
	a.steps = steps
	event := Event{Opens: true, Done: done}
	counted := false
	for i := range steps {
		step := &steps[i]
		event.Opens = event.Opens && opens(step)
		after := a.failed // what comes behind an error is told to nobody
		counted = a.note(s, step) || counted
		if s.Estimates && step.Delta != nil {
			s.Text += int64(len(step.Delta.Text) + len(step.Delta.Arguments))
		}
		if !after {
			a.hold(step)
			dst = a.surface.Event(dst, *step)
		}
	}
	clear(steps) // they hold on to what the answer says
	s.Total = s.Total || counted && s.Finished >= max(s.Request.Choices, 1)
	if err != nil {
		return dst, event, err
	}
	if done {
		dst = a.Finish(dst)
	}
	return dst, event, nil
}

// partBytes is what a part takes beside what it says.
const partBytes = 256

// Held is how many bytes, about, the converters may remember of the stream: some dialects
// say the whole answer once more at its end.
func (a *Attempt) Held() int64 { return a.held }

func (a *Attempt) hold(step *chat.Event) {
	switch {
	case step.Open != nil:
		part := &step.Open.Part
		a.held += int64(partBytes + len(part.Text) + len(part.Signature) + len(part.Data))
	case step.Delta != nil:
		d := step.Delta
		a.held += int64(len(d.Text) + len(d.Arguments) + len(d.Signature) + len(d.Logprobs))
	}
}

// note fills in what the upstream left out, and tells whether the step says what was used.
func (a *Attempt) note(s *dialect.Stream, step *chat.Event) (counted bool) {
	switch {
	case step.Begin != nil:
		step.Begin.ID, step.Begin.Model = cmp.Or(step.Begin.ID, a.id), cmp.Or(step.Begin.Model, a.model)
	case step.End != nil:
		s.Finished++
	case step.Failure != nil:
		s.Answer.Failed, a.failed = true, true
	case step.Usage != nil && step.Usage.Tokens != nil:
		said := toAnswer(*step.Usage)
		said.Failed = s.Answer.Failed
		s.Answer = said
		return true
	}
	return false
}

// Finish appends what ends the caller's stream in order; nothing after an error, which
// ended it.
func (a *Attempt) Finish(dst []byte) []byte {
	if a.failed {
		return dst
	}
	return a.surface.Finish(dst)
}

func opens(step *chat.Event) bool {
	switch {
	case step.Begin != nil, step.Ping, step.Usage != nil:
		return true
	case step.Open != nil:
		part := &step.Open.Part
		return (part.Kind == chat.Text || part.Kind == chat.Thinking) && part.Text == "" && part.Signature == ""
	}
	return false
}
