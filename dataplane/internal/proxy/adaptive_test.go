package proxy_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	byLatency = policyv1.Strategy_STRATEGY_LATENCY
	bySticky  = policyv1.Strategy_STRATEGY_STICKY
	byPrice   = policyv1.Strategy_STRATEGY_CHEAPEST
)

// skewed is a clock that tests set forward.
type skewed struct{ by atomic.Int64 }

func (s *skewed) now() time.Time           { return time.Now().Add(time.Duration(s.by.Load())) }
func (s *skewed) use(c *proxy.Config)      { c.Now = s.now }
func (s *skewed) forward(by time.Duration) { s.by.Add(int64(by)) }
func models(names ...string) (all []*policyv1.Target) {
	for _, name := range names {
		all = append(all, to("mock", name, 0))
	}
	return all
}

// served sends a request and tells which target answered.
func (h *harness) served(body string, headers ...string) string {
	h.t.Helper()
	response, text := h.post(goodKey, body, headers...)
	<-h.done
	if response.StatusCode != 200 {
		h.t.Fatalf("%d %s", response.StatusCode, text)
	}
	return response.Header.Get("X-Weir-Target")
}

// last is the record of the request that ended last.
func (h *harness) last() *usagev1.UsageRecord {
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	if len(h.recorder.ended) == 0 {
		return nil
	}
	return h.recorder.ended[uint64(len(h.recorder.started))]
}

// gauge is the value of a metric of a target of the mock; -1: there is none.
func gauge(t *testing.T, h *harness, name, model string) float64 {
	t.Helper()
	return gaugeAt(t, h, name, "mock", model)
}

func gaugeAt(t *testing.T, h *harness, name, provider, model string) float64 {
	t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.Metric {
			labels := map[string]string{}
			for _, label := range metric.Label {
				labels[label.GetName()] = label.GetValue()
			}
			if family.GetName() == name && labels["provider"] == provider && labels["model"] == model {
				return metric.Gauge.GetValue()
			}
		}
	}
	return -1
}

// sender keeps some requests under way and tells of the latest where they went.
type sender struct {
	mu     sync.Mutex
	recent []string
}

const recently = 60

// until sends requests until the share of a target among the latest is as wanted.
func (s *sender) until(t *testing.T, h *harness, what, target string, wanted func(share float64) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	s.recent = nil
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				response, _, err := h.send(ctx, goodKey, toRoute("routed", `,"stream":true`))
				if err != nil && ctx.Err() != nil {
					return // it may not have reached the agent
				}
				if err == nil && s.note(response, target, wanted) {
					stop()
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	for open := true; open; { // a request that was given up may never have come
		select {
		case <-h.done:
		case <-ended:
			open = false
		}
	}
	if share := s.share(target); !wanted(share) {
		t.Errorf("%s: %.2f of the latest requests went to %s", what, share, target)
	}
}

func (s *sender) note(response *http.Response, target string, wanted func(float64) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent = append(s.recent, response.Header.Get("X-Weir-Target"))
	return len(s.recent) >= recently && wanted(s.share(target))
}

func (s *sender) share(target string) float64 {
	latest := s.recent[max(0, len(s.recent)-recently):]
	count := 0
	for _, name := range latest {
		if name == target {
			count++
		}
	}
	return float64(count) / float64(max(1, len(latest)))
}

// TestLatencyIsFollowed: a target that turns slow loses its share, and has it back once it is
// well. The clock runs ten times as fast as the world, so that looking again is soon.
func TestLatencyIsFollowed(t *testing.T) {
	begun := time.Now()
	h := newHarness(t, func(c *proxy.Config) {
		c.Now = func() time.Time { return begun.Add(10 * time.Since(begun)) }
	})
	h.routed(&policyv1.Route{Strategy: byLatency, Targets: models("a", "b", "c")})
	delay := func(each map[string]time.Duration) {
		h.mock.Reset()
		for model, delay := range each {
			h.mock.Script(llmtest.Fault{Model: model, Delay: delay, Times: 1_000_000})
		}
	}
	const well, slow = 40 * time.Millisecond, 800 * time.Millisecond
	var s sender
	delay(map[string]time.Duration{"a": well, "b": well, "c": well})
	s.until(t, h, "well", "mock/a", func(share float64) bool { return share > 0.2 })
	delay(map[string]time.Duration{"a": slow, "b": well, "c": well})
	s.until(t, h, "slow", "mock/a", func(share float64) bool { return share < 0.033 })
	if first := gauge(t, h, "weir_agent_target_time_to_first_token_seconds", "b"); first < 0.4 { // by a clock that is ten times as fast
		t.Errorf("%v s are expected of a target that takes 0.4 s", first)
	}
	delay(map[string]time.Duration{"a": well, "b": well, "c": well})
	s.until(t, h, "well again", "mock/a", func(share float64) bool { return share > 0.2 })
}

// TestBreaker: it opens, lets one request see whether the target is well, and closes; records
// and metrics say so.
func TestBreaker(t *testing.T) {
	var clock skewed
	h := newHarness(t, clock.use)
	h.routed(&policyv1.Route{Strategy: priority, Targets: models("a", "b")})
	const state = "weir_agent_target_state"
	stands := func(want float64) {
		t.Helper()
		if got := gauge(t, h, state, "a"); got != want {
			t.Errorf("its state is %v, want %v", got, want)
		}
	}
	verdicts := func(want ...usagev1.Verdict) {
		t.Helper()
		var got []usagev1.Verdict
		for _, c := range h.last().Candidates {
			got = append(got, c.Verdict)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	stands(-1)
	h.mock.Script(llmtest.Fault{Model: "a", Kind: llmtest.Status, Status: 503, Times: 6})
	for range 5 {
		h.served(toRoute("routed", ""))
		if causes := causesOf(h.last()); !slices.Equal(causes, []usagev1.Cause{usagev1.Cause_CAUSE_FIRST, usagev1.Cause_CAUSE_FALLBACK}) {
			t.Errorf("attempts for %v", causes)
		}
	}
	stands(2)
	if target := h.served(toRoute("routed", "")); target != "mock/b" || len(h.last().Attempts) != 1 {
		t.Errorf("went to %s with %v", target, h.last())
	}
	verdicts(usagev1.Verdict_VERDICT_BREAKER_OPEN, usagev1.Verdict_VERDICT_CHOSEN)
	clock.forward(3 * time.Second)
	stands(1)
	h.served(toRoute("routed", "")) // finds it ill still
	verdicts(usagev1.Verdict_VERDICT_CHOSEN, usagev1.Verdict_VERDICT_STANDBY)
	stands(2)
	clock.forward(5 * time.Second)
	h.mock.Script(llmtest.Fault{Model: "a", Kind: llmtest.Stall})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _, _ = h.send(ctx, goodKey, toRoute("routed", ""))
	}()
	eventually(t, "the probe is under way", func() bool { return gauge(t, h, "weir_agent_target_requests_in_flight", "a") == 1 })
	h.served(toRoute("routed", ""))
	verdicts(usagev1.Verdict_VERDICT_BREAKER_PROBED, usagev1.Verdict_VERDICT_CHOSEN)
	leave()
	<-left
	<-h.done
	if target := h.served(toRoute("routed", "")); target != "mock/a" {
		t.Errorf("the probe that was left goes to %s", target)
	}
	stands(0)
	if under := gauge(t, h, "weir_agent_target_requests_in_flight", "a"); under != 0 {
		t.Errorf("%v under way", under)
	}
}

// eventually waits for what comes with no signal.
func causesOf(record *usagev1.UsageRecord) (causes []usagev1.Cause) {
	for _, a := range record.Attempts {
		causes = append(causes, a.Cause)
	}
	return causes
}

// TestLastResortIsServed: where every target is open, one is asked all the same.
func TestLastResortIsServed(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: single, Targets: models("a")})
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: time.Minute})
	if response, _ := h.post(goodKey, toRoute("routed", "")); response.StatusCode != 429 {
		t.Errorf("%d", response.StatusCode)
	}
	<-h.done
	if got := gauge(t, h, "weir_agent_target_state", "a"); got != 2 {
		t.Errorf("its state is %v", got)
	}
	h.served(toRoute("routed", ""))
	if got := gauge(t, h, "weir_agent_target_state", "a"); got != 0 {
		t.Errorf("its state is %v", got)
	}
}

