package balance_test

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	latency   = policyv1.Strategy_STRATEGY_LATENCY
	leastBusy = policyv1.Strategy_STRATEGY_LEAST_BUSY
	cheapest  = policyv1.Strategy_STRATEGY_CHEAPEST
	sticky    = policyv1.Strategy_STRATEGY_STICKY
	weighted  = policyv1.Strategy_STRATEGY_WEIGHTED
	priority  = policyv1.Strategy_STRATEGY_PRIORITY
)

// upstream answers after first, and then with so many tokens; every failing-th answer is a
// 503, at once. It varies by a tenth either way.
type upstream struct {
	first, token time.Duration
	tokens       int64
	failing      int
	asked        int
}

// A caller leaves that waited so long for one that never answers.
const (
	patience = 15 * time.Second
	never    = time.Hour
)

// sim serves requests of a route at even intervals, on a clock of its own.
type sim struct {
	clock
	route     *snapshot.Route
	targets   *balance.Targets
	upstreams map[string]*upstream
	streamed  bool
	dice      *rand.Rand
	events    events
	alike     func() uint64
}

type event struct {
	at   time.Time
	then func()
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newSim(strategy policyv1.Strategy, upstreams ...*upstream) *sim {
	s := &sim{clock: clock{time.Unix(1_800_000_000, 0)}, upstreams: map[string]*upstream{}, streamed: true, dice: rand.New(rand.NewPCG(1, 3))}
	s.route = &snapshot.Route{Strategy: strategy, Retry: snapshot.Retry{Attempts: 1}, Sticky: &snapshot.Sticky{BreakEven: 2}}
	for i, u := range upstreams {
		name := string(rune('a' + i))
		s.upstreams[name] = u
		s.route.Targets = append(s.route.Targets, target(name, 0))
	}
	s.targets = balance.NewTargets(s.now, s.dice.Int64N)
	s.alike = s.dice.Uint64
	return s
}

func (s *sim) after(d time.Duration, then func()) {
	heap.Push(&s.events, event{s.now.Add(d), then})
}

// run serves requests at a rate and tells which share of them went where.
func (s *sim) run(long time.Duration, perSecond int) map[string]float64 {
	counts, requests := map[string]int{}, int(long.Seconds()*float64(perSecond))
	for n := range requests {
		s.after(time.Duration(n)*time.Second/time.Duration(perSecond), func() { counts[s.request()]++ })
	}
	end := s.now.Add(long)
	for len(s.events) > 0 && !s.events[0].at.After(end) {
		next := heap.Pop(&s.events).(event)
		s.now = next.at
		next.then()
	}
	s.now = end
	shares := map[string]float64{}
	for name, count := range counts {
		shares[name] = float64(count) / float64(requests)
	}
	return shares
}

func (s *sim) request() string {
	var p balance.Plan
	p.Begin(balance.Request{Route: s.route, Targets: s.targets, Draw: s.dice.Int64N, Now: s.Now, Input: 1000, Alike: s.alike(), Sticks: true})
	name := p.Next().Model
	p.Begun()
	u, trial := s.upstreams[name], p.Try(s.streamed)
	if u.asked++; u.failing > 0 && u.asked%u.failing == 0 {
		s.after(5*time.Millisecond, func() { trial.End(s.now, failed) })
		return name
	}
	if u.first == never {
		s.after(patience, func() { trial.End(s.now, balance.Ending{}) })
		return name
	}
	varied := time.Duration(float64(u.first) * (0.9 + 0.2*s.dice.Float64()))
	s.after(varied, func() { trial.Heard(s.now) })
	s.after(varied+time.Duration(u.tokens)*u.token, func() { trial.End(s.now, balance.Ending{OK: true, Status: 200, Output: u.tokens}) })
	return name
}

func wantShares(t *testing.T, what string, shares map[string]float64, least, most map[string]float64) {
	t.Helper()
	for name, want := range least {
		if shares[name] < want {
			t.Errorf("%s: %s has %.3f, want %.3f at least", what, name, shares[name], want)
		}
	}
	for name, want := range most {
		if shares[name] > want {
			t.Errorf("%s: %s has %.3f, want %.3f at most", what, name, shares[name], want)
		}
	}
}

// TestSlowTargetLosesItsShare within five seconds, and has it back once it is well.
func TestSlowTargetLosesItsShare(t *testing.T) {
	fair := map[string]float64{"a": 0.25, "b": 0.25, "c": 0.25}
	const tenth = 0.033
	for name, test := range map[string]struct {
		sicken    func(*upstream)
		streamed  bool
		perSecond int
		most      float64
	}{
		"streams_begin_late":         {func(u *upstream) { u.first *= 10 }, true, 20, tenth},
		"streams_begin_late_at_500":  {func(u *upstream) { u.first *= 10 }, true, 500, tenth},
		"streams_go_on_slowly":       {func(u *upstream) { u.token *= 10 }, true, 20, tenth},
		"answers_come_late":          {func(u *upstream) { u.first *= 10; u.token *= 10 }, false, 20, tenth},
		"streams_never_begin":        {func(u *upstream) { u.first = never }, true, 20, tenth},
		"answers_never_come":         {func(u *upstream) { u.first = never }, false, 20, tenth},
		"it_fails_at_once":           {func(u *upstream) { u.failing = 1 }, true, 20, tenth},
		"every_second_request_fails": {func(u *upstream) { u.failing = 2 }, true, 20, 0.05},
	} {
		t.Run(name, func(t *testing.T) {
			well := upstream{first: 200 * time.Millisecond, token: 5 * time.Millisecond, tokens: 40}
			a, b, c := well, well, well
			s := newSim(latency, &a, &b, &c)
			s.streamed = test.streamed
			wantShares(t, "well", s.run(30*time.Second, test.perSecond), fair, nil)
			test.sicken(&a)
			s.run(5*time.Second, test.perSecond)
			wantShares(t, "ill", s.run(30*time.Second, test.perSecond), nil, map[string]float64{"a": test.most})
			a = well
			s.run(30*time.Second, test.perSecond)
			wantShares(t, "well again", s.run(30*time.Second, test.perSecond), fair, nil)
		})
	}
}

// TestNobodyStarves: targets that are about as fast share, one that is clearly slower is only
// looked at.
func TestNobodyStarves(t *testing.T) {
	s := newSim(latency, &upstream{first: 200 * time.Millisecond, tokens: 1}, &upstream{first: 210 * time.Millisecond, tokens: 1},
		&upstream{first: 215 * time.Millisecond, tokens: 1}, &upstream{first: 600 * time.Millisecond, tokens: 1})
	s.run(20*time.Second, 20)
	shares := s.run(120*time.Second, 20)
	wantShares(t, "alike", shares, map[string]float64{"a": 0.2, "b": 0.2, "c": 0.15, "d": 0.002}, map[string]float64{"a": 0.5, "d": 0.03})
}

// TestLongAnswersGoWhereTokensAreFast, short ones where they begin soon.
func TestLongAnswersGoWhereTokensAreFast(t *testing.T) {
	eager := &upstream{first: 100 * time.Millisecond, token: 20 * time.Millisecond, tokens: 200}
	steady := &upstream{first: 900 * time.Millisecond, token: 5 * time.Millisecond, tokens: 200}
	s := newSim(latency, eager, steady)
	s.run(30*time.Second, 10)
	wantShares(t, "long", s.run(60*time.Second, 10), map[string]float64{"b": 0.9}, nil)
	var p balance.Plan
	for range 3 {
		p.Begin(balance.Request{Route: s.route, Targets: s.targets, Draw: middle, Now: s.Now, MaxOutput: 10})
		if got := p.Next().Model; got != "a" {
			t.Errorf("a short one goes to %s", got)
		}
	}
}

// TestLeastBusy: of equals all share, a slower one has fewer.
func TestLeastBusy(t *testing.T) {
	s := newSim(leastBusy, &upstream{first: 200 * time.Millisecond, tokens: 1}, &upstream{first: 200 * time.Millisecond, tokens: 1},
		&upstream{first: 2 * time.Second, tokens: 1})
	s.run(20*time.Second, 50)
	wantShares(t, "least busy", s.run(60*time.Second, 50), map[string]float64{"a": 0.4, "b": 0.4, "c": 0.01}, map[string]float64{"c": 0.1})
	idle := newSim(leastBusy, &upstream{tokens: 1}, &upstream{tokens: 1})
	wantShares(t, "idle", idle.run(60*time.Second, 20), map[string]float64{"a": 0.45, "b": 0.45}, nil)
}

// TestBreakersAreObserved by the strategies that look at nothing else.
func TestBreakersAreObserved(t *testing.T) {
	for name, strategy := range map[string]policyv1.Strategy{"priority": priority, "weighted": weighted, "least_busy": leastBusy} {
		t.Run(name, func(t *testing.T) {
			a := &upstream{first: 100 * time.Millisecond, tokens: 1}
			s := newSim(strategy, a, &upstream{first: 100 * time.Millisecond, tokens: 1})
			s.route.Targets[0].Weight, s.route.Targets[1].Weight = 3, 1
			before := s.run(20*time.Second, 20)
			a.failing = 1
			s.run(5*time.Second, 20)
			wantShares(t, "ill", s.run(60*time.Second, 20), nil, map[string]float64{"a": 0.02})
			a.failing = 0
			s.run(70*time.Second, 20)
			wantShares(t, "well again", s.run(60*time.Second, 20), map[string]float64{"a": before["a"] - 0.06}, map[string]float64{"a": before["a"] + 0.06})
		})
	}
}
