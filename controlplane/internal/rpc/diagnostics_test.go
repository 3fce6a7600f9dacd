package rpc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// answering stands for an agent, and for the process that has its stream, until the
// test ends.
func (in *installation) answering(agent uuid.UUID, answer func(*agentv1.Ask) *agentv1.AnswerRequest) {
	table := fleet.NewAskTable(in.db)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	in.t.Cleanup(func() { stop(); <-done })
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
			open, _ := table.Open(ctx)
			for _, o := range open {
				ask, taking := &agentv1.Ask{}, fleet.AskTaking{AskRef: o.AskRef, AgentID: agent}
				if taken, _ := table.Take(ctx, []fleet.AskTaking{taking}); len(taken) == 0 || proto.Unmarshal(o.Question, ask) != nil {
					continue
				}
				text, _ := proto.Marshal(answer(ask))
				if _, err := table.Answer(ctx, taking, text); err != nil && ctx.Err() == nil {
					in.t.Error(err)
				}
			}
		}
	}()
}

func at(answer *agentv1.AnswerRequest) *agentv1.AnswerRequest {
	answer.Position = &agentv1.PolicyPosition{Epoch: 5, Version: 6, RevocationVersion: 7}
	answer.ConfirmedMsAgo = proto.Int64(90_000)
	return answer
}

func (n *tenant) test() *adminv1.TestProviderRequest {
	return &adminv1.TestProviderRequest{ProviderId: n.provider.Id, GatewayId: n.gateway.Id, Model: "gpt-5"}
}

func TestTestProvider(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	agent := in.enrol(n)
	version := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{}).Events[0].Version
	in.answering(agent.ID, func(ask *agentv1.Ask) *agentv1.AnswerRequest {
		if got := ask.GetProviderTest(); got.GetProviderId() != n.provider.Id || got.GetModel() != "gpt-5" {
			t.Errorf("asked %v", ask)
		}
		return at(&agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_ProviderTest{ProviderTest: &agentv1.ProviderTestResult{
			Outcome: agentv1.ProviderTestResult_OUTCOME_UNEXPECTED_ANSWER, Reason: "odd", Status: 418,
			ConnectUs: proto.Int64(1), TlsUs: proto.Int64(2), FirstByteUs: proto.Int64(3), ModelListed: proto.Bool(false),
		}}})
	})
	got := call(t, n.diagnostics.TestProvider, n.test())
	if ago := time.Since(got.AnsweredBy.PolicyConfirmedAt.AsTime()); ago < 90*time.Second || ago > 3*time.Minute {
		t.Errorf("confirmed %v ago", ago)
	}
	got.AnsweredBy.PolicyConfirmedAt = nil
	want := &adminv1.TestProviderResponse{
		AnsweredBy: &adminv1.AnsweredBy{AgentId: agent.ID.String(), AgentName: "host-1", PolicyEpoch: 5, PolicyVersion: 6, RevocationVersion: 7},
		Outcome:    adminv1.ProviderTestOutcome_PROVIDER_TEST_OUTCOME_UNEXPECTED_ANSWER, Reason: "odd", Status: 418,
		Connect: durationpb.New(1000), Tls: durationpb.New(2000), FirstByte: durationpb.New(3000), ModelListed: proto.Bool(false),
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	same(t, call(t, n.history.ListEvents, &adminv1.ListEventsRequest{}).Events[0].Version, version)
	same(t, len(in.everyRow()["agent_ask"]), 0)
}

