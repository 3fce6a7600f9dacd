// Package balance decides to which target of a route a request goes, and where next
// when an attempt failed. It sends nothing, waits for nothing and reads no clock.
package balance

import (
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// MaxWait is the longest that a request waits for a target. One that asks for more
// (Retry-After) is not tried again by the request.
const MaxWait = 10 * time.Second

// Plan is one request's way through the targets of its route. One goroutine uses it.
type Plan struct {
	route   *snapshot.Route
	draw    func(n int64) int64
	made    int
	current int
	tries   [snapshot.MaxTargets]try
}

// try is what a request knows of a target.
type try struct {
	count uint8
	// out: it is not tried, or not again.
	out bool
	// again is when it may be tried, since the request began.
	again time.Duration
}

// Begin makes a plan of nothing tried yet. draw gives random numbers from 0 to n-1.
func (p *Plan) Begin(route *snapshot.Route, draw func(n int64) int64) {
	*p = Plan{route: route, draw: draw}
}

// Next moves to the target of the next attempt: of those that were tried least, the
// first, or one drawn by weight. Nil: no attempt or no target is left.
func (p *Plan) Next() *snapshot.Target {
	least := p.least()
	if p.made >= p.route.Retry.Attempts || least < 0 {
		return nil
	}
	skip := int64(0) // of the weights before the target drawn
	weighted := p.route.Strategy == policyv1.Strategy_STRATEGY_WEIGHTED
	if weighted {
		skip = p.draw(p.weight(least))
	}
	for i, target := range p.route.Targets {
		if !p.open(i) || int(p.tries[i].count) != least {
			continue
		}
		if skip -= target.Weight; skip < 0 || !weighted {
			p.current = i
			return target
		}
	}
	return nil
}

// open tells whether a target may still be tried.
func (p *Plan) open(i int) bool {
	t := &p.tries[i]
	return !t.out && (t.count == 0 || !p.route.Retry.Once)
}

// least is how often the least tried of the open targets was; -1: none is open.
func (p *Plan) least() int {
	least := -1
	for i := range p.route.Targets {
		if count := int(p.tries[i].count); p.open(i) && (least < 0 || count < least) {
			least = count
		}
	}
	return least
}

// weight is of all open targets that were tried so often.
func (p *Plan) weight(count int) (sum int64) {
	for i, target := range p.route.Targets {
		if p.open(i) && int(p.tries[i].count) == count {
			sum += target.Weight
		}
	}
	return sum
}

// Drop leaves the target out for the rest of the request.
func (p *Plan) Drop() { p.tries[p.current].out = true }

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
func (p *Plan) Left() bool { return p.made < p.route.Retry.Attempts && p.least() >= 0 }

// Failed notes how the attempt on the target ended, and when, since the request
// began. retryAfter is what the upstream asked for, 0 where it asked for nothing. The
// wait for a repeat is random up to a bound that doubles ("full jitter",
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
func (p *Plan) Failed(how snapshot.Failures, at, retryAfter time.Duration) {
	t := &p.tries[p.current]
	most := min(p.route.Retry.Backoff<<(t.count-1), MaxWait)
	t.again = at + max(time.Duration(p.draw(int64(most)+1)), retryAfter)
	t.out = how == snapshot.Credential || retryAfter > MaxWait
}
