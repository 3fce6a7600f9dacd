package proxy_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	single   = policyv1.Strategy_STRATEGY_SINGLE
	weighted = policyv1.Strategy_STRATEGY_WEIGHTED
	priority = policyv1.Strategy_STRATEGY_PRIORITY

	rateLimited = policyv1.Failure_FAILURE_RATE_LIMITED
	credential  = policyv1.Failure_FAILURE_CREDENTIAL

	upstreamError = usagev1.Outcome_OUTCOME_UPSTREAM_ERROR
	unreachable   = usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE
	broke         = usagev1.Outcome_OUTCOME_UPSTREAM_BROKE
)

// everyFailure is what routes of these tests go on after.
var everyFailure = []policyv1.Failure{1, 2, 3, 4, 5, 6}

func to(provider, model string, weight int32) *policyv1.Target {
	return &policyv1.Target{ProviderId: provider, Model: model, Weight: weight}
}

// routed gives the policy a route "routed".
func (h *harness) routed(route *policyv1.Route) {
	h.t.Helper()
	route = proto.CloneOf(route)
	route.Id, route.Name = "r-routed", "routed"
	h.extra = []*policyv1.Resource{resource(h.t, "route", route.Id, route)}
	h.holder.Store(h.policy(h.upstream.URL))
}

// asked are the models that the upstream was asked for.
func (h *harness) asked() (models []string) {
	for _, request := range h.mock.Requests() {
		var body struct{ Model string }
		if err := json.Unmarshal(request.Body, &body); err != nil {
			h.t.Error(err)
		}
		models = append(models, body.Model)
	}
	return models
}

func wantHeaders(t *testing.T, response *http.Response, attempts, target string) {
	t.Helper()
	got := [2]string{response.Header.Get("X-Weir-Attempts"), response.Header.Get("X-Weir-Target")}
	if got != [2]string{attempts, target} {
		t.Errorf("attempts and target %q", got)
	}
}

// failure is one that another attempt mends, and how the first one is recorded.
type failure struct {
	fault   llmtest.Fault
	stream  bool
	outcome usagev1.Outcome
	status  int32
	source  usagev1.UsageSource
}

var failures = map[string]failure{
	"rate_limited":         {llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: time.Second}, false, upstreamError, 429, none},
	"overloaded":           {llmtest.Fault{Kind: llmtest.Status, Status: 503}, false, upstreamError, 503, none},
	"overloaded_529":       {llmtest.Fault{Kind: llmtest.Status, Status: 529}, true, upstreamError, 529, none},
	"internal":             {llmtest.Fault{Kind: llmtest.Status, Status: 500}, true, upstreamError, 500, none},
	"bad_gateway":          {llmtest.Fault{Kind: llmtest.Status, Status: 502}, false, upstreamError, 502, estimated},
	"gateway_timeout":      {llmtest.Fault{Kind: llmtest.Status, Status: 504}, true, upstreamError, 504, estimated},
	"silence":              {llmtest.Fault{Delay: time.Hour}, false, unreachable, 0, estimated},
	"error_in_200":         {llmtest.Fault{Kind: llmtest.ErrorBody}, false, upstreamError, 200, estimated},
	"answer_cut":           {llmtest.Fault{Kind: llmtest.Cut}, false, broke, 200, estimated},
	"stream_cut_at_once":   {llmtest.Fault{Kind: llmtest.Cut}, true, broke, 200, estimated},
	"stream_cut_at_token":  {llmtest.Fault{Kind: llmtest.Cut, After: 1}, true, broke, 200, estimated},
	"stream_stalls":        {llmtest.Fault{Kind: llmtest.Stall, After: 1}, true, broke, 200, estimated},
	"error_event_at_first": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 1}, true, upstreamError, 200, estimated},
	"credential_rejected":  {llmtest.Fault{Kind: llmtest.Status, Status: 401}, false, upstreamError, 401, none},
	"forbidden":            {llmtest.Fault{Kind: llmtest.Status, Status: 403}, false, upstreamError, 403, none},
}

var strategies = map[string]*policyv1.Route{
	"priority": {Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)},
		Retry: &policyv1.Retry{On: everyFailure}},
	"weighted": {Strategy: weighted, Targets: []*policyv1.Target{to("mock", "gpt-4o", 1), to("mock", "odd-model", 1000)},
		Retry: &policyv1.Retry{MaxAttempts: 2, On: everyFailure}},
	"single": {Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)},
		Retry: &policyv1.Retry{MaxAttempts: 2, BackoffMs: 1, On: everyFailure}},
}

func drawsNothing(c *proxy.Config) {
	c.Draw = func(int64) int64 { return 0 }
	c.FirstByteTimeout, c.IdleTimeout = time.Second, time.Second
}

