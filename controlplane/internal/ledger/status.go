package ledger

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/quota"
)

// Status is how it stands with a quota in its present window, or with one of the subjects
// that it counts apart. Amounts are in the quota's unit.
type Status struct {
	QuotaID uuid.UUID
	Subject string
	// Window by its id and bounds; of rates and slots: none. The zero Span is for ever.
	Window string
	Span   quota.Span
	// Limit is the amount with what was raised and carried over. Spent is of requests that
	// ended; Held is in the hands of agents, of which Stranded is with those that have been
	// silent for two minutes. Free is what is left.
	Limit, Spent, Held, Stranded, Free int64
	// Overrun is what was spent that no lease covered, or beyond the limit. Beyond is how
	// much Spent and Held are above the limit now: it is not hard, or was lowered.
	Overrun, Beyond int64
	// Waiting are agents, the first 100, that have not told since a restore what they hold;
	// hard quotas wait for them.
	Waiting []uuid.UUID
	// Agents that have something of it, by their ids, and starts.
	Agents []AgentStatus
}

// AgentStatus is what one start of an agent has; of rates and slots, Held is its share.
type AgentStatus struct {
	AgentID                        uuid.UUID
	Boot                           string
	Granted, Spent, Returned, Held int64
	HeardAt                        time.Time
	Stranded                       bool
}

const (
	// statusRows bounds what is read: the accounts with the most spent and held come first.
	statusRows    = 10_000
	statusWaiting = 100
)

// windowKey names a window of all subjects of a quota.
type windowKey struct {
	quota  uuid.UUID
	window string
}

// holder is a lease with when its agent was heard.
type holder struct {
	lease
	heard time.Time
}

// view reads at one instant, and locks nothing.
type view interface {
	quotas(ctx context.Context) (map[uuid.UUID]bound, error)
	accounts(ctx context.Context, keys []windowKey) ([]*account, error)
	holders(ctx context.Context, keys []windowKey) ([]holder, error)
	shares(ctx context.Context, ids []uuid.UUID) (map[series]map[uuid.UUID]*share, time.Time, error)
	restored(ctx context.Context) (restore, error)
	missing(ctx context.Context, r restore, limit int) ([]uuid.UUID, map[uuid.UUID]bool, error)
}

// Status tells how it stands with these quotas: nothing of those that are off, or that the
// organization does not have.
func (l *Ledger) Status(ctx context.Context, organization uuid.UUID, ids []uuid.UUID) ([]Status, error) {
	s := &stand{now: l.now(), found: map[series]*Status{}}
	err := l.store.look(ctx, organization, func(v view) error { return s.read(ctx, v, ids) })
	if err != nil {
		return nil, fmt.Errorf("status of quotas: %w", err)
	}
	return s.all(), nil
}

// stand gathers statuses.
type stand struct {
	now    time.Time
	quotas map[uuid.UUID]bound
	found  map[series]*Status
}

func (s *stand) read(ctx context.Context, v view, ids []uuid.UUID) (err error) {
	if s.quotas, err = v.quotas(ctx); err != nil {
		return err
	}
	var windows, before []windowKey
	var shared []uuid.UUID
	for _, id := range ids {
		q, ok := s.quotas[id]
		switch {
		case !ok:
		case q.shares:
			shared = append(shared, id)
			s.of(q, series{quota: id}, quota.Span{}, "")
		default:
			span, err := q.span(s.now)
			if err != nil {
				return err
			}
			if !q.apart {
				s.of(q, series{quota: id}, span, windowID(span))
			}
			windows = append(windows, q.windows(span)...)
			if q.carryOver {
				was, err := q.span(span.Start.Add(-1))
				if err != nil {
					return err
				}
				before = append(before, windowKey{id, windowID(was)})
			}
		}
	}
	if err := s.amounts(ctx, v, windows, before); err != nil {
		return err
	}
	if err := s.shares(ctx, v, shared); err != nil {
		return err
	}
	return s.waiting(ctx, v)
}

// windows are the accounts that count together now: the present one first.
func (q bound) windows(present quota.Span) []windowKey {
	keys := []windowKey{{q.id, windowID(present)}}
	if q.window.Rolling == nil {
		return keys
	}
	for start := q.shown(present).Start; start.Before(present.Start); start = q.window.Rolling.SubWindow(start).End {
		keys = append(keys, windowKey{q.id, windowID(q.window.Rolling.SubWindow(start))})
	}
	return keys
}

