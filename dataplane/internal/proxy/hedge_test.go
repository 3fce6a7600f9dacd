package proxy_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	overtaken  = usagev1.Outcome_OUTCOME_OVERTAKEN
	closed     = usagev1.Outcome_OUTCOME_CLIENT_CLOSED
	torn       = usagev1.Outcome_OUTCOME_INTERRUPTED
	ms         = time.Millisecond
	causeHedge = usagev1.Cause_CAUSE_HEDGE
)

var forms = map[string]string{"whole": "", "stream": `,"stream":true`}

// attemptOf is what these tests look at.
type attemptOf struct {
	Model   string
	Outcome usagev1.Outcome
	Source  usagev1.UsageSource
}

func attemptsOf(r *usagev1.UsageRecord) (all []attemptOf) {
	for _, a := range r.Attempts {
		all = append(all, attemptOf{a.Model, a.Outcome, a.UsageSource})
	}
	return all
}

// TestHedges: after enough quick answers of the first target, one that has nothing to say is
// raced. Times are in ms since the request; a call that was left at the end of a request was
// not let go before.
func TestHedges(t *testing.T) {
	two, three := hedgedRoute(nil, 2), hedgedRoute(nil, 3)
	for name, test := range map[string]struct {
		route  *policyv1.Route
		acts   map[string][]act
		status int
		winner string
		header string
		want   []attemptOf
		// until is when the answer was there, in ms; beside when the second target was asked;
		// -1: it was not.
		until, beside int
	}{
		"the_second_is_faster": {two, map[string][]act{"gpt-4o": {speaks(time.Hour)}, "odd-model": {speaks(50 * ms)}}, 200, "odd-model", "2",
			[]attemptOf{{"gpt-4o", overtaken, estimated}, {"odd-model", answered, reported}}, 150, 100},
		"the_first_is_faster": {two, map[string][]act{"gpt-4o": {speaks(120 * ms)}, "odd-model": {speaks(time.Hour)}}, 200, "gpt-4o", "2",
			[]attemptOf{{"gpt-4o", answered, reported}, {"odd-model", overtaken, estimated}}, 120, 100},
		"in_time": {two, map[string][]act{"gpt-4o": {speaks(90 * ms)}}, 200, "gpt-4o", "1",
			[]attemptOf{{"gpt-4o", answered, reported}}, 90, -1},
		"content_commits": {two, map[string][]act{"gpt-4o": {speaksOn(50*ms, 40*ms)}}, 200, "gpt-4o", "1",
			[]attemptOf{{"gpt-4o", answered, reported}}, 90, -1},
		"the_first_fails_beside": {two, map[string][]act{"gpt-4o": {fails(120*ms, 503)}, "odd-model": {speaks(100 * ms)}}, 200, "odd-model", "2",
			[]attemptOf{{"gpt-4o", upstreamError, none}, {"odd-model", answered, reported}}, 200, 100},
		"the_second_fails_beside": {two, map[string][]act{"gpt-4o": {speaks(300 * ms)}, "odd-model": {fails(50*ms, 503)}}, 200, "gpt-4o", "2",
			[]attemptOf{{"gpt-4o", answered, reported}, {"odd-model", upstreamError, none}}, 300, 100},
		"what_no_other_mends_waits_for_the_other": {two, map[string][]act{"gpt-4o": {fails(120*ms, 400)}, "odd-model": {speaks(100 * ms)}}, 200, "odd-model", "2",
			[]attemptOf{{"gpt-4o", upstreamError, none}, {"odd-model", answered, reported}}, 200, 100},
		"both_fail_and_a_third_follows": {three, map[string][]act{"gpt-4o": {fails(120*ms, 503)}, "odd-model": {fails(100*ms, 500)}, "dear-model": {speaks(30 * ms)}}, 200, "dear-model", "3",
			[]attemptOf{{"gpt-4o", upstreamError, none}, {"odd-model", upstreamError, none}, {"dear-model", answered, reported}}, 230, 100},
		"both_fail_the_first_last": {three, map[string][]act{"gpt-4o": {fails(220*ms, 503)}, "odd-model": {fails(20*ms, 500)}, "dear-model": {speaks(30 * ms)}}, 200, "dear-model", "3",
			[]attemptOf{{"gpt-4o", upstreamError, none}, {"odd-model", upstreamError, none}, {"dear-model", answered, reported}}, 250, 100},
		"all_fail": {two, map[string][]act{"gpt-4o": {fails(120*ms, 503)}, "odd-model": {fails(100*ms, 500)}}, 500, "odd-model fails", "2",
			[]attemptOf{{"gpt-4o", upstreamError, none}, {"odd-model", upstreamError, none}}, 200, 100},
		"it_fails_before_a_hedge": {two, map[string][]act{"gpt-4o": {fails(50*ms, 503)}, "odd-model": {speaks(200 * ms)}}, 200, "odd-model", "2",
			[]attemptOf{{"gpt-4o", upstreamError, none}, {"odd-model", answered, reported}}, 250, 50},
		"one_target": {hedgedRoute(&policyv1.Retry{MaxAttempts: 3}, 1), map[string][]act{"gpt-4o": {speaks(300 * ms)}}, 200, "gpt-4o", "1",
			[]attemptOf{{"gpt-4o", answered, reported}}, 300, -1},
		"one_attempt": {hedgedRoute(&policyv1.Retry{MaxAttempts: 1}, 2), map[string][]act{"gpt-4o": {speaks(300 * ms)}}, 200, "gpt-4o", "1",
			[]attemptOf{{"gpt-4o", answered, reported}}, 300, -1},
	} {
		for form, stream := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				h, s := hedging(t, test.route)
				synctest.Test(t, func(t *testing.T) {
					s.learn(t, h, stream, enoughTimes)
					for model, acts := range test.acts {
						s.acts[model] = append([]act(nil), acts...)
					}
					w := httptest.NewRecorder()
					h.handler.ServeHTTP(w, toRouted(t.Context(), stream+`,"max_tokens":50`))
					if until := int(time.Since(s.begun).Milliseconds()); until != test.until {
						t.Errorf("it took %d ms", until)
					}
					if w.Code != test.status || !strings.Contains(textOf(w), test.winner) {
						t.Errorf("%d %s", w.Code, textOf(w))
					}
					synctest.Wait()
				})
				asked := -1
				if times := timesOf(s.seen(), "odd-model"); len(times) > 0 {
					asked = times[0][0]
				}
				if asked != test.beside {
					t.Errorf("the second target was asked after %d ms", asked)
				}
				for _, c := range s.seen() {
					if c.left == 0 || int(c.left.Milliseconds()) > test.until {
						t.Errorf("%s was let go after %v", c.model, c.left)
					}
				}
				h.wantAttempts(enoughTimes+1, test.want)
			})
		}
	}
}

