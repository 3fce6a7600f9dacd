package ledger

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// memory is a store that passes the same suite as the table.
type memory struct {
	now func() time.Time

	mu            sync.Mutex
	organizations map[uuid.UUID]*memoryOrganization
	transactions  int
}

type memoryOrganization struct {
	head, changed int64
	budgets       map[uuid.UUID]budget.Budget
	limits        map[uuid.UUID]limit.Limit
	archived      map[uuid.UUID]bool
	registered    map[uuid.UUID]time.Time
	restore       restore
	releases      map[uuid.UUID]int64
	memoryRows
}

// memoryRows are what a restored store has of an earlier time.
type memoryRows struct {
	agents map[uuid.UUID]known
	books  map[accountKey]account
	leases map[leaseKey]lease
	shared map[series]map[uuid.UUID]share
	raised []raised
}

func (r memoryRows) clone() memoryRows {
	shared := map[series]map[uuid.UUID]share{}
	for key, all := range r.shared {
		shared[key] = maps.Clone(all)
	}
	return memoryRows{agents: maps.Clone(r.agents), books: maps.Clone(r.books), leases: maps.Clone(r.leases), shared: shared}
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, organizations: map[uuid.UUID]*memoryOrganization{}}
}

func (m *memory) of(organization uuid.UUID) *memoryOrganization {
	o := m.organizations[organization]
	if o == nil {
		o = &memoryOrganization{
			budgets: map[uuid.UUID]budget.Budget{}, limits: map[uuid.UUID]limit.Limit{}, archived: map[uuid.UUID]bool{},
			registered: map[uuid.UUID]time.Time{}, releases: map[uuid.UUID]int64{},
			memoryRows: memoryRows{
				agents: map[uuid.UUID]known{}, books: map[accountKey]account{}, leases: map[leaseKey]lease{}, shared: map[series]map[uuid.UUID]share{},
			},
		}
		m.organizations[organization] = o
	}
	return o
}

