package proxy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
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

// TestARouteOfOtherProjects is told from one that is not there by nothing.
func TestARouteOfOtherProjects(t *testing.T) {
	const outsider = "weir_key_of_another_project"
	h := newHarness(t)
	h.extra = []*policyv1.Resource{
		resource(t, "route", "r-ours", &policyv1.Route{Id: "r-ours", Name: "ours", Strategy: policyv1.Strategy_STRATEGY_SINGLE,
			Targets: []*policyv1.Target{{ProviderId: "mock", Model: "gpt-4o"}}, AllowedProjectIds: []string{"project-0", "project-1"}}),
		resource(t, "key", "k-outsider", &policyv1.Key{Id: "k-outsider", ProjectId: "project-2", Sha256: hash(outsider), RouteIds: []string{"r-ours", "r-chat"}}),
	}
	h.holder.Store(h.policy(h.upstream.URL))
	if response, text := h.post(goodKey, toRoute("ours", "")); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	hidden, said := h.post(outsider, toRoute("ours", ""))
	wantError(t, hidden, said, 404, "route_unknown")
	_, unknown := h.post(outsider, toRoute("nobodys", ""))
	if diff := cmp.Diff(strings.Replace(unknown, "nobodys", "ours", 1), said); diff != "" {
		t.Errorf("the answers differ:\n%s", diff)
	}
	if refused := h.recorder.refused[0]; refused.RouteId != "" || refused.Route != "" || refused.KeyId != "k-outsider" {
		t.Errorf("recorded %v", refused)
	}
	if len(h.mock.Requests()) != 1 {
		t.Errorf("%d requests upstream", len(h.mock.Requests()))
	}
	client := h.client(outsider)
	page, err := client.Models.List(context.Background())
	if err != nil || len(page.Data) != 1 || page.Data[0].ID != "chat" {
		t.Errorf("models %v, %v", page, err)
	}
	var refused *openai.Error
	if _, err := client.Models.Get(context.Background(), "ours"); !errors.As(err, &refused) || refused.Code != "route_unknown" {
		t.Errorf("error %v", err)
	}
}