// wantAttempts holds the record of a ticket.
func (h *harness) wantAttempts(ticket uint64, want []attemptOf) *usagev1.UsageRecord {
	h.t.Helper()
	ended := h.recorder.ended[ticket]
	if ended == nil {
		h.t.Fatal("it is not recorded")
	}
	if diff := cmp.Diff(want, attemptsOf(ended)); diff != "" {
		h.t.Error(diff)
	}
	return ended
}

// TestAHedgeIsToldAndCounted: header, cause, estimate and metrics.
func TestAHedgeIsToldAndCounted(t *testing.T) {
	h, s := hedging(t, hedgedRoute(nil, 2))
	synctest.Test(t, func(t *testing.T) {
		s.learn(t, h, "", enoughTimes)
		s.acts["gpt-4o"], s.acts["odd-model"] = []act{speaks(time.Hour)}, []act{speaks(50 * ms)}
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, toRouted(t.Context(), `,"max_tokens":50`))
		wantHeaders(t, w.Result(), "2", "mock/odd-model")
	})
	ended := h.wantAttempts(enoughTimes+1, []attemptOf{{"gpt-4o", overtaken, estimated}, {"odd-model", answered, reported}})
	first, second := ended.Attempts[0], ended.Attempts[1]
	if second.Cause != causeHedge || second.StartedAfterUs != 100_000 || second.DurationUs != 50_000 || first.DurationUs != 150_000 ||
		first.Usage.Output != 50 || first.GetCostNanoUsd() == 0 || ended.OverheadUs != 0 || ended.TimeToFirstTokenUs != 150_000 || second.TimeToFirstTokenUs != 50_000 {
		t.Errorf("recorded %v", ended)
	}
	for name, want := range map[string]float64{"weir_agent_hedges_total": 1, "weir_agent_hedges_won_total": 1, "weir_agent_hedges_over_budget_total": 0} {
		if got := counted(t, h, name); got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
}

