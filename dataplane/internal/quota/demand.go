package quota

import "time"

const (
	// horizon is how far ahead an agent leases, in seconds.
	horizon = 3
	// stretch is how long the largest claim of it counts, and of the one before.
	stretch = int64(5 * time.Second)
	// missedFor is how long something is held for requests that could not wait: they are told
	// to come back sooner.
	missedFor = int64(retryUnreachable + time.Second)
	// lookGap is the shortest time that a rate is taken over.
	lookGap = int64(200 * time.Millisecond)
)

// demand is how much of an account was asked for lately.
type demand struct {
	taken   int64 // since; what was given back by requests is less
	since   int64
	rate    int64 // each second; what is higher counts at once, what is lower by and by
	largest [2]int64
	turned  int64 // when the stretch began
	last    int64 // when a claim came
	// missedUntil is until when requests may come back that the ledger was too slow for.
	missedUntil int64
}

// claim notes what a request would reserve.
func (d *demand) claim(amount, now int64) {
	d.last = now
	d.largest[0] = max(d.largest[0], amount)
}

// miss notes that a request was refused as the ledger was too slow for it.
func (d *demand) miss(now int64) { d.missedUntil = now + missedFor }

// took notes what a request took, or, below 0, gave back.
func (d *demand) took(amount int64) { d.taken = min(max(d.taken+amount, -maxAmount), maxAmount) }

// look takes in what was taken since the last look. The rate falls by so many quarters of what
// it is too high, each lookGap: what is leased may be kept for a burst, and what is shared is
// others' at once.
func (d *demand) look(now, quarters int64) {
	if now-d.turned >= stretch {
		d.largest[1], d.largest[0] = d.largest[0], 0
		if now-d.turned >= 2*stretch {
			d.largest[1] = 0
		}
		d.turned = now
	}
	gap := now - d.since
	ms := max(gap, lookGap) / int64(time.Millisecond)
	rate := max(d.taken, 0) / ms * 1000
	if d.taken < maxAmount/1000 {
		rate = max(d.taken, 0) * 1000 / ms
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

// most is the largest claim of late.
func (d *demand) most() int64 { return max(d.largest[0], d.largest[1]) }

// want is what the account should have for requests to come.
func (d *demand) want() int64 {
	return min(min(d.rate, maxAmount/8)*horizon+2*min(d.most(), maxAmount/4), maxAmount)
}
