// Package courier brings alerts to the webhooks of their channels, until they are taken or a
// day is over. Any number of processes may do it: whoever takes a delivery out of Postgres
// attempts it, and one that dies meanwhile is followed by another. It decides nothing about
// what is raised. See docs/decisions/021.
package courier

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/vault"
	"github.com/weirhq/weir/controlplane/internal/webhook"
)

const (
	// lookEvery is how soon a delivery is attempted that is due.
	lookEvery = time.Second
	// forgetEvery is how often it is looked for what is too old.
	forgetEvery = time.Hour

	// most lanes a process has, how many of them may be those of receivers that failed, and
	// how many an organization may have: whose receivers are slow waits for itself.
	most        = 1000
	mostFailing = 500
	mostOfOne   = 4
	// aTurn is how many deliveries a lane attempts before others may have its place.
	aTurn = 16
)

// Secrets are what messages are signed with.
type Secrets interface {
	Open(ctx context.Context, organization, id uuid.UUID, purpose string) (vault.Secret, error)
}

// Config is what a Courier works with.
type Config struct {
	DB      *postgres.DB
	Secrets Secrets
	Sender  *webhook.Sender
	Log     *slog.Logger
	// Metrics registers what is counted; nil: nobody looks.
	Metrics prometheus.Registerer
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

// Courier delivers.
type Courier struct {
	table   table
	secrets Secrets
	sender  *webhook.Sender
	log     *slog.Logger
	metrics *metrics
	now     func() time.Time

	running sync.WaitGroup
	mu      sync.Mutex
	lanes   map[lane]bool // true: its receiver failed
}

// lane is one channel, to which one message at a time goes.
type lane struct{ organization, channel uuid.UUID }

// New returns a courier for every organization in c.DB.
func New(c Config) *Courier {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Courier{
		table: table{c.DB}, secrets: c.Secrets, sender: c.Sender, log: c.Log, metrics: newMetrics(c.Metrics), now: c.Now, lanes: map[lane]bool{},
	}
}

// Run delivers until ctx ends, and then waits for the messages that are on their way, for
// alert.Taken at most.
func (c *Courier) Run(ctx context.Context) {
	defer c.running.Wait()
	look, forget := time.NewTicker(lookEvery), time.NewTicker(forgetEvery)
	defer look.Stop()
	defer forget.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if err := c.look(ctx); err != nil && ctx.Err() == nil {
				c.log.ErrorContext(ctx, "alerts wait", "error", err)
			}
		case <-forget.C:
			if err := c.table.forget(ctx, c.now()); err != nil && ctx.Err() == nil {
				c.log.ErrorContext(ctx, "old alerts are not forgotten", "error", err)
			}
		}
	}
}

// look starts the lanes that have something due and find a place.
func (c *Courier) look(ctx context.Context) error {
	due, err := c.table.due(ctx, c.now())
	if err != nil {
		return err
	}
	for _, d := range due {
		if !c.enter(d) {
			continue
		}
		c.running.Go(func() {
			defer c.leave(d.lane)
			if err := c.serve(ctx, d.lane); err != nil && ctx.Err() == nil {
				c.log.ErrorContext(ctx, "an alert waits", "error", err)
			}
		})
	}
	return nil
}

// enter takes a place for a lane; false: it has one, or there is none.
func (c *Courier) enter(d dueLane) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	failing, own := 0, 0
	for other, failed := range c.lanes {
		if other == d.lane {
			return false
		}
		if failed {
			failing++
		}
		if other.organization == d.organization {
			own++
		}
	}
	if own >= mostOfOne || len(c.lanes) >= most || d.failed && failing >= mostFailing {
		return false
	}
	c.lanes[d.lane] = d.failed
	return true
}

func (c *Courier) leave(l lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lanes, l)
}

// serve attempts what is due of a lane, one after another, until its receiver fails. What
// has begun goes on when ctx ends: it may have arrived.
func (c *Courier) serve(ctx context.Context, l lane) error {
	for n := 0; n < aTurn && ctx.Err() == nil; n++ {
		t, due, err := c.table.take(ctx, l, c.now())
		if err != nil || !due {
			return err
		}
		accepted, err := c.finish(ctx, l, t)
		if err != nil || !accepted {
			return err
		}
	}
	return nil
}

// finish attempts a delivery whether or not ctx ends meanwhile.
func (c *Courier) finish(ctx context.Context, l lane, t taking) (accepted bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), alert.Taken)
	defer cancel()
	return c.attempt(ctx, l, t)
}
