package endtoend_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

type providerTest struct {
	AnsweredBy         struct{ AgentName, PolicyVersion, PolicyConfirmedAt string }
	Outcome, Reason    string
	Status             int
	Connect, FirstByte string
	ModelListed        bool
}

type dryRun struct {
	Refusal *struct{ Code string }
	Route   struct {
		Targets []struct{ Provider, Model, Fitness, InputCostNanoUsd, MaxCostNanoUsd string }
	}
	MaxCostNanoUsd string
}

// ids of the demo's gateway and of its provider that speaks OpenAI.
func (s *stack) ids(t *testing.T) (gateway, provider string) {
	t.Helper()
	var gateways struct{ Gateways []struct{ ID string } }
	var providers struct{ Providers []struct{ ID, Name string } }
	if err := s.call("weir.admin.v1.GatewayService/ListGateways", map[string]any{}, &gateways); err != nil {
		t.Fatal(err)
	}
	if err := s.call("weir.admin.v1.ProviderService/ListProviders", map[string]any{}, &providers); err != nil {
		t.Fatal(err)
	}
	for _, p := range providers.Providers {
		if p.Name == "mock" {
			provider = p.ID
		}
	}
	return gateways.Gateways[0].ID, provider
}

// diagnose asks the agent what an admin would want to know before the first request.
func (s *stack) diagnose(t *testing.T) {
	gateway, provider := s.ids(t)
	var tested providerTest
	began := time.Now()
	err := s.call("weir.admin.v1.DiagnosticsService/TestProvider",
		map[string]any{"providerId": provider, "gatewayId": gateway, "model": "gpt-4o-mini"}, &tested)
	t.Logf("a provider was tested in %v: %+v", time.Since(began).Round(time.Millisecond), tested)
	if err != nil {
		t.Fatal(err)
	}
	if tested.Outcome != "PROVIDER_TEST_OUTCOME_OK" || tested.Status != 200 || !tested.ModelListed || tested.Connect == "" || tested.FirstByte == "" ||
		tested.AnsweredBy.AgentName == "" || tested.AnsweredBy.PolicyVersion == "" || tested.AnsweredBy.PolicyConfirmedAt == "" {
		t.Errorf("%+v", tested)
	}

	// gpt-4o-mini costs 150 and 600 nano-dollars a token, and at most 250 and 1,000 in the tier that a request may be served in.
	var rehearsed dryRun
	request := map[string]any{"gatewayId": gateway, "keyId": s.env["WEIR_KEY_ID"], "model": "demo", "inputTokens": "1000", "maxOutputTokens": "200"}
	if err := s.call("weir.admin.v1.DiagnosticsService/DryRun", request, &rehearsed); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", rehearsed)
	target := rehearsed.Route.Targets[0]
	if rehearsed.Refusal != nil || target.Fitness != "TARGET_FITNESS_USABLE" || target.Model != "gpt-4o-mini" ||
		target.InputCostNanoUsd != "150000" || target.MaxCostNanoUsd != "450000" || rehearsed.MaxCostNanoUsd != "450000" {
		t.Errorf("%+v", rehearsed)
	}
	request["model"] = "no-such-route"
	rehearsed = dryRun{}
	if err := s.call("weir.admin.v1.DiagnosticsService/DryRun", request, &rehearsed); err != nil || rehearsed.Refusal == nil || rehearsed.Refusal.Code != "route_unknown" {
		t.Errorf("%+v, %v", rehearsed, err)
	}
}

// diagnoseNobody is asked while the agent is stopped.
func (s *stack) diagnoseNobody(t *testing.T) {
	gateway, provider := s.ids(t)
	request := map[string]any{"providerId": provider, "gatewayId": gateway}
	s.part("stop", "agent")
	s.within(t, 30*time.Second, "the stream of the stopped agent ended", func() error {
		err := s.call("weir.admin.v1.DiagnosticsService/TestProvider", request, &providerTest{})
		if err == nil || !strings.Contains(err.Error(), "no_agent_can_answer") || !strings.Contains(err.Error(), "no agent of the gateway is connected") {
			return fmt.Errorf("without an agent: %w", err)
		}
		return nil
	})
	s.part("start", "agent")
	s.within(t, 30*time.Second, "the agent answers again", func() error {
		return s.call("weir.admin.v1.DiagnosticsService/TestProvider", request, &providerTest{})
	})
}
