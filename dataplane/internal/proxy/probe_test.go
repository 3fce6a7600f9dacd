package proxy_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	ok                    = agentv1.ProviderTestResult_OUTCOME_OK
	credentialUnavailable = agentv1.ProviderTestResult_OUTCOME_CREDENTIAL_UNAVAILABLE
	credentialRefused     = agentv1.ProviderTestResult_OUTCOME_CREDENTIAL_REFUSED
	blocked               = agentv1.ProviderTestResult_OUTCOME_BLOCKED
	notReached            = agentv1.ProviderTestResult_OUTCOME_UNREACHABLE
	tooLate               = agentv1.ProviderTestResult_OUTCOME_TIMEOUT
	unexpectedAnswer      = agentv1.ProviderTestResult_OUTCOME_UNEXPECTED_ANSWER
)

// test asks the agent to test a provider.
func (h *harness) test(provider, model string) *agentv1.AnswerRequest {
	return h.testWithin(30*time.Second, provider, model)
}

func (h *harness) testWithin(limit time.Duration, provider, model string) *agentv1.AnswerRequest {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return h.handler.Answer(ctx, &agentv1.Ask{Id: "a1", Question: &agentv1.Ask_ProviderTest{
		ProviderTest: &agentv1.ProviderTest{ProviderId: provider, Model: model},
	}})
}

func TestProviderTest(t *testing.T) {
	h := newHarness(t)
	t.Run("as_a_request_would", func(t *testing.T) {
		answer := h.test("tuned", "gpt-4o")
		got := answer.GetProviderTest()
		if got.GetOutcome() != ok || got.GetStatus() != 200 || got.ModelListed == nil || !got.GetModelListed() || got.GetReason() != "" {
			t.Fatal(answer)
		}
		if got.GetConnectUs() <= 0 || got.GetFirstByteUs() < got.GetConnectUs() || got.TlsUs != nil {
			t.Errorf("took %v", got)
		}
		if at := answer.GetPosition(); at.GetEpoch() != 1 || at.GetVersion() != 7 || at.GetRevocationVersion() != 9 || answer.GetConfirmedMsAgo() < 90_000 || answer.GetAskId() != "a1" {
			t.Errorf("of the policy %v", answer)
		}
		if h.test("mock", "no-such-model").GetProviderTest().GetModelListed() || h.test("mock", "").GetProviderTest().ModelListed != nil {
			t.Error("models that are not listed, or not asked for")
		}
		if h.test("mock", "").GetProviderTest().ConnectUs == nil {
			t.Error("a connection that was there already tells nothing")
		}
	})
	for provider, want := range map[string]struct {
		outcome agentv1.ProviderTestResult_Outcome
		reason  string
	}{
		"bare":      {credentialUnavailable, "credential unavailable"},
		"elsewhere": {blocked, "origin https://elsewhere.example is not in this agent's list of upstream origins"},
		"dead":      {notReached, "connection refused"},
	} {
		t.Run(provider, func(t *testing.T) {
			got := h.test(provider, "").GetProviderTest()
			if got.GetOutcome() != want.outcome || !strings.Contains(got.GetReason(), want.reason) || got.GetStatus() != 0 {
				t.Error(got)
			}
		})
	}
	t.Run("nothing_to_test", func(t *testing.T) {
		if got := h.test("p-unknown", "").GetRefusal(); got.GetReason() != "provider_unknown" || !strings.Contains(got.GetMessage(), "version 7") {
			t.Error(got)
		}
		if got := h.handler.Answer(t.Context(), &agentv1.Ask{}).GetRefusal(); got.GetReason() != "question_unknown" {
			t.Error(got)
		}
		h.holder.Store(nil)
		if got := h.test("mock", ""); got.GetRefusal().GetReason() != "no_policy" || got.Position != nil {
			t.Error(got)
		}
	})
}

// TestProviderTestSendsWhatARequestSends looks from the upstream's side.
func TestProviderTestSendsWhatARequestSends(t *testing.T) {
	h := newHarness(t)
	var seen *http.Request
	h.against(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		io.WriteString(w, `{"data":[]}`)
	})
	if got := h.test("tuned", "").GetProviderTest(); got.GetOutcome() != ok {
		t.Fatal(got)
	}
	if seen.Method != http.MethodGet || seen.URL.Path != "/v1/models" || seen.Header.Get("Authorization") != "Bearer "+upstreamKey ||
		seen.Header.Get("X-Team") != "water" || seen.Header.Get("Openai-Organization") != "org-of-the-gateway" {
		t.Errorf("%s %s %v", seen.Method, seen.URL, seen.Header)
	}
}

