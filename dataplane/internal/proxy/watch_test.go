package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// bounded gives the policy a route "bounded" to a provider, both with timeouts.
func (h *harness) bounded(upstream string, provider, route *policyv1.Timeouts) {
	h.t.Helper()
	h.extra = []*policyv1.Resource{
		resource(h.t, "provider", "bounded", &policyv1.Provider{Id: "bounded", Name: "bounded", Dialect: policyv1.Dialect_DIALECT_OPENAI,
			BaseUrl: upstream + "/v1", CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "openai", Timeouts: provider}),
		resource(h.t, "route", "r-bounded", &policyv1.Route{Id: "r-bounded", Name: "bounded", Strategy: policyv1.Strategy_STRATEGY_SINGLE,
			Targets: []*policyv1.Target{{ProviderId: "bounded", Model: "gpt-4o"}}, Timeouts: route}),
	}
	h.holder.Store(h.policy(upstream))
}

const (
	soon  = 50        // ms
	never = 3_600_000 // ms
)

// TestTimeoutsBeforeTheFirstByte: the caller has nothing yet, so it gets an error.
func TestTimeoutsBeforeTheFirstByte(t *testing.T) {
	body := toRoute("bounded", `,"max_tokens":50`)
	usage, cost := worst(body, 50)
	for name, test := range map[string]struct {
		provider, route *policyv1.Timeouts
		said            string
	}{
		"first_byte":              {&policyv1.Timeouts{FirstByteMs: soon}, nil, "went silent"},
		"first_byte_of_the_route": {&policyv1.Timeouts{FirstByteMs: never}, &policyv1.Timeouts{FirstByteMs: soon}, "went silent"},
		"total":                   {&policyv1.Timeouts{FirstByteMs: never, TotalMs: soon}, nil, "whole time"},
		"total_of_the_route":      {&policyv1.Timeouts{TotalMs: never}, &policyv1.Timeouts{TotalMs: soon}, "whole time"},
		"total_without_another":   {nil, &policyv1.Timeouts{TotalMs: soon}, "whole time"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.bounded(h.upstream.URL, test.provider, test.route)
			h.mock.Script(llmtest.Fault{Delay: time.Hour})
			response, text := h.post(goodKey, body)
			wantError(t, response, text, 504, "upstream_timeout")
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, 504, "upstream_timeout", estimated, usage, cost})
			if !strings.Contains(h.log.String(), test.said) {
				t.Errorf("the log does not say %q: %s", test.said, h.log.String())
			}
		})
	}
}

func TestTimeoutsInsideOfAStream(t *testing.T) {
	body := toRoute("bounded", `,"stream":true,"max_tokens":50`)
	usage, cost := worst(body, 50)
	for name, test := range map[string]struct {
		provider, route *policyv1.Timeouts
		fault           llmtest.Fault
	}{
		"idle":              {&policyv1.Timeouts{IdleMs: soon}, nil, llmtest.Fault{Kind: llmtest.Stall, After: 3}},
		"idle_of_the_route": {&policyv1.Timeouts{IdleMs: never}, &policyv1.Timeouts{IdleMs: soon}, llmtest.Fault{Kind: llmtest.Stall, After: 3}},
		"total_of_a_silent": {nil, &policyv1.Timeouts{TotalMs: 2 * soon}, llmtest.Fault{Kind: llmtest.Stall, After: 3}},
		"total_of_a_busy":   {&policyv1.Timeouts{TotalMs: 3 * soon, IdleMs: never}, nil, llmtest.Fault{TokenDelay: 5 * time.Millisecond, AnswerTokens: 5000}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.bounded(h.upstream.URL, test.provider, test.route)
			h.mock.Script(test.fault)
			response, text := h.post(goodKey, body)
			events := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n")
			last := events[len(events)-1]
			if response.StatusCode != 200 || len(events) < 4 || !strings.HasPrefix(last, `data: {"error":{"message":`) || !strings.Contains(last, `"code":"upstream_timeout"`) {
				t.Errorf("%d, %d events, the last one is %q", response.StatusCode, len(events), last)
			}
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 200, "upstream_timeout", estimated, usage, cost})
			h.upstream.Close() // waits for the mock's handler: it was let go
		})
	}
}

// TestTimeoutsInsideOfAWholeAnswer: it is held until it is whole, so the caller can
// still get an error.
func TestTimeoutsInsideOfAWholeAnswer(t *testing.T) {
	for name, timeouts := range map[string]*policyv1.Timeouts{"idle": {IdleMs: soon}, "total": {TotalMs: 2 * soon}} {
		t.Run(name, func(t *testing.T) {
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for r.Context().Err() == nil {
					_, _ = w.Write([]byte(" "))
					_ = http.NewResponseController(w).Flush()
					if timeouts.IdleMs > 0 {
						<-r.Context().Done()
					}
					time.Sleep(5 * time.Millisecond)
				}
			}))
			defer upstream.Close()
			h := newHarness(t)
			h.bounded(upstream.URL, timeouts, nil)
			body := toRoute("bounded", `,"max_tokens":50`)
			usage, cost := worst(body, 50)
			response, text := h.post(goodKey, body)
			wantError(t, response, text, 504, "upstream_timeout")
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 504, "upstream_timeout", estimated, usage, cost})
		})
	}
}

// TestTimeoutsThatAreNotReached: what a route says comes before what its provider
// says, and both before the agent's own, also where it is more.
func TestTimeoutsThatAreNotReached(t *testing.T) {
	slow := llmtest.Fault{Delay: 3 * soon * time.Millisecond, TokenDelay: 2 * soon * time.Millisecond, AnswerTokens: 3}
	short, long := &policyv1.Timeouts{FirstByteMs: soon, IdleMs: soon, TotalMs: soon}, &policyv1.Timeouts{FirstByteMs: never, IdleMs: never, TotalMs: never}
	for name, test := range map[string]struct{ provider, route *policyv1.Timeouts }{
		"of_the_provider": {long, nil},
		"of_the_route":    {short, long},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) {
				c.FirstByteTimeout, c.IdleTimeout = soon*time.Millisecond, soon*time.Millisecond
			})
			h.bounded(h.upstream.URL, test.provider, test.route)
			for _, rest := range []string{"", `,"stream":true`} {
				h.mock.Script(slow)
				if response, text := h.post(goodKey, toRoute("bounded", rest)); response.StatusCode != 200 || strings.Contains(text, "upstream_timeout") {
					t.Errorf("%d %s", response.StatusCode, text)
				}
			}
		})
	}
}