// TestCheapestIsAsked: by the price book's prices of the request; an unpriced model comes last.
func TestCheapestIsAsked(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: byPrice, Targets: models("odd-model", "gpt-4o", "dear-model")})
	for range 10 {
		if target := h.served(toRoute("routed", `,"max_tokens":50`)); target != "mock/dear-model" {
			t.Errorf("went to %s", target)
		}
	}
	h.mock.Script(llmtest.Fault{Model: "dear-model", Kind: llmtest.Status, Status: 500}, llmtest.Fault{Model: "gpt-4o", Kind: llmtest.Status, Status: 500})
	if target := h.served(toRoute("routed", `,"max_tokens":50`)); target != "mock/odd-model" || h.last().Attempts[1].Model != "gpt-4o" {
		t.Errorf("fell back to %s", target)
	}
}

func TestRepeatsAreRecordedAsSuch(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: single, Targets: models("a"), Retry: &policyv1.Retry{MaxAttempts: 2, BackoffMs: 1}})
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 500})
	h.served(toRoute("routed", ""))
	if causes := causesOf(h.last()); !slices.Equal(causes, []usagev1.Cause{usagev1.Cause_CAUSE_FIRST, usagev1.Cause_CAUSE_RETRY}) {
		t.Errorf("attempts for %v", causes)
	}
}

// TestCanaryShare: all of its requests here; where it fails the others answer.
func TestCanaryShare(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: single, Targets: models("a"), Canary: &policyv1.Share{Target: to("mock", "z", 0), PerMille: 1000}})
	if target := h.served(toRoute("routed", "")); target != "mock/z" {
		t.Errorf("went to %s", target)
	}
	h.mock.Script(llmtest.Fault{Model: "z", Kind: llmtest.Status, Status: 500})
	if target := h.served(toRoute("routed", "")); target != "mock/a" {
		t.Errorf("fell back to %s", target)
	}
	if causes := causesOf(h.last()); !slices.Equal(causes, []usagev1.Cause{usagev1.Cause_CAUSE_CANARY, usagev1.Cause_CAUSE_FALLBACK}) {
		t.Errorf("attempts for %v", causes)
	}
	want := []*usagev1.Candidate{{Provider: "mock", Model: "a", Verdict: usagev1.Verdict_VERDICT_STANDBY},
		{Provider: "mock", Model: "z", Verdict: usagev1.Verdict_VERDICT_CHOSEN}}
	if diff := cmp.Diff(want, h.last().Candidates, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}
