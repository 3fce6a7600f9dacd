package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// telling is an upstream that says so of its account.
func telling(t *testing.T, headers ...string) (h *harness, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	}))
	t.Cleanup(upstream.Close)
	h = newHarness(t)
	h.holder.Store(h.policy(upstream.URL))
	return h, asked
}

// An upstream that says that nothing is left is not asked until its limit starts over, in
// whatever form it says so.
func TestAnAccountThatIsUsedUpIsLeftAlone(t *testing.T) {
	in30 := time.Now().Add(30 * time.Second).UTC().Format(time.RFC3339)
	for name, c := range map[string]struct {
		headers []string
		passed  bool
	}{
		"openai":             {[]string{"X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "30s"}, true},
		"milliseconds":       {[]string{"X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "0m30s0ms"}, true},
		"in_seconds":         {[]string{"X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "30.0"}, true},
		"tokens":             {[]string{"X-Ratelimit-Limit-Tokens", "60000", "X-Ratelimit-Remaining-Tokens", "3", "X-Ratelimit-Reset-Tokens", "30s"}, true},
		"anthropic":          {[]string{"Anthropic-Ratelimit-Requests-Limit", "60", "Anthropic-Ratelimit-Requests-Remaining", "0", "Anthropic-Ratelimit-Requests-Reset", in30}, true},
		"anthropic_input":    {[]string{"Anthropic-Ratelimit-Input-Tokens-Limit", "6000", "Anthropic-Ratelimit-Input-Tokens-Remaining", "0", "Anthropic-Ratelimit-Input-Tokens-Reset", in30}, true},
		"enough":             {[]string{"X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "30", "X-Ratelimit-Reset-Requests", "30s"}, false},
		"some":               {[]string{"X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "2", "X-Ratelimit-Reset-Requests", "30s"}, false},
		"no_reset":           {[]string{"X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "0"}, false},
		"no_limit":           {[]string{"X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "30s"}, false},
		"nonsense":           {[]string{"X-Ratelimit-Limit-Requests", "many", "X-Ratelimit-Remaining-Requests", "-", "X-Ratelimit-Reset-Requests", "soon"}, false},
		"a_reset_that_is_by": {[]string{"Anthropic-Ratelimit-Requests-Limit", "60", "Anthropic-Ratelimit-Requests-Remaining", "0", "Anthropic-Ratelimit-Requests-Reset", "2020-01-01T00:00:00Z"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h, asked := telling(t, c.headers...)
			if response, text := h.post(goodKey, toRoute("chat", "")); response.StatusCode != 200 {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			<-h.done
			response, text := h.post(goodKey, toRoute("chat", ""))
			if !c.passed {
				<-h.done
				if response.StatusCode != 200 || asked.Load() != 2 {
					t.Errorf("%d %s", response.StatusCode, text)
				}
				return
			}
			h.refused(response, text, 429, "upstream_rate_limited")
			again, err := strconv.Atoi(response.Header.Get("Retry-After"))
			if err != nil || again < 25 || again > 30 || asked.Load() != 1 {
				t.Errorf("asked %d times, told to come again in %q", asked.Load(), response.Header.Get("Retry-After"))
			}
		})
	}
}

// Where another target is there it takes the request, and the answer says nothing of the first.
func TestAnAccountThatIsUsedUpIsPassedOver(t *testing.T) {
	h, _ := telling(t, "X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "30s")
	upstream := "http://" + h.holder.Load().Route("chat").Targets[0].URL(0).Host
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("tuned", "gpt-4o", 0)}})
	h.holder.Store(h.policy(upstream))
	if got := h.served(toRoute("routed", "")); got != "mock/gpt-4o" {
		t.Fatalf("%s answered", got)
	}
	response, _ := h.post(goodKey, toRoute("routed", ""))
	<-h.done
	if got := response.Header.Get("X-Weir-Target"); got != "tuned/gpt-4o" || response.Header.Get("Retry-After") != "" {
		t.Errorf("%s answered, %v", got, response.Header)
	}
	if got := h.last().Candidates[0].Verdict; got != usagev1.Verdict_VERDICT_QUOTA {
		t.Errorf("the first one's verdict is %v", got)
	}
}

// Of what is left of an account keys get even parts: one that used its own leaves the other's.
func TestWhatIsLeftOfAnAccountIsShared(t *testing.T) {
	var left atomic.Int64
	left.Store(10)
	var served [2]int
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ratelimit-Limit-Requests", "100")
		w.Header().Set("X-Ratelimit-Remaining-Requests", fmt.Sprint(left.Add(-1)))
		w.Header().Set("X-Ratelimit-Reset-Requests", "30s")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer upstream.Close()
	h := newHarness(t)
	h.holder.Store(h.policy(upstream.URL))
	ask := func(who int, key string) {
		response, _ := h.post(key, toRoute("odd", ""))
		<-h.done
		if response.StatusCode == 200 {
			served[who]++
		} else if response.StatusCode != 429 {
			t.Fatalf("status %d", response.StatusCode)
		}
	}
	ask(0, goodKey) // 9 are left
	for range 3 {
		ask(1, narrowKey) // which is alone, as far as is known
	}
	for range 30 {
		ask(0, goodKey)
	}
	// A quarter of nine may be used at once: one for each.
	if served != [2]int{2, 3} || left.Load() != 5 {
		t.Errorf("served %v, and %d are left with half a minute to go", served, left.Load())
	}
}
