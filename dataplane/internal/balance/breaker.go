package balance

import (
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// When a circuit breaker opens, and for how long.
const (
	// openRequests within the window, half of them failed, or openInARow open it.
	openRequests = 8
	openInARow   = 5
	// firstOpen is for how long at first. It doubles with each time that the target is not
	// well again, up to longestOpen, give or take a fifth.
	firstOpen   = 2 * time.Second
	longestOpen = time.Minute
	// longestAsked bounds what Retry-After asks for.
	longestAsked = 10 * time.Minute
	// lease is for how long one probe keeps others away.
	lease = 10 * time.Second
)

// Standing is whether requests go to a target.
type Standing uint8

const (
	// Closed: they do.
	Closed Standing = iota
	// Due: one may, to see whether it is well again.
	Due
	// Probed: one does.
	Probed
	// Open: none does.
	Open
)

// breaker keeps requests from a target that fails. Readers take no lock; who writes has the
// target's.
type breaker struct {
	open atomic.Bool
	// until is when it is half open, leased until when a probe keeps others away.
	until, leased atomic.Int64

	// changed is when it opened or closed last; both never happened at first.
	changed int64
	flapped bool // it has been open before
	times   int  // that it opened without having been well for long
	inARow  int
	window  window
	reason  string
}

// standing reads it.
func (b *breaker) standing(now int64) Standing {
	switch {
	case !b.open.Load():
		return Closed
	case now < b.until.Load():
		return Open
	case now < b.leased.Load():
		return Probed
	}
	return Due
}

// lease takes the right to probe; false: another request has it. A probe that never ends
// loses it.
func (b *breaker) lease(now int64) bool {
	was := b.leased.Load()
	return now >= was && b.leased.CompareAndSwap(was, now+int64(lease))
}

func (b *breaker) release() { b.leased.Store(math.MinInt64) }

// count takes in how a request ended that tells of the target.
func (b *breaker) count(trial *Trial, now int64, e Ending, draw func(int64) int64) {
	if e.Failed == snapshot.RateLimited && e.RetryAfter > 0 {
		b.leave(now, e)
		return
	}
	if b.flapped && trial.begun < b.changed {
		return // it tells of what the breaker has gone by already
	}
	if b.open.Load() {
		b.decide(now, e, draw)
		return
	}
	b.window.add(now, !e.OK)
	if e.OK {
		b.inARow = 0
		return
	}
	b.inARow++
	requests, failed := b.window.sum(now)
	switch {
	case e.Failed == snapshot.Credential && e.Status != 403: // 403 may be about what one caller asks for
		b.shut(now, draw, "its credential does not open it: "+why(e))
	case requests >= openRequests && 2*failed >= requests:
		b.shut(now, draw, fmt.Sprintf("%d of the last %d requests failed: %s", failed, requests, why(e)))
	case b.inARow >= openInARow:
		b.shut(now, draw, fmt.Sprintf("the last %d requests failed: %s", b.inARow, why(e)))
	}
}

// decide takes what a request found that went to an open target: a probe, or one that had
// nowhere else to go.
func (b *breaker) decide(now int64, e Ending, draw func(int64) int64) {
	switch {
	case e.OK:
		b.open.Store(false)
		b.release()
		b.changed, b.inARow, b.window, b.reason = now, 0, window{}, ""
	case now >= b.until.Load():
		b.shut(now, draw, "it failed again when it was tried: "+why(e))
	}
}

// leave opens it for as long as the target asks to be left alone.
func (b *breaker) leave(now int64, e Ending) {
	asked := min(e.RetryAfter, longestAsked)
	until := now + int64(asked)
	if b.open.Load() && until <= b.until.Load() {
		return
	}
	b.reason = fmt.Sprintf("it asked to be left alone for %v: %s", asked.Round(time.Second), why(e))
	b.openUntil(now, until)
}

// shut opens it for a while.
func (b *breaker) shut(now int64, draw func(int64) int64, reason string) {
	well := !b.open.Load() && (!b.flapped || now-b.changed > int64(longestOpen))
	if b.times++; well {
		b.times = 0
	}
	pause := min(firstOpen<<min(b.times, 10), longestOpen)
	pause += time.Duration(draw(int64(pause/5*2)+1)) - pause/5
	b.reason = reason
	b.openUntil(now, now+int64(pause))
}

func (b *breaker) openUntil(now, until int64) {
	b.until.Store(until)
	b.release()
	b.changed, b.flapped = now, true
	b.open.Store(true)
}

// why names what an upstream answered, or what happened in place of an answer.
func why(e Ending) string {
	if e.Status >= 400 {
		return strconv.Itoa(e.Status)
	}
	switch e.Failed {
	case snapshot.Timeout:
		return "no answer in time"
	case snapshot.Unreachable:
		return "no connection"
	case snapshot.Credential:
		return "it can't be used"
	}
	return "its answers are none"
}