// TestAHedgeIsKnownToTheSpoolBeforeItIsMade: a kill between leaves both attempts at the most
// that they can have used.
func TestAHedgeIsKnownToTheSpoolBeforeItIsMade(t *testing.T) {
	h, s := hedging(t, hedgedRoute(nil, 2))
	synctest.Test(t, func(t *testing.T) {
		s.learn(t, h, "", enoughTimes)
		s.acts["gpt-4o"], s.acts["odd-model"] = []act{speaks(time.Hour)}, []act{speaks(50 * ms)}
		s.asked = func(model string) {
			if model != "odd-model" {
				return
			}
			h.recorder.mu.Lock()
			defer h.recorder.mu.Unlock()
			kept := h.recorder.again[0]
			if diff := cmp.Diff([]attemptOf{{"gpt-4o", torn, estimated}, {"odd-model", torn, estimated}}, attemptsOf(kept)); diff != "" || kept.Outcome != torn {
				t.Error(diff)
			}
		}
		h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(t.Context(), ""))
	})
	h.wantAttempts(enoughTimes+1, []attemptOf{{"gpt-4o", overtaken, estimated}, {"odd-model", answered, reported}})
}

// TestAHedgeThatIsNotKept is not made; the first attempt goes on.
func TestAHedgeThatIsNotKept(t *testing.T) {
	h, s := hedging(t, hedgedRoute(nil, 2))
	synctest.Test(t, func(t *testing.T) {
		s.learn(t, h, "", enoughTimes)
		s.acts["gpt-4o"] = []act{speaks(300 * ms)}
		s.asked = func(string) {
			h.recorder.mu.Lock()
			defer h.recorder.mu.Unlock()
			h.recorder.err = errFull
		}
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, toRouted(t.Context(), ""))
		if w.Code != 200 || len(s.seen()) != 1 {
			t.Errorf("%d %s after %v", w.Code, textOf(w), s.seen())
		}
		wantHeaders(t, w.Result(), "1", "mock/gpt-4o")
	})
	h.wantAttempts(enoughTimes+1, []attemptOf{{"gpt-4o", answered, reported}})
	if counted(t, h, "weir_agent_spool_refusals_total") != 1 {
		t.Error("the spool's refusal is not counted")
	}
}

// TestHedgesNeedToKnowTheTarget, and are a share of its requests.
func TestHedgesNeedToKnowTheTarget(t *testing.T) {
	for name, test := range map[string]struct {
		times, slow, hedges int
		over                float64
	}{
		"too_few_times": {enoughTimes - 1, 1, 0, 0},
		"a_share":       {enoughTimes, 10, 3, 7}, // a tenth of 30
	} {
		t.Run(name, func(t *testing.T) {
			h, s := hedging(t, hedgedRoute(nil, 2))
			synctest.Test(t, func(t *testing.T) {
				s.learn(t, h, "", test.times)
				s.acts["gpt-4o"], s.acts["odd-model"] = []act{speaks(time.Hour)}, []act{speaks(time.Hour)}
				for range test.slow {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(ctx, ""))
					cancel()
				}
				if got := len(timesOf(s.seen(), "odd-model")); got != test.hedges {
					t.Errorf("%d hedges", got)
				}
			})
			if got := counted(t, h, "weir_agent_hedges_over_budget_total"); got != test.over {
				t.Errorf("%v over the budget", got)
			}
		})
	}
}

