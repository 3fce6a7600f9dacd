package proxy_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// TestAHedgeThatHasNoTarget takes nothing from the repeats of the first target, nor its turn.
func TestAHedgeThatHasNoTarget(t *testing.T) {
	limited := func(*call) (*http.Response, error) { return said(429, `{"error":{}}`, "Retry-After", "600"), nil }
	for name, when := range map[string]string{"its_breaker_is_open": "", "its_condition_is_false": "tokens < 0"} {
		t.Run(name, func(t *testing.T) {
			route := hedgedRoute(&policyv1.Retry{MaxAttempts: 3}, 2)
			route.Targets[1].When = when
			h, s := hedging(t, route)
			synctest.Test(t, func(t *testing.T) {
				s.learn(t, h, "", enoughTimes)
				s.acts["gpt-4o"], s.acts["odd-model"] = []act{fails(0, 503), speaks(10 * ms)}, []act{limited}
				h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(t.Context(), ""))
				s.acts["gpt-4o"] = []act{speaks(time.Hour)}
				for range 40 {
					ctx, cancel := context.WithTimeout(t.Context(), 150*ms)
					h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(ctx, ""))
					cancel()
				}
				s.acts["gpt-4o"] = []act{fails(110*ms, 503), speaks(10 * ms)}
				w := httptest.NewRecorder()
				h.handler.ServeHTTP(w, toRouted(t.Context(), ""))
				if w.Code != 200 {
					t.Errorf("not tried again: %d %s", w.Code, w.Body)
				}
			})
			for _, name := range []string{"weir_agent_retries_over_budget_total", "weir_agent_hedges_total", "weir_agent_hedges_over_budget_total"} {
				if got := counted(t, h, name); got != 0 {
					t.Errorf("%s is %v", name, got)
				}
			}
		})
	}
}

// TestAHedgeIsNoLastResort: where all breakers are open one request is enough for them.
func TestAHedgeIsNoLastResort(t *testing.T) {
	limited := func(*call) (*http.Response, error) { return said(429, `{"error":{}}`, "Retry-After", "600"), nil }
	h, s := hedging(t, hedgedRoute(nil, 2))
	synctest.Test(t, func(t *testing.T) {
		s.learn(t, h, "", enoughTimes)
		s.acts["gpt-4o"], s.acts["odd-model"] = []act{limited, speaks(200 * ms)}, []act{limited}
		h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(t.Context(), ""))
		s.calls = nil
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, toRouted(t.Context(), ""))
		if w.Code != 200 || len(s.seen()) != 1 || s.seen()[0].model != "gpt-4o" {
			t.Errorf("%d after %v", w.Code, s.seen())
		}
	})
}

// TestAFaultBesideARequest ends what it is in, and no other request.
func TestAFaultBesideARequest(t *testing.T) {
	faulty := func(c *call) (*http.Response, error) {
		_ = c.sleep(50 * ms)
		panic("canary of a body")
	}
	for name, test := range map[string]struct {
		first  act
		status int
		text   string
		want   []attemptOf
	}{
		"the_first_goes_on":    {speaks(200 * ms), 200, "gpt-4o", []attemptOf{{"gpt-4o", answered, reported}, {"odd-model", torn, estimated}}},
		"the_first_failed":     {fails(120*ms, 503), 500, "agent_fault", []attemptOf{{"gpt-4o", upstreamError, none}, {"odd-model", torn, estimated}}},
		"the_first_was_faster": {speaks(120 * ms), 200, "gpt-4o", []attemptOf{{"gpt-4o", answered, reported}, {"odd-model", overtaken, estimated}}},
	} {
		for form, stream := range forms {
			t.Run(name+"/"+form, func(t *testing.T) {
				h, s := hedging(t, hedgedRoute(nil, 2))
				synctest.Test(t, func(t *testing.T) {
					s.learn(t, h, stream, enoughTimes)
					s.acts["gpt-4o"], s.acts["odd-model"] = []act{test.first}, []act{faulty}
					w := httptest.NewRecorder()
					h.handler.ServeHTTP(w, toRouted(t.Context(), stream))
					if w.Code != test.status || !strings.Contains(w.Body.String(), test.text) {
						t.Errorf("%d %s", w.Code, w.Body)
					}
				})
				h.wantAttempts(enoughTimes+1, test.want)
				if log := h.log.String(); strings.Contains(log, "canary of a body") || !strings.Contains(log, "panicked beside a request") {
					t.Errorf("logged %s", log)
				}
			})
		}
	}
}

// TestAFaultInTheFirst lets the attempt beside it go before net/http takes the caller away.
func TestAFaultInTheFirst(t *testing.T) {
	h, s := hedging(t, hedgedRoute(nil, 2))
	synctest.Test(t, func(t *testing.T) {
		s.learn(t, h, "", enoughTimes)
		s.acts["gpt-4o"], s.acts["odd-model"] = []act{func(c *call) (*http.Response, error) {
			_ = c.sleep(120 * ms)
			panic("its own")
		}}, []act{speaks(time.Hour)}
		defer func() {
			if fault := recover(); fault != "its own" || time.Since(s.begun) != 120*ms {
				t.Errorf("panicked with %v after %v", fault, time.Since(s.begun))
			}
			synctest.Wait()
			if times := timesOf(s.seen(), "odd-model"); len(times) != 1 || times[0] != [2]int{100, 120} {
				t.Errorf("the attempt beside it was made and let go at %v", times)
			}
		}()
		h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(t.Context(), ""))
	})
}

// teller is a recorder that tells when another attempt is kept.
type teller struct {
	*fakeRecorder
	kept func()
}

func (r teller) Again(ticket uint64, record *usagev1.UsageRecord) error {
	defer r.kept()
	return r.fakeRecorder.Again(ticket, record)
}

// TestAHedgeHoldsItsBody: the first attempt has content while the one beside it is kept and
// not yet sent. The memory of the body must not serve another request by then.
func TestAHedgeHoldsItsBody(t *testing.T) {
	var late atomic.Bool // who looks at the clock next is the hedge, and waits
	var gate chan struct{}
	h, s := hedging(t, hedgedRoute(nil, 2), func(c *proxy.Config) {
		c.Recorder = teller{c.Recorder.(*fakeRecorder), func() { late.Store(true) }}
		c.Now = func() time.Time {
			if late.CompareAndSwap(true, false) {
				<-gate
			}
			return time.Now()
		}
	})
	synctest.Test(t, func(t *testing.T) {
		gate = make(chan struct{})
		s.learn(t, h, `,"stream":true`, enoughTimes)
		s.acts["gpt-4o"], s.acts["odd-model"] = []act{speaks(150 * ms)}, []act{speaks(0)}
		var holders []int32
		s.sent = func(r *http.Request) { holders = append(holders, proxy.Holders(r.Body)) }
		time.AfterFunc(200*ms, func() { close(gate) })
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, toRouted(t.Context(), `,"stream":true`))
		if len(holders) != 2 || holders[1] < 2 {
			t.Errorf("the bodies of the attempts had %v holders", holders)
		}
		if strings.Count(w.Body.String(), `"content":"gpt-4o"`) != 1 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	h.wantAttempts(enoughTimes+1, []attemptOf{{"gpt-4o", answered, reported}, {"odd-model", overtaken, none}})
}
