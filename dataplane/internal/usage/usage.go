// Package usage ships the agent's usage: it closes and signs what the spool has
// and hands it to a Sender, one batch at a time, in order, until the broker has
// it. It drops nothing and holds nothing: what is not sent stays in the spool.
// It must not read records or know how they came to be.
package usage

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// heldFor is how often Hold is asked again.
const heldFor = time.Second

// Sender returns nil when the other side has the batch for good. After an error
// it may have it or not; sending it again does no harm.
type Sender interface {
	Send(ctx context.Context, agentID string, value []byte) error
}

// Source is where batches come from.
type Source interface {
	Next(context.Context, spool.CloseBatch) (spool.Batch, error)
	Flush(context.Context, spool.CloseBatch) (spool.Batch, bool, error)
	Acked(spool.Batch)
}

var _ Source = (*spool.Log)(nil)

// Options of a shipper; zero durations mean the defaults named here.
type Options struct {
	AgentID string
	Key     ed25519.PrivateKey // the agent's
	Source  Source
	Sender  Sender
	Metrics *Metrics // may be nil
	// Hold: nothing is closed or sent while it says so; nil: never.
	Hold        func() bool
	Logger      *slog.Logger
	FlushWithin time.Duration // what a shutdown may take, 5 s
	MaxBackoff  time.Duration // 10 s
	Now         func() time.Time
}

// Shipper ships for one enrolled agent.
type Shipper struct{ o Options }

// New returns a shipper, or what its options lack.
func New(o Options) (*Shipper, error) {
	if o.AgentID == "" || len(o.Key) != ed25519.PrivateKeySize || o.Source == nil || o.Sender == nil {
		return nil, errors.New("usage shipper: agent id, key, source and sender are needed")
	}
	if o.FlushWithin == 0 {
		o.FlushWithin = 5 * time.Second
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Hold == nil {
		o.Hold = func() bool { return false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Shipper{o}, nil
}

// Run ships until ctx ends, then flushes what is there within FlushWithin. It
// retries for ever; it returns early only when the spool is closed under it.
func (s *Shipper) Run(ctx context.Context) error {
	for {
		for s.o.Hold() && ctx.Err() == nil {
			pause(ctx, heldFor)
		}
		b, err := retry(ctx, s, "close usage", func() (spool.Batch, error) { return s.o.Source.Next(ctx, s.close) })
		if ctx.Err() != nil {
			return s.flush(context.WithoutCancel(ctx))
		}
		if err != nil {
			return err
		}
		if err := s.ship(ctx, b); err != nil {
			return s.flush(context.WithoutCancel(ctx))
		}
	}
}

func (s *Shipper) flush(ctx context.Context) error {
	if s.o.Hold() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.FlushWithin)
	defer cancel()
	for {
		more := false
		b, err := retry(ctx, s, "close usage", func() (b spool.Batch, err error) {
			b, more, err = s.o.Source.Flush(ctx, s.close)
			return b, err
		})
		if err == nil && more {
			err = s.ship(ctx, b)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			s.o.Logger.Warn("usage is left in the spool for the next start", "waited", s.o.FlushWithin)
			return nil
		}
		if err != nil || !more {
			return err
		}
	}
}

// ship returns an error only when ctx ended.
func (s *Shipper) ship(ctx context.Context, b spool.Batch) error {
	_, err := retry(ctx, s, "ship usage", func() (struct{}, error) {
		err := s.o.Sender.Send(ctx, cmp.Or(b.Agent, s.o.AgentID), b.Value)
		if err != nil {
			s.o.Metrics.failed()
		}
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	s.o.Source.Acked(b)
	s.o.Metrics.sent(b)
	return nil
}

func (s *Shipper) close(boot string, records []*usagev1.UsageRecord) ([]byte, error) {
	return batch.Close(s.o.AgentID, boot, records, s.o.Now(), s.o.Key)
}

// retry tries until it works, ctx ends or the spool is closed, with full jitter.
func retry[T any](ctx context.Context, s *Shipper, what string, try func() (T, error)) (T, error) {
	for failures := 0; ; failures++ {
		value, err := try()
		if err == nil {
			if failures > 0 {
				s.o.Logger.Info("works again", "doing", what, "failures", failures)
			}
			return value, nil
		}
		if ctx.Err() != nil {
			return value, fmt.Errorf("%s: %w", what, ctx.Err())
		}
		if errors.Is(err, spool.ErrClosed) {
			return value, fmt.Errorf("%s: %w", what, err)
		}
		if failures&(failures+1) == 0 { // the 1st, 2nd, 4th, 8th …
			s.o.Logger.Warn("will try again", "doing", what, "failures", failures+1, "error", err)
		}
		pause(ctx, rand.N(backoff(failures, s.o.MaxBackoff))+1)
	}
}

func backoff(failures int, most time.Duration) time.Duration {
	return min(most, 100*time.Millisecond<<min(failures, 20))
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
