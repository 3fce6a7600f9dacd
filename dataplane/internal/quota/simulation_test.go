package quota_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/quota"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// life is one agent, from start to start, with what its requests really took.
type life struct {
	t      *testing.T
	l      *ledger
	name   string
	quotas []*quota.Quota
	dice   *rand.Rand
	totals map[leaseKey]int64

	mu     sync.Mutex
	served int
	took   map[string]int64 // by quota
}

// boot is one start of it: four callers, until it is killed, or, the last time, told to stop.
func (a *life) boot(counter int, last bool) {
	d := &disk{boot: fmt.Sprintf("%08d", counter), totals: a.totals, whole: true}
	m, err := quota.NewMeter(quota.Config{Client: agent{a.l, a.name}, Metrics: prometheus.NewRegistry()})
	if err != nil {
		a.t.Fatal(err)
	}
	m.Use(a.quotas)
	ctx, kill := context.WithCancel(a.t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = m.Run(ctx, d) })
	var dead atomic.Bool
	ends := time.Now().Add(time.Duration(a.dice.IntN(20_000)) * time.Millisecond)
	for caller := range 4 {
		dice := rand.New(rand.NewPCG(uint64(counter), uint64(caller)+a.dice.Uint64()))
		group.Go(func() {
			for time.Now().Before(ends) && !dead.Load() {
				a.request(m, d, dice, &dead)
				time.Sleep(time.Duration(dice.IntN(100)) * time.Millisecond)
			}
		})
	}
	time.Sleep(time.Until(ends))
	if !last {
		dead.Store(true)
	} else {
		time.Sleep(10 * time.Second) // those under way end
	}
	kill()
	group.Wait()
	if !last {
		return
	}
	a.l.set(func() { a.l.before, a.l.after = nil, nil })
	if err := m.Close(a.t.Context()); err != nil {
		a.t.Error(err)
	}
}

func (a *life) request(m *quota.Meter, d *disk, dice *rand.Rand, dead *atomic.Bool) {
	var claims []quota.Claim
	var actual []int64
	for _, q := range a.quotas {
		most := 1 + dice.Int64N(20)
		claims = append(claims, quota.Claim{Quota: q, Subject: []string{"", "x", "y"}[dice.IntN(3)], Amount: most})
		actual = append(actual, dice.Int64N(most+1))
	}
	r := &quota.Reservation{}
	if m.Reserve(a.t.Context(), r, claims) != nil || dead.Load() {
		return
	}
	record := &usagev1.UsageRecord{}
	record.Charges = r.AppendCharges(nil, nil)
	a.charge(d, record) // as long as nobody says otherwise
	time.Sleep(time.Duration(dice.IntN(3_000)) * time.Millisecond)
	if dead.Load() {
		return
	}
	switch dice.IntN(10) {
	case 0:
		a.uncharge(d, record)
		r.Release()
		return
	case 1: // settled, and its end is not written
		r.Settle(actual)
		if dead.Load() {
			return
		}
	}
	a.uncharge(d, record)
	ended := &usagev1.UsageRecord{}
	if r.Len() > 0 {
		ended.Charges = r.AppendCharges(nil, actual)
		r.Settle(actual)
		a.charge(d, ended)
		return
	}
	i := 0
	for _, c := range record.GetCharges() {
		if amount := actual[i]; amount > 0 {
			c.Amount = amount
			ended.Charges = append(ended.Charges, c)
		}
		i++
	}
	a.charge(d, ended)
}

func (a *life) charge(d *disk, r *usagev1.UsageRecord)   { a.book(d, r, 1) }
func (a *life) uncharge(d *disk, r *usagev1.UsageRecord) { a.book(d, r, -1) }

func (a *life) book(d *disk, r *usagev1.UsageRecord, sign int64) {
	for _, c := range r.GetCharges() {
		name := uuidOf(c.GetQuotaId())
		key := leaseKey{boot: d.boot, quota: name, subject: c.GetSubject(), window: c.GetWindow()}
		d.mu.Lock()
		d.totals[key] += sign * c.GetAmount()
		d.mu.Unlock()
		a.mu.Lock()
		a.took[name] += sign * c.GetAmount()
		a.served++
		a.mu.Unlock()
	}
}

// Agents are killed and started again while calls and answers are lost: at every instant the
// ledger's sums stay within the limits, and at the end all is settled and nothing held. With
// every other seed the ledger's clock is set as well; an agent's own is none that can be.
func TestSimulation(t *testing.T) {
	for seed := range uint64(8) {
		bubble(t, fmt.Sprint("seed_", seed), func(t *testing.T) {
			l := newLedger(t)
			dice := rand.New(rand.NewPCG(seed, 7))
			if seed%2 == 1 {
				defer l.setClock(rand.New(rand.NewPCG(seed, 11)))()
			}
			quotas := []*quota.Quota{budget(t, l, hard, 3_000, 0), budget(t, l, hard, 500, 10*time.Second), budget(t, l, hard, 100_000, time.Minute)}
			l.slice = int64(dice.IntN(200))
			l.flaky(rand.New(rand.NewPCG(seed, 9)))
			var agents []*life
			var group sync.WaitGroup
			for i := range 5 {
				a := &life{t: t, l: l, name: fmt.Sprint("agent ", i), quotas: quotas, dice: rand.New(rand.NewPCG(seed, uint64(i))),
					totals: map[leaseKey]int64{}, took: map[string]int64{}}
				agents = append(agents, a)
				group.Go(func() {
					for boot := range 5 {
						a.boot(boot+1, boot == 4)
					}
				})
			}
			group.Wait()
			synctest.Wait()
			l.forgetOver()
			served := 0
			for _, q := range quotas {
				took := int64(0)
				for _, a := range agents {
					took += a.took[id(q)]
					served += a.served
				}
				if spent, held := l.sums(id(q)); spent != took || held != 0 {
					t.Errorf("%s: %d spent, %d held, and requests took %d", q.Name, spent, held, took)
				}
			}
			for _, a := range agents {
				for key, amount := range a.totals {
					if amount != 0 {
						t.Errorf("%s: the disk still has %d of %v", a.name, amount, key)
					}
				}
			}
			if served < 500 {
				t.Errorf("only %d charges", served)
			}
		})
	}
}
