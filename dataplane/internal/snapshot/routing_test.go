package snapshot_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	single   = policyv1.Strategy_STRATEGY_SINGLE
	weighted = policyv1.Strategy_STRATEGY_WEIGHTED
	priority = policyv1.Strategy_STRATEGY_PRIORITY
)

// routed is a route whose targets have the weights.
func routed(t testing.TB, id string, strategy policyv1.Strategy, retry *policyv1.Retry, weights ...int32) *policyv1.Resource {
	r := &policyv1.Route{Id: id, Name: id, Strategy: strategy, Retry: retry}
	for i, weight := range weights {
		r.Targets = append(r.Targets, &policyv1.Target{ProviderId: "p1", Model: "m" + string(rune('a'+i)), Weight: weight})
	}
	return resource(t, "route", id, r)
}

func TestRetry(t *testing.T) {
	const usual = snapshot.RateLimited | snapshot.Overloaded | snapshot.UpstreamError | snapshot.Timeout | snapshot.Unreachable
	all := append(good(t),
		routed(t, "one", single, nil, 0),
		routed(t, "two", priority, nil, 0, 0),
		routed(t, "many", weighted, &policyv1.Retry{BackoffMs: 5}, 1, 2, 3, 4, 5, 1000),
		routed(t, "said", single, &policyv1.Retry{MaxAttempts: 5, BackoffMs: 10_000, On: []policyv1.Failure{1, 6}}, 0),
		routed(t, "only_one", priority, &policyv1.Retry{MaxAttempts: 1}, 0, 0))
	p, err := compile(all, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]snapshot.Retry{
		"one":      {Attempts: 1, Once: true, Backoff: 100 * time.Millisecond, On: usual},
		"two":      {Attempts: 2, Once: true, Backoff: 100 * time.Millisecond, On: usual},
		"many":     {Attempts: 5, Once: true, Backoff: 5 * time.Millisecond, On: usual},
		"said":     {Attempts: 5, Backoff: 10 * time.Second, On: snapshot.RateLimited | snapshot.Credential},
		"only_one": {Attempts: 1, Backoff: 100 * time.Millisecond, On: usual},
	} {
		if diff := cmp.Diff(want, p.Route(name).Retry); diff != "" {
			t.Errorf("route %s:\n%s", name, diff)
		}
	}
	if many := p.Route("many"); many.Strategy != weighted || many.Targets[5].Weight != 1000 || many.Targets[1].Header[0] != "n-p1/mb" || p.Route("two").Strategy == weighted {
		t.Errorf("%+v", many)
	}
}

func TestHostileRoutes(t *testing.T) {
	twice := &policyv1.Route{Id: "twice", Name: "twice", Strategy: priority, Targets: []*policyv1.Target{{ProviderId: "p1", Model: "m"}, {ProviderId: "p1", Model: "m"}}}
	wantReasons(t, append(good(t), resource(t, "route", "twice", twice),
		routed(t, "none", priority, nil),
		routed(t, "two", single, nil, 0, 0),
		resource(t, "route", "shut", &policyv1.Route{Id: "shut", Name: "shut", Strategy: single, Unserved: "because", Targets: []*policyv1.Target{{ProviderId: "p1", Model: "m"}}}),
		routed(t, "crowd", priority, nil, make([]int32, 17)...),
		routed(t, "heavy", weighted, nil, 1001),
		routed(t, "light", weighted, nil, 0),
		routed(t, "odd", priority, nil, 1),
		routed(t, "often", single, &policyv1.Retry{MaxAttempts: 6}, 0),
		routed(t, "seldom", single, &policyv1.Retry{MaxAttempts: -1}, 0),
		routed(t, "slow", single, &policyv1.Retry{BackoffMs: 10_001}, 0),
		routed(t, "fast", single, &policyv1.Retry{BackoffMs: -1}, 0),
		routed(t, "unknown", single, &policyv1.Retry{On: []policyv1.Failure{0, 9}}, 0),
	), "route twice: it has the target p1/m twice", "route none: 0 targets, its strategy takes 1 to 16", "route two: 2 targets, its strategy takes 1 to 1", "route shut: it is not served, and has 1 targets",
		"route crowd: 17 targets", "route heavy: a target has the weight 1001, its strategy takes 1 to 1000", "route light: a target has the weight 0",
		"route odd: a target has the weight 1, its strategy takes 0 to 0", "route often: 6 attempts", "route seldom: -1 attempts", "route slow: its backoff",
		"route fast: its backoff", "route unknown: unknown failure 0", "route unknown: unknown failure 9")
}
