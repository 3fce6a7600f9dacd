package proxy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func when(target *policyv1.Target, condition string) *policyv1.Target {
	target.When = condition
	return target
}

// TestConditions: the first target whose condition is true of the request serves it.
func TestConditions(t *testing.T) {
	long := `,"user":"` + strings.Repeat("x", 4000) + `"`
	for name, test := range map[string]struct {
		condition, rest string
		headers         []string
		holds           bool
	}{
		"header":                {`headers["x-tier"] == "gold"`, "", []string{"X-Tier", "gold"}, true},
		"header_of_two_lines":   {`"x-tier" in headers && headers["x-tier"].startsWith("g")`, "", []string{"X-Tier", "gold"}, true},
		"another_header":        {`headers["x-tier"] == "gold"`, "", []string{"X-Tier", "tin"}, false},
		"no_such_header":        {`headers["x-tier"] == "gold"`, "", nil, false},
		"few_tokens":            {`tokens > 1000`, "", nil, false},
		"many_tokens":           {`tokens > 1000`, long, nil, true},
		"a_stream":              {`stream`, `,"stream":true`, nil, true},
		"no_stream":             {`stream`, "", nil, false},
		"surface":               {`surface == "chat_completions"`, "", nil, true},
		"key_and_project":       {`key == "k-good" && project == "project-1"`, "", nil, true},
		"user_and_run":          {`user == "" && run == ""`, "", nil, true},
		"user_and_run_are_said": {`user == "u-1" && run == "r-1"`, "", []string{"X-Weir-User", "u-1", "X-Weir-Run", "r-1"}, true},
		"metadata":              {`metadata["team"] == "water"`, "", []string{"X-Weir-Metadata", `{"team":"water"}`}, true},
		"no_metadata":           {`"team" in metadata`, "", nil, false},
		"now":                   {`now > timestamp("2020-01-01T00:00:00Z")`, "", nil, true},
		"credentials_are_not":   {`"authorization" in headers || "cookie" in headers`, "", []string{"Cookie", "x"}, false},
		"other_headers_are":     {`"content-type" in headers`, "", nil, true},
		"what_can_not_be_told":  {`int(headers["x-tier"]) > 3`, "", []string{"X-Tier", "gold"}, false},
		"what_can_not_be_found": {`metadata["team"] == "water"`, "", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{when(to("mock", "a", 0), test.condition), to("mock", "b", 0)}})
			want, verdict := "mock/b", usagev1.Verdict_VERDICT_CONDITION
			if test.holds {
				want, verdict = "mock/a", usagev1.Verdict_VERDICT_CHOSEN
			}
			if target := h.served(toRoute("routed", test.rest), test.headers...); target != want {
				t.Errorf("went to %s", target)
			}
			if got := h.last().Candidates[0].Verdict; got != verdict {
				t.Errorf("%v", got)
			}
		})
	}
}

// TestNoTargetMatches: the caller is told, nothing goes upstream, and the record says why.
func TestNoTargetMatches(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{when(to("mock", "a", 0), `stream`), when(to("mock", "b", 0), `tokens > 1000000`)}})
	response, text := h.post(goodKey, toRoute("routed", ""))
	wantError(t, response, text, 400, "no_target_matches")
	if !strings.Contains(text, "the conditions of all are false") || len(h.asked()) > 0 {
		t.Errorf("%s after %v", text, h.asked())
	}
	<-h.done
	want := []*usagev1.Candidate{{Provider: "mock", Model: "a", Verdict: usagev1.Verdict_VERDICT_CONDITION},
		{Provider: "mock", Model: "b", Verdict: usagev1.Verdict_VERDICT_CONDITION}}
	if diff := cmp.Diff(want, h.recorder.refused[0].Candidates, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	h.routed(&policyv1.Route{Strategy: single, Targets: []*policyv1.Target{when(to("mock", "a", 0), `metadata["team"] == "water"`)}})
	response, text = h.post(goodKey, toRoute("routed", ""))
	wantError(t, response, text, 400, "no_target_matches")
	if !strings.Contains(text, "could not be told: evaluate the condition: no such key: team") {
		t.Error(text)
	}
}

// TestFallbackKeepsToConditions: what failed goes on to no target that is none for it.
func TestFallbackKeepsToConditions(t *testing.T) {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "a", 0), when(to("mock", "b", 0), `stream`), to("mock", "c", 0)}})
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 500})
	if target := h.served(toRoute("routed", "")); target != "mock/c" {
		t.Errorf("fell back to %s", target)
	}
}

// TestCandidates: every reason for which a target is none.
func TestCandidates(t *testing.T) {
	h := claude(t, toGPT)
	route := &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Strict: true, Targets: []*policyv1.Target{
		when(to("mock", "a", 0), `false`), to("bare", "b", 0), to("elsewhere", "c", 0), to("claude", sonnet, 0), to("mock", "d", 0), to("mock", "e", 0),
		to("elsewhere", "f", 0)}}
	h.extra[1] = resource(t, "route", route.Id, route)
	h.holder.Store(h.policy(h.upstream.URL))
	candidate := func(provider, model string, verdict usagev1.Verdict) *usagev1.Candidate {
		return &usagev1.Candidate{Provider: provider, Model: model, Verdict: verdict}
	}
	const credential, condition = usagev1.Verdict_VERDICT_CREDENTIAL, usagev1.Verdict_VERDICT_CONDITION
	h.served(toRoute("routed", `,"logit_bias":{"1":1}`))
	if diff := cmp.Diff([]*usagev1.Candidate{
		candidate("mock", "a", condition), candidate("bare", "b", credential), candidate("elsewhere", "c", credential),
		candidate("claude", sonnet, usagev1.Verdict_VERDICT_LOSSY), candidate("mock", "d", usagev1.Verdict_VERDICT_CHOSEN),
		candidate("mock", "e", usagev1.Verdict_VERDICT_STANDBY), candidate("elsewhere", "f", credential),
	}, h.last().Candidates, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	route.Targets = []*policyv1.Target{to("mock", "d", 0), to("claude", sonnet, 0)}
	h.extra[1] = resource(t, "route", route.Id, route)
	h.holder.Store(h.policy(h.upstream.URL))
	response, text, err := h.sendTo(t.Context(), "/v1/embeddings", goodKey, `{"model":"routed","input":"x"}`)
	if err != nil || response.StatusCode != 200 {
		t.Fatal(err, text)
	}
	<-h.done
	if diff := cmp.Diff([]*usagev1.Candidate{
		candidate("mock", "d", usagev1.Verdict_VERDICT_CHOSEN), candidate("claude", sonnet, usagev1.Verdict_VERDICT_SURFACE),
	}, h.last().Candidates, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}