func TestDryRun(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	agent := in.enrol(n)
	request := &adminv1.DryRunRequest{
		GatewayId: n.gateway.Id, AgentId: agent.ID.String(), Caller: &adminv1.DryRunRequest_KeyId{KeyId: n.key.Id},
		Model: "gpt", InputTokens: 8, MaxOutputTokens: 9,
		Metadata: map[string]string{"tier": "gold"}, Headers: map[string]string{"X-Session": "s"}, Stream: true, User: "u", Run: "r",
	}
	var asked *agentv1.DryRun
	in.answering(agent.ID, func(ask *agentv1.Ask) *agentv1.AnswerRequest {
		asked = ask.GetDryRun()
		return at(&agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_DryRun{DryRun: &agentv1.DryRunResult{
			Refusal: &agentv1.DryRunRefusal{Status: 503, Code: "c", Message: "m"},
			Route: &agentv1.DryRunRoute{Id: "r", Weighted: true, MaxAttempts: 2, EachOnce: true, BackoffMs: 100,
				RetryOn: []policyv1.Failure{policyv1.Failure_FAILURE_TIMEOUT},
				Targets: []*agentv1.DryRunTarget{{ProviderId: "p", Provider: "pn", Model: "gpt-5", Weight: 3, Reason: "why",
					Fitness: agentv1.DryRunTarget_FITNESS_BEYOND_ATTEMPTS, FirstByteMs: 1, IdleMs: 2, TotalMs: 3,
					InputCostNanoUsd: proto.Int64(4), MaxCostNanoUsd: proto.Int64(5), Unpriced: true, Unbounded: true,
					When: "w", Verdict: agentv1.DryRunTarget_VERDICT_ERROR, VerdictError: "e", ConnectMs: 4, FirstTokenMs: 5}, {}},
				Strategy: policyv1.Strategy_STRATEGY_STICKY, Strict: true,
				Sticky: &policyv1.Sticky{By: policyv1.Sticky_BY_HEADER, Header: "X-Session", MinTokens: 6, BreakEvenPercent: 7},
				Hedge:  &policyv1.Hedge{Percentile: 95, MinMs: 8, MaxPercent: 9},
				Canary: &agentv1.DryRunShare{Target: &agentv1.DryRunTarget{Model: "new"}, PerMille: 10},
				Shadow: &agentv1.DryRunShare{Target: &agentv1.DryRunTarget{Model: "copy"}, PerMille: 11}},
			MaxRequestBytes: 6, PriceBookVersion: "b", MaxCostNanoUsd: proto.Int64(7),
			Quotas: []*agentv1.DryRunQuota{{Id: "q", Name: "monthly", Provider: "pn", Reserved: 8, Left: proto.Int64(0), Limit: proto.Int64(9), Lacking: true,
				Measure: policyv1.QuotaMeasure_QUOTA_MEASURE_COST, Mode: policyv1.QuotaMode_QUOTA_MODE_HARD}, {Id: "r"}},
		}}})
	})
	got := call(t, n.diagnostics.DryRun, request)
	got.AnsweredBy.PolicyConfirmedAt = nil
	unbounded := &adminv1.Timeouts{FirstByte: durationpb.New(0), Idle: durationpb.New(0)}
	want := &adminv1.DryRunResponse{
		AnsweredBy: &adminv1.AnsweredBy{AgentId: agent.ID.String(), AgentName: "host-1", PolicyEpoch: 5, PolicyVersion: 6, RevocationVersion: 7},
		Refusal:    &adminv1.DryRunRefusal{Status: 503, Code: "c", Message: "m"},
		Route: &adminv1.DryRunRoute{Id: "r", Weighted: true, MaxAttempts: 2, EachOnce: true, Backoff: durationpb.New(100 * time.Millisecond),
			RetryOn: []adminv1.Failure{adminv1.Failure_FAILURE_TIMEOUT},
			Targets: []*adminv1.DryRunTarget{{ProviderId: "p", Provider: "pn", Model: "gpt-5", Weight: 3, Reason: "why",
				Fitness: adminv1.TargetFitness_TARGET_FITNESS_BEYOND_ATTEMPTS, InputCostNanoUsd: proto.Int64(4), MaxCostNanoUsd: proto.Int64(5),
				Unpriced: true, Unbounded: true, Timeouts: &adminv1.Timeouts{FirstByte: durationpb.New(time.Millisecond),
					Idle: durationpb.New(2 * time.Millisecond), Total: durationpb.New(3 * time.Millisecond),
					Connect: durationpb.New(4 * time.Millisecond), FirstToken: durationpb.New(5 * time.Millisecond)},
				When: "w", Verdict: adminv1.ConditionVerdict_CONDITION_VERDICT_ERROR, VerdictError: "e"},
				{Timeouts: unbounded}},
			Strategy: adminv1.Strategy_STRATEGY_STICKY, Strict: true,
			Sticky: &adminv1.Sticky{By: adminv1.StickyBy_STICKY_BY_HEADER, Header: "X-Session", MinTokens: 6, BreakEvenPercent: 7},
			Hedge:  &adminv1.Hedge{Percentile: 95, MinDelay: durationpb.New(8 * time.Millisecond), MaxPercent: 9},
			Canary: &adminv1.DryRunShare{Target: &adminv1.DryRunTarget{Model: "new", Timeouts: unbounded}, PerMille: 10},
			Shadow: &adminv1.DryRunShare{Target: &adminv1.DryRunTarget{Model: "copy", Timeouts: unbounded}, PerMille: 11}},
		MaxRequestBytes: 6, PriceBookVersion: "b", MaxCostNanoUsd: proto.Int64(7), QuotaIds: []string{"q", "r"},
		Quotas: []*adminv1.DryRunQuota{{Id: "q", Name: "monthly", Provider: "pn", Reserved: 8, Left: proto.Int64(0), Limit: proto.Int64(9), Lacking: true, Hard: true}, {Id: "r"}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wanted := &agentv1.DryRun{Caller: &agentv1.DryRun_KeyId{KeyId: n.key.Id}, Model: "gpt", InputTokens: 8, MaxOutputTokens: 9,
		Metadata: request.Metadata, Headers: request.Headers, Stream: true, User: "u", Run: "r"}
	if diff := cmp.Diff(wanted, asked, protocmp.Transform()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	request.Caller = &adminv1.DryRunRequest_ProjectId{ProjectId: n.project.Id}
	call(t, n.diagnostics.DryRun, request)
	same(t, asked.GetProjectId(), n.project.Id)
}

func TestDryRun_of_a_draft(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	agent := in.enrol(n)
	far := call(t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: "far", Dialect: adminv1.Dialect_DIALECT_OPENAI_COMPATIBLE, BaseUrl: "http://127.0.0.1:1/v1", CredentialRef: "env://WEIR_SECRET_FAR", Region: "us",
	}).Provider
	at := call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: n.gateway.Id}).Gateway
	request := &adminv1.DryRunRequest{
		GatewayId: n.gateway.Id, Caller: &adminv1.DryRunRequest_ProjectId{ProjectId: n.project.Id}, Model: "new",
		Draft: &adminv1.Route{Name: "new", Strategy: adminv1.Strategy_STRATEGY_PRIORITY, Targets: []*adminv1.Target{
			{ProviderId: n.provider.Id, Model: "small", When: "tokens > 5"}, {ProviderId: far.Id, Model: "large"},
		}},
	}
	var asked *policyv1.Route
	drafted := true
	in.answering(agent.ID, func(ask *agentv1.Ask) *agentv1.AnswerRequest {
		asked = ask.GetDryRun().GetDraft()
		return &agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_DryRun{DryRun: &agentv1.DryRunResult{Drafted: drafted}}}
	})
	call(t, n.diagnostics.DryRun, request)
	near, other := &policyv1.Target{ProviderId: n.provider.Id, Model: "small", When: "tokens > 5"}, &policyv1.Target{ProviderId: far.Id, Model: "large"}
	want := &policyv1.Route{Id: asked.GetId(), Name: "new", Strategy: policyv1.Strategy_STRATEGY_PRIORITY, Targets: []*policyv1.Target{near, other}}
	if diff := cmp.Diff(want, asked, protocmp.Transform()); diff != "" {
		t.Errorf("a new route (-want +got):\n%s", diff)
	}

	call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: n.provider.Id, Region: "eu"}})
	call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: at.Id, AllowedRegions: []string{"eu"}}})
	request.Draft.Id = n.route.Id
	call(t, n.diagnostics.DryRun, request)
	want.Id, want.Targets = n.route.Id, []*policyv1.Target{near}
	if diff := cmp.Diff(want, asked, protocmp.Transform()); diff != "" {
		t.Errorf("one that is there, where the gateway may not send to all its targets (-want +got):\n%s", diff)
	}
	same(t, call(t, n.routes.GetRoute, &adminv1.GetRouteRequest{Id: n.route.Id}).Route.Name, n.route.Name)

	drafted = false
	old := refused(t, connect.CodeFailedPrecondition, n.diagnostics.DryRun, request)
	same(t, detail(t, old).GetReason(), "agent_too_old")
	request.Model = "other"
	refused(t, connect.CodeInvalidArgument, n.diagnostics.DryRun, request)
	request.Model, request.Draft.Targets[0].When = "new", "tokens >"
	wrong := refused(t, connect.CodeInvalidArgument, n.diagnostics.DryRun, request)
	if !strings.Contains(wrong.Message(), "targets[0].when") {
		t.Error(wrong)
	}
	request.Draft = &adminv1.Route{Name: n.route.Name, Targets: []*adminv1.Target{{ProviderId: n.provider.Id, Model: "m"}}}
	request.Model = n.route.Name
	same(t, detail(t, refused(t, connect.CodeAlreadyExists, n.diagnostics.DryRun, request)).GetReason(), "name_taken")
}

