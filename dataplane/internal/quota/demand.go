package quota

import (
	"math"
	"time"
)

const (
	// horizon is how far ahead an agent leases, in seconds.
	horizon = 3
	// stretch is how long the largest claim of it counts, and of the one before.
	stretch = int64(5 * time.Second)
	// missedFor is how long something is held for requests that could not wait: they are told
	// to come back sooner.
	missedFor = int64(retryUnreachable + time.Second)
	// lookGap is the shortest time that a rate is taken over, steadyGap the one for what is
	// shared where lookGap can't tell.
	lookGap   = int64(200 * time.Millisecond)
	steadyGap = int64(time.Second)
)

// demand is how much of an account was asked for lately.
type demand struct {
	taken   int64 // since; what was given back by requests is less
	since   int64
	rate    int64 // each second; what is higher counts at once, what is lower by and by
	largest [2]int64
	turned  int64 // when the stretch began
	last    int64 // when a claim came
	steady  steady
	// missedUntil is until when requests may come back that the ledger was too slow for.
	missedUntil int64
}

// steady is how much was taken over a longer time.
type steady struct {
	taken, count, since int64
	rate, each          int64 // of the last whole time: each second, and by one claim
}

// claim notes what a request would reserve.
func (d *demand) claim(amount, now int64) {
	d.last = now
	d.largest[0] = max(d.largest[0], amount)
}

// miss notes that a request was refused as the ledger was too slow for it.
func (d *demand) miss(now int64) { d.missedUntil = now + missedFor }

// took notes what a claim took.
func (d *demand) took(amount int64) {
	if amount > 0 {
		d.steady.count++
	}
	d.more(amount)
}

// more notes what a request took beyond its claim, or, below 0, gave back.
func (d *demand) more(amount int64) {
	d.taken = min(max(d.taken+amount, -maxAmount), maxAmount)
	d.steady.taken = min(max(d.steady.taken+amount, -maxAmount), maxAmount)
}

// look takes in what was taken since the last look. The rate falls by a part of what it is too
// high, each lookGap: what is leased may be kept for a burst, and what is shared is others' at
// once. What is shared is what the longer time has, unless that is over: of five requests a second
// three may come within a lookGap, and whoever asks for fifteen because of it keeps ten from the
// others.
func (d *demand) look(now int64, shared bool) {
	quarters := int64(1)
	if shared {
		quarters = 3
		d.steady.look(now)
	}
	if now-d.turned >= stretch {
		d.largest[1], d.largest[0] = d.largest[0], 0
		if now-d.turned >= 2*stretch {
			d.largest[1] = 0
		}
		d.turned = now
	}
	gap := now - d.since
	ms := max(gap, lookGap) / int64(time.Millisecond)
	rate := eachSecond(d.taken, ms)
	if shared && d.steady.has(d.taken, max(gap, now-d.last)) {
		rate = d.steady.rate
	}
	if gap < lookGap { // at least that
		d.rate = max(d.rate, rate)
		return
	}
	if rate >= d.rate {
		d.rate = rate
	} else {
		for steps := min(gap/lookGap, 40); steps > 0; steps-- {
			d.rate -= ((d.rate-rate)*quarters + 3) / 4
		}
	}
	d.taken, d.since = 0, now
}

// look begins another time where the last one is whole.
func (s *steady) look(now int64) {
	gap := now - s.since
	if gap < steadyGap {
		return
	}
	*s = steady{since: now, rate: eachSecond(s.taken, gap/int64(time.Millisecond)), each: max(s.taken, 0) / max(s.count, 1)}
}

// has tells whether so much in a gap is no surprise: claims that come by chance are twice the
// square root of their number off at times, and one as they are counted.
func (s *steady) has(taken, gap int64) bool {
	if s.each <= 0 {
		return false
	}
	expected := float64(s.rate) / float64(s.each) * float64(gap) / float64(time.Second)
	return math.Abs(float64(taken)/float64(s.each)-expected) <= 1+2*math.Sqrt(expected)
}

// eachSecond is what was taken in so many ms, in a second; nothing below 0.
func eachSecond(taken, ms int64) int64 {
	taken = max(taken, 0)
	if taken < maxAmount/1000 {
		return taken * 1000 / ms
	}
	return taken / ms * 1000
}

// most is the largest claim of late.
func (d *demand) most() int64 { return max(d.largest[0], d.largest[1]) }

// want is what the account should have for requests to come.
func (d *demand) want() int64 {
	return min(min(d.rate, maxAmount/8)*horizon+2*min(d.most(), maxAmount/4), maxAmount)
}
