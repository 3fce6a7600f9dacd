package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const opening = `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"

// events is an answer of server-sent events that come as they are written.
func events(write func(w io.Writer)) *http.Response {
	from, to := io.Pipe()
	go func() {
		write(to)
		_ = to.Close()
	}()
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: from, ContentLength: -1}
}

// watched is a caller that notes when the status came.
type watched struct {
	discard
	status time.Time
	got    *strings.Builder
}

func (w *watched) WriteHeader(int) { w.status = time.Now() }

func (w *watched) Write(p []byte) (int, error) { return w.got.Write(p) }

// TestWhatIsHeldBack: until there is content the caller has nothing, then all of it, in
// order. Neither much nor long is held.
func TestWhatIsHeldBack(t *testing.T) {
	comment := func(n int) string { return fmt.Sprintf(": still here %d\n\n", n) }
	large := ": " + strings.Repeat("x", 20<<10) + "\n\n"
	for name, test := range map[string]struct {
		before []string // one each second
		status time.Duration
	}{
		"until_content":       {[]string{comment(1), opening, comment(2)}, 3 * time.Second},
		"not_for_ever":        {[]string{comment(1), comment(2), comment(3), comment(4), comment(5), comment(6), comment(7), comment(8), comment(9), comment(10), comment(11), comment(12), comment(13)}, 11 * time.Second},
		"not_without_a_bound": {[]string{comment(1), large, comment(2)}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			h := newHarness(t, func(c *proxy.Config) { c.Transport = s })
			h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
			synctest.Test(t, func(t *testing.T) {
				s.begun = time.Now()
				s.answer = func(int) *http.Response {
					return events(func(w io.Writer) {
						for _, text := range test.before {
							_, _ = io.WriteString(w, text)
							time.Sleep(time.Second)
						}
						_, _ = io.WriteString(w, chunk+"data: [DONE]\n\n")
					})
				}
				w := &watched{discard: discard{http.Header{}}, got: &strings.Builder{}}
				h.handler.ServeHTTP(w, toRouted(t.Context(), `,"stream":true`))
				if got := w.status.Sub(s.begun); got != test.status {
					t.Errorf("the status came after %v", got)
				}
				if want := strings.Join(test.before, "") + chunk + "data: [DONE]\n\n"; w.got.String() != want {
					t.Errorf("the caller got %q", w.got)
				}
			})
		})
	}
}

// mute says that it is overloaded, and never why.
type mute struct{ script }

func (m *mute) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := m.script.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusServiceUnavailable {
		from, to := io.Pipe()
		context.AfterFunc(r.Context(), func() { _ = to.CloseWithError(r.Context().Err()) })
		response.Body, response.ContentLength = from, -1
	}
	return response, err
}

// TestAnErrorWhoseBodyDoesNotCome: the status is reason enough to go on.
func TestAnErrorWhoseBodyDoesNotCome(t *testing.T) {
	m := &mute{script{answer: func(attempt int) *http.Response {
		if attempt == 1 {
			return said(503, "")
		}
		return said(200, `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}`)
	}}}
	h := newHarness(t, func(c *proxy.Config) { c.Transport = m })
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}})
	synctest.Test(t, func(t *testing.T) {
		m.begun = time.Now()
		if w := m.serve(t.Context(), h); w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	if diff := cmp.Diff([]time.Duration{0, 2 * time.Second}, m.times); diff != "" {
		t.Error(diff)
	}
	if failed := h.recorder.ended[1].Attempts[0]; failed.Status != 503 || failed.UsageSource != none {
		t.Errorf("recorded %v", failed)
	}
}
