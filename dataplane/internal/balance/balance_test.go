package balance_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unique"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// route has a target for each weight, named a, b, c, …
func route(retry snapshot.Retry, weights ...int64) *snapshot.Route {
	r := &snapshot.Route{Retry: retry}
	for i, weight := range weights {
		r.Targets = append(r.Targets, target(string(rune('a'+i)), weight))
		if weight > 0 {
			r.Strategy = policyv1.Strategy_STRATEGY_WEIGHTED
		}
	}
	return r
}

func target(model string, weight int64) *snapshot.Target {
	return &snapshot.Target{Model: model, Weight: weight, Upstream: unique.Make(snapshot.Upstream{ProviderID: "p", Model: model})}
}

func first(int64) int64 { return 0 }

// begin makes a plan that knows nothing of its targets.
func begin(p *balance.Plan, r *snapshot.Route, draw func(int64) int64) {
	p.Begin(balance.Request{Route: r, Draw: draw})
}

// walk tries targets, each of which fails, until none is left.
func walk(p *balance.Plan, how snapshot.Failures) string {
	var order strings.Builder
	for target := p.Next(); target != nil; target = p.Next() {
		order.WriteString(target.Model)
		p.Begun()
		p.Failed(how, 0, 0)
	}
	return order.String()
}

func TestOrder(t *testing.T) {
	for name, test := range map[string]struct {
		retry   snapshot.Retry
		weights []int64
		how     snapshot.Failures
		want    string
	}{
		"one_attempt":                {snapshot.Retry{Attempts: 1}, []int64{0}, snapshot.Timeout, "a"},
		"one_target_again":           {snapshot.Retry{Attempts: 3}, []int64{0}, snapshot.Timeout, "aaa"},
		"in_their_order":             {snapshot.Retry{Attempts: 5}, []int64{0, 0, 0}, snapshot.Timeout, "abcab"},
		"each_once":                  {snapshot.Retry{Attempts: 5, Once: true}, []int64{0, 0, 0}, snapshot.Timeout, "abc"},
		"fewer_than_targets":         {snapshot.Retry{Attempts: 2, Once: true}, []int64{0, 0, 0}, snapshot.Timeout, "ab"},
		"a_credential_fails_once":    {snapshot.Retry{Attempts: 5}, []int64{0, 0}, snapshot.Credential, "ab"},
		"by_weight_all_before_again": {snapshot.Retry{Attempts: 4}, []int64{1, 1}, snapshot.Timeout, "abab"},
	} {
		t.Run(name, func(t *testing.T) {
			var p balance.Plan
			begin(&p, route(test.retry, test.weights...), first)
			if got := walk(&p, test.how); got != test.want || p.Made() != len(test.want) || p.Left() {
				t.Errorf("tried %s, %d made", got, p.Made())
			}
		})
	}
}

// TestWeights: over many requests each target comes first, and second, as often as its
// weight says.
func TestWeights(t *testing.T) {
	const requests = 100_000
	dice := rand.New(rand.NewPCG(1, 2))
	r := route(snapshot.Retry{Attempts: 2, Once: true}, 1, 2, 7)
	counts := map[string]int{}
	var p balance.Plan
	for range requests {
		begin(&p, r, dice.Int64N)
		order := walk(&p, snapshot.Timeout)
		counts[order[:1]]++
		counts[order]++
	}
	for order, want := range map[string]float64{"a": 0.1, "b": 0.2, "c": 0.7, "ca": 0.7 / 3, "cb": 0.7 * 2 / 3, "ab": 0.1 * 2 / 9, "bc": 0.2 * 7 / 8} {
		if got := float64(counts[order]) / requests; got < want-0.01 || got > want+0.01 {
			t.Errorf("%s in %.3f of the requests, want %.3f", order, got, want)
		}
	}
}

