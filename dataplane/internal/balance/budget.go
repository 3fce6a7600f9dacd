package balance

import (
	"sync"
	"sync/atomic"
	"time"
)

// A target's budget, in thousandths of a repeat.
const (
	whole = 1000
	// earned by each request that tries the target: 20 %.
	earned = whole / 5
	// burst is the most that is saved, and what a new target begins with.
	burst = 10 * whole
	// perMillisecond is earned by time, so that a target that few ask has some: one
	// repeat per second.
	perMillisecond = whole / 1000
)

// Budget keeps repeats from multiplying the load of a target in trouble: they are at
// most 20 % of the requests that try it, and one per second. What a request goes on to
// that it did not try yet is no repeat: it comes once to each, whatever fails.
type Budget struct {
	level  atomic.Int64
	mu     sync.Mutex
	filled time.Time
}

// Earn counts a request that tries the target.
func (b *Budget) Earn() { b.add(earned) }

func (b *Budget) add(more int64) {
	for {
		level := b.level.Load()
		next := min(level+more, burst)
		if next == level || b.level.CompareAndSwap(level, next) {
			return
		}
	}
}

// Take tells whether there is a repeat left, and takes it.
func (b *Budget) Take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ms := now.Sub(b.filled).Milliseconds(); ms > 0 {
		b.add(ms * perMillisecond)
		b.filled = now
	}
	if b.level.Load() < whole {
		return false
	}
	b.level.Add(-whole)
	return true
}
