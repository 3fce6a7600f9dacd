package quota

import (
	"time"
)

// share is the part of a rate, or the slots, that this agent has; the account's lock is held
// for all of it.
type share struct {
	amount int64 // of the last answer
	free   int64 // what others could not be using then, the amount in it
	got    int64 // when it came
	until  int64 // when it lapses; 0: none ever came
	renew  int64 // when it is to be asked for again
	asked  int64 // demand that was answered
	// used in the window of the grid with this number, or slots that are taken.
	used int64
	grid int64
	peak int64 // slots taken and asked for since the last look
}

// shareIdle is how long after its last request a share is not asked for any more.
const shareIdle = int64(10 * time.Second)

// bound is how much the share lets through; false: nothing is known.
func (s *share) bound(q *Quota, unreachable bool, now int64) (most int64, known bool) {
	switch {
	case now < s.until:
		return s.amount, true
	case unreachable && !q.RefuseWhenUnreachable:
		return q.Amount, true
	}
	return 0, false
}

// roll begins the window of the grid that a moment is in. A moment that was read just before
// it began is in it; numbers that are far apart are of a window that got longer.
func (s *share) roll(q *Quota, at time.Time) {
	if grid := at.UnixMilli() / q.Window.Milliseconds(); grid != s.grid && grid != s.grid-1 {
		s.grid, s.used = grid, 0
	}
}

// ends is when the window of the grid is over that a moment is in.
func (s *share) ends(q *Quota, at time.Time) time.Time {
	window := q.Window.Milliseconds()
	return time.UnixMilli((at.UnixMilli()/window + 1) * window)
}

// demand is what this agent could use; the ledger gives up to twice that, so that requests
// seldom wait for more. What it used in a window stays its own until that is over, else
// another agent could use it once more. waiting is what requests wait for.
func (s *share) demand(q *Quota, d *demand, waiting int64) int64 {
	most := max(s.peak, s.used) + waiting
	if q.Kind() == Rates {
		ms := q.Window.Milliseconds()
		each := d.rate / 1000 * ms
		if d.rate < maxAmount/ms {
			each = d.rate * ms / 1000
		}
		most = max(each, d.most(), s.used+waiting)
	}
	return min(most, q.Amount)
}

// short tells whether all agents together want more than there is, as far as is known.
func (s *share) short(q *Quota) bool { return s.amount < s.asked || s.amount >= q.Amount }

// explain fills in what a share says of a refusal.
func (s *share) explain(r *Refusal, q *Quota, unreachable bool, now int64, m *Meter) {
	most, known := s.bound(q, unreachable, now)
	if !known {
		r.Why, r.Limit, r.RetryAfter = Unreachable, q.Amount, retryUnreachable
		return
	}
	r.Why, r.Limit, r.Taken = Exhausted, most, s.used
	r.Available = max(most-s.used, 0)
	r.RetryAfter = retryHeld
	if q.Kind() == Rates {
		at := m.at(now)
		r.Ends = s.ends(q, at)
		r.RetryAfter = max(r.Ends.Sub(at), time.Millisecond)
	}
}
