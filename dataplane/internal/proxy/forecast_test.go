package proxy_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/dataplane/internal/forecast"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func softly(q *policyv1.Quota) *policyv1.Quota {
	q.Mode = policyv1.QuotaMode_QUOTA_MODE_SOFT
	return q
}

// reservedOf is what the last request that began had of a quota then.
func (h *harness) reservedOf(id string) int64 {
	h.t.Helper()
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	for _, c := range h.recorder.started[len(h.recorder.started)-1].Charges {
		if uuid.UUID(c.QuotaId).String() == id {
			return c.Amount
		}
	}
	return 0
}

// Soft quotas reserve the worst case until enough answers were seen, and then what they
// took; hard ones the worst case always.
func TestSoftQuotasReserveWhatIsLikely(t *testing.T) {
	tokens := softly(rateOf(thirdID, ofTokens, 1<<40))
	tokens.WindowMs = 0
	h, _, _ := budgeted(t, map[string]int64{firstID: 1000 * cent, secondID: 1000 * cent, thirdID: 1 << 40},
		budgetOf(firstID), softly(budgetOf(secondID)), tokens)
	body := toRoute("chat", `,"max_tokens":16000`)
	h.mock.Script(llmtest.Fault{Times: 100, AnswerTokens: 50})
	for range forecast.Enough {
		_, _ = h.post(goodKey, body)
		<-h.done
		if hard, soft := h.reservedOf(firstID), h.reservedOf(secondID); soft != hard || h.reservedOf(thirdID) < 16_000 {
			t.Fatalf("reserved %d softly, %d hard, %d tokens", soft, hard, h.reservedOf(thirdID))
		}
	}
	_, _ = h.post(goodKey, body)
	<-h.done
	ended := h.last()
	cost, took := ended.Attempts[0].GetCostNanoUsd(), ended.Attempts[0].Usage.Input+ended.Attempts[0].Usage.Output
	if hard, soft := h.reservedOf(firstID), h.reservedOf(secondID); hard < 16*cent || soft < cost || soft > 2*cost {
		t.Errorf("reserved %d softly, %d hard, and it cost %d", soft, hard, cost)
	}
	if n := h.reservedOf(thirdID); n < took || n > 2*took {
		t.Errorf("reserved %d tokens, and it took %d", n, took)
	}
	for _, c := range ended.Charges[:2] {
		if c.Amount != cost {
			t.Errorf("charged %d of %d", c.Amount, cost)
		}
	}
}

// An answer that gets longer than was likely takes more as it does.
func TestSoftReservationsGrow(t *testing.T) {
	h, _, meter := budgeted(t, map[string]int64{firstID: 1000 * cent}, softly(budgetOf(firstID)))
	body := toRoute("chat", `,"max_tokens":16000,"stream":true`)
	h.mock.Script(llmtest.Fault{Times: forecast.Enough, AnswerTokens: 10})
	for range forecast.Enough {
		_, _ = h.post(goodKey, body)
		<-h.done
	}
	q := h.holder.Load().Quotas()[0]
	left := func() int64 {
		s, _ := meter.Standing(q, "")
		return s.Left
	}
	before := left()
	h.mock.Script(llmtest.Fault{AnswerTokens: 600, TokenDelay: 2 * time.Millisecond})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = h.post(goodKey, body)
	}()
	eventually(t, "it has taken more than was likely", func() bool { return before-left() > 10*h.reservedOf(firstID) })
	h.recorder.mu.Lock()
	over := len(h.recorder.ended)
	h.recorder.mu.Unlock()
	if over > forecast.Enough {
		t.Error("the stream has ended")
	}
	<-ended
	<-h.done
	if cost := h.last().Attempts[0].GetCostNanoUsd(); before-left() != cost {
		t.Errorf("%d are taken, it cost %d", before-left(), cost)
	}
}

// Where a provider does not say what it used, a soft quota is charged what the record has.
func TestSoftQuotasAreChargedWhatIsRecorded(t *testing.T) {
	h, p, _ := budgeted(t, map[string]int64{firstID: 1000 * cent}, softly(budgetOf(firstID)))
	p.mu.Lock()
	p.soft = true
	p.mu.Unlock()
	body := toRoute("chat", `,"max_tokens":16000,"stream":true`)
	h.mock.Script(llmtest.Fault{Times: forecast.Enough, AnswerTokens: 10})
	for range forecast.Enough {
		_, _ = h.post(goodKey, body)
		<-h.done
	}
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut, After: 5})
	_, _ = h.post(goodKey, body)
	<-h.done
	if ended := h.last(); ended.Attempts[0].UsageSource != estimated || ended.Charges[0].Amount != ended.Attempts[0].GetCostNanoUsd() {
		t.Errorf("recorded %v", ended)
	}
}