// TestFailuresBeforeTheFirstByte: whatever fails before the caller has a byte, another
// attempt gives it one whole answer, and both are recorded.
func TestFailuresBeforeTheFirstByte(t *testing.T) {
	for strategy, route := range strategies {
		for name, failure := range failures {
			t.Run(strategy+"/"+name, func(t *testing.T) {
				h := newHarness(t, drawsNothing)
				h.routed(route)
				h.mock.Script(failure.fault)
				if route.Strategy == single && (failure.status == 401 || failure.status == 403) {
					wantNoRepeat(t, h)
					return
				}
				wantMended(t, h, failure, route)
			})
		}
	}
}

func wantMended(t *testing.T, h *harness, f failure, route *policyv1.Route) {
	t.Helper()
	body := toRoute("routed", `,"max_tokens":50`)
	if f.stream {
		body = toRoute("routed", `,"max_tokens":50,"stream":true`)
	}
	last := route.Targets[len(route.Targets)-1].Model
	response, text := h.post(goodKey, body)
	if response.StatusCode != 200 || strings.Contains(text, `"error"`) || f.stream != strings.HasSuffix(text, "data: [DONE]\n\n") ||
		f.stream && strings.Count(text, `"role":"assistant"`) != 1 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	wantHeaders(t, response, "2", "mock/"+last)
	if diff := gocmp.Diff([]string{"gpt-4o", last}, h.asked()); diff != "" {
		t.Error(diff)
	}
	_, ended := h.record()
	failed, good := ended.Attempts[0], ended.Attempts[1]
	if failed.Outcome != f.outcome || failed.Status != f.status || failed.UsageSource != f.source || (f.source == none) != (failed.GetCostNanoUsd() == 0) {
		t.Errorf("the first attempt is recorded as %v", failed)
	}
	if ended.Outcome != usagev1.Outcome_OUTCOME_OK || ended.Status != 200 || good.UsageSource != reported || good.Model != last || good.StartedAfterUs < failed.DurationUs {
		t.Errorf("recorded %v", ended)
	}
	wantKeptAgain(t, h, failed)
}

// wantKeptAgain holds what a kill inside of the second attempt would leave: the first
// one as it ended, the second at its most.
func wantKeptAgain(t *testing.T, h *harness, failed *usagev1.Attempt) {
	t.Helper()
	kept := h.recorder.again[0]
	if len(kept.Attempts) != 2 || kept.Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED {
		t.Fatalf("kept %v", kept)
	}
	first, second := kept.Attempts[0], kept.Attempts[1]
	if first.Outcome != failed.Outcome || first.UsageSource != failed.UsageSource ||
		second.Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || second.UsageSource != estimated || second.Usage.Output != 50 {
		t.Errorf("kept %v", kept)
	}
}

// wantNoRepeat: the credential is the same for a second attempt.
func wantNoRepeat(t *testing.T, h *harness) {
	t.Helper()
	response, text := h.post(goodKey, toRoute("routed", ""))
	if response.StatusCode == 200 || len(h.asked()) != 1 {
		t.Errorf("%d %s after %v", response.StatusCode, text, h.asked())
	}
}

// TestFailuresAfterTheFirstByte: the caller has a part of the answer, so that no other
// one may follow.
func TestFailuresAfterTheFirstByte(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"cut":         {Kind: llmtest.Cut, After: 2},
		"silence":     {Kind: llmtest.Stall, After: 2},
		"error_event": {Kind: llmtest.ErrorEvent, After: 2},
	} {
		for strategy, route := range strategies {
			t.Run(strategy+"/"+name, func(t *testing.T) {
				h := newHarness(t, drawsNothing)
				h.routed(route)
				h.mock.Script(fault)
				response, text := h.post(goodKey, toRoute("routed", `,"stream":true`))
				if response.StatusCode != 200 || strings.Count(text, `"error"`) != 1 || strings.Count(text, `"role":"assistant"`) != 1 {
					t.Errorf("%d %s", response.StatusCode, text)
				}
				wantHeaders(t, response, "1", "mock/gpt-4o")
				if _, ended := h.record(); len(ended.Attempts) != 1 || len(h.asked()) != 1 {
					t.Errorf("asked for %v, recorded %v", h.asked(), ended)
				}
			})
		}
	}
}

