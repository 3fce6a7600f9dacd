package proxy_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	ofCost   = policyv1.QuotaMeasure_QUOTA_MEASURE_COST
	hardMode = policyv1.QuotaMode_QUOTA_MODE_HARD
	cent     = int64(10_000_000) // nano-dollars
	firstID  = "00000000-0000-4000-8000-000000000001"
	secondID = "00000000-0000-4000-8000-000000000002"
)

func everything() *policyv1.QuotaScope {
	return &policyv1.QuotaScope{On: &policyv1.QuotaScope_Organization{Organization: true}}
}

// budgeted is a harness whose policy has quotas, with limits of what there is of them.
func budgeted(t *testing.T, limits map[string]int64, all ...*policyv1.Quota) (*harness, *purse, *quota.Meter) {
	t.Helper()
	var p *purse
	var meter *quota.Meter
	h := newHarness(t, quotas(limits, &p, &meter))
	h.meters(p, meter, all...)
	return h, p, meter
}

// meters has the meter of the harness lease from a purse until the test ends.
func (h *harness) meters(p *purse, meter *quota.Meter, all ...*policyv1.Quota) {
	t := h.t
	p.t = t
	h.limited(meter, all...)
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- meter.Run(ctx, noDisk{}) }()
	eventually(t, "the meter runs", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.called
	})
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := meter.Close(context.Background()); err != nil && !p.away {
			t.Error(err)
		}
		for id, g := range p.totals {
			if held := g.Granted - g.Spent - g.Returned; held != 0 && !p.away && !p.soft {
				t.Errorf("quota %s: %d is held when all is over", id, held)
			}
		}
	})
}

func (h *harness) limited(meter *quota.Meter, all ...*policyv1.Quota) {
	for _, q := range all {
		h.extra = append(h.extra, resource(h.t, "quota", q.Id, q))
	}
	policy := h.policy(h.upstream.URL)
	meter.Use(policy.Quotas())
	h.holder.Store(policy)
}

func budgetOf(id string) *policyv1.Quota {
	return &policyv1.Quota{Id: id, Name: "monthly", Scope: everything(), Measure: ofCost, Mode: hardMode}
}

func (p *purse) spent(id string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.totals[id].GetSpent()
}

// refused wants an answer of the agent's own, of which nothing went upstream.
func (h *harness) refused(response *http.Response, text string, status int, code string) {
	h.t.Helper()
	<-h.done
	if response.StatusCode != status || !strings.Contains(text, `"`+code+`"`) {
		h.t.Fatalf("%d %s", response.StatusCode, text)
	}
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	if got := h.recorder.refused; len(got) != 1 || got[0].ErrorCode != code || len(got[0].Charges) != 0 || len(got[0].Attempts) != 0 {
		h.t.Errorf("recorded %v", got)
	}
}

// What a request costs is in its record, and with the ledger once it is settled.
func TestABudgetIsCharged(t *testing.T) {
	for name, rest := range map[string]string{"whole": "", "stream": `,"stream":true`} {
		t.Run(name, func(t *testing.T) {
			h, p, meter := budgeted(t, map[string]int64{firstID: 100 * cent}, budgetOf(firstID))
			h.post(goodKey, toRoute("chat", `,"max_tokens":50`+rest))
			started, ended := h.record()
			worst, cost := started.Attempts[0].GetCostNanoUsd(), ended.Attempts[0].GetCostNanoUsd()
			for record, amount := range map[*usagev1.UsageRecord]int64{started: worst, ended: cost} {
				id := uuid.MustParse(firstID)
				if c := record.Charges; len(c) != 1 || string(c[0].QuotaId) != string(id[:]) || c[0].Amount != amount || c[0].Window != "lifetime" {
					t.Errorf("charged %v, want %d", c, amount)
				}
			}
			if worst <= cost || cost == 0 {
				t.Errorf("reserved %d, spent %d", worst, cost)
			}
			if err := meter.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := p.spent(firstID); got != cost {
				t.Errorf("the ledger has %d, the record %d", got, cost)
			}
		})
	}
}

