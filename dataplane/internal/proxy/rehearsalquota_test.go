package proxy_test

import (
	"testing"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// A dry run tells which quotas would be asked, what they would reserve and whether that would
// be refused, as a request is; and reserves nothing.
func TestDryRunsTellOfQuotas(t *testing.T) {
	slow := rateOf(secondID, ofRequests, 2)
	soft := softly(budgetOf(thirdID))
	soft.Name = "soft"
	all := []*policyv1.Quota{budgetOf(firstID), slow, soft}
	h, p, _ := budgeted(t, map[string]int64{firstID: cent, secondID: 2, thirdID: 1}, all...)
	p.mu.Lock()
	p.soft = true
	p.mu.Unlock()
	ask := &agentv1.DryRun{Caller: &agentv1.DryRun_KeyId{KeyId: "k-good"}, Model: "chat", InputTokens: 10, MaxOutputTokens: 500}
	of := func(r *agentv1.DryRunResult) map[string]*agentv1.DryRunQuota {
		found := map[string]*agentv1.DryRunQuota{}
		for _, q := range r.GetQuotas() {
			found[q.GetId()] = q
		}
		if len(found) != len(all) {
			t.Fatalf("%v", r.GetQuotas())
		}
		return found
	}
	t.Run("of_which_nothing_is_known", func(t *testing.T) {
		got := h.dryRun(ask)
		q := of(got)
		if got.GetRefusal() != nil || q[firstID].Left != nil || q[firstID].GetReserved() != got.GetMaxCostNanoUsd() || q[secondID].GetReserved() != 1 {
			t.Errorf("%v", got)
		}
	})
	t.Run("of_which_some_is_left", func(t *testing.T) {
		body := toRoute("chat", `,"max_tokens":50`)
		if response, text := h.post(goodKey, body); response.StatusCode != 200 {
			t.Fatalf("%d %s", response.StatusCode, text)
		}
		<-h.done
		cost := h.last().Attempts[0].GetCostNanoUsd()
		got := h.dryRun(ask)
		q := of(got)
		if got.GetRefusal() != nil || q[firstID].GetLeft() != cent-cost || q[firstID].GetLimit() != cent || q[firstID].GetLacking() || q[secondID].GetLeft() != 1 {
			t.Errorf("%d were spent: %v", cost, got)
		}
		if !q[thirdID].GetLacking() || q[thirdID].GetMode() != policyv1.QuotaMode_QUOTA_MODE_SOFT {
			t.Errorf("the soft one is used up: %v", q[thirdID])
		}
		again := h.dryRun(ask)
		if of(again)[firstID].GetLeft() != cent-cost || of(again)[secondID].GetLeft() != 1 {
			t.Errorf("the dry run before took something: %v", again)
		}
	})
	t.Run("that_cut_the_answer", func(t *testing.T) {
		long := &agentv1.DryRun{Caller: ask.Caller, Model: "chat", InputTokens: 10, MaxOutputTokens: 16_000}
		got := h.dryRun(long)
		if q := of(got)[firstID]; !q.GetLacking() || got.GetRefusal() != nil || got.GetRoute().GetTargets()[0].GetFitness() != agentv1.DryRunTarget_FITNESS_USABLE {
			t.Errorf("its worst case does not fit, and its answer would be cut: %v", got)
		}
	})
	t.Run("that_refuse_a_target", func(t *testing.T) {
		dear := &agentv1.DryRun{Caller: ask.Caller, Model: "chat", InputTokens: 100_000, MaxOutputTokens: 100}
		got := h.dryRun(dear)
		if got.GetRefusal().GetCode() != "budget_exceeded" || got.GetRoute().GetTargets()[0].GetFitness() != agentv1.DryRunTarget_FITNESS_QUOTA {
			t.Errorf("%v", got)
		}
	})
	t.Run("that_refuse_the_request", func(t *testing.T) {
		_, _ = h.post(goodKey, toRoute("chat", `,"max_tokens":50`))
		<-h.done
		got := h.dryRun(ask)
		response, text := h.post(goodKey, toRoute("chat", `,"max_tokens":50`))
		h.refused(response, text, 429, got.GetRefusal().GetCode())
		if got.GetRefusal().GetStatus() != 429 || !of(got)[secondID].GetLacking() {
			t.Errorf("%v", got)
		}
	})
}
