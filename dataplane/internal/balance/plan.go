// Package balance decides to which target of a route a request goes, and where next
// when an attempt failed; it learns from attempts how targets do. It sends nothing, waits
// for nothing and reads no clock but the one it is given. Only a line of requests that wait
// has a timer, by which it gives them their turns.
package balance

import (
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// MaxWait is the longest that a request waits for a target. One that asks for more
// (Retry-After) is not tried again by the request.
const MaxWait = 10 * time.Second

// maxChoices are the targets of a route and its canary's.
const maxChoices = snapshot.MaxTargets + 1

// Request is what choosing needs to know of one.
type Request struct {
	Route *snapshot.Route
	// Targets know how each does; nil: targets are taken in their order or by weight, nothing
	// is known of any, and no canary is drawn.
	Targets *Targets
	// Draw gives random numbers from 0 to n-1.
	Draw func(n int64) int64
	// Now is the clock; not used where Targets is nil.
	Now func() time.Time
	// Began is when it was read: prices are those of then.
	Began time.Time
	// Input is an estimate of its input tokens, MaxOutput the caller's cap of the answer's;
	// 0: none.
	Input, MaxOutput int64
	// NoOutput: the answer has no tokens.
	NoOutput bool
	// Alike is the same number for requests that one target should serve; they are where
	// Sticks.
	Alike  uint64
	Sticks bool
}

// Plan is one request's way through the targets of its route, the canary's behind them where
// the request was drawn for it. One goroutine uses it.
type Plan struct {
	request  Request
	route    *snapshot.Route
	now      int64
	attempts int
	made     int
	current  int
	count    int // of choices
	canary   bool
	// probes: the current target is half open and this request is to try it. resort: its breaker
	// is open, and no other target is left.
	probes, resort bool
	tries          [maxChoices]try
	known          [maxChoices]*Target
}

// try is what a request knows of a target.
type try struct {
	count uint8
	// out: it is not tried, or not again.
	out bool
	// again is when it may be tried, since the request began.
	again time.Duration
}

// Begin makes a plan of nothing tried yet.
func (p *Plan) Begin(r Request) {
	route := r.Route
	*p = Plan{request: r, route: route, attempts: route.Retry.Attempts, count: len(route.Targets)}
	if r.Targets == nil {
		return
	}
	for i, target := range route.Targets {
		p.known[i] = r.Targets.Of(target)
	}
	if route.Canary == nil || r.Draw(1000) >= route.Canary.PerMille {
		return
	}
	p.canary = true
	p.known[p.count] = r.Targets.Of(route.Canary.Target)
	p.count++
	if route.Retry.Once { // it comes before the attempts that the others have
		p.attempts = min(p.attempts+1, snapshot.MaxAttempts)
	}
}

// Count is how many targets there are to choose from, At the target, Leave takes it out
// before anything was chosen.
func (p *Plan) Count() int { return p.count }

// At is the target of that number, from 0 to Count-1.
func (p *Plan) At(i int) *snapshot.Target {
	if i == len(p.route.Targets) {
		return p.route.Canary.Target
	}
	return p.route.Targets[i]
}

// Leave takes a target out that is none for the request.
func (p *Plan) Leave(i int) { p.tries[i].out = true }

// Next moves to the target of the next attempt. Nil: no attempt or no target is left.
func (p *Plan) Next() *snapshot.Target {
	if p.request.Targets != nil {
		p.now = p.request.Targets.since(p.request.Now())
	}
	p.probes = false // what it held was begun, or dropped
	for p.made < p.attempts {
		i, resort := p.choose()
		if i < 0 {
			return nil
		}
		if p.current, p.resort = i, resort; resort || p.enters(i) {
			return p.At(i)
		}
	}
	return nil
}

// Canary tells whether the target is the one that the request was drawn for.
func (p *Plan) Canary() bool { return p.current == len(p.route.Targets) }

// Current is the number of the target that Next moved to.
func (p *Plan) Current() int { return p.current }

// Resort tells whether the target is tried for want of any whose breaker is not open.
func (p *Plan) Resort() bool { return p.resort }

// Standing of a target, as Next found it.
func (p *Plan) Standing(i int) Standing {
	if p.known[i] == nil {
		return Closed
	}
	return p.known[i].breaker.standing(p.now)
}

// open tells whether a target may still be tried. The canary's is before all others.
func (p *Plan) open(i int) bool {
	t := &p.tries[i]
	if i == len(p.route.Targets) {
		return !t.out && p.made == 0
	}
	return !t.out && (t.count == 0 || !p.route.Retry.Once)
}

// left tells whether any may.
func (p *Plan) left() bool {
	for i := range p.count {
		if p.open(i) {
			return true
		}
	}
	return false
}

// Fresh tells whether the strategy has a target that the request did not try yet.
func (p *Plan) Fresh() bool {
	for i := range p.route.Targets {
		if p.open(i) && p.tries[i].count == 0 {
			return true
		}
	}
	return false
}

// Drop leaves the target out for the rest of the request.
func (p *Plan) Drop() {
	p.tries[p.current].out = true
	p.Yield()
}

// Yield gives back the right to probe the target that Next moved to: it is not tried now.
func (p *Plan) Yield() {
	if p.probes {
		p.known[p.current].breaker.release()
		p.probes = false
	}
}

// Try begins an attempt on the target as the target sees it.
func (p *Plan) Try(streamed bool) Trial {
	target := p.known[p.current]
	if target == nil {
		return Trial{}
	}
	trial := target.Begin(p.request.Now(), streamed)
	trial.probe, p.probes = p.probes, false
	return trial
}

// Begun counts an attempt on the target.
func (p *Plan) Begun() {
	p.made++
	p.tries[p.current].count++
}

// Made is how many attempts have begun.
func (p *Plan) Made() int { return p.made }

// Repeats tells whether the request tried the target before.
func (p *Plan) Repeats() bool { return p.tries[p.current].count > 0 }

// Again is when the target may be tried, since the request began; 0: at once.
func (p *Plan) Again() time.Duration { return p.tries[p.current].again }

// Left tells whether another attempt may follow the one under way.
func (p *Plan) Left() bool { return p.made < p.attempts && p.left() }

// Failed notes how the attempt on the target ended, and when, since the request
// began. retryAfter is what the upstream asked for, 0 where it asked for nothing. The
// wait for a repeat is random up to a bound that doubles ("full jitter",
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
func (p *Plan) Failed(how snapshot.Failures, at, retryAfter time.Duration) {
	t := &p.tries[p.current]
	most := min(p.route.Retry.Backoff<<(t.count-1), MaxWait)
	t.again = at + max(time.Duration(p.request.Draw(int64(most)+1)), retryAfter)
	t.out = t.out || how.Has(snapshot.Credential|snapshot.ContextTooLong|snapshot.ContentFilter) || retryAfter > MaxWait
	if how == snapshot.ContextTooLong {
		p.leaveAsShort(maxInput(p.At(p.current), p.request.Began))
	}
}

// leaveAsShort takes out targets that are known to take no more tokens than one that took
// too few.
func (p *Plan) leaveAsShort(took int64) {
	for i := range p.count {
		if most := maxInput(p.At(i), p.request.Began); most > 0 && most <= took {
			p.tries[i].out = true
		}
	}
}

// maxInput is what the model is known to take, in tokens; 0: it is not known.
func maxInput(target *snapshot.Target, began time.Time) int64 {
	entry := target.Price.At(began)
	if entry == nil {
		return 0
	}
	return entry.MaxInputTokens()
}
