package proxy_test

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// conditional is a target that is one where its condition is true.
func conditional(model, when string) *policyv1.Target {
	target := to("mock", model, 0)
	target.When = when
	return target
}

// TestDryRunSaysWhatARouteDoes: settings are shown as the agent holds to them, its defaults
// in place of what nobody said.
func TestDryRunSaysWhatARouteDoes(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{
		Strategy: policyv1.Strategy_STRATEGY_STICKY, Strict: true, Targets: []*policyv1.Target{to("mock", "a", 0), to("bare", "b", 0)},
		Sticky: &policyv1.Sticky{By: policyv1.Sticky_BY_PROMPT_PREFIX}, Hedge: &policyv1.Hedge{},
		Canary: &policyv1.Share{Target: to("mock", "new", 0), PerMille: 10}, Shadow: &policyv1.Share{Target: to("bare", "copy", 0), PerMille: 1000},
		Timeouts: &policyv1.Timeouts{ConnectMs: 3, FirstTokenMs: 5},
		Retry:    &policyv1.Retry{On: []policyv1.Failure{policyv1.Failure_FAILURE_CONTEXT_TOO_LONG, policyv1.Failure_FAILURE_CONTENT_FILTER}},
	})
	got := h.dryRun(ofKey("k-good", "routed")).GetRoute()
	want := &agentv1.DryRunRoute{
		Strategy: policyv1.Strategy_STRATEGY_STICKY, Strict: true,
		Sticky:  &policyv1.Sticky{By: policyv1.Sticky_BY_PROMPT_PREFIX, MinTokens: 1024, BreakEvenPercent: 100},
		Hedge:   &policyv1.Hedge{Percentile: 95, MinMs: 50, MaxPercent: 10},
		RetryOn: []policyv1.Failure{policyv1.Failure_FAILURE_CONTEXT_TOO_LONG, policyv1.Failure_FAILURE_CONTENT_FILTER},
	}
	shown := &agentv1.DryRunRoute{Strategy: got.GetStrategy(), Strict: got.GetStrict(), Sticky: got.GetSticky(), Hedge: got.GetHedge(), RetryOn: got.GetRetryOn()}
	if diff := gocmp.Diff(want, shown, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	canary, shadow := got.GetCanary(), got.GetShadow()
	if canary.GetPerMille() != 10 || canary.GetTarget().GetModel() != "new" || canary.GetTarget().GetFitness() != agentv1.DryRunTarget_FITNESS_USABLE {
		t.Errorf("canary %v", canary)
	}
	if shadow.GetPerMille() != 1000 || shadow.GetTarget().GetFitness() != agentv1.DryRunTarget_FITNESS_CREDENTIAL_UNAVAILABLE {
		t.Errorf("shadow %v", shadow)
	}
	if len(got.GetTargets()) != 2 || got.GetTargets()[0].GetConnectMs() != 3 || got.GetTargets()[0].GetFirstTokenMs() != 5 {
		t.Errorf("targets %v", got.GetTargets())
	}
	if single := h.dryRun(ofKey("k-good", "chat")).GetRoute(); single.GetSticky() != nil || single.GetHedge() != nil || single.GetCanary() != nil || single.GetStrict() {
		t.Errorf("a plain route says %v", single)
	}
}

