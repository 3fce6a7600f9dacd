package proxy_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func (h *harness) dryRun(m *agentv1.DryRun) *agentv1.DryRunResult {
	h.t.Helper()
	answer := h.handler.Answer(h.t.Context(), &agentv1.Ask{Question: &agentv1.Ask_DryRun{DryRun: m}})
	if answer.GetDryRun() == nil {
		h.t.Fatal(answer)
	}
	return answer.GetDryRun()
}

func ofKey(id, model string) *agentv1.DryRun {
	return &agentv1.DryRun{Caller: &agentv1.DryRun_KeyId{KeyId: id}, Model: model}
}

// noWay is a transport that nothing may use.
type noWay struct{ t testing.TB }

func (n noWay) RoundTrip(*http.Request) (*http.Response, error) {
	n.t.Error("a dry run sent something")
	return nil, errors.New("no way")
}

// TestDryRunRefusesAsRequestsAreRefused sends each request, too, and compares.
func TestDryRunRefusesAsRequestsAreRefused(t *testing.T) {
	h := newHarness(t)
	for name, test := range map[string]struct {
		key, id, model string
		want           string
	}{
		"good":               {goodKey, "k-good", "chat", ""},
		"revoked":            {revokedKey, "k-revoked", "chat", "key_revoked"},
		"revoked_since":      {lateRevoked, "k-late", "chat", "key_revoked"},
		"only_revocations":   {goneKey, "k-gone", "chat", "key_revoked"},
		"expired":            {expiredKey, "k-expired", "chat", "key_expired"},
		"unknown":            {"weir_unknown", "k-unknown", "chat", "key_unknown"},
		"no_route":           {goodKey, "k-good", "none", "route_unknown"},
		"route_of_others":    {narrowKey, "k-narrow", "chat", "route_not_allowed"},
		"allowed_route":      {narrowKey, "k-narrow", "odd", ""},
		"provider_elsewhere": {goodKey, "k-good", "elsewhere", "provider_not_allowed"},
		"without_credential": {goodKey, "k-good", "bare", "credential_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.dryRun(ofKey(test.id, test.model)).GetRefusal()
			response, text := h.post(test.key, toRoute(test.model, ""))
			if response.StatusCode == http.StatusOK {
				response.StatusCode = 0
			}
			var real struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(text), &real); err != nil {
				t.Fatal(err)
			}
			if got.GetCode() != test.want || got.GetCode() != real.Error.Code || int(got.GetStatus()) != response.StatusCode {
				t.Errorf("%v; a request got %d %s", got, response.StatusCode, text)
			}
			if test.want != "key_unknown" && got.GetMessage() != real.Error.Message { // which tells the policy's age
				t.Errorf("%v; a request got %s", got, text)
			}
		})
	}
	h.holder.Store(nil)
	if got := h.dryRun(ofKey("k-good", "chat")).GetRefusal(); got.GetCode() != "no_policy" || got.GetStatus() != 503 {
		t.Error(got)
	}
}

// TestDryRunTriesTargetsAsRequestsDo has every attempt fail, and compares whom the
// upstream heard of.
func TestDryRunTriesTargetsAsRequestsDo(t *testing.T) {
	draw := func(n int64) int64 { return n / 3 }
	for name, route := range map[string]*policyv1.Route{
		"single":   {Strategy: single, Targets: []*policyv1.Target{to("mock", "a", 0)}},
		"priority": {Strategy: priority, Targets: []*policyv1.Target{to("mock", "a", 0), to("tuned", "b", 0), to("mock", "c", 0)}},
		"weighted": {Strategy: weighted, Targets: []*policyv1.Target{to("mock", "a", 1), to("mock", "b", 5), to("mock", "c", 9)}},
		"repeats": {Strategy: weighted, Targets: []*policyv1.Target{to("mock", "a", 3), to("mock", "b", 2)},
			Retry: &policyv1.Retry{MaxAttempts: 4, BackoffMs: 1}},
		"conditions":  {Strategy: priority, Targets: []*policyv1.Target{conditional("a", "stream"), conditional("b", "tokens < 1000"), conditional("c", `metadata.tier == "gold"`)}},
		"passed_over": {Strategy: priority, Targets: []*policyv1.Target{to("bare", "a", 0), to("mock", "b", 0), to("elsewhere", "c", 0), to("mock", "d", 0)}},
		"beyond": {Strategy: priority, Targets: []*policyv1.Target{to("mock", "a", 0), to("mock", "b", 0), to("mock", "c", 0)},
			Retry: &policyv1.Retry{MaxAttempts: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) { c.Draw = draw })
			h.routed(route)
			got := h.dryRun(ofKey("k-good", "routed")).GetRoute()
			var planned []string
			for _, target := range got.GetTargets() {
				if target.GetFitness() == agentv1.DryRunTarget_FITNESS_USABLE {
					planned = append(planned, target.GetModel())
				}
			}
			if len(got.GetTargets()) != len(route.GetTargets()) {
				t.Errorf("%d of %d targets", len(got.GetTargets()), len(route.GetTargets()))
			}
			h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 503, Times: 10})
			h.post(goodKey, toRoute("routed", ""))
			asked := h.asked()
			if diff := gocmp.Diff(asked[:min(len(asked), len(planned))], planned); diff != "" {
				t.Errorf("requests, dry run:\n%s", diff)
			}
			if first := slices.Index(asked[min(1, len(asked)):], asked[0]); first < 0 && len(planned) != len(asked) {
				t.Errorf("tried %v, planned %v", asked, planned)
			}
		})
	}
}

