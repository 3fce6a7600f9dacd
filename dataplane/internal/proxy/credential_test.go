package proxy_test

import (
	"strings"
	"testing"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestCredentials(t *testing.T) {
	h := newHarness(t)
	add := func(name string, credential *policyv1.SealedCredential) {
		h.extra = append(h.extra,
			resource(t, "provider", name, &policyv1.Provider{Id: name, Name: name, Dialect: policyv1.Dialect_DIALECT_OPENAI,
				BaseUrl: h.upstream.URL + "/v1", SealedCredential: credential}),
			resource(t, "route", "r-"+name, &policyv1.Route{Id: "r-" + name, Name: name, Strategy: policyv1.Strategy_STRATEGY_SINGLE,
				Targets: []*policyv1.Target{{ProviderId: name, Model: "gpt-4o"}}}))
	}
	add("sealed", &policyv1.SealedCredential{Version: 1, Sealed: []byte("sealed bytes")})
	add("unopened", &policyv1.SealedCredential{Version: 1, Sealed: []byte("sealed for somebody else")})
	add("without", nil)
	h.holder.Store(h.policy(h.upstream.URL))

	response, text := h.post(goodKey, toRoute("sealed", ""))
	if response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	if got := h.mock.Requests()[0].Header.Get("Authorization"); got != "Bearer "+upstreamKey {
		t.Errorf("upstream got %q", got)
	}
	for _, name := range []string{"unopened", "without"} {
		response, text := h.post(goodKey, toRoute(name, ""))
		wantError(t, response, text, 503, "credential_unavailable")
	}
	if len(h.mock.Requests()) != 1 {
		t.Errorf("%d requests upstream", len(h.mock.Requests()))
	}
	if log := h.log.String(); !strings.Contains(log, "or seal one for this gateway") || strings.Contains(log, upstreamKey) {
		t.Errorf("logged %s", log)
	}
}