func TestWait(t *testing.T) {
	var p balance.Plan
	begin(&p, route(snapshot.Retry{Attempts: 5, Backoff: 4 * time.Second}, 0), func(n int64) int64 { return n - 1 })
	for _, want := range []time.Duration{4 * time.Second, 8 * time.Second, balance.MaxWait, balance.MaxWait} {
		p.Next()
		p.Begun()
		p.Failed(snapshot.Timeout, time.Minute, time.Second)
		if got := p.Again() - time.Minute; got != want {
			t.Errorf("waits %v, want %v", got, want)
		}
	}
	begin(&p, route(snapshot.Retry{Attempts: 5, Backoff: time.Millisecond}, 0), first)
	p.Next()
	p.Begun()
	if p.Failed(snapshot.RateLimited, 0, balance.MaxWait); p.Again() != balance.MaxWait || !p.Left() {
		t.Errorf("waits %v", p.Again())
	}
	if p.Failed(snapshot.RateLimited, 0, balance.MaxWait+1); p.Left() {
		t.Error("waits longer than the longest")
	}
}

func TestDroppedTargets(t *testing.T) {
	var p balance.Plan
	begin(&p, route(snapshot.Retry{Attempts: 2, Once: true}, 0, 0), first)
	p.Next()
	p.Drop()
	if got := walk(&p, snapshot.Timeout); got != "b" {
		t.Errorf("tried %s", got)
	}
}

func TestBudget(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	b := &balance.NewTargets(now, first).Of(target("a", 0)).Budget
	taken := func() (n int) {
		for b.Take(now) {
			n++
		}
		return n
	}
	if n := taken(); n != 10 {
		t.Errorf("%d at the beginning", n)
	}
	for range 24 {
		b.Earn()
	}
	if n := taken(); n != 4 {
		t.Errorf("%d for 24 requests", n)
	}
	now = now.Add(3500 * time.Millisecond)
	if n := taken(); n != 4 { // 0.8 + 3.5
		t.Errorf("%d for 3.5 seconds", n)
	}
	now = now.Add(time.Hour)
	for range 1000 {
		b.Earn()
	}
	if n := taken(); n != 10 {
		t.Errorf("%d after an hour", n)
	}
}

// TestOneStatePerTarget: whoever asks first, all get the same.
func TestOneStatePerTarget(t *testing.T) {
	targets := balance.NewTargets(time.Now(), first)
	var mu sync.Mutex
	seen := map[string]map[*balance.Target]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 50 {
				name := fmt.Sprint(i)
				b := targets.Of(target(name, 0))
				b.Budget.Earn()
				b.Budget.Take(time.Now())
				mu.Lock()
				if seen[name] == nil {
					seen[name] = map[*balance.Target]bool{}
				}
				seen[name][b] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for name, states := range seen {
		if len(states) != 1 {
			t.Errorf("target %s has %d states", name, len(states))
		}
	}
	other := target("0", 0)
	other.Upstream = unique.Make(snapshot.Upstream{ProviderID: "q", Model: "0"})
	if targets.Of(other) == targets.Of(target("0", 0)) {
		t.Error("models of one name are one at all providers")
	}
}

// TestManyTargets: a target more costs no more than the one before it.
func TestManyTargets(t *testing.T) {
	known := balance.NewTargets(time.Now(), first)
	const count = 10_000
	made := make([]*snapshot.Target, count)
	for i := range made {
		made[i] = target(fmt.Sprint("target ", i), 0)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, target := range made {
		known.Of(target)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / count; each > 2000 {
		t.Errorf("%d bytes for each target", each)
	}
}

// TestForget: what no policy names is kept while it is asked, and for an hour.
func TestForget(t *testing.T) {
	b := newBench(t)
	gone := func(unique.Handle[snapshot.Upstream]) bool { return true }
	known := func() bool { return b.targets.Find(b.route.Targets[0].Upstream) != nil }
	trial := b.target.Begin(b.now, true)
	b.sleep(2 * time.Hour)
	if b.targets.Forget(gone, b.now); !known() {
		t.Error("a request is under way")
	}
	trial.End(b.now, good)
	b.ends(good)
	b.sleep(time.Hour - time.Second)
	if b.targets.Forget(gone, b.now); !known() {
		t.Error("it was asked less than an hour ago")
	}
	b.sleep(time.Second)
	if b.targets.Forget(func(unique.Handle[snapshot.Upstream]) bool { return false }, b.now); !known() {
		t.Error("the policy names it")
	}
	if b.targets.Forget(gone, b.now); known() {
		t.Error("it is remembered for ever")
	}
}
