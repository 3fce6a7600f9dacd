package llmtest

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// errInterrupted ends an answer because the caller, the fault or Close did.
var errInterrupted = errors.New("answer interrupted")

// pace sleeps as a fault allows: until the caller leaves or the server closes.
type pace struct {
	ctx    context.Context
	closed <-chan struct{}
}

func (s *Server) pace(r *http.Request, fault Fault) pace {
	ctx := r.Context()
	if fault.IgnoreCancel {
		ctx = context.WithoutCancel(ctx)
	}
	return pace{ctx: ctx, closed: s.closed}
}

func (p pace) sleep(d time.Duration) error {
	if d <= 0 {
		if p.ctx.Err() != nil {
			return errInterrupted
		}
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.ctx.Done():
		return errInterrupted
	case <-p.closed:
		return errInterrupted
	}
}

func (p pace) stall() error {
	select {
	case <-p.ctx.Done():
	case <-p.closed:
	}
	return errInterrupted
}

// stream sends server-sent events one by one, each flushed, and breaks where the fault says. The dialect gives the
// events whole, blank line included, and what a broken one looks like.
type stream struct {
	w     http.ResponseWriter
	flush func() error
	pace  pace
	fault Fault
	sent  int
	// malformed and failure are the dialect's invalid events and its error event.
	malformed, failure []byte
	// huge makes the dialect's text event of a size.
	huge func(size int) []byte
}

// send writes one event. errInterrupted means that nothing more may be sent.
func (s *stream) send(event []byte) error { return s.sendAfter(event, func() {}) }

// sendAfter settles accounts before the event goes out, so that who has read it finds them settled.
func (s *stream) sendAfter(event []byte, settle func()) error {
	if s.sent == s.fault.After {
		if err := s.deviate(event); err != nil {
			return err
		}
	}
	s.sent++
	settle()
	return s.write(event)
}

func (s *stream) deviate(event []byte) error {
	switch s.fault.Kind {
	case Stall:
		return s.pace.stall()
	case Cut:
		_ = s.write(event[:len(event)/2])
		abort()
	case Malformed:
		return s.write(s.malformed)
	case Huge:
		return s.write(s.huge(s.fault.hugeSize()))
	case ErrorEvent:
		_ = s.write(s.failure)
		return errInterrupted
	}
	return nil
}

func (s *stream) write(event []byte) error {
	if err := s.pace.sleep(0); err != nil {
		return err
	}
	_, err := s.w.Write(event)
	if err == nil {
		err = s.flush()
	}
	if err != nil && !s.fault.IgnoreCancel {
		return errInterrupted
	}
	return nil
}

func (f Fault) hugeSize() int {
	if f.Size == 0 {
		return defaultHugeSize
	}
	return f.Size
}

// abort closes the connection at once, without the end that HTTP asks for. A panic with this value is how net/http
// lets a handler do so, whatever the protocol version.
func abort() {
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http has no other way
}
