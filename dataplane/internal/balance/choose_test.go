package balance_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// entry of a price list, in pico-dollars per token; no input: unpriced.
func entry(t testing.TB, input, output, maxInput int64) *price.Model {
	t.Helper()
	rates := &policyv1.Rates{Input: proto.Int64(input), Output: proto.Int64(output)}
	if input == 0 {
		rates = &policyv1.Rates{}
	}
	book, err := price.NewBook(&policyv1.PriceBook{Version: "v", Entries: []*policyv1.PriceEntry{
		{PriceList: "l", Model: "m", MaxInputTokens: maxInput, Rates: rates}}})
	if err != nil {
		t.Fatal(err)
	}
	return book.Lookup(price.Query{List: "l", Model: "m"})
}

// homes is where each of many likenesses is at home.
func homes(s *sim) []string {
	all := make([]string, 10_000)
	for i := range all {
		var p balance.Plan
		p.Begin(balance.Request{Route: s.route, Targets: s.targets, Draw: middle, Now: s.Now, Alike: uint64(i), Sticks: true})
		all[i] = p.Next().Model
	}
	return all
}

// TestStickyHomes: each target has its share, also of likenesses that are alike; one target
// more takes its share and moves nothing else; another agent finds the same homes.
func TestStickyHomes(t *testing.T) {
	alike := func() *upstream { return &upstream{first: 100 * time.Millisecond, tokens: 1} }
	three := newSim(sticky, alike(), alike(), alike())
	before := homes(three)
	shares := map[string]int{}
	for _, home := range before {
		shares[home]++
	}
	for _, name := range []string{"a", "b", "c"} {
		if n := shares[name]; n < 3000 || n > 3700 {
			t.Errorf("%s has %d of 10000", name, n)
		}
	}
	four := newSim(sticky, alike(), alike(), alike(), alike())
	four.route.Targets[0], four.route.Targets[3] = four.route.Targets[3], four.route.Targets[0] // whatever their order
	moved := 0
	for i, home := range homes(four) {
		if home == before[i] {
			continue
		}
		if moved++; home != "d" {
			t.Fatalf("%d moved from %s to %s", i, before[i], home)
		}
	}
	if moved > 10_000/4+200 || moved < 2000 {
		t.Errorf("%d of 10000 moved to a fourth target", moved)
	}
}

// TestStickyBreaksEven: a home that is slower than its cache is worth is left, and come back
// to; those of the other targets stay.
func TestStickyBreaksEven(t *testing.T) {
	well := upstream{first: 200 * time.Millisecond, tokens: 1}
	a, b, c := well, well, well
	s := newSim(sticky, &a, &b, &c)
	s.run(20*time.Second, 20)
	fair := map[string]float64{"a": 0.27, "b": 0.27, "c": 0.27}
	wantShares(t, "well", s.run(60*time.Second, 20), fair, nil)
	a.first = 300 * time.Millisecond // less than twice
	s.run(5*time.Second, 20)
	wantShares(t, "a little slower", s.run(60*time.Second, 20), fair, nil)
	a.first = 600 * time.Millisecond
	s.run(5*time.Second, 20)
	wantShares(t, "much slower", s.run(60*time.Second, 20), map[string]float64{"b": 0.4, "c": 0.4}, map[string]float64{"a": 0.03})
	a.first = well.first
	s.run(20*time.Second, 20)
	wantShares(t, "well again", s.run(60*time.Second, 20), fair, nil)
}

// TestWhatDoesNotStick goes to the fastest.
func TestWhatDoesNotStick(t *testing.T) {
	s := newSim(sticky, &upstream{first: 100 * time.Millisecond, tokens: 1}, &upstream{first: 170 * time.Millisecond, tokens: 1})
	s.run(20*time.Second, 20)
	for i := range 1000 {
		var p balance.Plan
		p.Begin(balance.Request{Route: s.route, Targets: s.targets, Draw: middle, Now: s.Now, Alike: uint64(i)})
		if got := p.Next().Model; got != "a" {
			t.Fatalf("goes to %s", got)
		}
	}
}

