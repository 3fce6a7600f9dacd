package balance_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// TestManyAtOnce is for the race detector, and for what is counted.
func TestManyAtOnce(t *testing.T) {
	for _, strategy := range []policyv1.Strategy{latency, leastBusy, cheapest, sticky, weighted, priority} {
		r := route(snapshot.Retry{Attempts: 2}, 1, 1, 1)
		r.Strategy, r.Sticky = strategy, &snapshot.Sticky{BreakEven: 2}
		targets := balance.NewTargets(time.Now(), rand.Int64N)
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for i := range 500 {
					var p balance.Plan
					p.Begin(balance.Request{Route: r, Targets: targets, Draw: rand.Int64N, Now: time.Now, Alike: uint64(i), Sticks: true})
					p.Next()
					trial := p.Try(n%2 == 0)
					trial.Heard(time.Now())
					e := good
					if i%3 == 0 {
						e = failed
					}
					trial.End(time.Now(), e)
					targets.Of(r.Targets[0]).Status(time.Now())
				}
			})
		}
		all.Wait()
		tried := int64(0)
		for _, target := range r.Targets {
			s := targets.Of(target).Status(time.Now())
			if tried += s.Tried; s.InFlight != 0 {
				t.Errorf("strategy %v: %d under way", strategy, s.InFlight)
			}
		}
		if tried != 8*500 {
			t.Errorf("strategy %v: %d tried", strategy, tried)
		}
	}
}

var strategies = map[string]policyv1.Strategy{"priority": priority, "weighted": weighted, "latency": latency,
	"least_busy": leastBusy, "cheapest": cheapest, "sticky": sticky}

// among16 is a request that chooses among 16 targets, all of which are known.
func among16(t testing.TB, strategy policyv1.Strategy) balance.Request {
	weights := make([]int64, 16)
	for i := range weights {
		weights[i] = 1
	}
	r := route(snapshot.Retry{Attempts: 3}, weights...)
	r.Strategy, r.Sticky = strategy, &snapshot.Sticky{BreakEven: 2}
	targets := balance.NewTargets(time.Now(), rand.Int64N)
	for i, target := range r.Targets {
		target.Price = entry(t, int64(i%4+1), 1, 0)
		for range 3 {
			trial := targets.Of(target).Begin(time.Now(), true)
			trial.Heard(time.Now())
			trial.End(time.Now(), balance.Ending{OK: true, Status: 200, Output: 100})
		}
	}
	return balance.Request{Route: r, Targets: targets, Draw: rand.Int64N, Now: time.Now, Input: 1000, Alike: 42, Sticks: true}
}

// TestChoosingAllocatesNothing, nor does learning.
func TestChoosingAllocatesNothing(t *testing.T) {
	for name, strategy := range strategies {
		request := among16(t, strategy)
		var p balance.Plan
		if n := testing.AllocsPerRun(100, func() {
			p.Begin(request)
			p.Next()
			trial := p.Try(true)
			p.Begun()
			trial.Heard(time.Now())
			trial.End(time.Now(), good)
		}); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkChoose(b *testing.B) {
	for name, strategy := range strategies {
		b.Run(fmt.Sprintf("%s_16", name), func(b *testing.B) {
			request := among16(b, strategy)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				var p balance.Plan
				for pb.Next() {
					p.Begin(request)
					p.Next()
				}
			})
		})
	}
}

func BenchmarkLearn(b *testing.B) {
	request := among16(b, latency)
	var p balance.Plan
	b.ReportAllocs()
	for b.Loop() {
		p.Begin(request)
		p.Next()
		trial := p.Try(true)
		trial.Heard(time.Now())
		trial.End(time.Now(), good)
	}
}
