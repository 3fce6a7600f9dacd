package rpc_test

import (
	"fmt"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	closed   = agentv1.TargetStatus_STATE_CLOSED
	open     = agentv1.TargetStatus_STATE_OPEN
	halfOpen = agentv1.TargetStatus_STATE_HALF_OPEN
)

// finds stores what an agent reported of targets.
func (in *installation) finds(a gateway.Agent, targets fleet.Targets) {
	in.t.Helper()
	status := fleet.Status{LastSeenAt: time.Now(), RejectReasons: []string{}, Targets: &targets}
	if err := in.reports.Save(in.t.Context(), []fleet.Report{{OrganizationID: a.OrganizationID, AgentID: a.ID, Status: status}}); err != nil {
		in.t.Fatal(err)
	}
}

// joined is a further agent of a gateway.
func (in *installation) joined(n *tenant, gatewayID, name string) gateway.Agent {
	in.t.Helper()
	agent, err := in.runner.EnrolAgent(in.t.Context(), hashOf(in.enrolmentTokenOf(n, gatewayID)), publicKey(in.t), name)
	if err != nil {
		in.t.Fatal(err)
	}
	return agent
}

func TestListAgentTargets(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	other := n.anotherProvider("other")
	elsewhere := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "elsewhere", Region: "local"}).Gateway
	said := time.Now().Truncate(time.Microsecond)
	first, second, far := in.joined(n, n.gateway.Id, "a"), in.joined(n, n.gateway.Id, "b"), in.joined(n, elsewhere.Id, "far")
	in.joined(n, n.gateway.Id, "silent")
	gone := in.joined(n, n.gateway.Id, "gone")
	in.finds(first, fleet.Targets{SaidAt: said, LeftOut: 4, Targets: []fleet.Target{
		{ProviderID: n.provider.Id, Model: "gpt-5", State: closed, Since: said.Add(-time.Hour), TimeToFirstTokenUS: 1500, TimePerTokenUS: 20, InFlight: 2},
		{ProviderID: n.provider.Id, Model: "gpt-5-mini", State: halfOpen, Reason: "503", Since: said},
		{ProviderID: other.Id, Model: "small", State: closed, Since: said},
	}})
	in.finds(second, fleet.Targets{SaidAt: said, Targets: []fleet.Target{
		{ProviderID: n.provider.Id, Model: "gpt-5", State: closed, Since: said, InFlight: 7},
		{ProviderID: n.provider.Id, Model: "bad", State: open, Reason: "7 of 8 failed", Since: said.Add(-time.Minute)},
	}})
	in.finds(far, fleet.Targets{SaidAt: said, Targets: []fleet.Target{{ProviderID: n.provider.Id, Model: "gpt-5", State: closed, Since: said, InFlight: 3}}})
	in.finds(gone, fleet.Targets{SaidAt: said, Targets: []fleet.Target{{ProviderID: n.provider.Id, Model: "gpt-5", State: open, Since: said}}})
	call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: gone.ID.String()})

	byProvider := &adminv1.ListAgentTargetsRequest_ProviderId{ProviderId: n.provider.Id}
	all := call(t, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: byProvider})
	if diff := cmp.Diff([]string{"b bad 0", "a gpt-5-mini 0", "b gpt-5 7", "far gpt-5 3", "a gpt-5 2"}, told(all)); diff != "" {
		t.Error(diff)
	}
	same(t, all.Unreported, int64(4))
	near := call(t, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: byProvider, GatewayId: elsewhere.Id})
	if diff := cmp.Diff([]string{"far gpt-5 3"}, told(near)); diff != "" {
		t.Error(diff)
	}
	own := call(t, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: &adminv1.ListAgentTargetsRequest_AgentId{AgentId: first.ID.String()}})
	if diff := cmp.Diff([]string{"a gpt-5-mini 0", "a gpt-5 2", "a small 0"}, told(own)); diff != "" {
		t.Error(diff)
	}
	notClosed := &adminv1.ListAgentTargetsRequest_NotClosed{NotClosed: true}
	troubled := call(t, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: notClosed})
	if diff := cmp.Diff([]string{"b bad 0", "a gpt-5-mini 0"}, told(troubled)); diff != "" {
		t.Error(diff)
	}
	same(t, len(call(t, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: notClosed, GatewayId: elsewhere.Id}).Targets), 0)
	same(t, len(call(t, in.tenant("beta").gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: notClosed}).Targets), 0)
	want := &adminv1.AgentTarget{
		ProviderId: n.provider.Id, Model: "gpt-5", AgentId: first.ID.String(), AgentName: "a", GatewayId: n.gateway.Id,
		State: adminv1.TargetState_TARGET_STATE_CLOSED, Since: timestamppb.New(said.Add(-time.Hour)), InFlight: 2, ReportedAt: timestamppb.New(said),
		TimeToFirstToken: durationpb.New(1500 * time.Microsecond), TimePerToken: durationpb.New(20 * time.Microsecond),
	}
	if diff := cmp.Diff(want, own.Targets[1], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	same(t, own.Targets[0].Reason, "503")
	refused(t, connect.CodeNotFound, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: &adminv1.ListAgentTargetsRequest_AgentId{AgentId: gone.ID.String()}})
	refused(t, connect.CodeInvalidArgument, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{})
	refused(t, connect.CodeInvalidArgument, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: &adminv1.ListAgentTargetsRequest_NotClosed{}})
}

func told(answer *adminv1.ListAgentTargetsResponse) []string {
	var lines []string
	for _, target := range answer.Targets {
		lines = append(lines, fmt.Sprintf("%s %s %d", target.AgentName, target.Model, target.InFlight))
	}
	return lines
}

// However much agents say, an answer is bounded, and says what it lacks.
func TestListAgentTargetsIsBounded(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	for _, name := range []string{"a", "b"} {
		targets := fleet.Targets{SaidAt: time.Now(), LeftOut: 1}
		for i := range 600 {
			targets.Targets = append(targets.Targets, fleet.Target{ProviderID: n.provider.Id, Model: fmt.Sprint(name, i), State: closed})
		}
		in.finds(in.joined(n, n.gateway.Id, name), targets)
	}
	got := call(t, n.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: &adminv1.ListAgentTargetsRequest_ProviderId{ProviderId: n.provider.Id}})
	same(t, len(got.Targets), 1000)
	same(t, got.LeftOut, int32(200))
	same(t, got.Unreported, int64(2))
}

func TestTargetStatesAgree(t *testing.T) {
	for number, name := range agentv1.TargetStatus_State_name {
		if got := adminv1.TargetState_name[number]; got != "TARGET_"+name {
			t.Errorf("%d is %s and %s", number, name, got)
		}
	}
	if len(adminv1.TargetState_name) != len(agentv1.TargetStatus_State_name) {
		t.Error("one has more")
	}
}
