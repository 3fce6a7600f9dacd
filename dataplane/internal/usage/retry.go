package usage

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// longestAfter bounds what the other side may ask for between two calls.
const longestAfter = 5 * time.Minute

// retry waits longer after each failure, with full jitter, and says so now and then.
type retry struct {
	s        *Shipper
	doing    string
	failures int
}

func (s *Shipper) newRetry(doing string) *retry { return &retry{s: s, doing: doing} }

func (r *retry) worked() {
	if r.failures > 0 {
		r.s.o.Logger.Info("works again", "doing", r.doing, "failures", r.failures)
	}
	r.failures = 0
}

// wait returns after the pause that err asks for, when ctx ends, or when hurry is closed.
func (r *retry) wait(ctx context.Context, err error, hurry <-chan struct{}) {
	if r.failures&(r.failures+1) == 0 { // the 1st, 2nd, 4th, 8th …
		r.s.o.Logger.Warn("will try again", "doing", r.doing, "failures", r.failures+1, "error", err)
	}
	d := rand.N(backoff(r.failures, r.s.o.MaxBackoff)) + 1
	if later := (*LaterError)(nil); errors.As(err, &later) {
		d += min(later.After, longestAfter)
	}
	r.failures++
	pause(ctx, d, hurry)
}

func backoff(failures int, most time.Duration) time.Duration {
	return min(most, 100*time.Millisecond<<min(failures, 20))
}

func pause(ctx context.Context, d time.Duration, hurry <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-hurry:
	case <-timer.C:
	}
}
