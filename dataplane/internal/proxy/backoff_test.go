package proxy_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// script is a transport that answers what it is told, and notes when it was asked.
type script struct {
	begun  time.Time
	times  []time.Duration
	models []string
	answer func(attempt int) *http.Response
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, after, _ := bytes.Cut(body, []byte(`"model":"`))
	model, _, _ := bytes.Cut(after, []byte(`"`))
	s.times, s.models = append(s.times, time.Since(s.begun)), append(s.models, string(model))
	response := s.answer(len(s.times))
	response.Request = r
	return response, nil
}

func said(status int, text string, header ...string) *http.Response {
	response := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text))}
	for i := 0; i < len(header); i += 2 {
		response.Header.Set(header[i], header[i+1])
	}
	return response
}

// overloaded is an upstream that always is.
func overloaded(header ...string) func(int) *http.Response {
	return func(int) *http.Response { return said(503, `{"error":{}}`, header...) }
}

// toRouted asks the route "routed" without a network.
func toRouted(ctx context.Context, rest string) *http.Request {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/chat/completions", strings.NewReader(toRoute("routed", rest)))
	request.Header.Set("Authorization", "Bearer "+goodKey)
	return request
}

// serve has the handler serve one request in a bubble of its own clock.
func (s *script) serve(ctx context.Context, h *harness) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, toRouted(ctx, ""))
	return w
}

// longest draws the longest waits, and the last of the targets.
func longest(n int64) int64 { return n - 1 }

func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	route := func(attempts int32, targets ...*policyv1.Target) *policyv1.Route {
		return &policyv1.Route{Strategy: priority, Targets: targets, Retry: &policyv1.Retry{MaxAttempts: attempts}}
	}
	one, other := to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)
	bounded := route(5, one)
	bounded.Timeouts = &policyv1.Timeouts{TotalMs: 500}
	for name, test := range map[string]struct {
		route  *policyv1.Route
		answer func(int) *http.Response
		times  []time.Duration
		models string
	}{
		"doubles":                         {route(4, one), overloaded(), []time.Duration{0, 100 * ms, 300 * ms, 700 * ms}, "gpt-4o gpt-4o gpt-4o gpt-4o"},
		"starts_over":                     {route(5, one, other), overloaded(), []time.Duration{0, 0, 100 * ms, 100 * ms, 300 * ms}, "gpt-4o odd-model gpt-4o odd-model gpt-4o"},
		"waits_as_asked":                  {route(2, one), overloaded("Retry-After", "3"), []time.Duration{0, 3 * time.Second}, "gpt-4o gpt-4o"},
		"waits_no_longer_than_it_may":     {route(3, one), overloaded("Retry-After", "11"), []time.Duration{0}, "gpt-4o"},
		"takes_any_number":                {route(3, one), overloaded("Retry-After", "99999999999999999999999"), []time.Duration{0}, "gpt-4o"},
		"goes_on_after_what_is_no_time":   {route(2, one), overloaded("Retry-After", "-5"), []time.Duration{0, 100 * ms}, "gpt-4o gpt-4o"},
		"elsewhere_it_need_not_wait":      {route(4, one, other), overloaded("Retry-After", "60"), []time.Duration{0, 0}, "gpt-4o odd-model"},
		"waits_until_a_date":              {route(2, one), overloaded("Retry-After", "Sat, 01 Jan 2000 00:00:02 GMT"), []time.Duration{0, 2 * time.Second}, "gpt-4o gpt-4o"},
		"the_whole_time_bounds_it":        {bounded, overloaded(), []time.Duration{0, 100 * ms, 300 * ms}, "gpt-4o gpt-4o gpt-4o"},
		"each_once_where_nothing_is_said": {route(0, one, other), overloaded(), []time.Duration{0, 0}, "gpt-4o odd-model"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answer: test.answer}
			h := newHarness(t, func(c *proxy.Config) { c.Transport, c.Draw = s, longest })
			h.routed(test.route)
			synctest.Test(t, func(t *testing.T) {
				s.begun = time.Now()
				if w := s.serve(t.Context(), h); w.Code != 503 || w.Body.String() != `{"error":{}}` {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
			if diff := cmp.Diff(test.times, s.times); diff != "" {
				t.Error(diff)
			}
			if got := strings.Join(s.models, " "); got != test.models {
				t.Errorf("asked for %s", got)
			}
		})
	}
}

// tired fails late, then not even that.
type tired struct{ asked int }

