package balance

import (
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// choices are numbers of targets.
type choices struct {
	at    [maxChoices]uint8
	count int
}

func (c *choices) add(i int) {
	c.at[c.count] = uint8(i)
	c.count++
}

func (c *choices) all() []uint8 { return c.at[:c.count] }

// choose is the number of the next target; -1: none is left. Targets whose breaker is open
// come last, before no target at all; then those that the request tried least; then the
// strategy decides. resort: it is open, and there is nothing better.
func (p *Plan) choose() (i int, resort bool) {
	if canary := len(p.route.Targets); p.canary && p.open(canary) && p.Standing(canary) < Probed {
		return canary, false
	}
	var well, ill choices
	for i := range p.route.Targets {
		switch {
		case !p.open(i):
		case p.Standing(i) >= Probed:
			ill.add(i)
		default:
			well.add(i)
		}
	}
	if well.count > 0 {
		p.least(&well)
		return p.among(&well), false
	}
	p.least(&ill)
	return p.lastResort(&ill), true
}

// enters takes the right to probe a target that is half open; false: another request was
// faster.
func (p *Plan) enters(i int) bool {
	switch p.Standing(i) {
	case Closed:
		return true
	case Due:
		p.probes = p.known[i].breaker.lease(p.now)
		return p.probes
	}
	return false
}

// least keeps those that the request tried least.
func (p *Plan) least(c *choices) {
	kept := 0
	for _, i := range c.all() {
		switch count, least := p.tries[i].count, p.tries[c.at[0]].count; {
		case kept > 0 && count > least:
			continue
		case count < least:
			kept = 0
		}
		c.at[kept] = i
		kept++
	}
	c.count = kept
}

// among is the one of them that the strategy takes.
func (p *Plan) among(c *choices) int {
	if c.count == 1 {
		return int(c.at[0])
	}
	strategy := p.route.Strategy
	if strategy == policyv1.Strategy_STRATEGY_WEIGHTED {
		return p.weighted(c)
	}
	if p.request.Targets == nil {
		return int(c.at[0])
	}
	switch strategy {
	case policyv1.Strategy_STRATEGY_LATENCY:
		return p.fastest(c)
	case policyv1.Strategy_STRATEGY_LEAST_BUSY:
		return p.leastBusy(c)
	case policyv1.Strategy_STRATEGY_CHEAPEST:
		return p.cheapest(c)
	case policyv1.Strategy_STRATEGY_STICKY:
		return p.home(c)
	}
	return int(c.at[0])
}

// lastResort is of targets whose breakers are all open: the one that would be tried first.
func (p *Plan) lastResort(c *choices) int {
	best := -1
	for _, i := range c.all() {
		if best < 0 || p.known[i].breaker.until.Load() < p.known[best].breaker.until.Load() {
			best = int(i)
		}
	}
	return best
}

func (p *Plan) weighted(c *choices) int {
	var sum int64
	for _, i := range c.all() {
		sum += p.route.Targets[i].Weight
	}
	skip := p.request.Draw(sum) // of the weights before the target drawn
	for _, i := range c.all() {
		if skip -= p.route.Targets[i].Weight; skip < 0 {
			return int(i)
		}
	}
	return int(c.at[0])
}

// leastBusy begins anywhere, so that equals share.
func (p *Plan) leastBusy(c *choices) int {
	from := int(p.request.Draw(int64(c.count)))
	best := c.at[from]
	for n := range c.count {
		if i := c.at[(from+n)%c.count]; p.inFlight(i) < p.inFlight(best) {
			best = i
		}
	}
	return int(best)
}

func (p *Plan) inFlight(i uint8) int64 { return p.known[i].inFlight.Load() }

// cheapest compares what the request would cost. Equals go by time.
func (p *Plan) cheapest(c *choices) int {
	output := int64(p.output(c))
	var equals choices
	var least int64
	for _, i := range c.all() {
		cost := p.cost(p.route.Targets[i], output)
		if equals.count == 0 || cost < least {
			equals.count, least = 0, cost
		}
		if cost == least {
			equals.add(int(i))
		}
	}
	if equals.count == 1 {
		return int(equals.at[0])
	}
	return p.fastest(&equals)
}

func (p *Plan) cost(target *snapshot.Target, output int64) int64 {
	if entry := target.Price.At(p.request.Began); entry != nil {
		if nanoUSD, priced := entry.Expected(p.request.Input, output); priced {
			return nanoUSD
		}
	}
	return unpriced
}
