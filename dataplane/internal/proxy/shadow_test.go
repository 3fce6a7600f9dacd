package proxy_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// shadowed is a route to gpt-4o, of which a share is copied to a target.
func shadowed(target *policyv1.Target, perMille int32) *policyv1.Route {
	return &policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)},
		Shadow: &policyv1.Share{Target: target, PerMille: perMille}}
}

// toDear is where copies go in most of these tests.
var toDear = to("mock", "dear-model", 0)

// copies waits for the copies under way, and returns the ends of requests and of copies.
func (h *harness) copies() (requests, copies []*usagev1.UsageRecord) {
	h.t.Helper()
	limit, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h.handler.Stop(limit)
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	if len(h.recorder.ended) != len(h.recorder.started) {
		h.t.Errorf("%d started, %d ended", len(h.recorder.started), len(h.recorder.ended))
	}
	for ticket := range h.recorder.started {
		ended := h.recorder.ended[uint64(ticket+1)]
		if ended.GetKind() == usagev1.Kind_KIND_SHADOW {
			copies = append(copies, ended)
		} else {
			requests = append(requests, ended)
		}
	}
	return requests, copies
}

func TestACopyHasARecordOfItsOwn(t *testing.T) {
	for name, rest := range map[string]string{"whole": `,"max_tokens":50`, "stream": `,"max_tokens":50,"stream":true`} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.routed(shadowed(toDear, 1000))
			response, text := h.post(goodKey, toRoute("routed", rest), "X-Weir-User", "u-1", "X-Weir-Metadata", `{"a":"b"}`, "Idempotency-Key", "k", "X-Custom", "c")
			if response.StatusCode != 200 || response.Header.Get("X-Weir-Target") != "mock/gpt-4o" || !strings.Contains(text, "gpt-4o") {
				t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
			}
			requests, copies := h.copies()
			if len(requests) != 1 || len(copies) != 1 {
				t.Fatalf("recorded %v and %v", requests, copies)
			}
			from, got := requests[0], copies[0]
			tokens := h.mock.Ledger().Models["dear-model"].Tokens
			want := &usagev1.UsageRecord{
				Kind: usagev1.Kind_KIND_SHADOW, RequestId: got.RequestId, ParentRequestId: from.RequestId, Surface: from.Surface, Streamed: from.Streamed,
				KeyId: "k-good", ProjectId: "project-1", RouteId: "r-routed", Route: "routed", Outcome: answered, Status: 200,
				PolicyEpoch: 1, PolicyVersion: 7, RevocationVersion: 9, EndUser: hasher.Of("u-1"), Labels: from.Labels,
				Attempts: []*usagev1.Attempt{{ProviderId: "mock", Provider: "mock", Model: "dear-model", Status: 200, Outcome: answered, Cause: usagev1.Cause_CAUSE_SHADOW,
					Usage: &usagev1.TokenUsage{Input: tokens.Input, Output: tokens.Output}, UsageSource: reported, PriceBookVersion: "book-1",
					CostNanoUsd: new(tokens.Input + 5*tokens.Output), ServiceTier: usagev1.ServiceTier_SERVICE_TIER_STANDARD}},
			}
			if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&usagev1.UsageRecord{}, "started_at_us", "duration_us", "time_to_first_token_us", "overhead_us"),
				protocmp.IgnoreFields(&usagev1.Attempt{}, "started_after_us", "duration_us", "time_to_first_token_us", "raw_usage_sha256")); diff != "" {
				t.Error(diff)
			}
			if from.RequestId == got.RequestId || from.RequestId != response.Header.Get("X-Weir-Request-Id") || from.Kind != 0 || from.Attempts[0].Cause == usagev1.Cause_CAUSE_SHADOW || got.StartedAtUs == 0 {
				t.Errorf("the request is recorded as %v", from)
			}
			for _, sent := range h.mock.Requests() {
				if copied := strings.Contains(string(sent.Body), "dear-model"); sent.Header.Get("Idempotency-Key") != "" == copied || sent.Header.Get("X-Custom") != "c" || sent.Header.Get("X-Weir-User") != "" {
					t.Errorf("upstream got %v %s", sent.Header, sent.Body)
				}
			}
		})
	}
}

func TestACopyIsTranslated(t *testing.T) {
	for _, rest := range []string{`}`, `,"stream":true}`} {
		h := claude(t, toSonnet)
		h.extra[1] = resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: single,
			Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}, Shadow: &policyv1.Share{Target: to("claude", sonnet, 0), PerMille: 1000}})
		h.holder.Store(h.policy(h.upstream.URL))
		if response, text := h.post(goodKey, routedQuestion+rest); response.StatusCode != 200 || response.Header["X-Weir-Lossy"] != nil {
			t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
		}
		_, copies := h.copies()
		served := h.mock.Ledger().Models[sonnet].Tokens
		if len(copies) != 1 || copies[0].Outcome != answered || served.Output == 0 || copies[0].Attempts[0].Usage.Output != served.Output {
			t.Errorf("recorded %v, served %v", copies, served)
		}
	}
}

