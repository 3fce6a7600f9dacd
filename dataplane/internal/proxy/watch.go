package proxy

import (
	"cmp"
	"context"
	"errors"
	"time"
)

var (
	errSilent   = errors.New("the upstream went silent")
	errOverlong = errors.New("the upstream took longer than its whole time")
)

// watch ends a call that takes too long. One timer serves all its bounds in turn.
type watch struct {
	timer *time.Timer
	begun time.Time
	// end of the whole request; zero: it has none.
	end time.Time
}

// begin starts the time until the first byte. The whole time is that of all attempts.
func (w *watch) begin(u *upstream, now time.Time) {
	bounds := &u.target.Timeouts
	w.begun = now
	if bounds.Total > 0 {
		w.end = u.exchange.begun.Add(u.exchange.called + bounds.Total)
	}
	first := cmp.Or(bounds.FirstByte, u.exchange.handler.config.FirstByteTimeout)
	w.timer = time.AfterFunc(w.within(first, now), u.expire)
}

// within is a bound, or what is left of the whole time.
func (w *watch) within(bound time.Duration, now time.Time) time.Duration {
	if w.end.IsZero() {
		return bound
	}
	return min(bound, w.end.Sub(now))
}

func (w *watch) stop() { w.timer.Stop() }

func (u *upstream) expire() {
	if end := u.watch.end; !end.IsZero() && !u.exchange.handler.config.Now().Before(end) {
		u.cancel(errOverlong)
		return
	}
	u.cancel(errSilent)
}

// late is which bound ended the call; nil: none did.
func (u *upstream) late() error {
	for _, late := range []error{errSilent, errOverlong} {
		if errors.Is(context.Cause(u.ctx), late) {
			return late
		}
	}
	return nil
}

// why is the reason of a failure: it shows as whatever the transport makes of it.
func (u *upstream) why(err error) error {
	if u.exchange.cut() {
		return ErrStopping
	}
	return cmp.Or(u.late(), err)
}

// Read reads the answer's body under watch, and counts the time as waited.
func (u *upstream) Read(b []byte) (int, error) {
	config := &u.exchange.handler.config
	begun := config.Now()
	idle := cmp.Or(u.target.Timeouts.Idle, config.IdleTimeout)
	u.watch.timer.Reset(u.watch.within(idle, begun))
	n, err := u.response.Body.Read(b)
	u.watch.stop()
	u.exchange.waited += config.Now().Sub(begun)
	return n, err
}