func TestDiagnosticsRefusals(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	agent := in.enrol(n).ID.String()
	other := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "other", Region: "local"}).Gateway
	with := func(change func(*adminv1.TestProviderRequest)) *adminv1.TestProviderRequest {
		request := n.test()
		change(request)
		return request
	}
	nobody := refused(t, connect.CodeFailedPrecondition, n.diagnostics.TestProvider, n.test())
	same(t, detail(t, nobody).GetReason(), fleet.ReasonNoAgent)
	for _, missing := range []*adminv1.TestProviderRequest{
		with(func(r *adminv1.TestProviderRequest) { r.ProviderId = uuid.NewString() }),
		with(func(r *adminv1.TestProviderRequest) { r.GatewayId = uuid.NewString() }),
		with(func(r *adminv1.TestProviderRequest) { r.AgentId = uuid.NewString() }),
	} {
		refused(t, connect.CodeNotFound, n.diagnostics.TestProvider, missing)
	}
	elsewhere := refused(t, connect.CodeInvalidArgument, n.diagnostics.TestProvider, with(func(r *adminv1.TestProviderRequest) { r.AgentId, r.GatewayId = agent, other.Id }))
	if !strings.Contains(elsewhere.Message(), "agent_id: agent \"host-1\" is of another gateway") {
		t.Error(elsewhere)
	}
	if err := refused(t, connect.CodeInvalidArgument, n.diagnostics.DryRun, &adminv1.DryRunRequest{GatewayId: n.gateway.Id, Model: "gpt"}); !strings.Contains(err.Message(), "caller: want exactly one of key_id, project_id") {
		t.Error(err)
	}
	fenced := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "fenced", Region: "local", AllowedRegions: []string{"eu"}}).Gateway
	outside := refused(t, connect.CodeFailedPrecondition, n.diagnostics.TestProvider, with(func(r *adminv1.TestProviderRequest) { r.GatewayId = fenced.Id }))
	same(t, detail(t, outside).GetReason(), "provider_outside_regions")
	if !strings.Contains(outside.Message(), `states no region, and the gateway "fenced" may send to providers in eu only`) {
		t.Error(outside)
	}
	call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: agent})
	revoked := refused(t, connect.CodeFailedPrecondition, n.diagnostics.TestProvider, with(func(r *adminv1.TestProviderRequest) { r.AgentId = agent }))
	same(t, detail(t, revoked).GetReason(), "agent_revoked")

	t.Run("who_may", func(t *testing.T) {
		for role, want := range map[adminv1.Role]connect.Code{
			adminv1.Role_ROLE_OPERATOR: connect.CodeFailedPrecondition, adminv1.Role_ROLE_ANALYST: connect.CodePermissionDenied,
			adminv1.Role_ROLE_VIEWER: connect.CodePermissionDenied, adminv1.Role_ROLE_PROJECTS_ONLY: connect.CodePermissionDenied,
		} {
			account := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: newName(), Role: role}).ServiceAccount
			token := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: account.Id, Name: "t"}).Secret
			refused(t, want, in.as(token).diagnostics.TestProvider, n.test())
		}
	})
}

