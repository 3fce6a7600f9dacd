package quota

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// loop is what only the goroutine of Run, and Close after it, touch.
type loop struct {
	disk Disk
	// former are totals of earlier boots that the ledger is not known to have; whole: they are
	// all, and the ledger may be told so.
	former      []*agentv1.Holding
	formerDue   int64 // when they are told
	whole, said bool
	// leased: something was asked for, and may have been granted whatever was answered since.
	leased bool
	// carried is what earlier boots spent in no window that the ledger had named: it goes to
	// the first that it names.
	carried map[carriedKey][]*agentv1.Holding
	failed  string // the error that was logged last
	// greetDue is when the ledger is called though nothing is due, greets that it is.
	greetDue int64
	greets   bool
	// tellAll: the ledger was restored, and the next call tells it of all that is here; toldAll
	// is when the last such one did.
	tellAll bool
	toldAll int64
}

type carriedKey struct{ quota, subject string }

// idlePause is how long the loop sleeps where it has nothing.
const idlePause = time.Hour

// Run leases until ctx ends. It begins with what earlier boots spent.
func (m *Meter) Run(ctx context.Context, disk Disk) error {
	m.begin(disk)
	m.away.Store(false)
	defer m.away.Store(true)
	limit := m.timing.MinRetry
	kick := (<-chan struct{})(m.kick)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-kick:
		case <-timer.C:
		}
		pause, err := m.step(ctx)
		if kick = m.kick; err != nil {
			kick, pause = nil, rand.N(limit)+time.Millisecond // requests do not wait meanwhile
			limit = min(2*limit, m.timing.MaxRetry)
		} else if !m.away.Load() {
			limit = m.timing.MinRetry
		}
		timer.Reset(pause)
	}
}

// begin takes over what earlier boots left.
func (m *Meter) begin(disk Disk) {
	l := &m.loop
	l.disk, l.carried = disk, map[carriedKey][]*agentv1.Holding{}
	totals, whole := disk.Charged()
	l.whole = whole
	for _, h := range totals {
		if h.GetWindow() == "" {
			key := carriedKey{h.GetQuotaId(), h.GetSubject()}
			l.carried[key] = append(l.carried[key], h)
			continue
		}
		l.former = append(l.former, h)
	}
	if !whole {
		m.config.Logger.Warn("the usage spool lost something: what earlier starts were leased stays held by the ledger until its window ends or it is written off")
	}
}

// step makes one call, if anything is due, and says when to look again.
func (m *Meter) step(ctx context.Context) (pause time.Duration, err error) {
	c, next := m.build(m.now())
	if !c.empty() {
		if err := m.call(ctx, c); err != nil {
			return 0, err
		}
	}
	if c.full || c.again {
		return 0, nil
	}
	return max(time.Duration(next-m.now()), time.Millisecond), nil
}

// call makes a call and takes in its answer.
func (m *Meter) call(ctx context.Context, c *call) error {
	ctx, cancel := context.WithTimeout(ctx, m.timing.Call)
	defer cancel()
	m.loop.leased = m.loop.leased || len(c.holdings) > 0
	sent := m.now()
	m.calling.Store(sent)
	answer, err := m.config.Client.Lease(ctx, c.request)
	m.calling.Store(0)
	if err == nil && (len(answer.GetGrants()) != len(c.holdings) || len(answer.GetShares()) != len(c.demands)) {
		err = fmt.Errorf("%d grants for %d holdings, %d shares for %d demands", len(answer.GetGrants()), len(c.holdings), len(answer.GetShares()), len(c.demands))
	}
	arrived := m.now()
	m.metrics.called(err, arrived-sent)
	m.heard(err)
	if err != nil {
		c.lost()
		return fmt.Errorf("lease: %w", err)
	}
	l := &m.loop
	l.said = l.said || c.request.GetSettledUp()
	l.leased = l.leased && !c.request.GetEnded()
	l.greetDue = arrived + greetEvery
	if c.all { // what a call has no room for is told as it is due
		l.tellAll, l.toldAll = false, arrived
	}
	if c.take(answer, sent, arrived); restored(answer) && (l.toldAll == 0 || arrived-l.toldAll >= tellAllEvery) {
		l.tellAll, c.again = true, true
	}
	m.forget(c.forget)
	return nil
}

// heard notes whether the ledger answers, and says so when that changes.
func (m *Meter) heard(err error) {
	was := m.away.Swap(err != nil)
	switch {
	case err == nil && was:
		m.config.Logger.Info("the quota ledger answers again")
		m.loop.failed = ""
	case err != nil && m.loop.failed != err.Error():
		m.loop.failed = err.Error()
		m.config.Logger.Warn("the quota ledger does not answer: what is leased is spent", "error", err)
	}
}

// restored tells whether the ledger was, and waits to hear of all that is here.
func restored(answer *agentv1.LeaseResponse) bool {
	for _, g := range answer.GetGrants() {
		if g.GetDenial() == agentv1.Grant_DENIAL_RESTORED {
			return true
		}
	}
	for _, s := range answer.GetShares() {
		if s.GetDenial() == agentv1.Grant_DENIAL_RESTORED {
			return true
		}
	}
	return false
}

func (m *Meter) forget(totals []*agentv1.Holding) {
	if len(totals) > 0 {
		m.loop.disk.ForgetCharges(totals)
	}
}

// Close tells the ledger that nothing more is spent of what the agent holds, so that it is
// free for others at once. After Run, and after the last request: one that still has a
// reservation is told to have spent it. Errors: of the call; the next start says it then.
func (m *Meter) Close(ctx context.Context) error {
	if m.loop.disk == nil {
		return nil
	}
	for {
		c := m.buildLast()
		if c.empty() {
			return nil
		}
		if err := m.call(ctx, c); err != nil {
			return err
		}
		if !c.full && !c.again {
			return nil
		}
	}
}
