package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestARequestThatMayHaveArrivedIsNotSentAgain: not even where a header says that it
// could be.
func TestARequestThatMayHaveArrivedIsNotSentAgain(t *testing.T) {
	var asked atomic.Int32
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Header.Get("Idempotency-Key") != "once" {
			t.Errorf("the header did not pass: %v", r.Header)
		}
		if asked.Add(1) > 1 { // the first one makes the connection a used one
			panic(http.ErrAbortHandler)
		}
	}))
	defer upstream.Close()
	h := newHarness(t)
	h.holder.Store(h.policy(upstream.URL))
	body := question + `,"max_tokens":50}`
	h.post(goodKey, body, "Idempotency-Key", "once")
	if response, text := h.post(goodKey, body, "Idempotency-Key", "once"); response.StatusCode != 502 {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if asked.Load() != 2 {
		t.Errorf("two requests were sent %d times", asked.Load())
	}
}