// TestACallerThatLeavesARace: both upstreams are let go at once, and both are recorded.
func TestACallerThatLeavesARace(t *testing.T) {
	for name, test := range map[string]struct {
		leaves time.Duration
		want   []attemptOf
	}{
		"both_run":         {150 * ms, []attemptOf{{"gpt-4o", closed, estimated}, {"odd-model", closed, estimated}}},
		"before_the_hedge": {50 * ms, []attemptOf{{"gpt-4o", closed, estimated}}},
		"as_it_begins":     {100 * ms, nil},
	} {
		for form, stream := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				h, s := hedging(t, hedgedRoute(nil, 2))
				synctest.Test(t, func(t *testing.T) {
					s.learn(t, h, stream, enoughTimes)
					s.acts["gpt-4o"], s.acts["odd-model"] = []act{speaks(time.Hour)}, []act{speaks(time.Hour)}
					ctx, cancel := context.WithTimeout(t.Context(), test.leaves)
					defer cancel()
					h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(ctx, stream))
					if time.Since(s.begun) != test.leaves {
						t.Errorf("it took %v", time.Since(s.begun))
					}
					synctest.Wait()
				})
				for _, c := range s.seen() {
					if c.left != test.leaves {
						t.Errorf("%s was let go after %v", c.model, c.left)
					}
				}
				if test.want != nil {
					h.wantAttempts(enoughTimes+1, test.want)
				}
				if ended := h.recorder.ended[enoughTimes+1]; ended == nil || ended.Outcome != closed {
					t.Errorf("recorded %v", ended)
				}
			})
		}
	}
}

// TestTheSameInstant: whoever decides, the caller has one whole answer, and the records agree
// with it.
func TestTheSameInstant(t *testing.T) {
	for form, stream := range forms {
		for name, acts := range map[string][2]act{
			"both_speak":   {speaks(200 * ms), speaks(100 * ms)},
			"one_fails":    {fails(200*ms, 503), speaks(100 * ms)},
			"other_fails":  {speaks(200 * ms), fails(100*ms, 500)},
			"both_fail":    {fails(200*ms, 503), fails(100*ms, 500)},
			"at_the_hedge": {speaks(100 * ms), speaks(0)},
			"fails_at_it":  {fails(100*ms, 503), speaks(0)},
			"one_breaks":   {breaks(200 * ms), speaks(100 * ms)},
		} {
			t.Run(name+"/"+form, func(t *testing.T) {
				h, s := hedging(t, hedgedRoute(nil, 2))
				for round := range 30 {
					h.recorder.ended = map[uint64]*usagev1.UsageRecord{}
					synctest.Test(t, func(t *testing.T) {
						s.learn(t, h, stream, enoughTimes)
						s.acts["gpt-4o"], s.acts["odd-model"] = []act{acts[0]}, []act{acts[1]}
						w := httptest.NewRecorder()
						h.handler.ServeHTTP(w, toRouted(t.Context(), stream))
						text := textOf(w)
						ended := h.recorder.ended[uint64((round+1)*(enoughTimes+1))]
						good := 0
						for _, a := range ended.Attempts {
							switch a.Outcome {
							case answered:
								good++
								if !strings.Contains(text, `"content":"`+a.Model+`"`) || w.Code != 200 {
									t.Errorf("%s won, and the caller got %d %s", a.Model, w.Code, text)
								}
							case torn, closed:
								t.Errorf("recorded %v", ended)
							}
						}
						if want := map[bool]int{true: 0, false: 1}[name == "both_fail"]; good != want || (ended.Outcome == answered) != (want == 1) {
							t.Errorf("recorded %v", ended)
						}
						if strings.Count(text, `"finish_reason":"stop"`) > 1 {
							t.Errorf("the caller got %s", text)
						}
					})
				}
			})
		}
	}
}
