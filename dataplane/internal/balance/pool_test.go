package balance_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
)

// account is one at a provider: so many requests in each window, or a bucket that fills
// steadily.
type account struct {
	limit  int64
	window time.Duration
	bucket bool
	left   float64
	at     time.Time
}

func (a *account) ask(now time.Time) (rest *balance.Rest, served bool) {
	switch {
	case a.bucket:
		a.left = min(a.left+float64(a.limit)*float64(now.Sub(a.at))/float64(a.window), float64(a.limit))
	case now.Truncate(a.window) != a.at.Truncate(a.window):
		a.left = float64(a.limit)
	}
	a.at = now
	if served = a.left >= 1; served {
		a.left--
	}
	resets := now.Truncate(a.window).Add(a.window).Sub(now)
	if a.bucket {
		resets = time.Duration((float64(a.limit) - a.left) / float64(a.limit) * float64(a.window))
	}
	return &balance.Rest{Limit: a.limit, Left: int64(a.left), Resets: resets}, served
}

// caller asks so often.
type caller struct {
	who                              balance.Asker
	rate                             float64 // each second
	served, passedOver, limited, all int
}

// drive has callers ask for a while, each answer after 200 ms.
func drive(t *balance.Target, a *account, seed uint64, length time.Duration, callers ...*caller) {
	type answer struct {
		sent, at time.Time
		rest     *balance.Rest
	}
	var under []answer
	dice := rand.New(rand.NewPCG(seed, 1))
	const step = 10 * time.Millisecond
	for at := start; at.Before(start.Add(length)); at = at.Add(step) {
		for len(under) > 0 && !at.Before(under[0].at) {
			t.Pool().Answered(1, [2]*balance.Rest{under[0].rest}, under[0].sent, at)
			under = under[1:]
		}
		for _, i := range dice.Perm(len(callers)) {
			c := callers[i]
			if dice.Float64() >= c.rate*step.Seconds() {
				continue
			}
			c.all++
			if _, ok := t.Pool().Allow(c.who, 1, at); !ok {
				c.passedOver++
				continue
			}
			t.Pool().Sent(c.who, 1)
			rest, served := a.ask(at)
			if served {
				c.served++
			} else {
				c.limited++
			}
			under = append(under, answer{at, at.Add(200 * time.Millisecond), rest})
		}
	}
}

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func poolTarget() *balance.Target {
	return balance.NewTargets(start, rand.Int64N).Of(target("m", 1))
}

// One that floods an upstream takes nothing from who asks seldom, nor from its like, and what
// the upstream allows is used.
func TestPoolsAreShared(t *testing.T) {
	for name, bucket := range map[string]bool{"windows": false, "bucket": true} {
		t.Run(name, func(t *testing.T) {
			a := &account{limit: 600, window: time.Minute, bucket: bucket, left: 600, at: start}
			flood, other := &caller{who: balance.Asker{Project: "a", Key: "1"}, rate: 30}, &caller{who: balance.Asker{Project: "a", Key: "2"}, rate: 30}
			seldom := &caller{who: balance.Asker{Project: "b", Key: "3"}, rate: 1}
			drive(poolTarget(), a, 1, 10*time.Minute, flood, other, seldom)
			all := []*caller{flood, other, seldom}
			served, limited := 0, 0
			for _, c := range all {
				served, limited = served+c.served, limited+c.limited
				t.Logf("%v: %d asked, %d served, %d passed over, %d refused by the upstream", c.who, c.all, c.served, c.passedOver, c.limited)
			}
			if missed := seldom.all - seldom.served; missed*20 > seldom.all {
				t.Errorf("%d of %d requests of the one that asks seldom are not served", missed, seldom.all)
			}
			if served < 600*10*90/100 {
				t.Errorf("%d are served of 6000", served)
			}
			if limited*20 > served {
				t.Errorf("%d are refused by the upstream", limited)
			}
			if d := flood.served - other.served; d*10 > flood.served || -d*10 > flood.served {
				t.Errorf("equals got %d and %d", flood.served, other.served)
			}
		})
	}
}