// TestDryRunOfADraft: a route that is not in the policy is rehearsed by what else is in it.
func TestDryRunOfADraft(t *testing.T) {
	h := newHarness(t)
	of := func(key string, draft *policyv1.Route) *agentv1.DryRunResult {
		m := ofKey(key, draft.GetName())
		m.Draft = draft
		result := h.dryRun(m)
		if !result.GetDrafted() {
			t.Error("it does not say that it is of the draft")
		}
		return result
	}
	fresh := &policyv1.Route{Id: "r-new", Name: "new", Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}}
	changed := &policyv1.Route{Id: "r-odd", Name: "odd", Strategy: policyv1.Strategy_STRATEGY_PRIORITY, Targets: []*policyv1.Target{to("bare", "b", 0), to("mock", "c", 0)}}
	foreign := &policyv1.Route{Id: "r-odd", Name: "odd", Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: changed.Targets[1:], AllowedProjectIds: []string{"elsewhere"}}
	for name, test := range map[string]struct {
		key   string
		draft *policyv1.Route
		want  string
	}{
		"new":             {"k-good", fresh, ""},
		"new_narrow_key":  {"k-narrow", fresh, "route_not_allowed"},
		"changed":         {"k-narrow", changed, ""},
		"of_others":       {"k-narrow", foreign, "route_unknown"},
		"without_targets": {"k-good", &policyv1.Route{Id: "r-new", Name: "new", Strategy: policyv1.Strategy_STRATEGY_SINGLE}, "route_invalid"},
		"no_provider":     {"k-good", &policyv1.Route{Id: "r-new", Name: "new", Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: []*policyv1.Target{to("none", "m", 0)}}, "route_invalid"},
		"unknown_key":     {"k-nobody", fresh, "key_unknown"},
		"unserved":        {"k-good", &policyv1.Route{Id: "r-new", Name: "new", Strategy: policyv1.Strategy_STRATEGY_SINGLE, Unserved: "far"}, "route_not_served"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := of(test.key, test.draft).GetRefusal(); got.GetCode() != test.want {
				t.Errorf("refused with %v, want %q", got, test.want)
			}
		})
	}
	shown := of("k-narrow", changed).GetRoute().GetTargets()
	if len(shown) != 2 || shown[0].GetFitness() != agentv1.DryRunTarget_FITNESS_CREDENTIAL_UNAVAILABLE || shown[1].GetModel() != "c" || shown[1].GetFitness() != agentv1.DryRunTarget_FITNESS_USABLE {
		t.Errorf("targets %v", shown)
	}
	priced, stored := of("k-good", fresh).GetRoute().GetTargets()[0], h.dryRun(ofKey("k-good", "chat")).GetRoute().GetTargets()[0]
	if diff := gocmp.Diff(stored, priced, protocmp.Transform()); diff != "" {
		t.Errorf("to the target of a stored route (-stored +draft):\n%s", diff)
	}
	if refusal := h.dryRun(ofKey("k-good", "new")).GetRefusal(); refusal.GetCode() != "route_unknown" {
		t.Errorf("the draft stayed: %v", refusal)
	}
	if got := h.dryRun(ofKey("k-good", "odd")).GetRoute().GetTargets(); len(got) != 1 || got[0].GetModel() != "odd-model" {
		t.Errorf("the route changed: %v", got)
	}
}