// A budget that a request does not fit in at all refuses it before anybody is asked; as it never
// ends, and nothing is under way, to come again helps nobody.
func TestABudgetThatIsSpent(t *testing.T) {
	h, _, _ := budgeted(t, map[string]int64{firstID: 100}, budgetOf(firstID))
	response, text := h.post(goodKey, toRoute("chat", `,"max_tokens":50`))
	h.refused(response, text, 429, "budget_exceeded")
	if response.Header.Get("X-Weir-Quota") != "monthly" || response.Header.Get("Retry-After") != "" || !strings.Contains(text, `\"monthly\"`) || !strings.Contains(text, "raise it") {
		t.Errorf("%v %s", response.Header, text)
	}
	if len(h.mock.Requests()) != 0 {
		t.Error("the upstream was asked")
	}
}

// Where the worst case of a request is more than is left, its answer is cut to what is.
func TestABudgetThatIsNearlySpent(t *testing.T) {
	for name, rest := range map[string]string{"no_cap": "", "a_higher_cap": `,"max_tokens":16000`} {
		t.Run(name, func(t *testing.T) {
			h, _, _ := budgeted(t, map[string]int64{firstID: cent}, budgetOf(firstID)) // a thousand tokens out are a cent
			h.post(goodKey, toRoute("chat", rest))
			started, ended := h.record()
			var sent struct {
				Tokens     int64 `json:"max_tokens"`
				Completion int64 `json:"max_completion_tokens"`
			}
			if err := json.Unmarshal(h.mock.Requests()[0].Body, &sent); err != nil {
				t.Fatal(err)
			}
			output := max(sent.Tokens, sent.Completion)
			if reserved := started.Charges[0].Amount; reserved > cent || reserved < cent-10_001 {
				t.Errorf("reserved %d of %d", reserved, cent)
			}
			if output < 900 || output > 1000 || started.Attempts[0].Usage.Output != output {
				t.Errorf("the answer was capped at %d, estimated with %d", output, started.Attempts[0].Usage.Output)
			}
			if ended.Outcome != answered {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}

func TestHardBudgetsNeedABoundAndAPrice(t *testing.T) {
	for name, c := range map[string]struct{ body, code string }{
		"no_bound": {toRoute("chat", `,"n":"many"`), "budget_unbounded"},
		"no_price": {toRoute("odd", `,"max_tokens":50`), "budget_unpriced"},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, _ := budgeted(t, map[string]int64{firstID: 100 * cent}, budgetOf(firstID))
			response, text := h.post(goodKey, c.body)
			h.refused(response, text, 400, c.code)
		})
	}
	t.Run("others_do_not", func(t *testing.T) {
		soft := budgetOf(firstID)
		soft.Mode = policyv1.QuotaMode_QUOTA_MODE_SOFT
		h, _, _ := budgeted(t, map[string]int64{firstID: 100 * cent}, soft)
		if response, text := h.post(goodKey, toRoute("odd", `,"max_tokens":50`)); response.StatusCode != 200 {
			t.Errorf("%d %s", response.StatusCode, text)
		}
	})
}

// Each attempt is charged for: one that never reached its upstream takes nothing, one of
// which nobody knows what it used takes all that it could.
func TestAttemptsAreCharged(t *testing.T) {
	h, p, meter := budgeted(t, map[string]int64{firstID: 100 * cent}, budgetOf(firstID))
	h.routed(&policyv1.Route{Strategy: priority, Retry: &policyv1.Retry{On: everyFailure, BackoffMs: 1},
		Targets: []*policyv1.Target{to("dead", "gpt-4o", 0), to("mock", "gpt-4o", 0), to("mock", "dear-model", 0)}})
	h.limited(meter, budgetOf(firstID))
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut, Model: "gpt-4o"})
	h.post(goodKey, toRoute("routed", `,"max_tokens":50`))
	<-h.done
	ended := h.last()
	var want, charged int64
	for _, a := range ended.Attempts {
		want += a.GetCostNanoUsd()
	}
	for _, c := range ended.Charges {
		charged += c.Amount
	}
	if len(ended.Attempts) != 3 || charged != want || ended.Attempts[0].GetCostNanoUsd() != 0 || ended.Attempts[1].UsageSource != estimated {
		t.Errorf("charged %d of %d: %v", charged, want, ended)
	}
	if err := meter.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.spent(firstID); got != want {
		t.Errorf("the ledger has %d, the record %d", got, want)
	}
}

