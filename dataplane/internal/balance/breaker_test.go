package balance_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// clock is set by tests.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) sleep(d time.Duration) { c.now = c.now.Add(d) }

// middle draws what leaves the time that a breaker is open as it is.
func middle(n int64) int64 { return n / 2 }

// bench is a target on a clock.
type bench struct {
	t *testing.T
	clock
	targets *balance.Targets
	target  *balance.Target
	route   *snapshot.Route
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, clock: clock{time.Unix(1_800_000_000, 0)}, route: route(snapshot.Retry{Attempts: 1}, 0)}
	b.targets = balance.NewTargets(b.now, middle)
	b.target = b.targets.Of(b.route.Targets[0])
	return b
}

// ends has an attempt that takes 100 ms end so.
func (b *bench) ends(e balance.Ending) {
	trial := b.target.Begin(b.now, false)
	b.sleep(100 * time.Millisecond)
	trial.End(b.now, e)
}

func (b *bench) stands(want balance.Standing, reason string) {
	b.t.Helper()
	if got := b.target.Status(b.now); got.Standing != want || got.Reason != reason {
		b.t.Errorf("stands at %v because %q, want %v because %q", got.Standing, got.Reason, want, reason)
	}
}

// plan begins a request on the only target.
func (b *bench) plan() *balance.Plan {
	var p balance.Plan
	p.Begin(balance.Request{Route: b.route, Targets: b.targets, Draw: middle, Now: b.Now})
	return &p
}

var (
	good   = balance.Ending{OK: true, Status: 200}
	failed = balance.Ending{Failed: snapshot.Overloaded, Status: 503}
)

// TestBreakerOpens: after which endings, and why it says so.
func TestBreakerOpens(t *testing.T) {
	repeat := func(n int, e balance.Ending) (all []balance.Ending) {
		for range n {
			all = append(all, e)
		}
		return all
	}
	both := func(n int) (all []balance.Ending) {
		for range n {
			all = append(all, good, failed)
		}
		return all
	}
	wish := balance.Ending{Failed: snapshot.RateLimited, Status: 429, RetryAfter: 7 * time.Second}
	for name, test := range map[string]struct {
		endings []balance.Ending
		reason  string // empty: it stays closed
	}{
		"four_in_a_row":           {repeat(4, failed), ""},
		"five_in_a_row":           {repeat(5, failed), "the last 5 requests failed: 503"},
		"half_of_few":             {both(3), ""},
		"half_of_enough":          {both(4), "4 of the last 8 requests failed: 503"},
		"a_third":                 {append(append(repeat(8, good), both(2)...), failed), ""},
		"timeouts":                {repeat(5, balance.Ending{Failed: snapshot.Timeout}), "the last 5 requests failed: no answer in time"},
		"a_bad_credential":        {repeat(1, balance.Ending{Failed: snapshot.Credential, Status: 401}), "its credential does not open it: 401"},
		"forbidden_once":          {repeat(4, balance.Ending{Failed: snapshot.Credential, Status: 403}), ""},
		"rate_limited":            {[]balance.Ending{wish}, "it asked to be left alone for 7s: 429"},
		"rate_limited_unsaid":     {repeat(4, balance.Ending{Failed: snapshot.RateLimited, Status: 429}), ""},
		"bad_requests":            {repeat(50, balance.Ending{Status: 400}), ""},
		"contexts_that_are_long":  {repeat(50, balance.Ending{Failed: snapshot.ContextTooLong, Status: 400}), ""},
		"contents_that_are_foul":  {repeat(50, balance.Ending{Failed: snapshot.ContentFilter, Status: 400}), ""},
		"callers_that_left":       {repeat(50, balance.Ending{}), ""},
		"the_callers_in_between":  {append(append(repeat(4, failed), repeat(9, balance.Ending{Status: 400})...), failed), "the last 5 requests failed: 503"},
		"a_success_in_between":    {append(append(repeat(4, failed), good), repeat(2, failed)...), ""},
		"overloaded_with_a_wish":  {repeat(1, balance.Ending{Failed: snapshot.Overloaded, Status: 503, RetryAfter: time.Minute}), ""},
		"answers_that_are_broken": {repeat(5, balance.Ending{Failed: snapshot.UpstreamError, Status: 200}), "the last 5 requests failed: its answers are none"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for _, e := range test.endings {
				b.ends(e)
			}
			want := balance.Closed
			if test.reason != "" {
				want = balance.Open
			}
			b.stands(want, test.reason)
		})
	}
}

// TestWindowForgets: failures of long ago are none of now.
func TestWindowForgets(t *testing.T) {
	b := newBench(t)
	for range 3 {
		b.ends(failed)
		b.ends(good)
	}
	b.sleep(11 * time.Second)
	b.ends(failed)
	b.ends(good)
	b.stands(balance.Closed, "")
}