// Projects have even parts, however many keys they have.
func TestPoolsAreSharedByProjects(t *testing.T) {
	a := &account{limit: 600, window: time.Minute, left: 60, at: start}
	var many []*caller
	for i := range 8 {
		many = append(many, &caller{who: balance.Asker{Project: "many", Key: fmt.Sprint(i)}, rate: 10})
	}
	one := &caller{who: balance.Asker{Project: "one", Key: "x"}, rate: 10}
	p := poolTarget()
	p.Pool().Sent(one.who, 1)
	p.Pool().Answered(1, [2]*balance.Rest{{Limit: 600, Left: 59, Resets: time.Minute}}, start, start)
	drive(p, a, 2, 50*time.Second, append(many, one)...)
	sum := 0
	for _, c := range many {
		sum += c.served
	}
	if sum+one.served < 40 || one.served*10 < sum*8 || one.served*8 > sum*10 {
		t.Errorf("one key got %d, and eight of another project %d", one.served, sum)
	}
}

// Of what is refused, too, who has three times the weight is served three times as often.
func TestPoolsAreSharedByWeight(t *testing.T) {
	for name, heavy := range map[string]balance.Asker{
		"keys":     {Project: "a", Key: "1", KeyWeight: 3},
		"projects": {Project: "b", Key: "1", ProjectWeight: 3},
	} {
		t.Run(name, func(t *testing.T) {
			a := &account{limit: 600, window: time.Minute, bucket: true, left: 150, at: start}
			three, one := &caller{who: heavy, rate: 30}, &caller{who: balance.Asker{Project: "a", Key: "2"}, rate: 30}
			drive(poolTarget(), a, 3, 10*time.Minute, three, one)
			within(t, "three to one", float64(three.served)/float64(one.served), 3, 5)
		})
	}
}

func TestPool(t *testing.T) {
	who := balance.Asker{Project: "a", Key: "1"}
	hear := func(p *balance.Pool, said [2]*balance.Rest, at time.Time) {
		p.Sent(who, 100)
		p.Answered(100, said, at, at)
	}
	t.Run("alone_one_may_use_all_that_is_left", func(t *testing.T) {
		p := poolTarget().Pool()
		hear(p, [2]*balance.Rest{{Limit: 100, Left: 3, Resets: 20 * time.Second}}, start)
		for i := range 3 {
			if _, ok := p.Allow(who, 1, start); !ok {
				t.Fatalf("the %d. is passed over", i+1)
			}
			p.Sent(who, 1)
		}
		if wait, ok := p.Allow(who, 1, start.Add(5*time.Second)); ok || wait != 15*time.Second {
			t.Errorf("with nothing left: %v, %v", wait, ok)
		}
		if _, ok := p.Allow(who, 1, start.Add(20*time.Second)); !ok {
			t.Error("passed over after the reset")
		}
	})
	t.Run("tokens_count_too", func(t *testing.T) {
		p := poolTarget().Pool()
		hear(p, [2]*balance.Rest{{Limit: 100, Left: 90, Resets: time.Second}, {Limit: 100_000, Left: 5_000, Resets: 30 * time.Second}}, start)
		if _, ok := p.Allow(who, 4_000, start); !ok {
			t.Error("4000 of 5000 are passed over")
		}
		if _, ok := p.Allow(who, 6_000, start); ok {
			t.Error("6000 of 5000 are let through")
		}
	})
	t.Run("more_than_was_believed_ends_it", func(t *testing.T) {
		p := poolTarget().Pool()
		hear(p, [2]*balance.Rest{{Limit: 100, Left: 0, Resets: time.Hour}}, start)
		if wait, ok := p.Allow(who, 1, start); ok || wait != time.Minute {
			t.Errorf("nothing is left for an hour: %v, %v", wait, ok)
		}
		hear(p, [2]*balance.Rest{{Limit: 100, Left: 20, Resets: time.Hour}}, start)
		if _, ok := p.Allow(who, 1, start); !ok {
			t.Error("passed over with a fifth left")
		}
	})
	t.Run("without_a_reset_or_a_limit_nothing_is_believed", func(t *testing.T) {
		p := poolTarget().Pool()
		hear(p, [2]*balance.Rest{{Limit: 100}, {Resets: time.Second}}, start)
		if _, ok := p.Allow(who, 1, start); !ok {
			t.Error("passed over")
		}
	})
	t.Run("askers_are_bounded", func(t *testing.T) {
		p := poolTarget().Pool()
		hear(p, [2]*balance.Rest{{Limit: 1_000_000, Left: 50_000, Resets: time.Minute}}, start)
		for i := range 3_000 {
			p.Allow(balance.Asker{Project: fmt.Sprint(i % 50), Key: fmt.Sprint(i)}, 1, start)
		}
		if n := p.Askers(); n > 1_100 {
			t.Errorf("%d askers are held", n)
		}
	})
}

