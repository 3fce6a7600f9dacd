package ledger

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/quota"
)

// view reads at one instant, and locks nothing.
type view interface {
	quotas(ctx context.Context) (map[uuid.UUID]bound, error)
	// accounts are those of the keys that are there.
	accounts(ctx context.Context, keys []accountKey) ([]*account, error)
	// holders are the leases of these accounts that hold something, the largest of them.
	holders(ctx context.Context, keys []accountKey) ([]holder, error)
	// subjects are those with something in the windows, at most so many of each.
	subjects(ctx context.Context, asked []subjectsOf, limit int) ([]ranked, error)
	// past are accounts of windows that are over, the latest first, at most so many of each.
	// Rows that are no longer accounts are among them. All are asked for at the same instant.
	past(ctx context.Context, asked []pastOf, limit int) ([]*account, error)
	shares(ctx context.Context, ids []uuid.UUID) (map[series]map[uuid.UUID]*share, time.Time, error)
	restored(ctx context.Context) (restore, error)
	missing(ctx context.Context, r restore, limit int) ([]uuid.UUID, map[uuid.UUID]bool, error)
}

// holder is a lease with what is known of its agent.
type holder struct {
	lease
	of known
}

// stranded tells whether nobody is expected to settle what the lease holds.
func (h holder) stranded(now time.Time) bool {
	return now.Sub(h.of.heard) > strandedAfter || h.boot != h.of.boot && now.Sub(h.of.booted) > strandedAfter
}

func (h holder) shown(now time.Time) Lease {
	l := Lease{
		Subject: h.subject, Window: h.window, AgentID: h.agent, Boot: h.boot,
		Granted: h.granted, Spent: h.spent, Returned: h.returned, Held: h.held(), Stranded: h.held() > 0 && h.stranded(now),
	}
	if h.of.boot != "" {
		l.HeardAt = h.of.heard
	}
	return l
}

// subjectsOf asks for the subjects of some windows of a quota.
type subjectsOf struct {
	quota   uuid.UUID
	windows []string
	after   *Place
}

// ranked is a subject with what it spent.
type ranked struct {
	series
	spent int64
}

// pastOf asks for the windows of a series whose names sort before one, and that ended by now.
type pastOf struct {
	series
	before string
	now    time.Time
}

// stand gathers statuses.
type stand struct {
	now    time.Time
	quotas map[uuid.UUID]bound
	found  map[series]*Status
}

// asked is what to ask for the subjects of a quota's present window with.
func (s *stand) asked(q bound) (subjectsOf, error) {
	span, err := q.span(s.now)
	if err != nil {
		return subjectsOf{}, err
	}
	asked := subjectsOf{quota: q.id}
	for _, key := range q.windows(series{quota: q.id}, span) { // of all subjects
		asked.windows = append(asked.windows, key.window)
	}
	return asked, nil
}

// top are the quotas that count together, and the first subjects of the others.
func (s *stand) top(ctx context.Context, v view, ids []uuid.UUID) (all []series, err error) {
	var asked []subjectsOf
	for _, id := range ids {
		q, ok := s.quotas[id]
		switch {
		case !ok:
		case !q.apart || q.shares:
			all = append(all, series{quota: id})
		default:
			one, err := s.asked(q)
			if err != nil {
				return nil, err
			}
			asked = append(asked, one)
		}
	}
	if len(asked) == 0 {
		return all, nil
	}
	found, err := v.subjects(ctx, asked, topSubjects)
	for _, one := range found {
		all = append(all, one.series)
	}
	return all, err
}

// read fetches all that is known of some series.
func (s *stand) read(ctx context.Context, v view, all []series) error {
	var windows, before []accountKey
	var past []pastOf
	var shared []uuid.UUID
	for _, key := range all {
		q := s.quotas[key.quota]
		if q.shares {
			shared = append(shared, key.quota)
			if q.apart == (key.subject != "") {
				s.of(q, key, quota.Span{}, "")
			}
			continue
		}
		span, err := q.span(s.now)
		if err != nil {
			return err
		}
		s.of(q, key, span, windowID(span))
		windows = append(windows, q.windows(key, span)...)
		if q.window.Calendar != nil {
			past = append(past, pastOf{key, windowID(span), s.now})
		}
		if q.carryOver && span != (quota.Span{}) {
			was, err := q.span(span.Start.Add(-1))
			if err != nil {
				return err
			}
			before = append(before, accountKey{key, windowID(was)})
		}
	}
	if err := s.amounts(ctx, v, windows, before); err != nil {
		return err
	}
	if err := s.shares(ctx, v, shared); err != nil {
		return err
	}
	if err := s.foresee(ctx, v, past); err != nil {
		return err
	}
	return s.waiting(ctx, v)
}

