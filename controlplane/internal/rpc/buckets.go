package rpc

import "time"

// maxBuckets bounds what is remembered: about 10 MiB of each kind.
const maxBuckets = 1 << 16

// bucket holds what one name has left. The zero bucket was never touched.
type bucket struct {
	calls float64
	at    time.Time
}

// buckets are full at first and fill up evenly; a full one is forgotten.
type buckets struct {
	rate   Rate
	byName map[string]bucket
	swept  time.Time
}

func newBuckets(rate Rate) buckets {
	rate.Burst = max(rate.Burst, 1)
	return buckets{rate: rate, byName: make(map[string]bucket)}
}

// take takes one call, or says how long it is until there is one.
func (b *buckets) take(name string, now time.Time) time.Duration {
	b.sweep(now)
	was, known := b.byName[name]
	calls := b.rate.Burst
	if known {
		calls = b.filled(was, now)
	}
	if calls < 1 {
		return time.Duration((1 - calls) / b.rate.PerSecond * float64(time.Second))
	}
	if known || len(b.byName) < maxBuckets {
		b.byName[name] = bucket{calls: calls - 1, at: now}
		return 0
	}
	// So many names at once are an attack from a network of addresses: they are
	// not worth forgetting those that are being held back.
	return b.fillTime()
}

func (b *buckets) filled(was bucket, now time.Time) float64 {
	return min(b.rate.Burst, was.calls+max(now.Sub(was.at), 0).Seconds()*b.rate.PerSecond)
}

// fillTime is how long an empty bucket takes to fill up.
func (b *buckets) fillTime() time.Duration {
	return time.Duration(b.rate.Burst / b.rate.PerSecond * float64(time.Second))
}

// sweep forgets what is full again, as often as an empty bucket fills up.
func (b *buckets) sweep(now time.Time) {
	if now.Sub(b.swept) < b.fillTime() {
		return
	}
	b.swept = now
	for name, was := range b.byName {
		if b.filled(was, now) >= b.rate.Burst {
			delete(b.byName, name)
		}
	}
}
