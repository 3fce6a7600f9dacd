package spool

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// longestRetry is the longest pause between two tries to open a spool.
const longestRetry = 15 * time.Second

// Gate is a spool whose disk may not let it open yet: full, read-only, gone. While
// it is shut no request may start, nobody holds the folder and there is no boot.
type Gate struct {
	opts   Options
	log    atomic.Pointer[Log]
	why    atomic.Pointer[shut]
	opened chan struct{}
}

// shut is why a gate is.
type shut struct{ err error }

// OpenGate tries to open the spool once. The gate comes back shut where the system
// said no: Run goes on trying. Every other error is final, such as ErrLocked.
func OpenGate(o Options) (*Gate, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gate{opts: o, opened: make(chan struct{})}
	if err := g.try(); err != nil && !passing(err) {
		return nil, err
	}
	return g, nil
}

// passing tells the system's errors, which end when the disk is mended.
func passing(err error) bool {
	var system syscall.Errno
	return errors.As(err, &system)
}

func (g *Gate) try() error {
	log, err := Open(g.opts)
	if err != nil {
		if isDiskFull(err) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		g.why.Store(&shut{fmt.Errorf("usage spool is not open: %w", err)})
		return err
	}
	g.log.Store(log)
	g.why.Store(nil) // after the log is there
	close(g.opened)
	return nil
}

// Run tries until the spool is open or ctx ends. It returns errors that no retry
// can mend.
func (g *Gate) Run(ctx context.Context) error {
	said := ""
	for pause := g.opts.RetryEvery; g.Shut() != nil; pause = min(2*pause, longestRetry) {
		if reason := g.Shut().Error(); reason != said {
			g.opts.Logger.Error("requests are refused until the usage spool can be opened", "error", reason)
			said = reason
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		if err := g.try(); err != nil && !passing(err) {
			return err
		}
	}
	if said != "" {
		g.opts.Logger.Info("the usage spool is open, requests are served")
	}
	return nil
}

// Opened is closed once the spool is open; it stays so.
func (g *Gate) Opened() <-chan struct{} { return g.opened }

// Log is nil before Opened.
func (g *Gate) Log() *Log { return g.log.Load() }

// Shut says why no request may start; nil: the spool is open.
func (g *Gate) Shut() error {
	if s := g.why.Load(); s != nil {
		return s.err
	}
	return nil
}

// Fault says why no request may start now, whether the spool is open or not.
func (g *Gate) Fault() error {
	if err := g.Shut(); err != nil {
		return err
	}
	return g.log.Load().Fault()
}

// Start is Log.Start.
func (g *Gate) Start(record *usagev1.UsageRecord) (uint64, error) {
	if err := g.Shut(); err != nil {
		return 0, err
	}
	return g.log.Load().Start(record)
}

// Again is Log.Again: what was started has a spool.
func (g *Gate) Again(id uint64, record *usagev1.UsageRecord) error {
	return g.log.Load().Again(id, record)
}

// End is Log.End: what was started has a spool.
func (g *Gate) End(id uint64, record *usagev1.UsageRecord) error {
	return g.log.Load().End(id, record)
}

// Forgo is Log.Forgo.
func (g *Gate) Forgo(id uint64, record *usagev1.UsageRecord) (uint64, error) {
	if err := g.Shut(); err != nil {
		return 0, err
	}
	return g.log.Load().Forgo(id, record)
}

// Forgoes is Log.Forgoes: nothing is served while the gate is shut.
func (g *Gate) Forgoes() error {
	if err := g.Shut(); err != nil {
		return err
	}
	return g.log.Load().Forgoes()
}

// Refuse is Log.Refuse.
func (g *Gate) Refuse(record *usagev1.UsageRecord) error {
	if err := g.Shut(); err != nil {
		return err
	}
	return g.log.Load().Refuse(record)
}

// Stats has nothing but the bound before the spool is open.
func (g *Gate) Stats() Stats {
	if l := g.log.Load(); l != nil {
		return l.Stats()
	}
	return Stats{MaxBytes: g.opts.MaxBytes}
}

// Tails is Log.Tails.
func (g *Gate) Tails() []*agentv1.BootTail {
	if l := g.log.Load(); l != nil {
		return l.Tails()
	}
	return nil
}

// Settle is Log.Settle.
func (g *Gate) Settle(ranges []*agentv1.SettledRange) {
	if l := g.log.Load(); l != nil {
		l.Settle(ranges)
	}
}

// Close closes the spool, if it is open. Run must have ended.
func (g *Gate) Close(ctx context.Context) error {
	if l := g.log.Load(); l != nil {
		return l.Close(ctx)
	}
	return nil
}