// TestAllFail: the caller gets what the last target said, or the agent's own error
// about it.
func TestAllFail(t *testing.T) {
	for name, test := range map[string]struct {
		targets  []*policyv1.Target
		faults   []llmtest.Fault
		stream   string
		status   int
		text     string
		attempts string
		target   string
	}{
		"the_last_ones_own_error": {
			[]*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd/модель", 0)},
			[]llmtest.Fault{{Kind: llmtest.Status, Status: 500}, {Kind: llmtest.Status, Status: 429, RetryAfter: 7 * time.Second}},
			"", 429, `"error":{"message"`, "2", "mock/odd/%D0%BC%D0%BE%D0%B4%D0%B5%D0%BB%D1%8C",
		},
		"unreachable": {[]*policyv1.Target{to("mock", "gpt-4o", 0), to("dead", "gpt-4o", 0)},
			[]llmtest.Fault{{Kind: llmtest.Status, Status: 500}}, "", 502, `"code":"upstream_unreachable"`, "2", "dead/gpt-4o"},
		"silent": {[]*policyv1.Target{to("dead", "gpt-4o", 0), to("mock", "gpt-4o", 0)},
			[]llmtest.Fault{{Delay: time.Hour}}, "", 504, `"code":"upstream_timeout"`, "2", "mock/gpt-4o"},
		"what_no_other_can_mend": {[]*policyv1.Target{to("mock", "gpt-4o", 0), to("dead", "gpt-4o", 0)},
			[]llmtest.Fault{{Kind: llmtest.Status, Status: 400}}, "", 400, `"error":{"message"`, "1", "mock/gpt-4o"},
		"streams_without_content": {[]*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)},
			[]llmtest.Fault{{Kind: llmtest.Cut}, {Kind: llmtest.Cut}}, `,"stream":true`, 200, `"code":"upstream_broke"`, "2", "mock/odd-model"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, drawsNothing)
			h.routed(&policyv1.Route{Strategy: priority, Targets: test.targets})
			h.mock.Script(test.faults...)
			response, text := h.post(goodKey, toRoute("routed", test.stream))
			if response.StatusCode != test.status || !strings.Contains(text, test.text) {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			wantHeaders(t, response, test.attempts, test.target)
			_, ended := h.record()
			if ended.Status != int32(test.status) || ended.Outcome != ended.Attempts[len(ended.Attempts)-1].Outcome {
				t.Errorf("recorded %v", ended)
			}
			if test.status == 429 && response.Header.Get("Retry-After") != "7" {
				t.Errorf("header %v", response.Header)
			}
		})
	}
}

// TestTargetsThatCanNotBeUsedHere are passed over: no attempt, nothing recorded.
func TestTargetsThatCanNotBeUsedHere(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("bare", "gpt-4o", 0), to("elsewhere", "gpt-4o", 0), to("mock", "gpt-4o", 0)}})
	response, text := h.post(goodKey, toRoute("routed", ""))
	if response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	wantHeaders(t, response, "1", "mock/gpt-4o")
	if _, ended := h.record(); len(ended.Attempts) != 1 {
		t.Errorf("recorded %v", ended)
	}
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("bare", "gpt-4o", 0), to("elsewhere", "gpt-4o", 0)}})
	refused, text := h.post(goodKey, toRoute("routed", ""))
	wantError(t, refused, text, 503, "provider_not_allowed")
	wantHeaders(t, refused, "", "")
}

// TestFailuresThatTheRouteDoesNotName end the request.
func TestFailuresThatTheRouteDoesNotName(t *testing.T) {
	for name, test := range map[string]struct {
		on     []policyv1.Failure
		status int
	}{
		"not_chosen":               {[]policyv1.Failure{rateLimited, credential}, 500},
		"credential_by_itself":     {nil, 403},
		"a_credential_is_rejected": {nil, 401},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}, Retry: &policyv1.Retry{On: test.on}})
			h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: test.status})
			response, text := h.post(goodKey, toRoute("routed", ""))
			want := cmp.Or(map[int]int{401: 503}[test.status], test.status) // our credential, not the caller's
			if response.StatusCode != want || len(h.asked()) != 1 {
				t.Errorf("%d %s after %v", response.StatusCode, text, h.asked())
			}
		})
	}
}

// TestAnAttemptThatIsNotKept is not made.
func TestAnAttemptThatIsNotKept(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 500, Delay: 50 * time.Millisecond})
	go func() {
		for len(h.mock.Requests()) == 0 {
			time.Sleep(time.Millisecond)
		}
		h.recorder.mu.Lock()
		defer h.recorder.mu.Unlock()
		h.recorder.err = errFull
	}()
	response, text := h.post(goodKey, toRoute("routed", ""))
	wantError(t, response, text, 503, "spool_full")
	wantHeaders(t, response, "1", "mock/gpt-4o")
	_, ended := h.record()
	if len(ended.Attempts) != 1 || ended.Attempts[0].Outcome != upstreamError || ended.Outcome != usagev1.Outcome_OUTCOME_REFUSED || len(h.asked()) != 1 {
		t.Errorf("asked for %v, recorded %v", h.asked(), ended)
	}
}
