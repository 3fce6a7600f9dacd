// Package ledger keeps what every quota of an organization allows, what agents hold of it
// and what they spent: it grants slices of amounts and shares of rates. It is its own: it
// reads neither analytics nor what agents report elsewhere, and of the log only which
// quotas there are. See docs/decisions/014.
package ledger

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	// skew is how far the clocks of two processes may be apart: a window that another one
	// began that early goes on.
	skew = 5 * time.Second
	// heardEvery is how exactly it is known when an agent was heard.
	heardEvery = 15 * time.Second
	// strandedAfter is how long an agent may be silent before what it holds is called stranded.
	strandedAfter = 2 * time.Minute
	// softAfter is how long leases of soft and shadow quotas outlive the last word of their agent.
	softAfter = 10 * time.Minute
	// softEvery is how often each process looks for such leases, per organization.
	softEvery = 10 * time.Second
	// keepFor is how long accounts stay after their window, beside twice its length: who
	// settles later is told that it is done.
	keepFor = 7 * 24 * time.Hour
	// historyWindows is for how many times its length it is then known how a window ended.
	historyWindows = 400
)

// Config is what a Ledger works with.
type Config struct {
	DB  *postgres.DB
	Log *slog.Logger
	// Metrics registers what is counted; nil: nobody looks.
	Metrics prometheus.Registerer
	// Now is the clock of windows; nil: the machine's. Shares go by it too where it is
	// set, else by that of Postgres, which all processes share.
	Now func() time.Time
}

// Ledger implements fleet.Leases. Any number of processes may have one for the same store.
type Ledger struct {
	store   store
	log     *slog.Logger
	metrics *metrics
	now     func() time.Time
	lanes   lanes
}

var _ fleet.Leases = (*Ledger)(nil)

// New returns the ledger of every organization in c.DB.
func New(c Config) *Ledger { return newLedger(c, &table{db: c.DB, now: c.Now}) }

func newLedger(c Config, s store) *Ledger {
	l := &Ledger{store: s, log: c.Log, metrics: newMetrics(c.Metrics), now: c.Now}
	if l.now == nil {
		l.now = time.Now
	}
	l.lanes.run, l.lanes.open = l.transact, make(chan struct{}, openLanes)
	return l
}

// Lease settles what an agent tells and grants what it asks for. A fault is Invalid where
// the boot is none. After any other error the call may have been done or not: saying it
// again is harmless.
func (l *Ledger) Lease(ctx context.Context, agent gateway.Agent, request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error) {
	began := time.Now()
	if _, err := bootCounter(request.GetBoot()); err != nil {
		return nil, fault.Field("boot", "want a start's counter in 8 hex digits, a dash and more; got %q", request.GetBoot())
	}
	answer, err := l.lanes.do(ctx, &call{agent: agent, request: request})
	l.metrics.called(answer, err, time.Since(began))
	return answer, err
}

// transact does some calls of one organization in one transaction, and puts the answers
// into them.
func (l *Ledger) transact(ctx context.Context, mine *lane, calls []*call) error {
	var done *book
	began := time.Now()
	once := func() error {
		return l.store.transact(ctx, mine.organization, func(t tx) (err error) {
			done, err = l.settle(ctx, mine, t, calls)
			return err
		})
	}
	err := once()
	if errors.Is(err, errPresumed) {
		mine.trust = doubting
		err = once()
	}
	l.metrics.transactions.Observe(time.Since(began).Seconds())
	if err != nil {
		return err
	}
	mine.quotas, mine.head = done.quotas, done.state.head
	switch {
	case done.state.asSeen:
		mine.trust = min(mine.trust+1, presuming)
	case mine.seen.stamp == uuid.Nil:
		mine.trust = hoping
	default:
		mine.trust = doubting
	}
	mine.seen = mine.seen.remember(done.state, done.asked)
	if done.calm {
		mine.calm = done.state.restored.epoch
	}
	if done.swept {
		mine.swept = began
	}
	for _, c := range calls {
		c.answer = done.answer(c)
	}
	l.tell(ctx, mine.organization, done)
	return nil
}

// settle reads what the calls are about, decides and writes. Where the log went on since
// the lane's quotas were read, it reads them again first: what is granted is always
// granted under the quotas of the log's head.
func (l *Ledger) settle(ctx context.Context, mine *lane, t tx, calls []*call) (*book, error) {
	b := &book{quotas: mine.quotas, now: l.now(), calls: calls}
	silent := time.Since(mine.swept) > softEvery
	if silent || mine.seen.restored.epoch != mine.calm { // it looks into the store
		mine.trust = min(mine.trust, hoping)
	}
	b.plan()
	if err := b.read(ctx, t, mine, mine.head); err != nil {
		return nil, err
	}
	if b.quotas == nil || b.state.changed {
		var err error
		if b.quotas, err = t.quotas(ctx); err != nil {
			return nil, err
		}
		b.plan()
		if err := b.read(ctx, t, mine, b.state.head); err != nil {
			return nil, err
		}
	}
	if err := b.sweep(ctx, t, silent); err != nil {
		return nil, err
	}
	if err := b.await(ctx, t, mine.calm); err != nil {
		return nil, err
	}
	b.decide()
	return b, t.write(ctx, b.state, b.now)
}

// tell puts what was overrun into the log, and which alerts nobody gets.
func (l *Ledger) tell(ctx context.Context, organization uuid.UUID, b *book) {
	for _, one := range b.state.raised {
		if !one.made {
			l.log.WarnContext(ctx, "an alert was not raised: it was before, or there are too many",
				"organization_id", organization, "budget_id", one.says.BudgetID, "percent", one.says.Percent, "window", one.says.Window)
		}
	}
	for _, a := range b.state.accounts {
		if a.overran == 0 {
			continue
		}
		l.metrics.overruns.Inc()
		l.log.WarnContext(ctx, "more was spent than a quota allows or had leased",
			"organization_id", organization, "quota_id", a.quota, "window", a.window,
			"by", a.overran, "spent", a.spent, "held", a.held, "room", a.room)
	}
}

// storable tells whether Postgres has such a text.
func storable(text string) bool { return !strings.ContainsRune(text, 0) }
