package balance

import (
	"math"
	"time"
)

// How targets are compared by time.
const (
	// band is how much slower than the fastest shares its requests.
	band = 1.15
	// failureCost is how many times as long a target counts that fails always, beside once.
	failureCost = 9
	// crowding is how much slower one counts that has all requests under way.
	crowding = 0.25
	// unseen is for how long a target is not asked before one in explored requests goes
	// there to see whether it is faster now.
	unseen   = 5 * time.Second
	explored = 16
	// usualOutput is expected of an answer, in tokens, where none was seen.
	usualOutput = 256

	unpriced = math.MaxInt64
)

// fastest is one of those that would answer soonest: a little slower is no slower, and of
// two drawn from them the one with fewer requests under way is taken ("power of two
// choices"). Targets never tried, and those to be probed, come before all.
func (p *Plan) fastest(c *choices) int {
	if i := p.curious(c); i >= 0 {
		return i
	}
	var times [maxChoices]float64
	best := p.expect(c, &times)
	var near choices
	for n, i := range c.all() {
		if times[n] <= best*band {
			near.add(int(i))
		}
	}
	if near.count == 1 {
		return int(near.at[0])
	}
	one := p.request.Draw(int64(near.count))
	other := p.request.Draw(int64(near.count - 1))
	if other >= one {
		other++
	}
	a, b := near.at[one], near.at[other]
	if p.inFlight(b) < p.inFlight(a) {
		return int(b)
	}
	return int(a)
}

// curious is a target of which too little is known; -1: there is none.
func (p *Plan) curious(c *choices) int {
	for _, i := range c.all() {
		if p.known[i].tried.Load() == 0 || p.Standing(int(i)) == Due {
			return int(i)
		}
	}
	for _, i := range c.all() {
		if p.made == 0 && p.unseen(int(i)) {
			return int(i)
		}
	}
	return -1
}

// unseen tells whether to look how a target does that nobody asked for long.
func (p *Plan) unseen(i int) bool {
	return p.now-p.known[i].asked.Load() > int64(unseen) && p.request.Draw(explored) == 0
}

// expect has for each of them the time that the request would take there, in nanoseconds,
// and the least.
func (p *Plan) expect(c *choices, times *[maxChoices]float64) (best float64) {
	output := p.output(c)
	unknown, all := p.leastFirst(c), int64(0)
	for _, i := range c.all() {
		all += p.inFlight(i)
	}
	for n, i := range c.all() {
		t := p.known[i]
		time := max(t.firstNow(p.now, unknown)+t.token.load()*output, t.wholes.silence(p.now))
		time *= 1 + failureCost*t.failing.load()
		if all > 0 {
			time *= 1 + crowding*float64(t.inFlight.Load())/float64(all)
		}
		if times[n] = time; n == 0 || time < best {
			best = time
		}
	}
	return best
}

// firstNow is the expected time to first content.
func (t *Target) firstNow(now int64, unknown float64) float64 {
	first := unknown
	if t.first.known.Load() {
		first = t.first.load()
	}
	return max(first, t.streams.silence(now))
}

// leastFirst stands for the times to first content that are not known.
func (p *Plan) leastFirst(c *choices) (least float64) {
	for _, i := range c.all() {
		if t := p.known[i]; t.first.known.Load() && (least == 0 || t.first.load() < least) {
			least = t.first.load()
		}
	}
	return least
}

// output is how many tokens the answer is expected to have: as the answers before it.
func (p *Plan) output(c *choices) float64 {
	if p.request.NoOutput {
		return 0
	}
	sum, known := 0.0, 0
	for _, i := range c.all() {
		if t := p.known[i]; t.output.known.Load() {
			sum += t.output.load()
			known++
		}
	}
	usual := float64(usualOutput)
	if known > 0 {
		usual = sum / float64(known)
	}
	if most := p.request.MaxOutput; most > 0 {
		usual = min(usual, float64(most))
	}
	return usual
}
