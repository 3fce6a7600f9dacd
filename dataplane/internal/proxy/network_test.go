package proxy_test

import (
	"strings"
	"testing"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// TestTheCallersNetworkIsItsOwn: what proxies in front of the agent say of callers goes to no
// provider, whose own headers may be called so all the same.
func TestTheCallersNetworkIsItsOwn(t *testing.T) {
	private := []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Client-Cert", "Forwarded", "Via", "CF-Connecting-IP",
		"CF-Ray", "CF-IPCountry", "True-Client-IP", "X-Real-IP", "X-Client-IP", "Fastly-Client-IP", "X-Envoy-External-Address", "X-Original-Host", "CDN-Loop", "Cookie"}
	var headers []string
	for _, name := range private {
		headers = append(headers, name, "10.1.2.3")
	}
	for name, ask := range map[string]func() *harness{
		"as_it_is": func() *harness {
			h := newHarness(t)
			h.post(goodKey, question+`}`, append(headers, "X-Custom", "kept")...)
			return h
		},
		"translated": func() *harness {
			h := claude(t, toSonnet)
			h.post(goodKey, routedQuestion+`}`, append(headers, "Traceparent", "kept")...)
			return h
		},
		"trace_for_one_hop": func() *harness {
			h := claude(t, toSonnet)
			h.post(goodKey, routedQuestion+`}`, "Connection", "Traceparent", "Traceparent", "10.1.2.3")
			return h
		},
	} {
		t.Run(name, func(t *testing.T) {
			sent := ask().mock.Requests()
			if len(sent) != 1 {
				t.Fatalf("%d requests", len(sent))
			}
			kept := false
			for name, values := range sent[0].Header {
				kept = kept || values[0] == "kept"
				if strings.Contains(strings.Join(values, ","), "10.1.2.3") {
					t.Errorf("upstream got %s: %q", name, values)
				}
			}
			if kept != (name != "trace_for_one_hop") {
				t.Errorf("upstream got %v", sent[0].Header)
			}
		})
	}
}

func TestAProvidersOwnForwardedHeader(t *testing.T) {
	h := newHarness(t)
	h.extra = []*policyv1.Resource{
		resource(t, "provider", "behind", &policyv1.Provider{Id: "behind", Name: "behind", Dialect: policyv1.Dialect_DIALECT_OPENAI, BaseUrl: h.upstream.URL + "/v1",
			CredentialRef: "env://WEIR_SECRET_MOCK", Headers: []*policyv1.Header{{Name: "X-Forwarded-Host", Value: "of-the-policy"}, {Name: "CF-Access-Client-Id", Value: "ours"}}}),
		resource(t, "route", "r-behind", &policyv1.Route{Id: "r-behind", Name: "behind", Strategy: single, Targets: []*policyv1.Target{to("behind", "gpt-4o", 0)}}),
	}
	h.holder.Store(h.policy(h.upstream.URL))
	h.post(goodKey, toRoute("behind", ""), "X-Forwarded-Host", "internal.example", "CF-Access-Client-Id", "theirs")
	got := h.mock.Requests()[0].Header
	if got.Get("X-Forwarded-Host") != "of-the-policy" || got.Get("Cf-Access-Client-Id") != "ours" {
		t.Errorf("upstream got %v", got)
	}
}
