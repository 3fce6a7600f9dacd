package secret

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// entry is one reference, and what the last look at its source gave.
type entry struct {
	reference string
	made      time.Time
	state     atomic.Pointer[state] // nil until the first look ended
	first     chan struct{}         // closed when it did

	mu      sync.Mutex // one changes the state
	looking time.Time  // when a look that has not ended began; zero: none
}

// state never changes. A value that was there once outlives its source; err then
// says why it is old.
type state struct {
	value Value
	// next is another text that the source had when it was last looked at: believed
	// when it is there a second time, for it may have been written half.
	next string
	err  error
	// since when err is so.
	since time.Time
	// good is when the source last had the value.
	good time.Time
}

// begin looks at the source unless a look is under way. A look that takes too long
// counts as one that failed until it ends.
func (e *entry) begin(r *Resolver) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if !e.looking.IsZero() {
		if now.Sub(e.looking) >= patience {
			e.store(r, e.current().failed(errSlow, now))
		}
		return
	}
	e.looking = now
	go func() {
		text, err := read(e.reference, r.lookup)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.looking = time.Time{}
		e.store(r, e.current().seen(text, err, time.Now()))
	}()
}

func (e *entry) current() state {
	if s := e.state.Load(); s != nil {
		return *s
	}
	return state{}
}

func (e *entry) store(r *Resolver, s state) {
	was := e.state.Swap(&s)
	if was == nil {
		close(e.first)
		was = &state{}
	}
	switch {
	case s.err == nil && was.value != s.value:
		r.log.Info("a credential is read", "reference", e.reference)
	case s.err == nil && was.err != nil:
		r.log.Info("a credential's source has it again", "reference", e.reference)
	case s.err != nil && (was.err == nil || was.err.Error() != s.err.Error()):
		r.log.Error("a credential's source has none", "reference", e.reference, "error", s.err, "kept", s.value.text != "")
	}
}

// settled is the state once there is one, which is nearly always at once.
func (e *entry) settled(r *Resolver) *state {
	if s := e.state.Load(); s != nil {
		return s
	}
	late := time.NewTimer(patience - time.Since(e.made))
	defer late.Stop()
	select {
	case <-e.first:
	case <-late.C:
		e.mu.Lock()
		if e.state.Load() == nil {
			e.store(r, state{}.failed(errSlow, time.Now()))
		}
		e.mu.Unlock()
	}
	return e.state.Load()
}

// seen is the state after a look.
func (s state) seen(text string, err error, now time.Time) state {
	switch {
	case err != nil:
		return s.failed(err, now)
	case s.value.text == "" || s.value.text == text || s.next == text:
		return state{value: Value{text: text}, good: now}
	}
	// The source has another value than the one in use, which it may have had for
	// the last time before a failure: err stays until one of them is sure.
	s.next = text
	return s
}

func (s state) failed(err error, now time.Time) state {
	next := state{value: s.value, err: err, since: s.since, good: s.good}
	if s.err == nil {
		next.since = now
	}
	return next
}

// result is the value, or why there is none.
func (s *state) result(maxAge time.Duration) (Value, error) {
	switch {
	case s.err == nil:
		return s.value, nil
	case s.value.text == "":
		return Value{}, s.err
	case maxAge > 0 && time.Since(s.good) >= maxAge:
		return Value{}, fmt.Errorf("%w; its last value is older than the %v for which this gateway keeps one", s.err, maxAge)
	}
	return s.value, nil
}
