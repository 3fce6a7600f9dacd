package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const upstreamsComment, ourComment = ": still here\n\n", ": waiting for the first token\n\n"

// beats is a stream that says what it says first, then a comment each second, then breaks off
// or goes on as told.
func beats(first string, seconds int, last string) *http.Response {
	return events(func(w io.Writer) {
		_, _ = io.WriteString(w, first)
		for range seconds {
			time.Sleep(time.Second)
			_, _ = io.WriteString(w, upstreamsComment)
		}
		_, _ = io.WriteString(w, last)
	})
}

// TestCommentsCommitNothing: a caller that waits long is shown that something lives, and
// another attempt can take over all the same.
func TestCommentsCommitNothing(t *testing.T) {
	whole := chunk + "data: [DONE]\n\n"
	for name, test := range map[string]struct {
		first, second func() *http.Response
		text          string
		outcome       usagev1.Outcome
		status        int32
	}{
		"comments_alone": {func() *http.Response { return beats("", 12, "") }, func() *http.Response { return beats("", 0, whole) },
			strings.Repeat(upstreamsComment, 12) + whole, usagev1.Outcome_OUTCOME_OK, 200},
		"an_opening_is_held": {func() *http.Response { return beats(opening, 12, "") }, func() *http.Response { return beats(opening, 1, whole) },
			strings.Repeat(upstreamsComment, 2) + opening + upstreamsComment + whole, usagev1.Outcome_OUTCOME_OK, 200},
		"events_that_only_open": {func() *http.Response { return beats("", 11, opening) }, func() *http.Response { return beats("", 0, whole) },
			strings.Repeat(upstreamsComment, 11) + ourComment + whole, usagev1.Outcome_OUTCOME_OK, 200},
		"no_failure": {func() *http.Response { return beats(opening, 12, whole) }, nil,
			strings.Repeat(upstreamsComment, 2) + opening + strings.Repeat(upstreamsComment, 10) + whole, usagev1.Outcome_OUTCOME_OK, 200},
		"both_fail": {func() *http.Response { return beats("", 12, "") }, func() *http.Response { return beats("", 1, "") },
			strings.Repeat(upstreamsComment, 13) + `data: {"error":{"message":"The provider of this route broke off its answer.","type":"server_error","param":null,"code":"upstream_broke"}}` + "\n\n", broke, 200},
		"the_last_ones_own_error": {func() *http.Response { return beats("", 12, "") },
			func() *http.Response { return said(429, `{"error":{"message":"Slow down."}}`) },
			strings.Repeat(upstreamsComment, 12) + `data: {"error":{"message":"Slow down.","type":"rate_limit_error","param":null,"code":"upstream_error"}}` + "\n\n", upstreamError, 200},
		"a_whole_answer": {func() *http.Response { return beats("", 12, "") }, func() *http.Response { return said(200, `{"choices":[]}`) },
			strings.Repeat(upstreamsComment, 12) + `data: {"error":{"message":"The provider of this route sent an answer that can't be read.","type":"server_error","param":null,"code":"upstream_malformed"}}` + "\n\n", broke, 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			h := newHarness(t, func(c *proxy.Config) { c.Transport = s })
			h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
			synctest.Test(t, func(t *testing.T) {
				s.begun = time.Now()
				s.answer = func(attempt int) *http.Response {
					if attempt == 1 {
						return test.first()
					}
					return test.second()
				}
				w := &watched{discard: discard{http.Header{}}, got: &strings.Builder{}}
				h.handler.ServeHTTP(w, toRouted(t.Context(), `,"stream":true`))
				if got := w.status.Sub(s.begun); got != 11*time.Second {
					t.Errorf("the status came after %v", got)
				}
				if w.got.String() != test.text {
					t.Errorf("the caller got %q\nwant %q", w.got, test.text)
				}
			})
			if ended := h.recorder.ended[1]; ended.Outcome != test.outcome || ended.Status != test.status {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}
