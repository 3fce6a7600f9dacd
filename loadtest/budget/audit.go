package budget

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/loadtest/screen"
)

const auditEvery = 100 * time.Millisecond

// auditor looks at the ledger, and at what the providers charged, again and again.
type auditor struct {
	world        *world
	organization string
	purses       []*purse
	truth        *truth
	findings     *findings

	snapshots atomic.Int64
	// unheard are snapshots after a restore, before all agents have told: until then the ledger
	// shows more held than there is, and of windows that were over by then until they are out
	// of sight. beyond is by how much more than there may be.
	unheard, beyond atomic.Int64
	// back is when the store was put back, ns since 1970.
	back atomic.Int64
	// away: the store is being put back.
	away atomic.Bool

	mu   sync.Mutex
	conn *pgx.Conn
}

// watch has one more budget looked at.
func (a *auditor) watch(p *purse) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.purses = append(a.purses, p)
}

func (a *auditor) watched() []*purse {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.purses)
}

func newAuditor(w *world, organization string, purses []*purse, t *truth, f *findings) *auditor {
	return &auditor{world: w, organization: organization, purses: slices.Clone(purses), truth: t, findings: f}
}

// line is a window of a budget, as the ledger has it.
type line struct {
	quota, subject, window string
	starts                 time.Time // zero: it has none
	spent, held, overrun   int64
	// leased are the same sums over its leases.
	leasedSpent, leasedHeld int64
}

// leave has it look at nothing until the store is back.
func (a *auditor) leave(ctx context.Context) {
	a.away.Store(true)
	a.back.Store(time.Now().UnixNano())
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != nil {
		_ = a.conn.Close(ctx)
	}
}

// start audits until stop.
func (a *auditor) start(ctx context.Context) (stop func()) {
	end := screen.Repeat(auditEvery, func() {
		a.book()
		if a.away.Load() {
			return
		}
		if err := a.look(ctx); err != nil && !a.away.Load() {
			a.findings.add("the auditor can't read", "%v", err)
		}
	})
	return sync.OnceFunc(func() {
		end()
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.conn != nil {
			_ = a.conn.Close(context.WithoutCancel(ctx))
		}
	})
}

// book holds what the providers charged against lifetime budgets.
func (a *auditor) book() {
	for _, p := range a.watched() {
		if !p.window.forEver() {
			continue
		}
		for _, s := range a.truth.subjects(p) {
			if charged := a.truth.total(p, s); charged > p.most() {
				a.findings.add("providers charged more than a budget", "%s %q: %d of %d", p.name, s, charged, p.most())
			}
		}
	}
}

func (a *auditor) look(ctx context.Context) error {
	lines, unheard, err := a.read(ctx)
	if err != nil {
		return err
	}
	a.snapshots.Add(1)
	if unheard > 0 {
		a.unheard.Add(1)
	}
	for _, p := range a.watched() {
		limit := p.most() // after the snapshot: it only grows
		for subject, most := range greatest(p, lines) {
			switch {
			case most <= limit:
			case unheard > 0, time.Since(time.Unix(0, a.back.Load())) < p.window.rolling+p.window.calendar:
				a.beyond.Store(max(a.beyond.Load(), most-limit))
			default:
				a.findings.add("spent + held is more than the limit", "%s %q: %d of %d", p.name, subject, most, limit)
			}
		}
	}
	for _, l := range lines {
		if l.spent != l.leasedSpent || l.held != l.leasedHeld {
			a.findings.add("an account is not the sum of its leases", "%+v", l)
		}
	}
	return nil
}

// greatest is the most that is spent and held in any window of a budget, by subject. Of a
// rolling one the windows are all sub-windows that begin less than the whole before another.
func greatest(p *purse, lines []line) map[string]int64 {
	most := map[string]int64{}
	for _, l := range lines {
		if l.quota != p.id {
			continue
		}
		sum := l.spent + l.held
		if p.window.rolling > 0 {
			sum = 0
			for _, m := range lines {
				if m.quota == l.quota && m.subject == l.subject && !m.starts.After(l.starts) && m.starts.After(l.starts.Add(-p.window.rolling)) {
					sum += m.spent + m.held
				}
			}
		}
		most[l.subject] = max(most[l.subject], sum)
	}
	return most
}

// head is the version of the organization's log.
func (a *auditor) head(ctx context.Context) (version int64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err = a.conn.QueryRow(ctx, `SELECT head FROM organization_head WHERE organization_id = $1`, a.organization).Scan(&version)
	return version, err
}

// stranded are leases of lifetime budgets that hold something, for whoever looks into it.
func (a *auditor) stranded(ctx context.Context) (all []string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	const query = `SELECT format('quota %s subject %s agent %s boot %s granted %s spent %s returned %s; the agent has boot %s, settled %s',
			l.quota_id, l.subject, l.agent_id, l.boot, l.granted, l.spent, l.returned, g.boot, g.settled_boot)
		FROM quota_lease l LEFT JOIN quota_agent g USING (organization_id, agent_id)
		WHERE l.organization_id = $1 AND l.window_id = 'lifetime' AND l.granted > l.spent + l.returned`
	rows, err := a.conn.Query(ctx, query, a.organization)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// read takes one snapshot; unheard are agents that have not told all since a restore.
func (a *auditor) read(ctx context.Context) (all []line, unheard int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn == nil || a.conn.IsClosed() {
		if a.conn, err = pgx.Connect(ctx, a.world.storeURL); err != nil {
			return nil, 0, err
		}
	}
	const query = `SELECT a.quota_id::text, a.subject, a.window_id, coalesce(a.starts_at, '0001-01-01'), a.spent, a.held, a.overrun,
			coalesce(sum(l.spent), 0)::bigint, coalesce(sum(greatest(0, l.granted - l.spent - l.returned)), 0)::bigint, ` + untold + `
		FROM quota_account a LEFT JOIN quota_lease l USING (organization_id, quota_id, subject, window_id)
		WHERE a.organization_id = $1 GROUP BY organization_id, a.quota_id, a.subject, a.window_id ORDER BY 1, 2, 3`
	rows, err := a.conn.Query(ctx, query, a.organization)
	if err != nil {
		return nil, 0, fmt.Errorf("read the ledger: %w", err)
	}
	all, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (l line, err error) {
		return l, r.Scan(&l.quota, &l.subject, &l.window, &l.starts, &l.spent, &l.held, &l.overrun, &l.leasedSpent, &l.leasedHeld, &unheard)
	})
	return all, unheard, err
}
