package proxy

import (
	"errors"
	"io"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/eventstream"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// drainTime and drainBytes bound what is read after a stream's end mark, so that
// the connection can be used again.
const (
	drainTime  = 250 * time.Millisecond
	drainBytes = 4 << 10
	// endTime is for how long the caller's last events wait for that.
	endTime = 2 * time.Millisecond
	// maxUnsent is written without waiting for more.
	maxUnsent = 16 << 10
)

// events is a stream taken apart, as sse.Reader does it.
type events interface {
	Next() (sse.Event, error)
	Buffered() bool
	Torn() bool
	Space() []byte
}

var (
	_ events = (*sse.Reader)(nil)
	_ events = (*eventstream.Reader)(nil)
)

// events reads the answer into space.
func (u *upstream) events(space []byte) events {
	limit := u.exchange.handler.config.MaxEventBytes
	if u.leg.frames {
		return eventstream.NewReader(u, space, limit)
	}
	return sse.NewReader(u, space, limit)
}

// stream is an answer of server-sent events on its way to the caller.
type stream struct {
	*upstream
	events events
	flush  func() error
	// said is what they said so far.
	said dialect.Stream
	// sent: the caller got some, or is to. unsent is what goes out with the next write; nil:
	// there is nothing.
	sent   bool
	unsent *buffer
	// held is what came before any content while another attempt may follow; nil: the
	// answer has begun.
	held *buffer
	// since is when the status came, after begun.
	since time.Duration
	begun bool
	// spoke: content came. framed: an event that is no comment is held.
	spoke, framed bool
	growth
}

// stream passes events as they come, each one whole, flushed when the next one is
// not there yet.
func (u *upstream) stream() {
	e := u.exchange
	space := takeSpace()
	s := &stream{
		upstream: u,
		events:   u.events(space.bytes),
		flush:    e.w.flush,
		since:    e.elapsed(),
		said:     dialect.Stream{Request: &e.request},
	}
	s.said.Estimates = u.reserved.grows()
	defer func() {
		space.bytes = s.events.Space()
		space.release()
		if s.unsent != nil { // the caller left
			s.unsent.release()
		}
	}()
	if u.race != nil || u.mends(snapshot.UpstreamError|snapshot.Timeout|snapshot.ContextTooLong|snapshot.ContentFilter) {
		s.held = takeSpace()
		defer s.drop()
	} else if !s.begin() || s.flush() != nil {
		s.left()
		return
	}
	s.pass()
}

func (s *stream) pass() {
	for {
		event, err := s.events.Next()
		var heard heard
		if err == nil {
			heard, err = s.leg.voice.event(&s.said, event, !s.spoke)
			s.hears(heard)
		}
		switch {
		case err != nil:
			s.ended(err)
			return
		case s.failedEarly(event.Data, heard.opens):
			return
		case heard.done:
			s.done(heard.raw)
			return
		case s.holds(event, heard):
		case !s.wins():
			return
		case !s.begin(), len(heard.raw) > 0 && !s.send(heard.raw), !s.flushed():
			s.left()
			return
		}
		s.grow()
	}
}

// hears notes when content comes.
func (s *stream) hears(heard heard) {
	if !s.spoke && !heard.opens && !heard.done && !s.said.Answer.Failed {
		s.spoke = true
		s.watch.spoke()
	}
}

// send has raw go to the caller: events that are there together in one write.
func (s *stream) send(raw []byte) bool {
	if s.spoke {
		s.firstByte()
	}
	s.sent = true
	if s.unsent == nil {
		s.unsent = takeSpace()
	}
	s.unsent.bytes = append(s.unsent.bytes, raw...)
	return len(s.unsent.bytes) < maxUnsent || s.write(nil)
}

// write passes on what is unsent, and raw behind it.
func (s *stream) write(raw []byte) bool {
	all := raw
	if s.unsent != nil {
		s.unsent.bytes = append(s.unsent.bytes, raw...)
		all = s.unsent.bytes
		defer func() {
			s.unsent.release()
			s.unsent = nil
		}()
	}
	if len(all) == 0 {
		return true
	}
	_, err := s.exchange.w.Write(all)
	return err == nil
}

// flushed sends what is unsent, unless the next event is there to go with it.
func (s *stream) flushed() bool {
	return s.unsent == nil || s.events.Buffered() || s.write(nil) && s.flush() == nil
}

// left ends a stream whose caller can't be written to any more.
func (s *stream) left() {
	status := s.response.StatusCode
	if s.held != nil && !s.exchange.opened.Load() {
		status = 0
	}
	s.gone(status, s.told(), false)
}

// told is what a stream may be settled by: more was generated than usage tells that is
// not the total.
func (s *stream) told() dialect.Answer {
	if s.said.Total {
		return s.said.Answer
	}
	return dialect.Answer{}
}

// done ends a stream with its end mark.
func (s *stream) done(mark []byte) {
	if !s.wins() {
		return
	}
	_ = s.begin() // the upstream's whole answer is here: a caller that left misses nothing
	if !s.write(nil) {
		s.left()
		return
	}
	s.settle(s.ending())
	_ = s.write(mark)
	s.drain()
}

// ending is of a stream that is all there.
func (s *stream) ending() end {
	end := end{outcome: usagev1.Outcome_OUTCOME_OK, status: s.response.StatusCode, answer: s.told()}
	if s.said.Answer.Failed {
		end.outcome, end.code = usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, codeUpstream
	}
	return end
}

// ended ends a stream that came without its end mark. It is whole if it ended in
// order and a choice had finished, or an error had come, or usage.
func (s *stream) ended(err error) {
	e := s.exchange
	switch {
	case s.lost():
		return
	case s.callerGone():
		s.left()
		return
	}
	if errors.Is(err, io.EOF) && !s.events.Torn() && (s.said.Total || s.said.Answer.Failed || s.said.Finished > 0) {
		if !s.wins() {
			return
		}
		_ = s.begin()
		s.settle(s.ending())
		s.last(s.leg.voice.end())
		return
	}
	e.log().Warn("upstream broke off", "provider", s.target.Provider.Name, "error", cause(s.why(err)))
	how, refusal := s.breakage()
	switch {
	case errors.Is(err, errMalformed):
		how, refusal = snapshot.UpstreamError, upstreamMalformed
	case errors.Is(err, errTooLarge):
		how, refusal = 0, upstreamTooLarge
	}
	if s.held != nil {
		s.answerError(how, refusal, usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, false)
		return
	}
	s.settle(end{outcome: usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, status: s.response.StatusCode, code: refusal.Code, answer: s.told()})
	s.last(s.broken(refusal))
}

// broken is how the caller is told that its stream ends so.
func (s *stream) broken(refusal *dialect.Refusal) []byte {
	if s.exchange.surface.array {
		return gemini.LastElement(refusal, s.sent)
	}
	event := s.exchange.dialect.Event(refusal)
	if s.events.Torn() {
		event = append([]byte("\n\n"), event...)
	}
	return event
}

// last sends the final bytes, if there are any; the request is settled, so that a caller
// that is gone misses nothing.
func (s *stream) last(raw []byte) {
	if s.write(raw) {
		_ = s.flush()
	}
}

// drain reads what is left of the connection's answer: most often only its end, which is there
// already. The caller's last events then go out with the end of its own answer.
func (s *stream) drain() {
	stop := time.AfterFunc(drainTime, func() { s.cancel(nil) })
	defer stop.Stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.CopyN(io.Discard, s.response.Body, drainBytes)
	}()
	late := time.NewTimer(endTime)
	defer late.Stop()
	select {
	case <-ended:
		s.exchange.w.ending = true
	case <-late.C:
		_ = s.flush()
		<-ended
	}
}