func (m *memory) transact(_ context.Context, organization uuid.UUID, fn func(tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.transactions++
	return fn(&memoryTx{memoryOrganization: m.of(organization), now: m.now()})
}

func (m *memory) look(_ context.Context, organization uuid.UUID, fn func(view) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fn(&memoryTx{memoryOrganization: m.of(organization), now: m.now()})
}

// record folds an event as the read models and Record do.
func (m *memory) record(e eventlog.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.of(e.OrganizationID)
	o.head++
	e.Version, o.changed = o.head, o.head
	var err error
	switch body := e.Body.(type) {
	case *eventv1.BudgetArchived, *eventv1.LimitArchived:
		o.archived[e.Subject] = true
		return nil
	case *eventv1.LimitCreated, *eventv1.LimitUpdated:
		o.limits[e.Subject], err = limit.Apply(o.limits[e.Subject], e)
		return err
	case *eventv1.LimitLeasesReleased:
		o.releases[e.Subject] = body.GetEpoch()
		return nil
	case *eventv1.BudgetLeasesReleased:
		o.releases[e.Subject] = body.GetEpoch()
		return nil
	case *eventv1.BudgetLeaseWrittenOff:
		account := accountKey{series{e.Subject, body.GetSubject()}, body.GetWindow()}
		key := leaseKey{account, uuid.MustParse(body.GetAgentId()), body.GetBoot()}
		a, l := o.books[account], o.leases[key]
		a.writeOff(&l)
		o.books[account], o.leases[key] = a, l
		return nil
	}
	o.budgets[e.Subject], err = budget.Apply(o.budgets[e.Subject], e)
	return err
}

type memoryTx struct {
	*memoryOrganization
	now time.Time
}

func (t *memoryTx) read(_ context.Context, w wanted) (*state, error) {
	s := newState()
	s.head, s.changed, s.restored, s.now = t.head, t.changed > w.head || t.head < w.head, t.restore, t.now
	for _, id := range w.agents {
		if k, ok := t.agents[id]; ok {
			k.stored, k.forced = stored{there: true}, false
			s.agents[id] = &k
		}
	}
	t.load(s, w.accounts, w.leases)
	for _, r := range w.rolling {
		sums := others{}
		for key, a := range t.books {
			distance := a.span.Start.Sub(r.start).Abs()
			if key.series == r.series && distance > 0 && distance < r.duration && a.span.End.Sub(a.span.Start) == r.length {
				sums.spent, sums.held, sums.told = sums.spent+a.spent, sums.held+a.held, max(sums.told, a.told)
				if a.span.Start.Before(r.start) {
					sums.earlier += a.spent
				}
			}
		}
		s.others[r.series] = sums
	}
	for _, key := range w.shares {
		s.shares[key] = t.copied(key)
	}
	return s, nil
}

func (t *memoryTx) copied(key series) map[uuid.UUID]*share {
	all := map[uuid.UUID]*share{}
	for id, one := range t.shared[key] {
		one.stored, one.parts = stored{there: true}, slices.Clone(one.parts)
		all[id] = &one
	}
	return all
}

func (t *memoryTx) load(s *state, accounts []accountKey, leases []leaseKey) {
	for _, key := range accounts {
		if a, ok := t.books[key]; ok && s.accounts[key] == nil {
			a.stored, a.overran = stored{there: true}, 0
			s.accounts[key] = &a
		}
	}
	for _, key := range leases {
		if l, ok := t.leases[key]; ok && s.leases[key] == nil {
			l.stored, l.forced = stored{there: true}, false
			s.leases[key] = &l
		}
	}
}

func (t *memoryTx) quotas(context.Context) (map[uuid.UUID]bound, error) {
	found := map[uuid.UUID]bound{}
	for id, b := range t.budgets {
		if q, counted := ofBudget(b); counted && !t.archived[id] {
			found[id] = q
		}
	}
	for id, l := range t.limits {
		if q, counted := ofLimit(l); counted && !t.archived[id] {
			found[id] = q
		}
	}
	return found, nil
}

func (t *memoryTx) over(_ context.Context, settled, ended []*known) (keys []leaseKey, err error) {
	for key, l := range t.leases {
		of := func(own bool) func(*known) bool {
			return func(k *known) bool { return key.agent == k.agent && (key.boot == k.boot) == own && l.held() > 0 }
		}
		if slices.ContainsFunc(settled, of(false)) || slices.ContainsFunc(ended, of(true)) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (t *memoryTx) silent(_ context.Context, quotas []uuid.UUID, since time.Time) (keys []leaseKey, err error) {
	for key, l := range t.leases {
		k := t.agents[key.agent]
		if slices.Contains(quotas, key.quota) && l.held() > 0 && (k.heard.Before(since) || k.boot != key.boot && k.booted.Before(since)) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (t *memoryTx) add(_ context.Context, s *state, keys []leaseKey) error {
	for _, key := range keys {
		t.load(s, []accountKey{key.accountKey}, []leaseKey{key})
	}
	return nil
}

func (t *memoryTx) missing(_ context.Context, r restore, limit int) (agents []uuid.UUID, released map[uuid.UUID]bool, err error) {
	for id, enrolled := range t.registered {
		if enrolled.Before(r.at) && t.agents[id].back < r.epoch && len(agents) < limit {
			agents = append(agents, id)
		}
	}
	released = map[uuid.UUID]bool{}
	for id, epoch := range t.releases {
		released[id] = epoch >= r.epoch
	}
	return agents, released, nil
}

func (t *memoryTx) write(_ context.Context, s *state, _ time.Time) error {
	for i := range s.raised {
		s.raised[i].made = true
	}
	t.raised = append(t.raised, s.raised...)
	for key, a := range s.accounts {
		if a.dirty {
			t.books[key] = *a
		}
	}
	for key, l := range s.leases {
		if l.dirty {
			t.leases[key] = *l
		}
	}
	for id, k := range s.agents {
		if k.dirty {
			t.agents[id] = *k
		}
	}
	for key, all := range s.shares {
		if t.shared[key] == nil {
			t.shared[key] = map[uuid.UUID]share{}
		}
		for id, one := range all {
			if one.dirty {
				t.shared[key][id] = *one
			}
		}
	}
	return nil
}

func (t *memoryTx) accounts(_ context.Context, keys []accountKey) (found []*account, err error) {
	for _, key := range keys {
		if a, ok := t.books[key]; ok {
			a.stored = stored{there: true}
			found = append(found, &a)
		}
	}
	return found, nil
}

func (t *memoryTx) holders(_ context.Context, keys []accountKey) (found []holder, err error) {
	for key, l := range t.leases {
		if slices.Contains(keys, key.accountKey) && l.held() > 0 {
			found = append(found, holder{l, t.agents[key.agent]})
		}
	}
	return found, nil
}

func (t *memoryTx) subjects(_ context.Context, asked []subjectsOf, limit int) (found []ranked, err error) {
	for _, of := range asked {
		spent := map[series]int64{}
		for key, a := range t.books {
			if key.quota == of.quota && slices.Contains(of.windows, key.window) && key.subject != "" {
				spent[key.series] += a.spent
			}
		}
		var all []ranked
		for key, sum := range spent {
			if one := (ranked{key, sum}); one.follows(of.after) {
				all = append(all, one)
			}
		}
		slices.SortFunc(all, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.spent, a.spent), cmp.Compare(a.subject, b.subject)) })
		found = append(found, all[:min(limit, len(all))]...)
	}
	return found, nil
}

// follows tells whether it comes after a place of a list.
func (s ranked) follows(p *Place) bool {
	return p == nil || s.spent < p.Spent || s.spent == p.Spent && s.subject > p.Subject
}

func (t *memoryTx) past(_ context.Context, asked []pastOf, limit int) (found []*account, err error) {
	for _, of := range asked {
		var all []*account
		for key, a := range t.books {
			if key.series == of.series && key.window < of.before && a.span != (quota.Span{}) && !a.span.End.After(of.now) {
				all = append(all, &a)
			}
		}
		slices.SortFunc(all, func(a, b *account) int { return cmp.Compare(b.window, a.window) })
		found = append(found, all[:min(limit, len(all))]...)
	}
	return found, nil
}

func (t *memoryTx) shares(_ context.Context, ids []uuid.UUID) (map[series]map[uuid.UUID]*share, time.Time, error) {
	found := map[series]map[uuid.UUID]*share{}
	for key := range t.shared {
		if slices.Contains(ids, key.quota) {
			found[key] = t.copied(key)
		}
	}
	return found, t.now, nil
}

func (t *memoryTx) restored(context.Context) (restore, error) { return t.restore, nil }
