package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// tooLate is a bound that ended a call.
type tooLate struct {
	// bound as the policy names it; why is what it means, as the end of a sentence.
	bound, why string
	// plain is how the log has it.
	plain string
	how   snapshot.Failures
	after time.Duration
}

func (l *tooLate) Error() string { return l.plain }

// The bounds of a call.
const (
	boundConnect int32 = iota
	boundFirstByte
	boundFirstToken
	boundIdle
	boundTotal
)

// bounds say what each is. Without a connection nothing was asked: that one is as any other
// upstream that can't be reached.
var bounds = [...]tooLate{
	boundConnect:    {bound: "connect", why: "could not be connected to", plain: "the upstream could not be connected to in time", how: snapshot.Unreachable},
	boundFirstByte:  {bound: "first_byte", why: "did not begin to answer", plain: "the upstream went silent", how: snapshot.Timeout},
	boundFirstToken: {bound: "first_token", why: "had no content of its answer", plain: "the upstream had no content in time", how: snapshot.Timeout},
	boundIdle:       {bound: "idle", why: "went silent inside of its answer", plain: "the upstream went silent", how: snapshot.Timeout},
	boundTotal:      {bound: "total", why: "did not end its answer", plain: "the upstream took longer than its whole time", how: snapshot.Timeout},
}

// errSilent: the body of an error did not come.
var errSilent = errors.New("the upstream went silent")

// watch ends a call that takes too long. One timer serves all its bounds in turn.
type watch struct {
	timer *time.Timer
	begun time.Time
	// end of the whole request, and the time by which there is content; zero: there is none.
	end, content time.Time
	// armed is the bound that comes next; the timer reads it.
	armed atomic.Int32
}

// begin starts the time until the first byte. The whole time is that of all attempts.
func (w *watch) begin(u *upstream, now time.Time) {
	timeouts := &u.target.Timeouts
	w.begun = now
	if timeouts.Total > 0 {
		w.end = u.exchange.begun.Add(u.exchange.called + timeouts.Total)
	}
	if timeouts.FirstToken > 0 {
		w.content = now.Add(timeouts.FirstToken)
	}
	w.timer = time.AfterFunc(w.within(u, boundFirstByte, now), u.expire)
}

// within arms a bound, or the one that comes before it, and is the time until then.
func (w *watch) within(u *upstream, bound int32, now time.Time) time.Duration {
	left := u.stated(bound)
	if !w.content.IsZero() && w.content.Sub(now) < left {
		bound, left = boundFirstToken, w.content.Sub(now)
	}
	if !w.end.IsZero() && w.end.Sub(now) < left {
		bound, left = boundTotal, w.end.Sub(now)
	}
	w.armed.Store(bound)
	return left
}

// stated is a bound as the policy has it, else the agent's own.
func (u *upstream) stated(bound int32) time.Duration {
	timeouts, config := &u.target.Timeouts, &u.exchange.handler.config
	switch bound {
	case boundConnect:
		return timeouts.Connect
	case boundFirstByte:
		return cmp.Or(timeouts.FirstByte, config.FirstByteTimeout)
	case boundFirstToken:
		return timeouts.FirstToken
	case boundTotal:
		return timeouts.Total
	}
	return cmp.Or(timeouts.Idle, config.IdleTimeout)
}

func (w *watch) stop() { w.timer.Stop() }

// spoke ends the time until there is content.
func (w *watch) spoke() { w.content = time.Time{} }

func (u *upstream) expire() {
	bound := u.watch.armed.Load()
	late := bounds[bound]
	late.after = u.stated(bound)
	u.cancel(&late)
}

// connecting bounds the time until the request has a connection, where the policy does: one
// that is kept is there at once. A connection that comes later is kept for others.
func (u *upstream) connecting(request *http.Request) *http.Request {
	if u.target.Timeouts.Connect == 0 {
		return request
	}
	now := u.exchange.handler.config.Now
	// They are called by the goroutine that sends the request, and again where the transport
	// found that a connection it kept was closed.
	return request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		GetConn: func(string) {
			if at := now(); u.stated(boundConnect) < u.stated(boundFirstByte)-at.Sub(u.watch.begun) {
				u.watch.timer.Reset(u.watch.within(u, boundConnect, at))
			}
		},
		GotConn: func(httptrace.GotConnInfo) {
			u.watch.timer.Reset(u.watch.within(u, boundFirstByte, u.watch.begun) - now().Sub(u.watch.begun))
		},
	}))
}

// late is which bound ended the call; nil: none did.
func (u *upstream) late() error {
	cause := context.Cause(u.ctx)
	var late *tooLate
	if errors.As(cause, &late) || errors.Is(cause, errSilent) {
		return cause
	}
	return nil
}

// timeout is what the caller is told of the bound that ended the call.
func (u *upstream) timeout() *dialect.Refusal {
	var late *tooLate
	if !errors.As(context.Cause(u.ctx), &late) {
		return upstreamTimeout
	}
	return &dialect.Refusal{Status: upstreamTimeout.Status, Code: upstreamTimeout.Code,
		Message: fmt.Sprintf("The provider of this route %s within %v (timeout %s).", late.why, late.after, late.bound)}
}

// lateAs is the failure that it is.
func (u *upstream) lateAs() snapshot.Failures {
	var late *tooLate
	if errors.As(context.Cause(u.ctx), &late) {
		return late.how
	}
	return snapshot.Timeout
}

// why is the reason of a failure: it shows as whatever the transport makes of it.
func (u *upstream) why(err error) error {
	if u.exchange.cut() {
		return ErrStopping
	}
	return cmp.Or(u.late(), err)
}

// breakage is the error for an answer that began and did not end.
func (u *upstream) breakage() (snapshot.Failures, *dialect.Refusal) {
	switch {
	case u.exchange.cut():
		return 0, agentStopping
	case u.late() != nil:
		return u.lateAs(), u.timeout()
	}
	return snapshot.UpstreamError, upstreamBroke
}

// Read reads the answer's body under watch, and counts the time as waited.
func (u *upstream) Read(b []byte) (int, error) {
	config := &u.exchange.handler.config
	begun := config.Now()
	u.watch.timer.Reset(u.watch.within(u, boundIdle, begun))
	n, err := u.response.Body.Read(b)
	u.watch.stop()
	u.waits(config.Now().Sub(begun))
	return n, err
}
