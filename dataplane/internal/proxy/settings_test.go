package proxy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// toRoute is a body that asks a route.
func toRoute(route, rest string) string {
	return strings.Replace(question, `"chat"`, `"`+route+`"`, 1) + rest + `}`
}

func TestHeadersOfAProvider(t *testing.T) {
	h := newHarness(t)
	response, text := h.post(goodKey, toRoute("tuned", ""), "OpenAI-Organization", "org-of-the-caller", "X-Team", "fire", "X-Custom", "kept",
		"Connection", "X-Team, User-Agent", "Idempotency-Key", "the caller's")
	if response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	sent := h.mock.Requests()[0]
	for name, want := range map[string]string{"Openai-Organization": "org-of-the-gateway", "X-Team": "water", "User-Agent": "weir-test",
		"X-Custom": "kept", "Idempotency-Key": "always", "Authorization": "Bearer " + upstreamKey, "Accept-Encoding": "identity",
		"Content-Type": "application/json"} {
		if diff := cmp.Diff([]string{want}, sent.Header[name]); diff != "" {
			t.Errorf("upstream got %s:\n%s", name, diff)
		}
	}
	if strings.Contains(h.log.String(), "org-of-the-gateway") {
		t.Error("the value of a header is in the log")
	}
	h.post(goodKey, toRoute("chat", ""))
	if other := h.mock.Requests()[1].Header; other.Get("X-Team") != "" || other.Get("Openai-Organization") != "" {
		t.Errorf("another provider got %v", other)
	}
}
