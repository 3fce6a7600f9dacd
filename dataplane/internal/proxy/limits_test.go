package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	ofRequests = policyv1.QuotaMeasure_QUOTA_MEASURE_REQUESTS
	ofTokens   = policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS
	thirdID    = "00000000-0000-4000-8000-000000000003"
	// longWindow does not end while a test runs: the grid's begins in 1970.
	longWindow = 59 * time.Minute
)

func rateOf(id string, measure policyv1.QuotaMeasure, amount int64) *policyv1.Quota {
	return &policyv1.Quota{Id: id, Name: "rate " + id[len(id)-1:], Scope: everything(), Measure: measure, Mode: hardMode,
		Amount: amount, WindowMs: longWindow.Milliseconds()}
}

// limitsIn are the names and values by which an answer tells of limits.
func limitsIn(header http.Header) map[string]string {
	found := map[string]string{}
	for name := range header {
		if strings.Contains(strings.ToLower(name), "ratelimit") {
			found[name] = header.Get(name)
		}
	}
	return found
}

func wantLimits(t *testing.T, header http.Header, want map[string]string) {
	t.Helper()
	got := limitsIn(header)
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %q, want %q", name, got[name], value)
		}
		delete(got, name)
	}
	for name, value := range got {
		if !strings.Contains(name, "Reset") {
			t.Errorf("%s: %s is said, too", name, value)
		}
	}
}

// The limit with the least left is told of, of requests and of tokens, and those that refuse
// nobody are not.
func TestAnswersTellOfLimits(t *testing.T) {
	shadowed := rateOf("00000000-0000-4000-8000-000000000004", ofRequests, 2)
	shadowed.Mode = policyv1.QuotaMode_QUOTA_MODE_SHADOW
	all := []*policyv1.Quota{rateOf(firstID, ofRequests, 3), rateOf(secondID, ofRequests, 100), rateOf(thirdID, ofTokens, 100_000), shadowed}
	limits := map[string]int64{firstID: 3, secondID: 100, thirdID: 100_000, shadowed.Id: 2}
	for name, rest := range map[string]string{"whole": "", "stream": `,"stream":true`} {
		t.Run(name, func(t *testing.T) {
			h, _, _ := budgeted(t, limits, all...)
			body := toRoute("chat", `,"max_tokens":50`+rest)
			input := int64(len(body)) / 4
			response, _ := h.post(goodKey, body)
			<-h.done
			left := 100_000 - input
			if name == "whole" { // its usage is known
				usage := h.last().Attempts[0].Usage
				left = 100_000 - usage.Input - usage.Output
			}
			wantLimits(t, response.Header, map[string]string{
				"X-Ratelimit-Limit-Requests": "3", "X-Ratelimit-Remaining-Requests": "2",
				"X-Ratelimit-Limit-Tokens": "100000", "X-Ratelimit-Remaining-Tokens": strconv.FormatInt(left, 10),
			})
			reset, err := time.ParseDuration(response.Header.Get("X-Ratelimit-Reset-Requests"))
			if err != nil || reset <= 0 || reset > longWindow {
				t.Errorf("requests start over in %v, %v", reset, err)
			}
			for range 2 {
				response, _ = h.post(goodKey, body)
				<-h.done
			}
			if got := response.Header.Get("X-Ratelimit-Remaining-Requests"); got != "0" {
				t.Errorf("%s are left of 3 after 3", got)
			}
			response, text := h.post(goodKey, body)
			h.refused(response, text, 429, "rate_limited")
			if response.Header.Get("X-Ratelimit-Remaining-Requests") != "0" || response.Header.Get("X-Weir-Quota") != "rate 1" || response.Header.Get("Retry-After") == "" {
				t.Errorf("refused with %v", response.Header)
			}
			for record, want := range map[*usagev1.UsageRecord]struct{ refusedBy, beyond []string }{
				h.recorder.refused[0]: {refusedBy: []string{firstID}},
				h.last():              {beyond: []string{shadowed.Id}}, // the third of two
				h.recorder.ended[1]:   {},
			} {
				if diff := cmp.Diff(want.refusedBy, quotaIDs(t, record.RefusedByQuotaId)); diff != "" {
					t.Errorf("refused by: %s", diff)
				}
				if diff := cmp.Diff(want.beyond, quotaIDs(t, record.BeyondQuotaIds...)); diff != "" {
					t.Errorf("beyond: %s", diff)
				}
			}
		})
	}
}

