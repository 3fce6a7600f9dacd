package proxy

import (
	"time"
)

// What is held of a stream before its content comes: so much, and, since callers may
// need the comments that show them that something lives, so long.
const (
	maxHeld = 16 << 10
	maxHold = 10 * time.Second
)

// begin sends the status, the header and what was held back, once. From then on the
// caller has a part of the answer, and nothing is tried again.
func (s *stream) begin() bool {
	e := s.exchange
	if s.begun {
		return true
	}
	s.begun = true
	e.releaseBody()
	s.leg.voice.header(e.w.Header(), s.response.Header)
	e.announceCost()
	e.w.WriteHeader(s.response.StatusCode)
	held := s.held
	s.held = nil
	return held == nil || len(held.bytes) == 0 || s.send(held.bytes)
}

// holds keeps back what comes before any content, comments too: until then another
// attempt can take over and the caller sees one whole answer.
func (s *stream) holds(heard heard) bool {
	if s.held == nil || s.said.Answer.Failed || !heard.opens ||
		len(s.held.bytes)+len(heard.raw) > maxHeld || s.exchange.elapsed()-s.since > maxHold {
		return false
	}
	s.held.bytes = append(s.held.bytes, heard.raw...)
	return true
}

// failedEarly tells whether an error came before any content and another attempt is
// to follow.
func (s *stream) failedEarly(event []byte, opens bool) bool {
	switch {
	case s.held == nil:
	case s.said.Answer.Failed:
		return s.retry(s.failureIn(0, event), s.ending())
	case !opens:
		if how := s.filtered(event); how != 0 {
			return s.retry(how, stopped(s.told()))
		}
	}
	return false
}
