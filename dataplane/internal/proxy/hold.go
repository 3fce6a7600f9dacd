package proxy

import (
	"net/http"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// What is held of a stream before its content comes: so much. Callers may need to see that
// something lives: after so long they get comments, which are no part of an answer.
const (
	maxHeld = 16 << 10
	maxHold = 10 * time.Second
)

// comment is what a caller gets in place of an event that is held.
const comment = ": waiting for the first token\n\n"

// begin sends the status, the header and what was held back, once. From then on the
// caller has a part of the answer, and nothing is tried again.
func (s *stream) begin() bool {
	if s.begun {
		return true
	}
	s.begun = true
	s.exchange.releaseBody()
	s.opens()
	sent := s.held == nil || len(s.held.bytes) == 0 || s.send(s.held.bytes)
	s.drop()
	return sent
}

// drop gives back what was held: thousands of streams may be open for long.
func (s *stream) drop() {
	if s.held != nil {
		s.held.release()
		s.held = nil
	}
}

// opens sends the status and the header, where an attempt before did not.
func (s *stream) opens() {
	e := s.exchange
	if !e.opened.Load() {
		s.leg.voice.header(e.w.Header(), s.response.Header)
		e.announceCost()
		e.tellLimits()
		e.w.WriteHeader(s.response.StatusCode)
	}
}

// holds keeps back what comes before any content, comments too: until then another
// attempt can take over and the caller sees one whole answer.
func (s *stream) holds(event sse.Event, heard heard) bool {
	e := s.exchange
	if s.held == nil || s.said.Answer.Failed || !heard.opens || len(s.held.bytes)+len(heard.raw) > maxHeld {
		return false
	}
	long := e.opened.Load() || e.elapsed()-s.since > maxHold
	if long && e.surface.array {
		return false // an array has no comments
	}
	quiet := len(event.Data) == 0 && len(event.Type) == 0
	s.framed = s.framed || !quiet
	if long && s.framed && quiet {
		return s.beat(heard.raw)
	}
	s.held.bytes = append(s.held.bytes, heard.raw...)
	if !long || s.framed {
		return !long || s.beat(nil)
	}
	sent := s.beat(s.held.bytes)
	s.held.bytes = s.held.bytes[:0]
	return sent
}

// beat shows the caller that something lives. The status goes out with it, but nothing of an
// answer, so that another attempt can still take over; its target is then not the one that
// the header names.
func (s *stream) beat(comments []byte) bool {
	return s.alone(func() bool {
		s.opens()
		s.exchange.opened.Store(true)
		if len(comments) == 0 {
			comments = []byte(comment)
		}
		if _, err := s.exchange.w.Write(comments); err != nil {
			return false
		}
		return s.flush() == nil
	})
}

// failedEarly tells whether an error came before any content, or a filter stopped it, and
// another attempt is to follow.
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

// isWholeInAStream ends an attempt that answered otherwise than the caller was told it would
// be: what it used is paid.
func (u *upstream) isWholeInAStream(answer dialect.Answer) bool {
	if !u.exchange.opened.Load() || u.leg.translation != nil {
		return false
	}
	end := end{outcome: usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, status: http.StatusOK, code: upstreamMalformed.Code, answer: answer}
	if !u.retry(snapshot.UpstreamError, end) {
		u.settle(end)
		u.exchange.writeError(upstreamMalformed)
	}
	return true
}

// writeLate ends a stream that has begun without content by an answer that is none.
func (u *upstream) writeLate(said *said, body []byte) {
	e := u.exchange
	ending := said.body
	if said.status >= http.StatusBadRequest || said.answer.Failed {
		ending = e.dialect.Event(u.inOwnForm(said.status, body))
	}
	_, _ = e.w.Write(ending) // it is settled: the upstream's whole answer is here
}

// inOwnForm is an upstream's error in the gateway's own form, for where its own can't be passed on.
func (u *upstream) inOwnForm(status int, body []byte) *dialect.Refusal {
	if status < http.StatusBadRequest {
		status = http.StatusBadGateway
	}
	refusal := &dialect.Refusal{Status: status, Code: codeUpstream, Message: "The provider of this route answered with an error."}
	if way := wayOf(u.target); way != nil {
		refusal.Message = way.converter().Failure(status, body).Message
	}
	return refusal
}