func quotaIDs(t *testing.T, all ...[]byte) (ids []string) {
	t.Helper()
	for _, raw := range all {
		if raw == nil {
			continue
		}
		id, err := uuid.FromBytes(raw)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id.String())
	}
	return ids
}

func TestAnthropicsSurfaceTellsOfLimitsItsOwnWay(t *testing.T) {
	h, _, meter := budgeted(t, map[string]int64{firstID: 1, secondID: 100_000}, rateOf(firstID, ofRequests, 1), rateOf(secondID, ofTokens, 100_000))
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}})
	h.limited(meter, rateOf(firstID, ofRequests, 1), rateOf(secondID, ofTokens, 100_000))
	body := `{"model":"routed","max_tokens":50,"messages":[{"role":"user","content":"how much"}]}`
	response, text, err := h.sendTo(t.Context(), "/v1/messages", goodKey, body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%d %s %v", response.StatusCode, text, err)
	}
	<-h.done
	usage := h.last().Attempts[0].Usage
	wantLimits(t, response.Header, map[string]string{
		"Anthropic-Ratelimit-Requests-Limit": "1", "Anthropic-Ratelimit-Requests-Remaining": "0",
		"Anthropic-Ratelimit-Tokens-Limit": "100000", "Anthropic-Ratelimit-Tokens-Remaining": strconv.FormatInt(100_000-usage.Input-usage.Output, 10),
	})
	at, err := time.Parse(time.RFC3339, response.Header.Get("Anthropic-Ratelimit-Tokens-Reset"))
	if err != nil || time.Until(at) < -time.Second || time.Until(at) > longWindow+time.Second {
		t.Errorf("tokens start over at %v, %v", at, err)
	}
	response, _, _ = h.sendTo(t.Context(), "/v1/messages", goodKey, body)
	if response.StatusCode != 429 || response.Header.Get("Anthropic-Ratelimit-Requests-Remaining") != "0" || response.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
	<-h.done
}

// A quota that keeps a request from one target says nothing in the answer of another.
func TestAQuotaThatWasPassedOverIsNotTold(t *testing.T) {
	own := budgetOf(firstID)
	own.Scope = &policyv1.QuotaScope{On: &policyv1.QuotaScope_ProviderId{ProviderId: "mock"}}
	h, _, meter := budgeted(t, map[string]int64{firstID: 100}, own)
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("tuned", "gpt-4o", 0)}})
	h.limited(meter, own)
	response, text := h.post(goodKey, toRoute("routed", `,"max_tokens":50`))
	<-h.done
	if response.StatusCode != 200 || response.Header.Get("X-Weir-Quota") != "" || response.Header.Get("Retry-After") != "" {
		t.Errorf("%d %v %s", response.StatusCode, response.Header, text)
	}
	if r := h.last(); r.RefusedByQuotaId != nil {
		t.Errorf("recorded as refused: %v", r)
	}
}

// A provider tells of the account behind its credential, which is not the caller's.
func TestLimitsOfTheProvidersAccountStay(t *testing.T) {
	foreign := []string{"X-Ratelimit-Remaining-Requests", "X-Ratelimit-Limit-Tokens", "Anthropic-Ratelimit-Input-Tokens-Remaining",
		"Anthropic-Priority-Input-Tokens-Limit", "Ratelimit", "Ratelimit-Policy"}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range foreign {
			w.Header().Set(name, "7")
		}
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(429)
		_, _ = io.WriteString(w, `{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`)
	}))
	defer upstream.Close()
	h, _, meter := budgeted(t, map[string]int64{firstID: 9}, rateOf(firstID, ofRequests, 9))
	policy := h.policy(upstream.URL)
	meter.Use(policy.Quotas())
	h.holder.Store(policy)
	response, _ := h.post(goodKey, toRoute("chat", ""))
	<-h.done
	wantLimits(t, response.Header, map[string]string{"X-Ratelimit-Limit-Requests": "9", "X-Ratelimit-Remaining-Requests": "8"})
	if response.StatusCode != 429 || response.Header.Get("Retry-After") != "7" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
}
