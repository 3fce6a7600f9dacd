package ingest

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = 50 * time.Millisecond
	backoffMost  = 5 * time.Second
)

// backoff waits twice as long each time, with full jitter.
type backoff struct{ ceiling time.Duration }

func (b *backoff) sleep(ctx context.Context) {
	b.ceiling = min(max(backoffFirst, 2*b.ceiling), backoffMost)
	pause(ctx, time.Duration(rand.Int64N(int64(b.ceiling)))+backoffFirst/2)
}

func (b *backoff) reset() { b.ceiling = 0 }

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