// All of an organization share one measure; others have their own.
func TestAsksAreRateLimited(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	unknown := n.test()
	unknown.ProviderId = uuid.NewString()
	dry := &adminv1.DryRunRequest{GatewayId: n.gateway.Id, Caller: &adminv1.DryRunRequest_KeyId{KeyId: n.key.Id}, Model: "gpt"}
	// Twenty at once, and two a second, of all kinds: however long one takes, not all of so many.
	// Others may be refused since as many are under way.
	refusals := [2]chan *connect.Error{make(chan *connect.Error, 40), make(chan *connect.Error, 40)}
	var group sync.WaitGroup
	for of, ask := range []func() error{
		func() error {
			_, err := n.diagnostics.TestProvider(t.Context(), connect.NewRequest(unknown))
			return err
		},
		func() error { _, err := n.diagnostics.DryRun(t.Context(), connect.NewRequest(dry)); return err },
	} {
		for range 40 {
			group.Go(func() {
				var wire *connect.Error
				if errors.As(ask(), &wire) && wire.Code() == connect.CodeResourceExhausted {
					refusals[of] <- wire
				}
			})
		}
	}
	group.Wait()
	for of := range refusals {
		close(refusals[of])
		limited := 0
		for refusal := range refusals[of] {
			if detail(t, refusal).GetReason() == "too_many_calls" {
				same(t, refusal.Meta().Get("Retry-After"), "1")
				limited++
			}
		}
		if limited == 0 {
			t.Fatalf("40 calls at once of kind %d are all taken", of)
		}
	}
	other := in.tenant("beta")
	unknown.GatewayId = other.gateway.Id
	refused(t, connect.CodeNotFound, other.diagnostics.TestProvider, unknown)
}
