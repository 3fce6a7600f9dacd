package balance

import (
	"math"
	"time"
)

// A histogram's buckets grow by 5 % each, from 1 ms to 20 minutes: so exact is a quantile.
const (
	growth  = 1.05
	buckets = 288
)

// What is known of a target's times fades in two halves: the younger one becomes the older
// after so many times or so long.
const (
	turnTimes = 1000
	turnAfter = 5 * time.Minute
)

// EnoughTimes is how many times must be known before a quantile of them is.
const EnoughTimes = 20

// edges are the upper bounds of the buckets.
var edges = func() (all [buckets]time.Duration) {
	at := float64(time.Millisecond)
	for i := range all {
		all[i] = time.Duration(at)
		at *= growth
	}
	return all
}()

// quantiles estimates those of a target's latest times. Who uses it holds a lock.
type quantiles struct {
	young, old histogram
	since      time.Time
}

type histogram struct {
	counts [buckets]uint32
	total  uint32
}

func bucketOf(took time.Duration) int {
	if took <= time.Millisecond {
		return 0
	}
	at := math.Ceil(math.Log(float64(took)/float64(time.Millisecond)) / math.Log(growth))
	return min(int(at), buckets-1)
}

func (q *quantiles) note(took time.Duration, now time.Time) {
	q.turn(now)
	q.young.counts[bucketOf(took)]++
	q.young.total++
}

// turn forgets what is old.
func (q *quantiles) turn(now time.Time) {
	age := now.Sub(q.since)
	if age < turnAfter && q.young.total < turnTimes {
		return
	}
	q.old, q.young, q.since = q.young, histogram{}, now
	if age >= 2*turnAfter {
		q.old = histogram{}
	}
}

// at is the time within which that share of the answers came, 0 to 1, at most 5 % too long;
// false: too few came lately.
func (q *quantiles) at(share float64, now time.Time) (time.Duration, bool) {
	q.turn(now)
	total := q.young.total + q.old.total
	if total < EnoughTimes {
		return 0, false
	}
	rank := uint32(math.Ceil(share * float64(total)))
	var seen uint32
	for i := range buckets {
		if seen += q.young.counts[i] + q.old.counts[i]; seen >= rank {
			return edges[i], true
		}
	}
	return edges[buckets-1], true
}
