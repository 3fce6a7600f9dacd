package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// simulation is a fleet that spends, with a network that loses, repeats and delays calls
// and answers, agents and control planes that are killed, and a clock that is set.
type simulation struct {
	*world
	organization uuid.UUID
	quotas       []uuid.UUID
	processes    []*Ledger
	agents       []*spender
	// steady: no agent is killed and none forgets what it has of a present window.
	steady bool
	// healing: the ledger was put back. Until it knows again what agents gave back since, it
	// shows more held than there is, and grants nothing.
	healing atomic.Bool

	// paid is what was spent in truth.
	truth sync.Mutex
	paid  map[accountKey]int64
}

const simAmount = 10_000

// spender is an agent as the contract wants it to be.
type spender struct {
	*simulation
	gateway.Agent
	random  *rand.Rand
	boot    int
	leases  map[accountKey]*spending
	earlier map[leaseKey]*spending // what the disk knew of earlier starts
	sent    []*agentv1.LeaseRequest
	settled bool // it told so since its start
}

// spending is a lease as an agent has it.
type spending struct {
	totals
	reserved []int64
	over     bool
	closing  bool // it said so, and spends nothing of it before that is known to have come
}

func (s *spending) free() int64 {
	free := s.held()
	for _, r := range s.reserved {
		free -= r
	}
	return free
}

func newSimulation(w *world, agents int) *simulation {
	s := &simulation{world: w, organization: uuid.New(), paid: map[accountKey]int64{}}
	for _, shape := range []func(*eventv1.BudgetSettings){everyHour, lifetime, overAnHour, func(b *eventv1.BudgetSettings) { everyHour(b); carrying(b) }} {
		s.quotas = append(s.quotas, w.budget(s.organization, settings(simAmount, hard, shape)))
	}
	for range 3 {
		s.processes = append(s.processes, w.process())
	}
	for i := range agents {
		s.agents = append(s.agents, &spender{
			simulation: s, Agent: w.agent(s.organization), random: rand.New(rand.NewPCG(uint64(i), 42)), boot: 1,
			leases: map[accountKey]*spending{}, earlier: map[leaseKey]*spending{},
		})
	}
	w.step(time.Second)
	return s
}

// act does one thing of those that agents do.
func (a *spender) act() {
	switch n := a.random.IntN(100); {
	case n < 35:
		a.reserve()
	case n < 60:
		a.settle()
	case n < 62 && !a.steady:
		a.kill()
	case n < 65 && len(a.sent) > 0: // an old call arrives once more
		_, _ = a.deliver(a.sent[a.random.IntN(len(a.sent))])
	default:
		a.ask()
	}
}

func (a *spender) reserve() {
	for _, l := range a.leases {
		if free := l.free(); !l.over && free > 0 {
			l.reserved = append(l.reserved, 1+a.random.Int64N(free))
			return
		}
	}
}

func (a *spender) settle() {
	for key, l := range a.leases {
		if len(l.reserved) > 0 {
			a.pay(key, l, a.random.Int64N(l.reserved[0]+1))
			l.reserved = l.reserved[1:]
			return
		}
	}
}

func (a *spender) pay(key accountKey, l *spending, amount int64) {
	a.truth.Lock()
	defer a.truth.Unlock()
	l.spent += amount
	a.paid[key] += amount
}

// kill starts it anew: what was reserved counts as spent.
func (a *spender) kill() {
	for key, l := range a.leases {
		for _, r := range l.reserved {
			a.pay(key, l, r)
		}
		l.reserved = nil
		a.earlier[leaseKey{key, a.ID, boot(a.boot)}] = l
	}
	a.leases, a.settled = map[accountKey]*spending{}, false
	a.boot++
}

