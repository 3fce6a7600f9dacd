package quota_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
)

// mix is requests as chats of a day had them: tokens sent, the cap on what comes back, and
// what came back, of a model at 2.50 and 10 dollars for a million tokens. Callers mostly ask for
// far more than they get.
var mix = [...][3]int64{
	{412, 4096, 233}, {87, 1024, 118}, {2310, 4096, 612}, {640, 16384, 341}, {1290, 2048, 96}, {33, 256, 256}, {5120, 4096, 820}, {210, 512, 44},
	{760, 16384, 1170}, {1840, 1024, 402}, {95, 2048, 17}, {3400, 8192, 2210}, {150, 4096, 388}, {520, 1024, 1024}, {8800, 2048, 150}, {61, 128, 91},
	{980, 4096, 705}, {270, 16384, 64}, {1430, 2048, 530}, {4400, 1024, 289}, {115, 512, 240}, {700, 4096, 1903}, {2600, 16384, 455}, {48, 64, 12},
}

func worth(tokens [3]int64) (worst, cost int64) {
	return 2_500*tokens[0] + 10_000*tokens[1], 2_500*tokens[0] + 10_000*tokens[2]
}

// truth is what a budget would say that nobody leases from.
type truth struct {
	mu             sync.Mutex
	left, reserved int64
	served, falsely,
	rightly int
}

// use is one request: refused falsely where what it could take at most was neither spent nor
// reserved by another.
func (b *truth) use(t *testing.T, m *running, q *quota.Quota, tokens [3]int64, takes time.Duration) (refusal *quota.Refusal, fits bool) {
	worst, cost := worth(tokens)
	var r quota.Reservation
	refusal = m.Reserve(t.Context(), &r, claim(q, worst))
	b.mu.Lock()
	fits = b.left-b.reserved >= worst
	switch {
	case refusal == nil:
		b.served++
		b.reserved += worst
	case fits:
		b.falsely++
	default:
		b.rightly++
	}
	b.mu.Unlock()
	if refusal != nil {
		return refusal, fits
	}
	time.Sleep(takes)
	r.Settle([]int64{cost})
	b.mu.Lock()
	b.reserved -= worst
	b.left -= cost
	b.mu.Unlock()
	return nil, true
}

// With a hundredth of a hard budget left, requests are served as long as their worst case
// fits, by however many agents: hardly any is refused for what others hold and do not use.
func TestABudgetIsUsedUpToItsEnd(t *testing.T) {
	for _, c := range []struct {
		agents int
		limit  int64
	}{{1, 1_000_000_000_000}, {10, 1_000_000_000_000}, {1, 5_000_000_000_000}, {10, 5_000_000_000_000}} {
		bubble(t, fmt.Sprintf("%d_agents_%d_dollars", c.agents, c.limit/1_000_000_000), func(t *testing.T) {
			l := newLedger(t)
			l.even = true
			q := budget(t, l, hard, c.limit, 0)
			var agents []*running
			for i := range c.agents {
				agents = append(agents, run(t, l, fmt.Sprint("agent ", i), newDisk(1), q))
			}
			spender := run(t, l, "spender", newDisk(1), q)
			reserve(t, spender, claim(q, c.limit/100*99)...).Settle(nil)
			spender.stop()
			if err := spender.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			b := &truth{left: c.limit / 100}
			dice := rand.New(rand.NewPCG(1, 2))
			var group sync.WaitGroup
			for begun := time.Now(); b.remains(c.limit/2000) && time.Since(begun) < time.Hour; {
				m, tokens, takes := agents[dice.IntN(len(agents))], mix[dice.IntN(len(mix))], time.Duration(200+dice.IntN(4000))*time.Millisecond
				group.Go(func() { b.use(t, m, q, tokens, takes) })
				time.Sleep(time.Duration(dice.IntN(100)) * time.Millisecond)
			}
			group.Wait()
			synctest.Wait()
			all := b.served + b.falsely + b.rightly
			t.Logf("%d requests in the last hundredth: %d served, %d refused rightly, %d falsely (%.2f %%)",
				all, b.served, b.rightly, b.falsely, 100*float64(b.falsely)/float64(all))
			if b.falsely*100 >= all {
				t.Errorf("%d of %d requests are refused falsely", b.falsely, all)
			}
		})
	}
}

// remains tells whether more is left than so much.
func (b *truth) remains(amount int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left > amount
}