func TestDryRunSaysWhyATargetIsNotTried(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: priority, Retry: &policyv1.Retry{MaxAttempts: 1, BackoffMs: 7, On: []policyv1.Failure{rateLimited, credential}},
		Targets:  []*policyv1.Target{to("bare", "a", 0), to("elsewhere", "b", 0), to("mock", "c", 0), to("tuned", "d", 0)},
		Timeouts: &policyv1.Timeouts{FirstByteMs: 11, TotalMs: 13}})
	got := h.dryRun(ofKey("k-good", "routed")).GetRoute()
	want := []struct {
		fitness agentv1.DryRunTarget_Fitness
		reason  string
	}{
		{agentv1.DryRunTarget_FITNESS_CREDENTIAL_UNAVAILABLE, "credential unavailable"},
		{agentv1.DryRunTarget_FITNESS_BLOCKED, "list of upstream origins"},
		{agentv1.DryRunTarget_FITNESS_USABLE, ""},
		{agentv1.DryRunTarget_FITNESS_BEYOND_ATTEMPTS, "no attempt left"},
	}
	for i, target := range got.GetTargets() {
		if target.GetFitness() != want[i].fitness || !strings.Contains(target.GetReason(), want[i].reason) || want[i].reason == "" && target.GetReason() != "" {
			t.Errorf("%v, want %v", target, want[i])
		}
		if target.GetFirstByteMs() != 11 || target.GetTotalMs() != 13 || target.GetIdleMs() != proxy.DefaultIdleTimeout.Milliseconds() {
			t.Errorf("timeouts of %v", target)
		}
	}
	if got.GetMaxAttempts() != 1 || got.GetEachOnce() || got.GetBackoffMs() != 7 || !slices.Equal(got.GetRetryOn(), []policyv1.Failure{rateLimited, credential}) {
		t.Errorf("retries %v", got)
	}
}

// TestDryRunCostsWhatAttemptsAreEstimatedAt compares with the record that an attempt
// begins with: a body has at most as many tokens as bytes.
func TestDryRunCostsWhatAttemptsAreEstimatedAt(t *testing.T) {
	for name, test := range map[string]struct {
		rest   string
		output int64
	}{"capped": {`,"max_tokens":100`, 100}, "not_capped": {``, 0}, "capped_beyond_the_model": {`,"max_tokens":99999999`, 99_999_999}} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			body := toRoute("chat", test.rest)
			m := ofKey("k-good", "chat")
			m.InputTokens, m.MaxOutputTokens = int64(len(body)), test.output
			got := h.dryRun(m)
			h.post(goodKey, body)
			started, _ := h.record()
			target := got.GetRoute().GetTargets()[0]
			if want := started.GetAttempts()[0].GetCostNanoUsd(); target.GetMaxCostNanoUsd() != want || want == 0 || got.GetMaxCostNanoUsd() != want {
				t.Errorf("at most %v, an attempt is estimated at %d", got, want)
			}
			if want := (m.GetInputTokens()*2_500_000 + 500) / 1000; target.GetInputCostNanoUsd() != want {
				t.Errorf("input costs %d, want %d", target.GetInputCostNanoUsd(), want)
			}
			if got.GetPriceBookVersion() != "book-1" || got.GetMaxRequestBytes() != 64<<10 || target.GetUnpriced() || target.GetUnbounded() {
				t.Error(got)
			}
		})
	}
	t.Run("unpriced_is_said", func(t *testing.T) {
		h := newHarness(t)
		got := h.dryRun(ofKey("k-good", "odd"))
		target := got.GetRoute().GetTargets()[0]
		if !target.GetUnpriced() || !target.GetUnbounded() || target.MaxCostNanoUsd != nil || target.InputCostNanoUsd != nil || got.MaxCostNanoUsd != nil {
			t.Error(got)
		}
	})
	t.Run("all_attempts_together", func(t *testing.T) {
		h := newHarness(t)
		for attempts, times := range map[int32]int64{0: 2, 2: 2, 5: 5} { // a and b, each at 100 output tokens
			route := &policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("tuned", "gpt-4o", 0), to("bare", "x", 0)}}
			if attempts > 0 {
				route.Retry = &policyv1.Retry{MaxAttempts: attempts}
			}
			h.routed(route)
			m := ofKey("k-good", "routed")
			m.MaxOutputTokens = 100
			got := h.dryRun(m)
			if one := got.GetRoute().GetTargets()[0].GetMaxCostNanoUsd(); one != 1_000_000 || got.GetMaxCostNanoUsd() != times*one {
				t.Errorf("%d attempts cost %d, one %d", attempts, got.GetMaxCostNanoUsd(), one)
			}
		}
	})
}

func TestDryRunSendsAndRecordsNothing(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.Transport = noWay{t} })
	before := h.log.String()
	for _, model := range []string{"chat", "odd", "bare", "elsewhere", "none"} {
		for _, id := range []string{"k-good", "k-narrow", "k-revoked"} {
			h.dryRun(ofKey(id, model))
		}
		h.dryRun(&agentv1.DryRun{Caller: &agentv1.DryRun_ProjectId{ProjectId: "project-1"}, Model: model})
	}
	if len(h.recorder.started)+len(h.recorder.refused) > 0 || h.log.String() != before {
		t.Errorf("it left a record, or in the log: %s", h.log.String())
	}
}

// A project's dry run is that of a key that may use all that the project sees.
func TestDryRunOfAProject(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "m", 0)}, AllowedProjectIds: []string{"project-1"}})
	for project, want := range map[string]string{"project-1": "", "project-2": "route_unknown"} {
		got := h.dryRun(&agentv1.DryRun{Caller: &agentv1.DryRun_ProjectId{ProjectId: project}, Model: "routed"})
		if got.GetRefusal().GetCode() != want {
			t.Errorf("%s: %v", project, got)
		}
	}
}
