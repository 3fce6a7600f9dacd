package load

import (
	"iter"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// Poisson is a schedule of independent callers: so many per second on average, with gaps
// that are exponentially distributed, the same for the same seed.
func Poisson(perSecond float64, length time.Duration, seed uint64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		dice := rand.New(rand.NewPCG(seed, 0))
		for at := 0.0; ; {
			at += dice.ExpFloat64() / perSecond
			offset := time.Duration(at * float64(time.Second))
			if offset >= length || !yield(offset) {
				return
			}
		}
	}
}

// sharpen has the kernel wake this thread when it asked to, not up to 50 µs later.
func sharpen() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

// nap sleeps in the kernel.
func nap(d time.Duration) {
	span := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&span, nil) // a signal wakes it early, which the caller notices
}
