package balance_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// timed is a route by latency to targets whose streams have begun after such times.
func timed(t *testing.T, times ...time.Duration) *bench {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 1}, make([]int64, len(times))...)
	b.route.Strategy = latency
	for i, first := range times {
		b.target = b.targets.Of(b.route.Targets[i])
		b.begins(first)
	}
	return b
}

// begins has a stream of the target begin after a time, and end.
func (b *bench) begins(first time.Duration) {
	trial := b.target.Begin(b.now, true)
	b.sleep(first)
	trial.Heard(b.now)
	trial.End(b.now, good)
}

// goes counts where many requests would go that are never made.
func (b *bench) goes() map[string]int {
	dice, counts := rand.New(rand.NewPCG(1, 2)), map[string]int{}
	for range 1000 {
		var p balance.Plan
		p.Begin(balance.Request{Route: b.route, Targets: b.targets, Draw: dice.Int64N, Now: b.Now})
		counts[p.Next().Model]++
	}
	return counts
}

// TestAboutAsFastIsAsFast: within 15 percent of the fastest all share evenly.
func TestAboutAsFastIsAsFast(t *testing.T) {
	b := timed(t, 100*time.Millisecond, 112*time.Millisecond, 120*time.Millisecond)
	if got := b.goes(); got["a"] < 450 || got["b"] < 450 || got["c"] > 0 {
		t.Errorf("went %v", got)
	}
}

// busy begins so many requests on the targets that don't end.
func (b *bench) busy(counts ...int) {
	for i, count := range counts {
		for range count {
			b.targets.Of(b.route.Targets[i]).Begin(b.now, true)
		}
	}
}

// TestTheBusyOneIsLeft: of two that are as fast the one with fewer requests under way is
// taken; one that has all of them counts as slower.
func TestTheBusyOneIsLeft(t *testing.T) {
	b := timed(t, 100*time.Millisecond, 100*time.Millisecond)
	b.busy(3, 4)
	if got := b.goes(); got["a"] != 1000 {
		t.Errorf("of equals: went %v", got)
	}
	b = timed(t, 100*time.Millisecond, 130*time.Millisecond)
	if got := b.goes(); got["a"] != 1000 {
		t.Errorf("the faster: went %v", got)
	}
	b.busy(3, 0)
	if got := b.goes(); got["b"] != 1000 {
		t.Errorf("when the faster has all: went %v", got)
	}
}

// TestSilence: a target that has not begun to answer for long is slow already, however few
// requests it has.
func TestSilence(t *testing.T) {
	for name, streamed := range map[string]bool{"streams": true, "wholes": false} {
		t.Run(name, func(t *testing.T) {
			b := timed(t, 100*time.Millisecond, 100*time.Millisecond)
			stuck := b.targets.Of(b.route.Targets[0]).Begin(b.now, streamed)
			b.sleep(time.Second)
			under := b.targets.Of(b.route.Targets[1]).Begin(b.now, streamed)
			if got := b.goes(); got["b"] != 1000 {
				t.Errorf("while it is silent: went %v", got)
			}
			other := b.targets.Of(b.route.Targets[0]).Begin(b.now, true)
			other.Heard(b.now.Add(100 * time.Millisecond))
			other.End(b.now.Add(100*time.Millisecond), good)
			if got := b.goes(); streamed && (got["a"] < 450 || got["b"] < 450) {
				t.Errorf("once another one was answered: went %v", got)
			}
			stuck.End(b.now, balance.Ending{})
			under.End(b.now, good)
		})
	}
}

// TestPeaks: what is slower counts at once, what is faster bit by bit.
func TestPeaks(t *testing.T) {
	b := timed(t, 100*time.Millisecond)
	expected := func() time.Duration { return b.target.Status(b.now).First.Round(time.Millisecond) }
	for range 100 {
		b.sleep(50 * time.Millisecond)
		b.begins(100 * time.Millisecond)
	}
	b.begins(time.Second)
	if got := expected(); got != time.Second {
		t.Errorf("%v after a peak of 1s", got)
	}
	b.sleep(time.Second)
	b.begins(100 * time.Millisecond)
	if got := expected(); got < 600*time.Millisecond || got > 950*time.Millisecond {
		t.Errorf("%v a second later", got)
	}
	b.sleep(time.Minute)
	b.begins(100 * time.Millisecond)
	if got := expected(); got != 100*time.Millisecond {
		t.Errorf("%v a minute later", got)
	}
}

// TestTimesOfAnswers: a stream tells first content and tokens apart; an answer that comes at
// once is split by what is known of tokens.
func TestTimesOfAnswers(t *testing.T) {
	b := timed(t, 100*time.Millisecond)
	trial := b.target.Begin(b.now, true)
	b.sleep(100 * time.Millisecond)
	trial.Heard(b.now)
	b.sleep(990 * time.Millisecond)
	trial.End(b.now, balance.Ending{OK: true, Output: 100})
	wants := func(first, token time.Duration) {
		t.Helper()
		if s := b.target.Status(b.now); s.First.Round(time.Millisecond) != first || s.PerToken.Round(time.Millisecond) != token {
			t.Errorf("%v and %v per token", s.First, s.PerToken)
		}
	}
	wants(100*time.Millisecond, 10*time.Millisecond)
	whole := b.target.Begin(b.now, false)
	b.sleep(700 * time.Millisecond)
	whole.End(b.now, balance.Ending{OK: true, Output: 50})
	wants(200*time.Millisecond, 10*time.Millisecond)
	b.sleep(time.Hour)
	whole = b.target.Begin(b.now, false)
	b.sleep(200 * time.Millisecond)
	whole.End(b.now, balance.Ending{OK: true, Output: 50})
	wants(100*time.Millisecond, 2*time.Millisecond) // half each: faster than 10 ms per token
}
