package snapshot_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	latency = policyv1.Strategy_STRATEGY_LATENCY
	stuck   = policyv1.Strategy_STRATEGY_STICKY
)

// strategic is a route to two targets, changed by edit.
func strategic(t testing.TB, id string, strategy policyv1.Strategy, edit func(*policyv1.Route)) *policyv1.Resource {
	r := &policyv1.Route{Id: id, Name: id, Strategy: strategy, Targets: []*policyv1.Target{{ProviderId: "p1", Model: "a"}, {ProviderId: "p1", Model: "b"}}}
	edit(r)
	return resource(t, "route", id, r)
}

func share(model string, perMille int32) *policyv1.Share {
	return &policyv1.Share{Target: &policyv1.Target{ProviderId: "p1", Model: model}, PerMille: perMille}
}

func TestStrategies(t *testing.T) {
	p, err := compile(append(good(t),
		strategic(t, "r", latency, func(r *policyv1.Route) {
			r.Hedge, r.Canary, r.Shadow = &policyv1.Hedge{}, share("c", 50), share("a", 1000)
			r.Targets[1].When = `tokens > 100`
			r.Timeouts = &policyv1.Timeouts{ConnectMs: 2000, FirstTokenMs: 30_000}
		}),
		strategic(t, "s", stuck, func(r *policyv1.Route) {
			r.Sticky = &policyv1.Sticky{By: policyv1.Sticky_BY_PROMPT_PREFIX}
			r.Hedge = &policyv1.Hedge{Percentile: 99, MinMs: 1, MaxPercent: 50}
		}),
		strategic(t, "h", stuck, func(r *policyv1.Route) {
			r.Sticky = &policyv1.Sticky{By: policyv1.Sticky_BY_HEADER, Header: "X-Session", BreakEvenPercent: 50}
		})), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, s, h := p.Route("r"), p.Route("s"), p.Route("h")
	if diff := cmp.Diff([]any{
		latency, &snapshot.Hedge{Percentile: 0.95, Min: 50 * time.Millisecond, Most: 0.1}, int64(50), "c", int64(1000), true, false,
		snapshot.Timeouts{Connect: 2 * time.Second, FirstToken: 30 * time.Second}, r.Canary.Target.Timeouts,
		&snapshot.Sticky{By: policyv1.Sticky_BY_PROMPT_PREFIX, MinTokens: 1024, BreakEven: 2}, &snapshot.Hedge{Percentile: 0.99, Min: time.Millisecond, Most: 0.5},
		&snapshot.Sticky{By: policyv1.Sticky_BY_HEADER, Header: "X-Session", BreakEven: 1.5},
	}, []any{
		r.Strategy, r.Hedge, r.Canary.PerMille, r.Canary.Target.Model, r.Shadow.PerMille, r.Targets[0].When == nil, r.Targets[1].When == nil,
		snapshot.Timeouts{Connect: r.Targets[0].Timeouts.Connect, FirstToken: r.Targets[0].Timeouts.FirstToken}, r.Targets[0].Timeouts,
		s.Sticky, s.Hedge, h.Sticky,
	}); diff != "" {
		t.Error(diff)
	}
}

func TestHostileStrategies(t *testing.T) {
	sticky := func(s *policyv1.Sticky) func(*policyv1.Route) { return func(r *policyv1.Route) { r.Sticky = s } }
	wantReasons(t, append(good(t),
		strategic(t, "later", 8, func(*policyv1.Route) {}),
		strategic(t, "unsaid", stuck, func(*policyv1.Route) {}),
		strategic(t, "needless", latency, sticky(&policyv1.Sticky{By: policyv1.Sticky_BY_KEY})),
		strategic(t, "nameless", stuck, sticky(&policyv1.Sticky{By: policyv1.Sticky_BY_HEADER})),
		strategic(t, "alike", stuck, sticky(&policyv1.Sticky{By: 5})),
		strategic(t, "negative", stuck, sticky(&policyv1.Sticky{By: policyv1.Sticky_BY_KEY, MinTokens: -1})),
		strategic(t, "eager", latency, func(r *policyv1.Route) { r.Hedge = &policyv1.Hedge{Percentile: 49} }),
		strategic(t, "none", latency, func(r *policyv1.Route) { r.Canary = share("c", 0) }),
		strategic(t, "own", latency, func(r *policyv1.Route) { r.Canary = share("a", 1) }),
		strategic(t, "away", latency, func(r *policyv1.Route) {
			r.Shadow = &policyv1.Share{Target: &policyv1.Target{ProviderId: "p9", Model: "m"}, PerMille: 1}
		}),
		strategic(t, "worded", latency, func(r *policyv1.Route) { r.Targets[0].When = "tokens" }),
	), "route later: unknown strategy 8", "route unsaid: STICKY", "route needless: STICKY", "route nameless: a header is named", "route alike: unknown likeness 5",
		"route negative: sticky from -1 tokens", "route eager: hedged after percentile 49", "route none: a share of 0", "route own: it has the target p1/a twice",
		"route away: there is no provider p9", "route worded: the condition is a int")
}