// ask tells and asks for everything there is, or some of it.
func (a *spender) ask() {
	request := &agentv1.LeaseRequest{Boot: boot(a.boot)}
	var about []func(*agentv1.Grant)
	for key, l := range a.earlier {
		if a.random.IntN(3) > 0 {
			continue
		}
		request.Holdings = append(request.Holdings, &agentv1.Holding{
			QuotaId: key.quota.String(), Window: key.window, Boot: key.boot, Granted: l.granted, Spent: l.spent, Returned: l.returned, Closed: true,
		})
		about = append(about, func(*agentv1.Grant) { delete(a.earlier, key) })
	}
	present := map[uuid.UUID]bool{}
	for key, l := range a.leases {
		if l.over && len(l.reserved) == 0 {
			l.closing = true
			request.Holdings = append(request.Holdings, l.holding(key, func(h *agentv1.Holding) { h.Closed = true }))
			about = append(about, func(g *agentv1.Grant) {
				if l.granted = g.GetGranted(); g.GetGranted() == g.GetSpent()+g.GetReturned() {
					delete(a.leases, key)
				}
			})
			continue
		}
		present[key.quota] = present[key.quota] || !l.over
		if l.over || a.random.IntN(2) == 0 && !a.steady {
			continue
		}
		if free := l.free(); free > 0 && a.random.IntN(4) == 0 {
			l.returned += a.random.Int64N(free + 1)
		}
		request.Holdings = append(request.Holdings, l.holding(key, func(h *agentv1.Holding) { h.Need, h.Want = a.appetite() }))
		about = append(about, func(g *agentv1.Grant) { l.take(g) })
	}
	for _, id := range a.quotas {
		if present[id] {
			continue
		}
		h := &agentv1.Holding{QuotaId: id.String()}
		h.Need, h.Want = a.appetite()
		request.Holdings = append(request.Holdings, h)
		about = append(about, func(g *agentv1.Grant) {
			key := accountKey{series{quota: id}, g.GetWindow()}
			if l := a.leases[key]; l != nil && l.closing {
				return
			}
			if a.leases[key] == nil {
				a.leases[key] = &spending{totals: totals{spent: g.GetSpent(), returned: g.GetReturned()}}
			}
			a.leases[key].take(g)
			a.leases[key].over = false
		})
	}
	request.SettledUp = len(a.earlier) == 0
	a.sent = append(a.sent, request)
	if a.random.IntN(10) == 0 {
		return // it is lost, or comes later
	}
	answer, err := a.deliver(request)
	if err != nil || a.random.IntN(10) == 0 {
		return // so is its answer
	}
	a.settled = a.settled || request.SettledUp
	for i, g := range answer.GetGrants() {
		about[i](g)
	}
}

func (a *spender) appetite() (need, want int64) {
	if a.random.IntN(3) == 0 {
		need = a.random.Int64N(simAmount / 8)
	}
	return need, a.random.Int64N(simAmount / 10)
}

func (s *spending) holding(key accountKey, and func(*agentv1.Holding)) *agentv1.Holding {
	h := &agentv1.Holding{QuotaId: key.quota.String(), Window: key.window, Granted: s.granted, Spent: s.spent, Returned: s.returned}
	and(h)
	return h
}

func (s *spending) take(g *agentv1.Grant) {
	if g.GetDenial() == agentv1.Grant_DENIAL_GONE {
		return
	}
	s.granted, s.returned = max(s.granted, g.GetGranted()), max(s.returned, g.GetReturned())
	s.over = g.EndsInMs != nil && g.GetEndsInMs() == 0
}

func (a *spender) deliver(request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return a.processes[rand.IntN(len(a.processes))].Lease(ctx, a.Agent, request)
}

// end settles and closes all that an agent has.
func (a *spender) end(t *testing.T) {
	request := &agentv1.LeaseRequest{Boot: boot(a.boot)}
	for key, l := range a.earlier {
		request.Holdings = append(request.Holdings, &agentv1.Holding{
			QuotaId: key.quota.String(), Window: key.window, Boot: key.boot, Granted: l.granted, Spent: l.spent, Returned: l.returned, Closed: true,
		})
	}
	for key, l := range a.leases {
		request.Holdings = append(request.Holdings, l.holding(key, func(h *agentv1.Holding) { h.Closed = true }))
	}
	request.SettledUp, request.Ended = true, true // so that what answers were lost for is free, too
	late := a.sent[max(0, len(a.sent)-20):]
	for _, r := range append([]*agentv1.LeaseRequest{request}, late...) {
		if _, err := a.processes[0].Lease(t.Context(), a.Agent, r); err != nil {
			t.Fatal(err)
		}
	}
}

