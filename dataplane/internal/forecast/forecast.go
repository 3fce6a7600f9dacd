// Package forecast learns how long the answers of a kind of request are, so that soft quotas
// reserve what a request will likely take and not the most that it can. It knows nothing of
// prices and quotas, and holds so many kinds at most.
package forecast

import (
	"math"
	"sync"
	"time"
)

const (
	// Enough is how many answers must be known before more than that is said of them.
	Enough = 20
	// share of the answers that are no longer than what is expected.
	share = 0.9
	// What is known fades in two halves: the younger one becomes the older after so many
	// answers or so long.
	turnAnswers = 200
	turnAfter   = 15 * time.Minute
	// A histogram's buckets grow by a tenth, from 1 token to two million: so exact is a length.
	growth  = 1.1
	buckets = 154
	// looked is how many kinds are looked at for one that may go.
	looked = 8
)

// Kind of requests whose answers are alike: by their key's, their route's and their model's ids.
type Kind struct{ Key, Route, Model string }

// Outputs are the lengths of answers by kind, in tokens. It is safe for concurrent use.
type Outputs struct {
	most int
	mu   sync.Mutex
	of   map[Kind]*lengths
}

// NewOutputs holds so many kinds at most, of 650 bytes each: of those beyond, ones that were
// not asked for lately go.
func NewOutputs(most int) *Outputs { return &Outputs{most: most, of: map[Kind]*lengths{}} }

// lengths are of one kind.
type lengths struct {
	young, old histogram
	since      time.Time
	last       time.Time // asked for or noted
}

type histogram struct {
	counts [buckets]uint16
	total  int
}

// Note has one answer's tokens.
func (o *Outputs) Note(kind Kind, tokens int64, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.of[kind]
	if l == nil {
		if len(o.of) >= o.most {
			o.drop()
		}
		l = &lengths{since: now}
		o.of[kind] = l
	}
	l.last = now
	l.turn(now)
	l.young.counts[bucketOf(tokens)]++
	l.young.total++
}

// Expect is how many tokens nine in ten answers of late do not exceed, at most a tenth too
// many; false: fewer than Enough are known.
func (o *Outputs) Expect(kind Kind, now time.Time) (tokens int64, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.of[kind]
	if l == nil {
		return 0, false
	}
	l.last = now
	l.turn(now)
	return l.quantile()
}

// drop makes room: of a few kinds, the one goes that nobody used for longest.
func (o *Outputs) drop() {
	var oldest Kind
	var at time.Time
	seen := 0
	for kind, l := range o.of {
		if seen == 0 || l.last.Before(at) {
			oldest, at = kind, l.last
		}
		if seen++; seen == looked {
			break
		}
	}
	delete(o.of, oldest)
}

// turn forgets what is old.
func (l *lengths) turn(now time.Time) {
	age := now.Sub(l.since)
	if age < turnAfter && l.young.total < turnAnswers {
		return
	}
	l.old, l.young, l.since = l.young, histogram{}, now
	if age >= 2*turnAfter {
		l.old = histogram{}
	}
}

func (l *lengths) quantile() (int64, bool) {
	total := l.young.total + l.old.total
	if total < Enough {
		return 0, false
	}
	rank, seen := int(math.Ceil(share*float64(total))), 0
	for i := range buckets {
		if seen += int(l.young.counts[i]) + int(l.old.counts[i]); seen >= rank {
			return edges[i], true
		}
	}
	return edges[buckets-1], true
}

// edges are the upper bounds of the buckets, each longer than the one before.
var edges = func() (all [buckets]int64) {
	at := 1.0
	for i := range all {
		all[i] = int64(math.Ceil(at))
		at *= growth
	}
	return all
}()

func bucketOf(tokens int64) int {
	low, high := 0, buckets-1
	for low < high {
		if middle := (low + high) / 2; edges[middle] >= tokens {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}
