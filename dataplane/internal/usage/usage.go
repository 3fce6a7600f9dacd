// Package usage ships the agent's usage: it closes and signs what the spool has
// and hands it to a Sender, in order, one call at a time, until the broker has
// it. It drops nothing and holds nothing: what is not sent stays in the spool.
// There are two ways, of which one is used at a time: a relay, and Kafka itself.
// It must not read records or know how they came to be.
package usage

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	// heldFor is how often Hold is asked again.
	heldFor = time.Second
	// mostBatches are handed out at once.
	mostBatches = 16
)

// Source is where batches come from.
type Source interface {
	Next(ctx context.Context, most int, closeBatch spool.CloseBatch) ([]spool.Batch, error)
	Flush(ctx context.Context, most int, closeBatch spool.CloseBatch) ([]spool.Batch, error)
	Acked(...spool.Batch)
	PassOver(spool.Batch)
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
	Hold func() bool
	// Switched is closed when waiting after a failure is over; nil: never.
	Switched    func() <-chan struct{}
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
	if o.Switched == nil {
		o.Switched = func() <-chan struct{} { return nil }
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
			pause(ctx, heldFor, nil)
		}
		batches, err := s.gather(ctx, s.o.Source.Next)
		if ctx.Err() != nil {
			return s.flush(context.WithoutCancel(ctx))
		}
		if err != nil {
			return err
		}
		if err := s.ship(ctx, batches); err != nil {
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
		batches, err := s.gather(ctx, s.o.Source.Flush)
		if err == nil {
			err = s.ship(ctx, batches)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			s.o.Logger.Warn("usage is left in the spool for the next start", "waited", s.o.FlushWithin)
			return nil
		}
		if err != nil || len(batches) == 0 {
			return err
		}
	}
}

type gathering func(context.Context, int, spool.CloseBatch) ([]spool.Batch, error)

// gather tries until the spool gives batches, ctx ends or the spool is closed.
func (s *Shipper) gather(ctx context.Context, from gathering) ([]spool.Batch, error) {
	again := s.newRetry("close usage")
	for {
		batches, err := from(ctx, mostBatches, s.close)
		switch {
		case err == nil:
			again.worked()
			return batches, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("close usage: %w", ctx.Err())
		case errors.Is(err, spool.ErrClosed):
			return nil, fmt.Errorf("close usage: %w", err)
		}
		again.wait(ctx, err, nil)
	}
}

// ship returns an error only when ctx ended.
func (s *Shipper) ship(ctx context.Context, batches []spool.Batch) error {
	again := s.newRetry("ship usage")
	for len(batches) > 0 {
		switched := s.o.Switched()
		taken, err := s.o.Sender.Send(ctx, s.messages(batches))
		if taken > 0 {
			s.o.Source.Acked(batches[:taken]...)
			s.o.Metrics.sent(batches[:taken])
			batches = batches[taken:]
			again.worked()
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return fmt.Errorf("ship usage: %w", ctx.Err())
		}
		if refused := (*RefusedError)(nil); errors.As(err, &refused) && len(batches) > 0 {
			s.passOver(batches[0], err)
			batches = batches[1:]
			continue
		}
		s.o.Metrics.failed()
		again.wait(ctx, err, switched)
	}
	return nil
}

// passOver goes on behind what will not be taken, which stays in the spool.
func (s *Shipper) passOver(b spool.Batch, err error) {
	s.o.Logger.Error("a batch of usage is not taken and stays in the spool; what is behind it goes on",
		"agent_id", cmp.Or(b.Agent, s.o.AgentID), "boot", b.Boot, "first_seq", b.First, "last_seq", b.Last, "error", err)
	s.o.Source.PassOver(b)
	s.o.Metrics.refused()
}

func (s *Shipper) messages(batches []spool.Batch) []Message {
	all := make([]Message, len(batches))
	for i, b := range batches {
		all[i] = Message{AgentID: cmp.Or(b.Agent, s.o.AgentID), Value: b.Value}
	}
	return all
}

func (s *Shipper) close(boot string, records []*usagev1.UsageRecord) ([]byte, error) {
	return batch.Close(s.o.AgentID, boot, records, s.o.Now(), s.o.Key)
}