// of is the status of a series, made where there is none.
func (s *stand) of(q bound, key series, span quota.Span, window string) *Status {
	if s.found[key] == nil {
		s.found[key] = &Status{QuotaID: key.quota, Subject: key.subject, Window: window, Span: q.shown(span), Limit: q.total(s.now)}
		if q.shares {
			s.found[key].Limit, s.found[key].Span = q.amount, quota.Span{}
		}
	}
	return s.found[key]
}

func (s *stand) at(key accountKey) (*Status, error) {
	q := s.quotas[key.quota]
	span, err := q.span(s.now)
	return s.of(q, key.series, span, windowID(span)), err
}

func (s *stand) amounts(ctx context.Context, v view, windows, before []windowKey) error {
	accounts, err := v.accounts(ctx, windows)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		found, err := s.at(a.accountKey)
		if err != nil {
			return err
		}
		found.Spent, found.Held, found.Overrun = add(found.Spent, a.spent), add(found.Held, a.held), add(found.Overrun, a.overrun)
	}
	if len(before) > 0 {
		left, err := v.accounts(ctx, before)
		if err != nil {
			return err
		}
		for _, a := range left {
			found, err := s.at(a.accountKey)
			if err != nil {
				return err
			}
			found.Limit = add(found.Limit, a.left())
		}
	}
	holders, err := v.holders(ctx, windows)
	if err != nil {
		return err
	}
	for _, h := range holders {
		found := s.found[h.series]
		if found == nil {
			continue // beyond statusRows
		}
		found.add(h, s.now)
	}
	return nil
}

// add counts a lease; those of sub-windows together.
func (f *Status) add(h holder, now time.Time) {
	at := slices.IndexFunc(f.Agents, func(a AgentStatus) bool { return a.AgentID == h.agent && a.Boot == h.boot })
	if at < 0 {
		at = len(f.Agents)
		f.Agents = append(f.Agents, AgentStatus{AgentID: h.agent, Boot: h.boot, HeardAt: h.heard})
	}
	a := &f.Agents[at]
	a.Granted, a.Spent, a.Returned = add(a.Granted, h.granted), add(a.Spent, h.spent), add(a.Returned, h.returned)
	a.Held = add(a.Held, h.held())
	if a.Stranded = a.Held > 0 && now.Sub(h.heard) > strandedAfter; a.Stranded {
		f.Stranded = add(f.Stranded, h.held())
	}
}

func (s *stand) shares(ctx context.Context, v view, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	found, now, err := v.shares(ctx, ids)
	if err != nil {
		return err
	}
	for key, all := range found {
		f := s.of(s.quotas[key.quota], key, quota.Span{}, "")
		for agent, one := range all {
			if used := one.used(now); used > 0 {
				f.Held = add(f.Held, used)
				f.Agents = append(f.Agents, AgentStatus{AgentID: agent, Held: used, HeardAt: one.heard})
			}
		}
	}
	return nil
}

// waiting notes for whom hard quotas wait, whose present window began before the restore.
func (s *stand) waiting(ctx context.Context, v view) error {
	r, err := v.restored(ctx)
	if err != nil || r.epoch == 0 {
		return err
	}
	missing, released, err := v.missing(ctx, r, statusWaiting)
	for key, f := range s.found {
		q := s.quotas[key.quota]
		if q.hard && !q.shares && !released[key.quota] && (f.Span == quota.Span{} || f.Span.Start.Before(r.at)) {
			f.Waiting = missing
		}
	}
	return err
}

// all are the statuses by quota and subject.
func (s *stand) all() []Status {
	var found []Status
	for _, f := range slices.Collect(maps.Values(s.found)) {
		f.Free, f.Beyond = max(0, f.Limit-f.Spent-f.Held), max(0, f.Spent+f.Held-f.Limit)
		slices.SortFunc(f.Agents, func(a, b AgentStatus) int {
			return cmp.Or(bytes.Compare(a.AgentID[:], b.AgentID[:]), cmp.Compare(a.Boot, b.Boot))
		})
		found = append(found, *f)
	}
	slices.SortFunc(found, func(a, b Status) int {
		return cmp.Or(bytes.Compare(a.QuotaID[:], b.QuotaID[:]), cmp.Compare(a.Subject, b.Subject))
	})
	return found
}
