package balance

// home is the target that serves requests like this one ("rendezvous hashing": of each
// target the hash of the two together decides, so that one target more takes its share from
// all, and moves no other request). It is left while another one is so much faster that a
// cold cache is.
func (p *Plan) home(c *choices) int {
	if !p.request.Sticks {
		return p.fastest(c)
	}
	home, highest := -1, uint64(0)
	for _, i := range c.all() {
		if score := mix(p.request.Alike ^ p.known[i].seed); home < 0 || score > highest {
			home, highest = int(i), score
		}
	}
	if p.Standing(home) == Due || !p.known[home].first.known.Load() || p.unseen(home) {
		return home
	}
	var others choices
	for _, i := range c.all() {
		if int(i) != home {
			others.add(int(i))
		}
	}
	best := p.fastest(&others)
	there := p.known[best]
	if !there.first.known.Load() || p.first(home) <= p.route.Sticky.BreakEven*p.first(best) {
		return home
	}
	return best
}

// first is the time to first content to expect of a target of which it is known.
func (p *Plan) first(i int) float64 {
	t := p.known[i]
	return t.firstNow(p.now, 0) * (1 + failureCost*t.failing.load())
}

// mix spreads a number over all bits.
// Source: splitmix64, https://prng.di.unimi.it/splitmix64.c
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
