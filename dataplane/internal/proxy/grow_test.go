package proxy_test

import (
	"context"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// A stream takes its tokens from a limit while it goes on, so that a request beside it is
// refused before it ends, whatever it is translated from; once it has ended, what it took is
// what its usage says.
func TestStreamsTakeTokensAsTheyGrow(t *testing.T) {
	for name, target := range map[string]struct{ path, body string }{
		"chat":       {"/v1/chat/completions", toRoute("chat", `,"stream":true`)},
		"responses":  {"/v1/responses", `{"model":"chat","stream":true,"input":"how much"}`},
		"translated": {"/v1/messages", `{"model":"chat","stream":true,"max_tokens":4000,"messages":[{"role":"user","content":"how much"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			const limit = 100
			h, _, meter := budgeted(t, map[string]int64{firstID: limit}, rateOf(firstID, ofTokens, limit))
			q := h.holder.Load().Quotas()[0]
			h.mock.Script(llmtest.Fault{AnswerTokens: 400, TokenDelay: 4 * time.Millisecond})
			ended := make(chan int)
			go func() {
				response, _, err := h.sendTo(context.Background(), target.path, goodKey, target.body)
				if err != nil {
					t.Error(err)
				}
				ended <- response.StatusCode
			}()
			eventually(t, "the stream took all that there is", func() bool {
				s, known := meter.Standing(q, "")
				return known && s.Left == 0
			})
			h.recorder.mu.Lock()
			over := len(h.recorder.ended)
			h.recorder.mu.Unlock()
			if over > 0 {
				t.Fatal("the stream has ended")
			}
			response, text := h.post(goodKey, toRoute("chat", ""))
			h.refused(response, text, 429, "rate_limited")
			if status := <-ended; status != 200 {
				t.Fatalf("status %d", status)
			}
			<-h.done
			a := h.last().Attempts[0]
			if took := a.Usage.Input + a.Usage.Output; a.UsageSource != usagev1.UsageSource_USAGE_SOURCE_REPORTED || taken(t, meter, q) != took {
				t.Errorf("%d are taken, the record has %d", taken(t, meter, q), took)
			}
		})
	}
}

// taken is what this agent uses of a rate, as who asks for too much is told.
func taken(t *testing.T, meter *quota.Meter, q *quota.Quota) int64 {
	t.Helper()
	var r quota.Reservation
	refusal := meter.Reserve(t.Context(), &r, []quota.Claim{{Quota: q, Amount: 1 << 40}})
	if refusal == nil {
		t.Fatal("any amount is served")
	}
	return refusal.Taken
}

// What is estimated is near what was said: a stream that is cut off before its usage came has
// taken about as much as it showed.
func TestAStreamThatBreaksOffHasTakenWhatItShowed(t *testing.T) {
	h, _, meter := budgeted(t, map[string]int64{firstID: 100_000}, rateOf(firstID, ofTokens, 100_000))
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut, After: 300, AnswerTokens: 600})
	body := toRoute("chat", `,"stream":true`)
	_, _ = h.post(goodKey, body)
	<-h.done
	input := int64(len(body)) / 4
	if took := taken(t, meter, h.holder.Load().Quotas()[0]) - input; took < 150 || took > 600 {
		t.Errorf("300 tokens were shown, %d are taken", took)
	}
}