// Where each call of the ledger takes longer than a request waits, as across an ocean, requests
// that come back when they are told to find what they asked for.
func TestABudgetIsUsedUpThoughTheLedgerIsSlow(t *testing.T) {
	for _, latency := range []time.Duration{80 * time.Millisecond, 300 * time.Millisecond} {
		bubble(t, latency.String(), func(t *testing.T) {
			const limit, agents = int64(10_000_000_000), 10
			l := newLedger(t)
			l.even = true
			q := budget(t, l, hard, limit, 0)
			var all []*running
			for i := range agents {
				all = append(all, run(t, l, fmt.Sprint("agent ", i), newDisk(1), q))
			}
			l.set(func() { l.before = func() error { time.Sleep(latency); return nil } })
			b := &truth{left: limit}
			dice := rand.New(rand.NewPCG(1, 2))
			var served, tries, gaveUp atomic.Int64
			var group sync.WaitGroup
			for begun := time.Now(); b.remains(limit/20) && time.Since(begun) < time.Hour; {
				m, tokens, takes := all[dice.IntN(agents)], mix[dice.IntN(len(mix))], time.Duration(200+dice.IntN(4000))*time.Millisecond
				group.Go(func() {
					plenty := b.remains(limit / 5)
					for range 4 {
						tries.Add(1)
						refusal, fits := b.use(t, m, q, tokens, takes)
						if refusal == nil {
							served.Add(1)
							return
						}
						plenty = plenty && fits
						time.Sleep(refusal.RetryAfter)
					}
					if plenty && b.remains(limit/5) {
						gaveUp.Add(1)
					}
				})
				time.Sleep(time.Duration(dice.IntN(100)) * time.Millisecond)
			}
			group.Wait()
			t.Logf("%d requests served after %d tries, %d were refused four times; %d of %d left", served.Load(), tries.Load(), gaveUp.Load(), b.left, limit)
			if b.remains(limit / 20) {
				t.Errorf("%d of %d can't be spent", b.left, limit)
			}
			if gaveUp.Load()*50 >= served.Load() {
				t.Errorf("%d requests were refused four times that fit with more than a fifth left", gaveUp.Load())
			}
		})
	}
}

// Nor is the ledger asked all the time for what requests lack that come back: four times a second,
// and for the requests themselves.
func TestWhatIsLackingIsAskedForNowAndThen(t *testing.T) {
	bubble(t, "60ms", func(t *testing.T) {
		const worst, agents, length = int64(1_000_000_000), 3, time.Minute
		l := newLedger(t)
		l.even = true
		q := budget(t, l, hard, worst*12/10, 0)
		l.set(func() { l.before = func() error { time.Sleep(60 * time.Millisecond); return nil } })
		begun := time.Now()
		var tries atomic.Int64
		var group sync.WaitGroup
		for i := range agents {
			m := run(t, l, fmt.Sprint("agent ", i), newDisk(1), q)
			group.Go(func() {
				for time.Since(begun) < length {
					tries.Add(1)
					var r quota.Reservation
					pause := time.Second
					if refusal := m.Reserve(t.Context(), &r, claim(q, worst)); refusal != nil {
						pause = max(pause, refusal.RetryAfter)
					}
					time.Sleep(pause)
					r.Settle(nil)
				}
			})
		}
		group.Wait()
		if calls, most := l.called(), agents*4*int(length/time.Second)+int(tries.Load()); calls > most {
			t.Errorf("%d calls, want %d at most", calls, most)
		}
	})
}

// What is left of a budget may be a few requests' worth, and many agents come back for it again
// and again: as many are served as it pays for, whatever the agents hold of it meanwhile.
func TestTheLastRequestsAreServedThoughTheLedgerIsSlow(t *testing.T) {
	const worth = int64(1_000_000_000)
	for _, c := range []struct {
		latency time.Duration
		agents  int
		tenths  int64 // of a request's worth
	}{
		{60 * time.Millisecond, 10, 25}, {60 * time.Millisecond, 30, 38}, {150 * time.Millisecond, 10, 15}, {150 * time.Millisecond, 30, 25},
		{150 * time.Millisecond, 30, 55}, {300 * time.Millisecond, 10, 25}, {300 * time.Millisecond, 30, 38}, {300 * time.Millisecond, 30, 95},
	} {
		bubble(t, fmt.Sprintf("%v_%d_agents_%d_tenths", c.latency, c.agents, c.tenths), func(t *testing.T) {
			l := newLedger(t)
			l.even = true
			q := budget(t, l, hard, worth*c.tenths/10, 0)
			var all []*running
			for i := range c.agents {
				all = append(all, run(t, l, fmt.Sprint("agent ", i), newDisk(1), q))
			}
			l.set(func() { l.before = func() error { time.Sleep(c.latency); return nil } })
			var served atomic.Int64
			var group sync.WaitGroup
			begun := time.Now()
			for i, m := range all {
				group.Go(func() {
					dice := rand.New(rand.NewPCG(1, uint64(i)))
					for time.Since(begun) < 3*time.Minute {
						var r quota.Reservation
						if refusal := m.Reserve(t.Context(), &r, claim(q, worth)); refusal != nil {
							time.Sleep(max(refusal.RetryAfter, time.Second) + time.Duration(dice.IntN(100))*time.Millisecond)
							continue
						}
						time.Sleep(time.Second)
						r.Settle([]int64{worth})
						served.Add(1)
					}
				})
			}
			group.Wait()
			if served.Load() != c.tenths/10 {
				t.Errorf("%d served of %d that fit", served.Load(), c.tenths/10)
			}
		})
	}
}