// TestCheapest: by what the request costs, those without a price last, open ones not at all.
func TestCheapest(t *testing.T) {
	for name, test := range map[string]struct {
		input, most int64
		prices      [][2]int64
		open        int // of the target of that number; -1: none
		want        string
	}{
		"by_input":             {100_000, 10, [][2]int64{{3, 1}, {1, 10}, {2, 1}}, -1, "b"},
		"by_output":            {10, 10_000, [][2]int64{{3, 1}, {1, 10}, {2, 2}}, -1, "a"},
		"unpriced_are_last":    {1000, 10, [][2]int64{{0, 0}, {9, 9}, {0, 0}}, -1, "b"},
		"the_cheapest_is_open": {1000, 10, [][2]int64{{2, 1}, {1, 1}, {3, 1}}, 1, "a"},
		"unpriced_if_need_be":  {1000, 10, [][2]int64{{0, 0}, {1, 1}}, 1, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.route = route(snapshot.Retry{Attempts: 1}, make([]int64, len(test.prices))...)
			b.route.Strategy = cheapest
			for i, prices := range test.prices {
				b.route.Targets[i].Price = entry(t, prices[0]*1_000_000, prices[1]*1_000_000, 0)
				b.target = b.targets.Of(b.route.Targets[i])
				b.ends(good)
				if i == test.open {
					b.ends(balance.Ending{Failed: snapshot.Credential, Status: 401})
				}
			}
			var p balance.Plan
			p.Begin(balance.Request{Route: b.route, Targets: b.targets, Draw: middle, Now: b.Now, Input: test.input, MaxOutput: test.most})
			if got := p.Next().Model; got != test.want {
				t.Errorf("goes to %s", got)
			}
		})
	}
}

func TestCheapestOfEqualsIsTheFastest(t *testing.T) {
	s := newSim(cheapest, &upstream{first: 500 * time.Millisecond, tokens: 1}, &upstream{first: 100 * time.Millisecond, tokens: 1},
		&upstream{first: 10 * time.Millisecond, tokens: 1})
	for i, dollars := range []int64{1, 1, 2} {
		s.route.Targets[i].Price = entry(t, dollars, dollars, 0)
	}
	s.run(20*time.Second, 20)
	wantShares(t, "equals", s.run(60*time.Second, 20), map[string]float64{"b": 0.95}, map[string]float64{"c": 0})
}

// TestCanary: its share comes first and falls back to the others; no other request sees it.
func TestCanary(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 2, Once: true}, 0, 0)
	b.route.Canary = &snapshot.Share{Target: target("z", 0), PerMille: 50}
	dice := rand.New(rand.NewPCG(1, 2))
	counts := map[string]int{}
	for range 20_000 {
		var p balance.Plan
		p.Begin(balance.Request{Route: b.route, Targets: b.targets, Draw: dice.Int64N, Now: b.Now})
		counts[walk(&p, snapshot.Timeout)]++
	}
	if z := counts["zab"]; z < 850 || z > 1150 || z+counts["ab"] != 20_000 {
		t.Errorf("went %v", counts)
	}
	b.target = b.targets.Of(b.route.Canary.Target)
	b.ends(balance.Ending{Failed: snapshot.Credential, Status: 401})
	var p balance.Plan
	p.Begin(balance.Request{Route: b.route, Targets: b.targets, Draw: first, Now: b.Now})
	if got := walk(&p, snapshot.Timeout); got != "ab" {
		t.Errorf("with its breaker open: %s", got)
	}
}

// TestWhatNoOtherTargetMends: a context that is too long for one is for those that take no
// more; a filter's target is not asked again.
func TestWhatNoOtherTargetMends(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 5}, 0, 0, 0, 0)
	for i, most := range []int64{8000, 8000, 4000, 32_000} {
		b.route.Targets[i].Price = entry(t, 1, 1, most)
	}
	b.route.Targets[2].Price = nil
	for _, test := range []struct {
		how  snapshot.Failures
		want string
	}{{snapshot.ContextTooLong, "acd"}, {snapshot.ContentFilter, "abcd"}, {snapshot.Timeout, "abcda"}} {
		if got := walk(b.plan(), test.how); got != test.want {
			t.Errorf("after %d: %s, want %s", test.how, got, test.want)
		}
	}
}

// TestHealthyOnesFirst: one that is open is tried behind all that are not, by a request that
// has nothing else left.
func TestHealthyOnesFirst(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 4, Once: true}, 0, 0, 0)
	b.ends(balance.Ending{Failed: snapshot.Credential, Status: 401})
	if got := walk(b.plan(), snapshot.Timeout); got != "bca" {
		t.Errorf("goes %s", got)
	}
	b.route.Retry = snapshot.Retry{Attempts: 4}
	if got := walk(b.plan(), snapshot.Timeout); got != "bcbc" {
		t.Errorf("with repeats: goes %s", got)
	}
}