// against points the providers of the policy to another upstream.
func (h *harness) against(t *testing.T, serve http.HandlerFunc) {
	t.Helper()
	upstream := httptest.NewServer(serve)
	t.Cleanup(upstream.Close)
	h.holder.Store(h.policy(upstream.URL))
}

// TestProviderTestOfAHostileUpstream: it says the credential back wherever it can, and
// none of it is in the answer or in the log.
func TestProviderTestOfAHostileUpstream(t *testing.T) {
	const canary = "canary-of-the-upstream"
	reached := 0
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached++
		io.WriteString(w, `{"data":[]}`)
	}))
	defer inside.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", inside.URL+"/v1/models")
			w.Header().Set("X-Echo", canary+r.Header.Get("Authorization"))
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"error":{"message":"%s %s"}}`, canary, r.Header.Get("Authorization"))
		}
	}
	forever := func(piece string, pause time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, piece); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
		}
	}
	for name, test := range map[string]struct {
		serve   http.HandlerFunc
		outcome agentv1.ProviderTestResult_Outcome
		status  int32
		reason  string
	}{
		"401":            {status(401), credentialRefused, 401, "refused the credential"},
		"403":            {status(403), credentialRefused, 403, "refused the credential"},
		"redirect":       {status(302), unexpectedAnswer, 302, "redirect, which is not followed"},
		"not_found":      {status(404), unexpectedAnswer, 404, "base URL"},
		"held_back":      {status(429), unexpectedAnswer, 429, "too many requests"},
		"broken":         {status(500), unexpectedAnswer, 500, "another status than 200"},
		"error_under_ok": {status(200), unexpectedAnswer, 200, "no list of models"},
		"a_page": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>"+canary) },
			unexpectedAnswer, 200, "no list of models"},
		"giant":   {forever(strings.Repeat(canary, 50_000), 0), unexpectedAnswer, 200, "larger than 4194304 bytes"},
		"endless": {forever(canary, 10*time.Millisecond), tooLate, 200, "did not finish its answer in time"},
		"silent":  {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, tooLate, 0, "did not answer in time"},
		"giant_header": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Echo", strings.Repeat(canary, 20_000))
		}, notReached, 0, "no connection"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, canary)
		}, unexpectedAnswer, 200, "broke off"},
		"deep": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"data":`+strings.Repeat("[", 2<<20))
		}, unexpectedAnswer, 200, "no list of models"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.against(t, test.serve)
			limit := 30 * time.Second
			if test.outcome == tooLate {
				limit = 2 * time.Second
			}
			answer := h.testWithin(limit, "mock", "m")
			got := answer.GetProviderTest()
			if got.GetOutcome() != test.outcome || got.GetStatus() != test.status || !strings.Contains(got.GetReason(), test.reason) || got.ModelListed != nil {
				t.Error(answer)
			}
			for _, secret := range []string{canary, upstreamKey, "env://WEIR_SECRET_MOCK"} {
				if strings.Contains(prototext.Format(answer)+h.log.String(), secret) {
					t.Errorf("%q is in the answer or in the log", secret)
				}
			}
		})
	}
	if reached > 0 {
		t.Error("a redirect into the network was followed")
	}
}

func TestProviderTestWithoutAWay(t *testing.T) {
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for base, reason := range map[string]string{
		encrypted.URL: "Its TLS certificate is of no authority that this agent trusts.",
		strings.Replace(plain.URL, "http:", "https:", 1): "It does not speak TLS.",
		"http://nowhere.invalid":                         "of its host",
	} {
		h := newHarness(t)
		h.holder.Store(h.policy(base))
		if got := h.test("mock", "").GetProviderTest(); got.GetOutcome() != notReached || !strings.Contains(got.GetReason(), reason) {
			t.Errorf("%s: %v", base, got)
		}
	}
}

// The bound of the provider is the test's, too.
func TestProviderTestHoldsTheProvidersTimeout(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.FirstByteTimeout = 50 * time.Millisecond })
	h.against(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	begun := time.Now()
	got := h.handler.Answer(t.Context(), &agentv1.Ask{Question: &agentv1.Ask_ProviderTest{ProviderTest: &agentv1.ProviderTest{ProviderId: "mock"}}})
	if got.GetProviderTest().GetOutcome() != tooLate || time.Since(begun) > 5*time.Second {
		t.Errorf("%v after %v", got, time.Since(begun))
	}
}