// faults are what must never be, at any instant: one line each.
func (s *simulation) faults() (found []string) {
	accounts, leases := s.rows()
	spent, held := map[accountKey]int64{}, map[accountKey]int64{}
	for _, l := range leases {
		spent[l.accountKey] += l.spent
		held[l.accountKey] += l.held()
	}
	for _, a := range accounts {
		used, limit := a.spent+a.held, int64(simAmount)
		switch a.quota {
		case s.quotas[2]:
			used = 0
			for _, other := range accounts { // all sub-windows that end an hour later at most
				if d := other.span.Start.Sub(a.span.Start); other.quota == a.quota && d >= 0 && d < time.Hour {
					used += other.spent + other.held
				}
			}
		case s.quotas[3]:
			if before := accounts[accountKey{a.series, windowID(quota.Span{Start: a.span.Start.Add(-time.Hour), End: a.span.Start})}]; before != nil {
				limit += before.left()
			}
		}
		if used > limit && !s.healing.Load() || a.overrun > 0 {
			found = append(found, fmt.Sprintf("quota %d, %s: spent %d and held %d, with others %d of %d, overrun %d", s.index(a.quota), a.window, a.spent, a.held, used, limit, a.overrun))
		}
		if a.spent != spent[a.accountKey] || a.held != held[a.accountKey] {
			found = append(found, fmt.Sprintf("quota %d, %s: spent %d and held %d, leases add up to %d and %d", s.index(a.quota), a.window, a.spent, a.held, spent[a.accountKey], held[a.accountKey]))
		}
	}
	return found
}

func (s *simulation) index(id uuid.UUID) int {
	for i, other := range s.quotas {
		if id == other {
			return i
		}
	}
	return -1
}

// rows are all that the ledger has, at one instant.
func (s *simulation) rows() (accounts map[accountKey]*account, leases []lease) {
	accounts = map[accountKey]*account{}
	if s.db == nil {
		m := s.store.(*memory)
		m.mu.Lock()
		defer m.mu.Unlock()
		for key, a := range m.of(s.organization).books {
			a.there = true
			accounts[key] = &a
		}
		for _, l := range m.of(s.organization).leases {
			leases = append(leases, l)
		}
		return accounts, leases
	}
	for {
		accounts, leases, err := s.snapshot()
		var killed *pgconn.PgError
		if errors.As(err, &killed) && killed.Code == "57P01" {
			continue // as the control planes
		}
		if err != nil {
			s.t.Error(err)
		}
		return accounts, leases
	}
}

func (s *simulation) snapshot() (accounts map[accountKey]*account, leases []lease, err error) {
	accounts = map[accountKey]*account{}
	err = s.db.Snapshot(context.Background(), s.organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(context.Background(), `SELECT quota_id, subject, window_id, amount, carried, room, spent, held, holders, overrun FROM quota_account`)
		if err != nil {
			return err
		}
		var a account
		into := []any{&a.quota, &a.subject, &a.window, &a.amount, &a.carried, &a.room, &a.spent, &a.held, &a.holders, &a.overrun}
		if _, err := pgx.ForEachRow(rows, into, func() error {
			one := a
			one.span, _ = parseWindow(a.window)
			one.there = true
			accounts[a.accountKey] = &one
			return nil
		}); err != nil {
			return err
		}
		if rows, err = tx.Query(context.Background(), `SELECT quota_id, subject, window_id, agent_id, boot, granted, spent, returned FROM quota_lease`); err != nil {
			return err
		}
		var l lease
		_, err = pgx.ForEachRow(rows, []any{&l.quota, &l.subject, &l.window, &l.agent, &l.boot, &l.granted, &l.spent, &l.returned}, func() error {
			leases = append(leases, l)
			return nil
		})
		return err
	})
	return accounts, leases, err
}

