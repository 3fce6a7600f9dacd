package proxy_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// TestEveryAttemptIsInTheSpoolsTime: not the first one's alone.
func TestEveryAttemptIsInTheSpoolsTime(t *testing.T) {
	for name, first := range map[string]act{"a_fallback": fails(0, 503), "a_hedge": speaks(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			h, s := hedging(t, hedgedRoute(nil, 2), func(c *proxy.Config) {
				c.Recorder = teller{c.Recorder.(*fakeRecorder), func() { time.Sleep(time.Second) }}
			})
			synctest.Test(t, func(t *testing.T) {
				s.learn(t, h, "", enoughTimes)
				s.acts["gpt-4o"], s.acts["odd-model"] = []act{first}, []act{speaks(10 * ms)}
				h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(t.Context(), ""))
			})
			if spent := h.series()["weir_agent_stage_seconds{stage=spool}"].GetHistogram().GetSampleSum(); spent < 1 {
				t.Errorf("%v s", spent)
			}
		})
	}
}

// TestCopiesAreNoOpenStreams: they are passed on to nobody.
func TestCopiesAreNoOpenStreams(t *testing.T) {
	h, s := hedging(t, &policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)},
		Shadow: &policyv1.Share{Target: toDear, PerMille: 1000}})
	synctest.Test(t, func(t *testing.T) {
		s.acts["gpt-4o"], s.acts["dear-model"] = []act{speaks(0)}, []act{speaksOn(0, time.Second)}
		h.handler.ServeHTTP(httptest.NewRecorder(), toRouted(t.Context(), `,"stream":true`))
		time.Sleep(100 * ms)
		if asked := len(timesOf(s.seen(), "dear-model")); asked != 1 {
			t.Errorf("%d copies are under way", asked)
		}
		if open := h.series()["weir_agent_streams_open{}"].GetGauge().GetValue(); open != 0 {
			t.Errorf("%v streams are open", open)
		}
		h.handler.Stop(t.Context())
	})
}

// TestARequestThatNeverWentHasNoOverhead: it is in no mean of those that did.
func TestARequestThatNeverWentHasNoOverhead(t *testing.T) {
	h := newHarness(t)
	h.recorder.err = errors.Join(errFull)
	if response, text := h.post(goodKey, question+`}`); response.StatusCode != 503 {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	<-h.done
	if n := h.series()["weir_agent_overhead_seconds{surface=chat}"].GetHistogram().GetSampleCount(); n != 0 {
		t.Errorf("%d counted", n)
	}
}