func TestTheShareThatIsCopied(t *testing.T) {
	for name, test := range map[string]struct {
		perMille int32
		drawn    int64
		copies   int
	}{
		"below": {250, 249, 1}, "at": {250, 250, 0}, "all": {1000, 999, 1}, "least": {1, 0, 1}, "not_the_least": {1, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) { c.Draw = func(n int64) int64 { return min(test.drawn, n-1) } })
			h.routed(shadowed(toDear, test.perMille))
			h.post(goodKey, toRoute("routed", ""))
			if _, copies := h.copies(); len(copies) != test.copies {
				t.Errorf("recorded %v", copies)
			}
		})
	}
}

// TestARefusedRequestHasNoCopy: nor has one that is not recorded.
func TestARefusedRequestHasNoCopy(t *testing.T) {
	h := newHarness(t)
	h.routed(shadowed(toDear, 1000))
	h.post(narrowKey, toRoute("routed", ""))
	h.post(goodKey, toRoute("routed", ""), "X-Weir-User", "a\tb")
	h.recorder.err = errFull
	h.post(goodKey, toRoute("routed", ""))
	if requests, copies := h.copies(); len(requests)+len(copies)+len(h.mock.Requests()) != 0 {
		t.Errorf("recorded %v %v", requests, copies)
	}
}

// TestACopyThatFails is nobody's failure but its own.
func TestACopyThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		target  *policyv1.Target
		options func(*proxy.Config)
		stream  string
		outcome usagev1.Outcome // unspecified: it was dropped
		source  usagev1.UsageSource
		dropped string
	}{
		"unreachable":        {to("dead", "gpt-4o", 0), nil, "", unreachable, none, ""},
		"no_credential":      {to("bare", "gpt-4o", 0), nil, "", 0, 0, "unfit"},
		"not_allowed":        {to("elsewhere", "gpt-4o", 0), nil, "", 0, 0, "unfit"},
		"too_large":          {toDear, func(c *proxy.Config) { c.MaxShadowAnswerBytes = 10 }, "", broke, estimated, ""},
		"too_large_a_stream": {toDear, func(c *proxy.Config) { c.MaxShadowAnswerBytes = 500 }, `,"stream":true`, usagev1.Outcome_OUTCOME_INTERRUPTED, estimated, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) {
				if test.options != nil {
					test.options(c)
				}
			})
			h.routed(shadowed(test.target, 1000))
			if response, text := h.post(goodKey, toRoute("routed", test.stream)); response.StatusCode != 200 {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			<-h.done
			requests, copies := h.copies()
			if len(requests) != 1 || requests[0].Outcome != answered || len(requests[0].Attempts) != 1 {
				t.Errorf("recorded %v", requests)
			}
			if test.dropped != "" {
				if len(copies) != 0 || h.dropped(test.dropped) != 1 {
					t.Errorf("%v dropped for %s: %v", h.dropped(test.dropped), test.dropped, copies)
				}
			} else if len(copies) != 1 || copies[0].Outcome != test.outcome || copies[0].Attempts[0].UsageSource != test.source {
				t.Errorf("recorded %v", copies)
			}
			if all, failures := h.handler.Tally(); all != 1 || failures != 0 || counted(t, h, "weir_agent_retries_total") != 0 {
				t.Errorf("%d requests, %d failures", all, failures)
			}
			if lines := strings.Count(h.log.String(), `"msg":"request"`); lines != 1 {
				t.Errorf("%d lines of requests", lines)
			}
		})
	}
}

// dropped is how many copies were not made for a reason.
func (h *harness) dropped(reason string) float64 {
	h.t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.Metric {
			if family.GetName() == "weir_agent_shadows_dropped_total" && metric.Label[0].GetValue() == reason {
				return metric.Counter.GetValue()
			}
		}
	}
	return 0
}

// TestARequestThatIsTriedAgainHasOneCopy: the request's own attempts go on as without a copy, which is one.
func TestARequestThatIsTriedAgainHasOneCopy(t *testing.T) {
	h := newHarness(t, drawsNothing)
	route := shadowed(to("dead", "gpt-4o", 0), 1000)
	route.Retry = &policyv1.Retry{MaxAttempts: 3, BackoffMs: 1, On: everyFailure}
	h.routed(route)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: http.StatusServiceUnavailable}, llmtest.Fault{Kind: llmtest.Status, Status: http.StatusServiceUnavailable})
	response, _ := h.post(goodKey, toRoute("routed", ""))
	wantHeaders(t, response, "3", "mock/gpt-4o")
	if _, copies := h.copies(); len(copies) != 1 || len(copies[0].Attempts) != 1 {
		t.Errorf("recorded %v", copies)
	}
}