// TestBreakerGoesRound: open, half open with one probe at a time, open for twice as long, and
// closed again.
func TestBreakerGoesRound(t *testing.T) {
	b := newBench(t)
	for range 5 {
		b.ends(failed)
	}
	const again = "it failed again when it was tried: 503"
	for _, open := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute} {
		reason := b.target.Status(b.now).Reason
		b.sleep(open - time.Millisecond)
		b.stands(balance.Open, reason)
		b.sleep(time.Millisecond)
		b.stands(balance.Due, reason)
		probe := b.plan()
		probe.Next()
		b.stands(balance.Probed, reason)
		trial := probe.Try(false)
		b.stands(balance.Probed, reason)
		trial.End(b.now, failed)
		b.stands(balance.Open, again)
	}
	b.sleep(time.Minute)
	probe := b.plan()
	probe.Next()
	trial := probe.Try(false)
	trial.End(b.now, good)
	b.stands(balance.Closed, "")
	if since := b.target.Status(b.now.Add(time.Second)).Since; since != time.Second {
		t.Errorf("closed since %v", since)
	}
	for range 5 {
		b.ends(failed)
	}
	b.sleep(time.Minute - time.Millisecond - 100*time.Millisecond)
	b.stands(balance.Open, "the last 5 requests failed: 503") // it was not well for long
	b.sleep(time.Hour)
	b.ends(good)
	b.sleep(2 * time.Minute)
	for range 5 {
		b.ends(failed)
	}
	b.sleep(2 * time.Second)
	b.stands(balance.Due, "the last 5 requests failed: 503") // it was
}

// TestOneProbeAtATime: while one request probes no other does; one that comes to nothing
// gives the right back, one that is lost loses it.
func TestOneProbeAtATime(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 2, Once: true}, 0, 0)
	for range 5 {
		b.ends(failed)
	}
	b.sleep(2 * time.Second)
	goes := func(want string) *balance.Plan {
		t.Helper()
		p := b.plan()
		if got := p.Next().Model; got != want {
			t.Errorf("goes to %s, want %s", got, want)
		}
		return p
	}
	dropped := goes("a")
	goes("b")
	dropped.Drop()
	left := goes("a")
	trial := left.Try(true)
	goes("b")
	trial.End(b.now, balance.Ending{}) // the caller left
	goes("a")                          // and is never heard of again
	b.sleep(9 * time.Second)
	goes("b")
	b.sleep(time.Second)
	goes("a")
}

// TestOneProbeOfMany that come at one time.
func TestOneProbeOfMany(t *testing.T) {
	for range 300 {
		b := newBench(t)
		b.route = route(snapshot.Retry{Attempts: 1}, 0, 0)
		for range 5 {
			b.ends(failed)
		}
		b.sleep(2 * time.Second)
		var probes atomic.Int64
		var all sync.WaitGroup
		begin := make(chan struct{})
		for range 4 {
			all.Go(func() {
				<-begin
				if b.plan().Next().Model == "a" {
					probes.Add(1)
				}
			})
		}
		close(begin)
		all.Wait()
		if n := probes.Load(); n != 1 {
			t.Fatalf("%d probes", n)
		}
	}
}

// TestWhatBeganBefore: the requests that were under way when it opened don't open it again,
// nor close it.
func TestWhatBeganBefore(t *testing.T) {
	b := newBench(t)
	old := []balance.Trial{b.target.Begin(b.now, false), b.target.Begin(b.now, false)}
	b.sleep(time.Second)
	for range 5 {
		b.ends(failed)
	}
	old[0].End(b.now, good)
	b.stands(balance.Open, "the last 5 requests failed: 503")
	b.sleep(2 * time.Second)
	old[1].End(b.now, failed)
	b.stands(balance.Due, "the last 5 requests failed: 503")
	old[1].End(b.now, failed)
	if under := b.target.Status(b.now).InFlight; under != 0 {
		t.Errorf("%d under way", under)
	}
}

// TestLastResort: where all are open the one that opens first is tried; a request that was
// served closes it.
func TestLastResort(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 3, Once: true}, 0, 0, 0)
	for i, asked := range []time.Duration{3 * time.Minute, time.Minute, 2 * time.Minute} {
		b.target = b.targets.Of(b.route.Targets[i])
		b.ends(balance.Ending{Failed: snapshot.RateLimited, Status: 429, RetryAfter: asked})
	}
	p := b.plan()
	var order []string
	for target := p.Next(); target != nil; target = p.Next() {
		order = append(order, target.Model)
		p.Begun()
	}
	if diff := cmp.Diff([]string{"b", "c", "a"}, order); diff != "" {
		t.Error(diff)
	}
	p = b.plan()
	p.Next()
	trial := p.Try(false)
	trial.End(b.now, good)
	b.target = b.targets.Of(b.route.Targets[1])
	b.stands(balance.Closed, "")
}

// TestPausesAreSpread: agents that opened at one time don't all come back at one time.
func TestPausesAreSpread(t *testing.T) {
	for _, test := range []struct {
		draw func(int64) int64
		want time.Duration
	}{{first, 1600 * time.Millisecond}, {func(n int64) int64 { return n - 1 }, 2400 * time.Millisecond}} {
		b := newBench(t)
		b.targets = balance.NewTargets(b.now, test.draw)
		b.target = b.targets.Of(b.route.Targets[0])
		for range 5 {
			b.ends(failed)
		}
		b.sleep(test.want - 1)
		b.stands(balance.Open, "the last 5 requests failed: 503")
		b.sleep(1)
		b.stands(balance.Due, "the last 5 requests failed: 503")
	}
}