// windows are the accounts of a series that count together now: the present one first.
func (q bound) windows(key series, present quota.Span) []accountKey {
	keys := []accountKey{{key, windowID(present)}}
	if q.window.Rolling == nil {
		return keys
	}
	for start := q.shown(present).Start; start.Before(present.Start); start = q.window.Rolling.SubWindow(start).End {
		keys = append(keys, accountKey{key, windowID(q.window.Rolling.SubWindow(start))})
	}
	return keys
}

// of makes the status of a series.
func (s *stand) of(q bound, key series, span quota.Span, window string) *Status {
	f := &Status{QuotaID: key.quota, Subject: key.subject, Window: window, Span: q.shown(span), Limit: q.total(s.now)}
	if f.Raised = f.Limit - q.amount; q.shares {
		f.Span = quota.Span{}
	}
	s.found[key] = f
	return f
}

func (s *stand) amounts(ctx context.Context, v view, windows, before []accountKey) error {
	accounts, err := v.accounts(ctx, windows)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		f := s.found[a.series]
		f.Spent, f.Held = add(f.Spent, a.spent), add(f.Held, a.held)
		f.Overrun, f.WrittenOff = add(f.Overrun, a.overrun), add(f.WrittenOff, a.writtenOff)
	}
	left, err := v.accounts(ctx, before)
	if err != nil {
		return err
	}
	for _, a := range left {
		f := s.found[a.series]
		f.CarriedOver = a.left()
		f.Limit = add(f.Limit, f.CarriedOver)
	}
	holders, err := v.holders(ctx, windows)
	if err != nil {
		return err
	}
	for _, h := range holders {
		f, l := s.found[h.series], h.shown(s.now)
		f.Leases = append(f.Leases, l)
		if l.Stranded {
			f.Stranded = add(f.Stranded, l.Held)
		}
	}
	return nil
}

// shares of quotas that count subjects apart show those that have the most.
func (s *stand) shares(ctx context.Context, v view, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	found, now, err := v.shares(ctx, ids)
	if err != nil {
		return err
	}
	for key, all := range found {
		q, f := s.quotas[key.quota], s.found[key]
		for agent, one := range all {
			used := one.used(now)
			if used == 0 || q.apart != (key.subject != "") {
				continue
			}
			if f == nil {
				f = s.of(q, key, quota.Span{}, "")
			}
			f.Held = add(f.Held, used)
			f.Leases = append(f.Leases, Lease{Subject: key.subject, AgentID: agent, Held: used, HeardAt: one.heard})
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
		if q := s.quotas[key.quota]; q.waits(f.Span, r) && !released[key.quota] {
			f.Waiting = missing
		}
	}
	return err
}

// waits tells whether a restore holds a window of the quota up, as people see that.
func (q bound) waits(shown quota.Span, r restore) bool {
	return q.hard && !q.shares && r.epoch > 0 && (shown == quota.Span{} || shown.Start.Before(r.at))
}

// all are the statuses by quota; its subjects by what they spent and hold.
func (s *stand) all() []Status {
	var found []Status
	for _, f := range slices.Collect(maps.Values(s.found)) {
		f.Free, f.Beyond = max(0, f.Limit-f.Spent-f.Held), max(0, f.Spent+f.Held-f.Limit)
		slices.SortFunc(f.Leases, func(a, b Lease) int {
			return cmp.Or(cmp.Compare(count(b.Stranded), count(a.Stranded)), cmp.Compare(b.Held, a.Held),
				bytes.Compare(a.AgentID[:], b.AgentID[:]), cmp.Compare(a.Boot, b.Boot), cmp.Compare(a.Window, b.Window))
		})
		found = append(found, *f)
	}
	slices.SortFunc(found, func(a, b Status) int {
		return cmp.Or(bytes.Compare(a.QuotaID[:], b.QuotaID[:]), cmp.Compare(b.Spent, a.Spent), cmp.Compare(b.Held, a.Held), cmp.Compare(a.Subject, b.Subject))
	})
	// Shares are read of all subjects.
	seen := map[uuid.UUID]int{}
	return slices.DeleteFunc(found, func(f Status) bool {
		seen[f.QuotaID]++
		return seen[f.QuotaID] > topSubjects
	})
}
