package control

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff waits a random time below a limit that doubles up to a cap.
type backoff struct{ first, limit, most time.Duration }

func (c *Client) newBackoff() *backoff {
	first := c.config.Timing.MinRetry
	return &backoff{first: first, limit: first, most: c.config.Timing.MaxRetry}
}

func (b *backoff) reset() { b.limit = b.first }

// atLeast makes the next wait one of up to d, within the cap.
func (b *backoff) atLeast(d time.Duration) { b.limit = max(b.limit, min(d, b.most)) }

// wait returns false when ctx ended.
func (b *backoff) wait(ctx context.Context) bool {
	timer := time.NewTimer(rand.N(b.limit))
	defer timer.Stop()
	b.limit = min(2*b.limit, b.most)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// jitter spreads d by a fifth each way.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