// Nothing of a bucket that fills all the time is left unused: one that is alone and asks for
// more than comes back is served as often as something does, and not once a minute.
func TestTheLastUnitOfABucketIsUsed(t *testing.T) {
	a := &account{limit: 60, window: time.Minute, bucket: true, left: 60, at: start}
	target, who := poolTarget(), balance.Asker{Project: "a", Key: "1"}
	var last, answered time.Time
	var longest time.Duration
	served, limited := 0, 0
	for at := start; at.Before(start.Add(10 * time.Minute)); at = at.Add(100 * time.Millisecond) {
		if at.Before(answered) {
			continue
		}
		if wait, ok := target.Pool().Allow(who, 1, at); !ok {
			if at.Sub(start) > time.Minute && wait > 2*time.Second {
				t.Fatalf("after %v it is to wait %v for what comes once a second", at.Sub(start), wait)
			}
			continue
		}
		target.Pool().Sent(who, 1)
		rest, ok := a.ask(at)
		answered = at.Add(50 * time.Millisecond)
		target.Pool().Answered(1, [2]*balance.Rest{rest}, at, answered)
		if !ok {
			limited++
			continue
		}
		if served++; !last.IsZero() && at.Sub(start) > time.Minute {
			longest = max(longest, at.Sub(last))
		}
		last = at
	}
	if served < 650 || limited > 6 || longest > 3*time.Second {
		t.Errorf("%d are served of 660, %d refused by the upstream, and the longest pause is %v", served, limited, longest)
	}
}

// What looks like a bucket's reset is none: whole seconds, answers that took long, and those
// that are of the next window already.
func TestAWindowIsNoBucket(t *testing.T) {
	who := balance.Asker{Project: "a", Key: "1"}
	for name, second := range map[string]struct{ sent, now, resets time.Duration }{
		"whole_seconds": {2 * time.Second, 2100 * time.Millisecond, 59 * time.Second},
		"a_slow_answer": {2 * time.Second, 20 * time.Second, 58 * time.Second},
		"the_next_one":  {59900 * time.Millisecond, 60100 * time.Millisecond, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			p := poolTarget().Pool()
			for range 2 {
				p.Sent(who, 1)
			}
			p.Answered(1, [2]*balance.Rest{{Limit: 60, Left: 9, Resets: time.Minute}}, start, start.Add(200*time.Millisecond))
			p.Answered(1, [2]*balance.Rest{{Limit: 60, Left: 0, Resets: second.resets}}, start.Add(second.sent), start.Add(second.now))
			if wait, ok := p.Allow(who, 1, start.Add(second.now+10*time.Second)); ok || wait < 20*time.Second {
				t.Errorf("with nothing left: %v, %v", wait, ok)
			}
		})
	}
}

func BenchmarkPoolWithEnoughLeft(b *testing.B) {
	p := poolTarget().Pool()
	b.ReportAllocs()
	for b.Loop() {
		p.Allow(balance.Asker{Project: "a", Key: "1"}, 1, start)
	}
}