func (f *tired) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	if f.asked++; f.asked == 1 {
		time.Sleep(600 * time.Millisecond)
		return said(503, "{}"), nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestTheWholeTimeIsOfAllAttempts: a later one has what is left of it.
func TestTheWholeTimeIsOfAllAttempts(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.Transport = &tired{} })
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)},
		Timeouts: &policyv1.Timeouts{TotalMs: 1000}})
	synctest.Test(t, func(t *testing.T) {
		begun, s := time.Now(), &script{}
		w := s.serve(t.Context(), h)
		wantError(t, w.Result(), w.Body.String(), 504, "upstream_timeout")
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
	if ended := h.recorder.ended[1]; len(ended.Attempts) != 2 || ended.Attempts[1].DurationUs != 400_000 || ended.OverheadUs != 0 {
		t.Errorf("recorded %v", ended)
	}
}

// TestTheCallerLeavesBetweenAttempts: nothing is sent for it any more.
func TestTheCallerLeavesBetweenAttempts(t *testing.T) {
	s := &script{answer: overloaded()}
	h := newHarness(t, func(c *proxy.Config) { c.Transport, c.Draw = s, longest })
	h.routed(&policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}, Retry: &policyv1.Retry{MaxAttempts: 5, BackoffMs: 10_000}})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.begun = time.Now()
		s.serve(ctx, h)
		if time.Since(s.begun) != time.Second || len(s.times) != 1 {
			t.Errorf("it took %v and %d attempts", time.Since(s.begun), len(s.times))
		}
	})
	ended := h.recorder.ended[1]
	if ended.Outcome != usagev1.Outcome_OUTCOME_CLIENT_CLOSED || ended.Status != 0 || ended.Attempts[0].Outcome != upstreamError || ended.Attempts[0].DurationUs != 0 {
		t.Errorf("recorded %v", ended)
	}
}

// TestAPolicyThatComesBetweenAttempts: the request stays under the one it began with.
func TestAPolicyThatComesBetweenAttempts(t *testing.T) {
	s := &script{}
	h := newHarness(t, func(c *proxy.Config) { c.Transport = s })
	s.answer = func(attempt int) *http.Response {
		if attempt == 1 {
			h.routed(&policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "another-model", 0)}})
			return said(500, "{}")
		}
		return said(200, `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}`)
	}
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
	s.serve(t.Context(), h)
	s.serve(t.Context(), h)
	if diff := cmp.Diff([]string{"gpt-4o", "odd-model", "another-model"}, s.models); diff != "" {
		t.Error(diff)
	}
}

// TestAnErrorInTheFormOfAStream is an error all the same.
func TestAnErrorInTheFormOfAStream(t *testing.T) {
	s := &script{answer: func(attempt int) *http.Response {
		if attempt == 1 {
			return said(429, opening, "Content-Type", "text/event-stream")
		}
		return said(500, chunk, "Content-Type", "text/event-stream")
	}}
	h := newHarness(t, func(c *proxy.Config) { c.Transport = s })
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
	if w := s.serve(t.Context(), h); w.Code != 500 || w.Body.String() != chunk || len(s.models) != 2 {
		t.Errorf("%d %q after %v", w.Code, w.Body, s.models)
	}
	if ended := h.recorder.ended[1]; ended.Outcome != upstreamError || ended.Attempts[0].UsageSource != none || ended.Attempts[1].UsageSource != none {
		t.Errorf("recorded %v", ended)
	}
}

// TestRepeatsHaveABudget: a target that fails for all is not asked many times as often.
func TestRepeatsHaveABudget(t *testing.T) {
	s := &script{answer: overloaded()}
	h := newHarness(t, func(c *proxy.Config) { c.Transport, c.Draw = s, func(int64) int64 { return 0 } })
	h.routed(&policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}, Retry: &policyv1.Retry{MaxAttempts: 5}})
	synctest.Test(t, func(t *testing.T) {
		for range 1000 {
			if w := s.serve(t.Context(), h); w.Code != 503 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
	})
	repeats := float64(len(s.times) - 1000)
	if repeats < 200 || repeats > 210 {
		t.Errorf("%v repeats for 1000 requests", repeats)
	}
	if n := counted(t, h, "weir_agent_retries_total"); n != repeats {
		t.Errorf("%v of %v repeats are counted", n, repeats)
	}
	if n := counted(t, h, "weir_agent_retries_over_budget_total"); n < 790 {
		t.Errorf("%v are counted as over the budget", n)
	}
}