// TestDryRunJudgesConditions: each is told with its verdict, and what is none for the request
// is not tried.
func TestDryRunJudgesConditions(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{
		conditional("gold", `metadata.tier == "gold"`), conditional("header", `headers["x-team"] == "water"`),
		conditional("secret", `"authorization" in headers`), conditional("long", `tokens > 100 && stream`),
		conditional("who", `user == "u1" && run == "r1" && surface == "chat_completions" && project == "project-1" && key == "k-good"`), to("mock", "always", 0),
	}})
	m := ofKey("k-good", "routed")
	m.Headers = map[string]string{"X-Team": "water", "Authorization": "Bearer x"}
	m.InputTokens, m.Stream, m.User, m.Run = 101, true, "u1", "r1"
	got := h.dryRun(m)
	const (
		usable = agentv1.DryRunTarget_FITNESS_USABLE
		left   = agentv1.DryRunTarget_FITNESS_CONDITION
	)
	for i, want := range []struct {
		fitness agentv1.DryRunTarget_Fitness
		verdict agentv1.DryRunTarget_Verdict
	}{
		{left, agentv1.DryRunTarget_VERDICT_ERROR}, {usable, agentv1.DryRunTarget_VERDICT_TRUE}, {left, agentv1.DryRunTarget_VERDICT_FALSE},
		{usable, agentv1.DryRunTarget_VERDICT_TRUE}, {usable, agentv1.DryRunTarget_VERDICT_TRUE}, {usable, agentv1.DryRunTarget_VERDICT_UNSPECIFIED},
	} {
		target := got.GetRoute().GetTargets()[i]
		if target.GetFitness() != want.fitness || target.GetVerdict() != want.verdict || (target.GetReason() == "") != (want.fitness == usable) {
			t.Errorf("%v, want %v", target, want)
		}
	}
	if failed := got.GetRoute().GetTargets()[0]; !strings.Contains(failed.GetVerdictError(), "no such key: tier") || failed.GetWhen() != `metadata.tier == "gold"` {
		t.Errorf("got %v", failed)
	}
	if got.GetRefusal() != nil {
		t.Errorf("refused: %v", got.GetRefusal())
	}
	m.Metadata = map[string]string{"tier": "gold"}
	if first := h.dryRun(m).GetRoute().GetTargets()[0]; first.GetVerdict() != agentv1.DryRunTarget_VERDICT_TRUE || first.GetFitness() != usable {
		t.Errorf("with metadata: %v", first)
	}
}

// A request that no condition lets through is told so, unless there is another reason.
func TestDryRunRefusesWhereNoConditionHolds(t *testing.T) {
	for name, test := range map[string]struct {
		targets []*policyv1.Target
		code    string
		message string
	}{
		"all_false":              {[]*policyv1.Target{conditional("a", "stream"), conditional("b", "tokens > 5")}, "no_target_matches", "conditions of all are false"},
		"one_fails":              {[]*policyv1.Target{conditional("a", `metadata.tier == "gold"`)}, "no_target_matches", "no such key: tier"},
		"no_credential_then":     {[]*policyv1.Target{to("bare", "a", 0), conditional("b", "stream")}, "credential_unavailable", ""},
		"no_credential_later_on": {[]*policyv1.Target{conditional("b", "stream"), to("bare", "a", 0)}, "credential_unavailable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.routed(&policyv1.Route{Strategy: priority, Targets: test.targets})
			got := h.dryRun(ofKey("k-good", "routed")).GetRefusal()
			if got.GetCode() != test.code || !strings.Contains(got.GetMessage(), test.message) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// A canary comes before what the others may cost, and a copy beside.
func TestDryRunCostsWithShares(t *testing.T) {
	const one = 1_000_000 // of 100 output tokens
	share := func(target *policyv1.Target) *policyv1.Share { return &policyv1.Share{Target: target, PerMille: 10} }
	for name, test := range map[string]struct {
		canary, shadow *policyv1.Share
		want           int64
	}{
		"alone":         {nil, nil, 1 * one},
		"canary":        {share(to("tuned", "gpt-4o", 0)), nil, 2 * one},
		"both":          {share(to("tuned", "gpt-4o", 0)), share(to("mock", "gpt-4o", 0)), 3 * one},
		"none_usable":   {share(to("bare", "gpt-4o", 0)), nil, 1 * one},
		"one_unpriced":  {nil, share(to("mock", "nobody-prices-it", 0)), 0},
		"canary_leaves": {share(&policyv1.Target{ProviderId: to("tuned", "gpt-4o", 0).GetProviderId(), Model: "gpt-4o", When: "stream"}), nil, 1 * one},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.routed(&policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}, Canary: test.canary, Shadow: test.shadow})
			m := ofKey("k-good", "routed")
			m.MaxOutputTokens = 100
			if got := h.dryRun(m); got.GetMaxCostNanoUsd() != test.want || (got.MaxCostNanoUsd == nil) != (test.want == 0) {
				t.Errorf("at most %v, want %d", got.MaxCostNanoUsd, test.want)
			}
		})
	}
}
