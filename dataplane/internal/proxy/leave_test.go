package proxy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// hang is how long these tests wait for what should take milliseconds.
const hang = 20 * time.Second

// eventually waits for what comes soon.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for begun := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > hang {
			t.Fatalf("not within %v: %s", hang, what)
		}
	}
}

// leave asks and leaves: a stream when a byte of it came, a whole answer when the upstream has
// the request. It returns when that was.
func (h *harness) leave(s *chatSurface, stream bool) time.Time {
	h.t.Helper()
	return h.leaveOnce(s, stream, "the upstream has the request", func() bool { return len(h.mock.Requests()) > 0 })
}

// leaveOnce leaves a whole answer once something is.
func (h *harness) leaveOnce(s *chatSurface, stream bool, what string, is func() bool) time.Time {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	path, body := s.ask(stream)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.agent.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	request.Header.Set("Content-Type", "application/json")
	left := make(chan time.Time, 1)
	leave := func() {
		left <- time.Now()
		cancel()
	}
	if !stream {
		go func() {
			eventually(h.t, what, is)
			leave()
		}()
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil && stream {
		_, err = io.ReadFull(response.Body, make([]byte, 1))
		leave()
	}
	if err != nil && !errors.Is(err, context.Canceled) || err == nil && !stream {
		h.t.Fatalf("the answer came: %v", err)
	}
	if response != nil {
		_ = response.Body.Close()
	}
	return <-left
}

// TestACallerThatLeavesIsNotPaidFor longer than it takes to tell the upstream: on every
// surface, whole and streamed, translated and not. The times are printed; the bound is against
// hanging alone.
func TestACallerThatLeavesIsNotPaidFor(t *testing.T) {
	for name, surface := range chatSurfaces {
		other := to("claude", sonnet, 0)
		if name == "messages" {
			other = to("mock", "gpt-4o", 0)
		}
		for way, target := range map[string]*policyv1.Target{"same": to(surface.provider, surface.model, 0), "translated": other} {
			for form, stream := range map[string]bool{"whole": false, "stream": true} {
				t.Run(name+"/"+way+"/"+form, func(t *testing.T) {
					h := everywhere(t, &policyv1.Route{Strategy: single, Targets: []*policyv1.Target{target}})
					h.mock.Script(llmtest.Fault{TokenDelay: time.Second})
					left := h.leave(&surface, stream)
					eventually(t, "the upstream sees it", func() bool { return len(h.mock.Interruptions()) == 1 })
					took := h.mock.Interruptions()[0].Sub(left)
					t.Logf("the upstream saw it after %v", took)
					if took > hang {
						t.Errorf("the upstream went on for %v", took)
					}
					_, ended := h.record()
					status := map[bool]int32{true: 200, false: 0}[stream]
					if a := ended.Attempts[0]; ended.Outcome != usagev1.Outcome_OUTCOME_CLIENT_CLOSED || a.Outcome != ended.Outcome || ended.Status != status ||
						a.UsageSource != estimated || a.Usage.Output != 50 {
						t.Errorf("recorded %v", ended)
					}
				})
			}
		}
	}
}

// TestACallerThatLeavesWhileARepeatWaits: no other attempt is made.
func TestACallerThatLeavesWhileARepeatWaits(t *testing.T) {
	h := everywhere(t, &policyv1.Route{Strategy: single, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0)}, Retry: &policyv1.Retry{MaxAttempts: 2}})
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 503, RetryAfter: 9 * time.Second})
	surface := chatSurfaces["chat"]
	left := h.leaveOnce(&surface, false, "the repeat waits", func() bool { return counted(t, h, "weir_agent_retries_total") == 1 })
	_, ended := h.record()
	t.Logf("the request ended after %v", time.Since(left))
	if ended.Outcome != usagev1.Outcome_OUTCOME_CLIENT_CLOSED || len(ended.Attempts) != 1 || ended.Attempts[0].Outcome != upstreamError || len(h.asked()) != 1 {
		t.Errorf("asked for %v, recorded %v", h.asked(), ended)
	}
	if time.Since(left) > 8*time.Second {
		t.Error("the wait went on")
	}
}
