package balance

import (
	"math"
	"sync/atomic"
	"time"
)

const (
	// memory of averages: what was seen this long ago weighs 1/e of what is seen now.
	memory = 3 * time.Second
	// failureMemory is that of failures.
	failureMemory = 5 * time.Second
)

// average is weighted by age, exponentially ("EWMA"). Reading takes no lock; who writes has
// the target's.
type average struct {
	known atomic.Bool
	bits  atomic.Uint64 // of a float64
	at    atomic.Int64
}

// load is 0 where nothing is known.
func (a *average) load() float64 { return math.Float64frombits(a.bits.Load()) }

// observe takes in a value. The longer ago the last one, the less it counts.
func (a *average) observe(value float64, now int64, memory time.Duration) {
	if a.known.Load() {
		old := math.Exp(-float64(max(0, now-a.at.Load())) / float64(memory))
		value = a.load()*old + value*(1-old)
	}
	a.set(value, now)
}

// peak is observe that takes what is higher at once: who waits for a mean to follow has sent
// many requests to a slow target by then.
func (a *average) peak(value float64, now int64) {
	if a.known.Load() && value > a.load() {
		a.set(value, now)
		return
	}
	a.observe(value, now, memory)
}

func (a *average) set(value float64, now int64) {
	a.bits.Store(math.Float64bits(value))
	a.at.Store(now)
	a.known.Store(true)
}