// What one provider may cost is no reason not to ask another.
func TestABudgetOfAProvider(t *testing.T) {
	own := budgetOf(firstID)
	own.Scope = &policyv1.QuotaScope{On: &policyv1.QuotaScope_ProviderId{ProviderId: "mock"}}
	h, _, meter := budgeted(t, map[string]int64{firstID: 100, secondID: 100 * cent}, own)
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("tuned", "gpt-4o", 0)}})
	h.limited(meter, own, budgetOf(secondID))
	if got := h.served(toRoute("routed", `,"max_tokens":50`)); got != "tuned/gpt-4o" {
		t.Errorf("%s answered", got)
	}
	ended := h.last()
	if got := ended.Candidates[0].Verdict; got != usagev1.Verdict_VERDICT_QUOTA || len(ended.Charges) != 1 {
		t.Errorf("recorded %v", ended)
	}
}

func TestSlots(t *testing.T) {
	slots := &policyv1.Quota{Id: firstID, Name: "slots", Scope: everything(), Measure: policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS, Mode: hardMode, Amount: 1}
	h, _, _ := budgeted(t, map[string]int64{firstID: 1}, slots)
	h.mock.Script(llmtest.Fault{Delay: 400 * time.Millisecond})
	first := make(chan int)
	go func() {
		response, _, _ := h.send(context.Background(), goodKey, toRoute("chat", ""))
		first <- response.StatusCode
	}()
	eventually(t, "the first is under way", func() bool { return len(h.mock.Requests()) == 1 })
	response, text := h.post(goodKey, toRoute("chat", ""))
	h.refused(response, text, 429, "rate_limited")
	if got := <-first; got != 200 {
		t.Errorf("the first got %d", got)
	}
	<-h.done
	if got := h.served(toRoute("chat", "")); got == "" {
		t.Error("the slot did not come back")
	}
}

// Nobody is told to have spent what cannot be known.
func TestALedgerThatIsAway(t *testing.T) {
	h, p, _ := budgeted(t, map[string]int64{firstID: 100 * cent}, budgetOf(firstID))
	p.mu.Lock()
	p.away = true
	p.mu.Unlock()
	response, text := h.post(goodKey, toRoute("chat", `,"max_tokens":50`))
	h.refused(response, text, 503, "quota_unavailable")
}

// A caller that leaves is charged as the attempt is recorded, and nothing stays reserved.
func TestACallerThatLeavesIsCharged(t *testing.T) {
	h, p, meter := budgeted(t, map[string]int64{firstID: 100 * cent}, budgetOf(firstID))
	h.mock.Script(llmtest.Fault{Delay: time.Minute})
	ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer leave()
	_, _, _ = h.send(ctx, goodKey, toRoute("chat", `,"max_tokens":50`))
	_, ended := h.record()
	cost := ended.Attempts[0].GetCostNanoUsd()
	if ended.Attempts[0].UsageSource != estimated || cost == 0 || ended.Charges[0].Amount != cost {
		t.Errorf("recorded %v", ended)
	}
	if err := meter.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.spent(firstID); got != cost {
		t.Errorf("the ledger has %d, the record %d", got, cost)
	}
}

// What a request is of a limit of requests is in its record before anybody is asked: an agent
// that is killed then knows of it.
func TestRequestsADayAreCharged(t *testing.T) {
	limit := &policyv1.Quota{Id: firstID, Name: "daily", Scope: everything(), Measure: policyv1.QuotaMeasure_QUOTA_MEASURE_REQUESTS, Mode: hardMode, Amount: 10, WindowMs: 86_400_000}
	h, p, meter := budgeted(t, map[string]int64{firstID: 10}, limit)
	h.post(goodKey, toRoute("chat", `,"max_tokens":50`))
	started, ended := h.record()
	for name, record := range map[string]*usagev1.UsageRecord{"started": started, "ended": ended} {
		if c := record.Charges; len(c) != 1 || c[0].Amount != 1 || c[0].Window != "lifetime" {
			t.Errorf("%s: charged %v, want one request", name, c)
		}
	}
	if err := meter.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.spent(firstID); got != 1 {
		t.Errorf("the ledger has %d", got)
	}
}

// Of several budgets that a request does not fit in, the one that has the least left says how
// long its answer may be.
func TestBudgetsThatAreNearlySpent(t *testing.T) {
	second := budgetOf(secondID)
	second.Name = "weekly"
	h, _, _ := budgeted(t, map[string]int64{firstID: 2 * cent, secondID: cent}, budgetOf(firstID), second)
	if response, text := h.post(goodKey, toRoute("chat", `,"max_tokens":16000`)); response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	started, _ := h.record()
	for _, c := range started.Charges {
		if c.Amount > cent {
			t.Errorf("reserved %d of %x", c.Amount, c.QuotaId)
		}
	}
}
