package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	// openLanes is how many organizations have a transaction at a time.
	openLanes = 12
	// together is how many calls, and how many holdings and demands, share a transaction.
	together      = 128
	togetherParts = 4000
	// remembered is how many organizations' quotas are.
	remembered = 10_000
	// transactTimeout bounds a transaction, whoever waits for it.
	transactTimeout = 10 * time.Second
)

// lanes put the calls of each organization in order: those that come while a transaction
// runs share the next one. Callers do the work themselves, one of them for all at a time.
type lanes struct {
	run  func(context.Context, *lane, []*call) error
	open chan struct{}

	mu    sync.Mutex
	lanes map[uuid.UUID]*lane
	// seen is how many rows all of them remember.
	seen int
}

// lane is an organization's. What is remembered of its quotas belongs to who leads it.
type lane struct {
	organization uuid.UUID
	waiting      []*waiter
	led          bool

	quotas map[uuid.UUID]bound
	head   int64
	seen   seen
	kept   int // of its rows, as counted
	trust  trust
	calm   int64
	swept  time.Time
}

type waiter struct {
	call *call
	// turn is sent what to do once: go on and lead, or take what came of the call.
	turn chan verdict
}

type verdict struct {
	lead bool
	err  error
}

func (l *lanes) do(ctx context.Context, c *call) (*agentv1.LeaseResponse, error) {
	mine, w, lead := l.enter(c)
	if !lead {
		v, err := l.wait(ctx, mine, w)
		if err != nil {
			return nil, err
		}
		if !v.lead {
			return c.answer, v.err
		}
	}
	// Others wait for it: it goes on when its own caller is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactTimeout)
	defer cancel()
	err := l.lead(ctx, mine, w)
	return c.answer, err
}

// enter joins who waits; lead tells whether nobody leads the lane.
func (l *lanes) enter(c *call) (mine *lane, w *waiter, lead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lanes == nil {
		l.lanes = map[uuid.UUID]*lane{}
	}
	organization := c.agent.OrganizationID
	if mine = l.lanes[organization]; mine == nil {
		l.forget()
		mine = &lane{organization: organization}
		l.lanes[organization] = mine
	}
	w = &waiter{call: c, turn: make(chan verdict, 1)}
	mine.waiting = append(mine.waiting, w)
	lead = !mine.led
	mine.led = true
	return mine, w, lead
}

// forget drops a lane that nobody is in, where there are many.
func (l *lanes) forget() {
	if len(l.lanes) < remembered {
		return
	}
	for organization, idle := range l.lanes {
		if !idle.led {
			l.seen -= idle.kept
			delete(l.lanes, organization)
			return
		}
	}
}

// keep counts what a lane remembers, and has others that nobody is in forget their rows where
// all together are too many.
func (l *lanes) keep(mine *lane) {
	l.seen += mine.seen.size() - mine.kept
	mine.kept = mine.seen.size()
	if l.seen <= seenByAll {
		return
	}
	for _, idle := range l.lanes {
		if idle.led {
			continue
		}
		l.seen -= idle.kept
		idle.seen, idle.kept = seen{}, 0
		if l.seen <= seenByAll {
			return
		}
	}
}

func (l *lanes) wait(ctx context.Context, mine *lane, w *waiter) (verdict, error) {
	select {
	case v := <-w.turn:
		return v, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range mine.waiting {
		if other == w {
			mine.waiting = append(mine.waiting[:i:i], mine.waiting[i+1:]...)
		}
	}
	select {
	case v := <-w.turn:
		if v.lead { // it will not: the next one does
			l.handOver(mine)
		}
	default:
	}
	return verdict{}, fmt.Errorf("wait for other calls: %w", ctx.Err())
}

// lead runs one transaction for those who wait, its own call among them, and lets the
// next one lead.
func (l *lanes) lead(ctx context.Context, mine *lane, own *waiter) error {
	l.open <- struct{}{}
	batch := l.take(mine, own)
	err := l.together(ctx, mine, batch)
	<-l.open
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(mine)
	l.handOver(mine)
	for i, w := range batch {
		if w != own {
			w.turn <- verdict{err: err[i]}
		}
	}
	return err[0]
}

// handOver makes the next one that waits lead, if there is one.
func (*lanes) handOver(mine *lane) {
	if len(mine.waiting) == 0 {
		mine.led = false
		return
	}
	mine.waiting[0].turn <- verdict{lead: true}
}

// take removes a transaction's worth from those who wait: the leader's own call and what
// fits beside it.
func (l *lanes) take(mine *lane, own *waiter) []*waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch, rest := []*waiter{own}, []*waiter(nil)
	parts := own.call.parts()
	for _, w := range mine.waiting {
		switch n := w.call.parts(); {
		case w == own:
		case len(rest) > 0 || len(batch) == together || parts+n > togetherParts:
			rest = append(rest, w)
		default:
			batch, parts = append(batch, w), parts+n
		}
	}
	mine.waiting = rest
	return batch
}

func (c *call) parts() int { return len(c.request.GetHoldings()) + len(c.request.GetDemands()) }

// together does calls in one transaction. Where that fails, each gets one of its own: none
// suffers for what is in another.
func (l *lanes) together(ctx context.Context, mine *lane, batch []*waiter) []error {
	errs := make([]error, len(batch))
	calls := make([]*call, len(batch))
	for i, w := range batch {
		calls[i] = w.call
	}
	err := l.run(ctx, mine, calls)
	if err != nil {
		mine.quotas, mine.head = nil, 0
	}
	for i, c := range calls {
		errs[i] = err
		if err != nil && len(batch) > 1 && !errors.Is(err, context.DeadlineExceeded) {
			errs[i] = l.run(ctx, mine, []*call{c})
		}
		if errs[i] != nil {
			errs[i] = fmt.Errorf("lease to agent %s: %w", c.agent.ID, errs[i])
		}
	}
	return errs
}
