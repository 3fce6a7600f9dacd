package proxy_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// silent is an address whose TLS handshake never ends.
func silent(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return "https://" + listener.Addr().String()
}

// TestTimeoutsUntilThereIsAConnection: nothing was asked, so nothing is owed, and it is no
// silence but an upstream that can't be reached.
func TestTimeoutsUntilThereIsAConnection(t *testing.T) {
	for name, test := range map[string]struct {
		provider, route *policyv1.Timeouts
		want            string
	}{
		"of_the_provider":  {&policyv1.Timeouts{ConnectMs: soon}, nil, "could not be connected to within 50ms (timeout connect)"},
		"of_the_route":     {&policyv1.Timeouts{ConnectMs: never}, &policyv1.Timeouts{ConnectMs: soon}, "could not be connected to within 50ms (timeout connect)"},
		"first_byte_first": {&policyv1.Timeouts{ConnectMs: never, FirstByteMs: soon}, nil, "did not begin to answer within 50ms (timeout first_byte)"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.bounded(silent(t), test.provider, test.route)
			response, text := h.post(goodKey, toRoute("bounded", `,"max_tokens":50`))
			wantError(t, response, text, 504, "upstream_timeout")
			if !strings.Contains(text, test.want) {
				t.Errorf("the caller is told %s", text)
			}
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, 504, "upstream_timeout", none, noTokens, 0})
		})
	}
}

func TestAConnectionThatDoesNotComeIsUnreachable(t *testing.T) {
	for on, attempts := range map[policyv1.Failure]string{policyv1.Failure_FAILURE_UNREACHABLE: "2", policyv1.Failure_FAILURE_TIMEOUT: "1"} {
		h, address := newHarness(t), silent(t)
		h.bounded(address, &policyv1.Timeouts{ConnectMs: soon}, nil)
		h.extra[1] = resource(t, "route", "r-bounded", &policyv1.Route{Id: "r-bounded", Name: "bounded", Strategy: single,
			Targets: []*policyv1.Target{to("bounded", "gpt-4o", 0)}, Retry: &policyv1.Retry{MaxAttempts: 2, BackoffMs: 1, On: []policyv1.Failure{on}}})
		h.holder.Store(h.policy(address))
		if response, _ := h.post(goodKey, toRoute("bounded", "")); response.Header.Get("X-Weir-Attempts") != attempts {
			t.Errorf("%v: %v", on, response.Header)
		}
	}
}

// TestKeptConnectionsNeedNoConnecting: the bound is over once there is a connection, old or
// new.
func TestKeptConnectionsNeedNoConnecting(t *testing.T) {
	h := newHarness(t)
	h.bounded(h.upstream.URL, &policyv1.Timeouts{ConnectMs: 20 * soon}, nil)
	for range 2 {
		h.mock.Script(llmtest.Fault{Delay: 30 * soon * time.Millisecond})
		if response, text := h.post(goodKey, toRoute("bounded", "")); response.StatusCode != 200 {
			t.Errorf("%d %s", response.StatusCode, text)
		}
	}
}

// beating answers with an opening event and comments, each well within any bound but that of
// the first content.
func beating(opening, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		beat := opening
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, beat)
			_ = http.NewResponseController(w).Flush()
			if beat = " "; kind == sseType {
				beat = ": still here\n\n"
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func TestTimeoutsUntilThereIsContent(t *testing.T) {
	for name, test := range map[string]struct {
		rest, kind, opening string
		targets             int
		status              int
		outcome             usagev1.Outcome
		attempts            string
	}{
		"stream":               {`,"stream":true`, sseType, opening, 1, 200, broke, "1"},
		"stream_that_is_held":  {`,"stream":true`, sseType, opening, 2, 200, broke, "2"},
		"whole":                {``, "application/json", " ", 1, 504, broke, "1"},
		"whole_to_another_one": {``, "application/json", " ", 2, 504, broke, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.upstream.Config.Handler = beating(test.opening, test.kind)
			targets := []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)}[:test.targets]
			h.routed(&policyv1.Route{Strategy: priority, Targets: targets, Timeouts: &policyv1.Timeouts{FirstTokenMs: 2 * soon, IdleMs: never}})
			response, text := h.post(goodKey, toRoute("routed", test.rest))
			if response.StatusCode != test.status || !strings.Contains(text, `"code":"upstream_timeout"`) ||
				!strings.Contains(text, "had no content of its answer within 100ms (timeout first_token)") {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			if got := response.Header.Get("X-Weir-Attempts"); got != test.attempts {
				t.Errorf("%s attempts", got)
			}
			_, ended := h.record()
			if ended.Outcome != test.outcome || ended.Attempts[0].UsageSource != estimated || ended.TimeToFirstTokenUs != 0 {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}

// TestContentEndsTheWaitForIt: what comes later has its own bounds.
func TestContentEndsTheWaitForIt(t *testing.T) {
	for _, rest := range []string{`,"stream":true`, ``} {
		h := newHarness(t, func(c *proxy.Config) { c.FirstByteTimeout = time.Hour })
		h.routed(&policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}, Timeouts: &policyv1.Timeouts{FirstTokenMs: 6 * soon}})
		h.mock.Script(llmtest.Fault{TokenDelay: 2 * soon * time.Millisecond, AnswerTokens: 10})
		response, text := h.post(goodKey, toRoute("routed", rest))
		if late := strings.Contains(text, "timeout first_token"); late != (rest == "") {
			t.Errorf("%q: %d %s", rest, response.StatusCode, text)
		}
	}
}