// run lets the agents act at once, while somebody looks all the time.
func (s *simulation) run(t *testing.T, steps int, meanwhile func(step int)) {
	var agents, watch sync.WaitGroup
	done := make(chan struct{})
	watch.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if found := s.faults(); len(found) > 0 {
				t.Errorf("while agents spend:\n%s", strings.Join(found[:min(len(found), 5)], "\n"))
				return
			}
		}
	})
	for i, a := range s.agents {
		agents.Go(func() {
			for step := range steps {
				if a.act(); i == 0 {
					meanwhile(step)
				}
			}
		})
	}
	agents.Wait()
	close(done)
	watch.Wait()
	if found := s.faults(); len(found) > 0 {
		t.Errorf("after it:\n%s", strings.Join(found, "\n"))
	}
}

func TestSimulation(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		s := newSimulation(w, 20)
		steps := 400
		if w.db != nil {
			steps = 120
		}
		s.run(t, steps, func(step int) {
			switch {
			case step%10 == 9:
				w.step(time.Duration(rand.IntN(1200)) * time.Second)
			case step%35 == 34:
				w.step(-time.Duration(rand.IntN(5400)) * time.Second)
			case step%15 == 14 && w.db != nil: // control planes die in the middle of whatever they do
				terminate(t, w)
			}
		})
		for _, a := range s.agents {
			for key, l := range a.leases {
				for _, r := range l.reserved {
					a.pay(key, l, r)
				}
			}
			a.end(t)
		}
		accounts, _ := s.rows()
		for key, a := range accounts {
			if a.held != 0 || a.spent != s.paid[key] || a.holders != 0 {
				t.Errorf("at the end, quota %d, %s: held %d by %d, spent %d, want %d", s.index(key.quota), key.window, a.held, a.holders, a.spent, s.paid[key])
			}
		}
		sum := int64(0)
		for key, spent := range s.paid {
			if sum += spent; spent > 0 && accounts[key] == nil {
				t.Errorf("the ledger does not know of %v", key)
			}
		}
		if sum < 2*simAmount {
			t.Errorf("only %d were spent", sum)
		}
	})
}

// terminate kills every connection of the app's role.
func terminate(t *testing.T, w *world) {
	conn, err := pgx.Connect(context.Background(), w.url)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`
	if _, err := conn.Exec(context.Background(), kill); err != nil {
		t.Error(err)
	}
}

// A ledger that is put back to an earlier state grants nothing of hard quotas until it knows
// again what is out: the fleet spends no more than it may.
func TestSimulation_restored(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		s := newSimulation(w, 20)
		s.steady = true
		steps := 100
		if w.db != nil {
			steps = 30
		}
		nothing := func(int) {}
		s.run(t, 3, nothing)
		w.save(s.organization) // by when there is hardly anything in it
		s.run(t, steps, nothing)
		w.restore(s.organization, 2_000_000_000)
		for _, a := range s.agents {
			a.sent = nil // no call from before comes again: the agents' tokens are good for a minute
		}
		s.healing.Store(true)
		w.step(time.Second)
		s.run(t, steps, nothing)
		for _, a := range s.agents {
			for len(a.sent) < 20 {
				a.ask()
			}
		}
		s.healing.Store(false)
		s.run(t, steps, nothing)
		used := map[accountKey]int64{}
		for key, spent := range s.paid {
			used[key] += spent
		}
		for _, a := range s.agents {
			for key, l := range a.leases {
				used[key] += max(0, l.held())
			}
		}
		for key, n := range used {
			if n > simAmount {
				t.Errorf("%d are spent or in the hands of agents of quota %d in %s", n, s.index(key.quota), key.window)
			}
		}
	})
}
