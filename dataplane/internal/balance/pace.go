package balance

import (
	"math"
	"sync"
	"time"
)

const (
	// aHedge in thousandths; savedHedges is the most that is saved.
	aHedge      = 1000
	savedHedges = 10 * aHedge
)

// Pace is how long a target takes until its first content, and how many of its requests may
// be hedged still. It is safe for concurrent use: its lock is the target's own.
type Pace struct {
	mu sync.Mutex
	// streamed and whole answers have times of their own: the content of the latter comes at
	// their end.
	streamed, whole quantiles
	saved           int64
}

// Pace is what hedges of a target go by; routes without them need none.
func (t *Target) Pace() *Pace {
	if known := t.pace.Load(); known != nil {
		return known
	}
	t.pace.CompareAndSwap(nil, &Pace{})
	return t.pace.Load()
}

func (p *Pace) times(streamed bool) *quantiles {
	if streamed {
		return &p.streamed
	}
	return &p.whole
}

// Begin counts a request to the target, of which most (0 to 1) may be hedged, and is the time
// within which a share of its answers had content; false: fewer than EnoughTimes came lately.
func (p *Pace) Begin(streamed bool, share, most float64, now time.Time) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saved = min(p.saved+int64(math.Round(most*aHedge)), savedHedges)
	return p.times(streamed).at(share, now)
}

// Note counts how long an answer's first content took, or took at least.
func (p *Pace) Note(streamed bool, took time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times(streamed).note(took, now)
}

// Take tells whether a request may be hedged, and takes it from those that may.
func (p *Pace) Take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.saved < aHedge {
		return false
	}
	p.saved -= aHedge
	return true
}

// Return gives back what was taken and not used.
func (p *Pace) Return() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saved = min(p.saved+aHedge, savedHedges)
}
