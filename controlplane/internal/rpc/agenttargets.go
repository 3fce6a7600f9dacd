package rpc

import (
	"context"
	"math"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// maxAgentTargets bounds one answer.
const maxAgentTargets = 1000

// ListAgentTargets answers with those first that get no requests.
func (s *gateways) ListAgentTargets(ctx context.Context, req *connect.Request[adminv1.ListAgentTargetsRequest]) (*connect.Response[adminv1.ListAgentTargetsResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	agents, filter, err := s.agentsOf(ctx, caller.OrganizationID, req.Msg)
	if err != nil {
		return nil, err
	}
	byID := make(map[uuid.UUID]gateway.Agent, len(agents))
	for _, a := range agents {
		byID[a.ID] = a
	}
	page, err := s.agents.Targets(ctx, caller.OrganizationID, convertAll(agents, func(a gateway.Agent) uuid.UUID { return a.ID }), filter, maxAgentTargets)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&adminv1.ListAgentTargetsResponse{
		Targets: convertAll(page.Targets, func(t fleet.AgentTarget) *adminv1.AgentTarget { return toProtoAgentTarget(byID[t.AgentID], t) }),
		LeftOut: int32(min(page.Found-int64(len(page.Targets)), math.MaxInt32)), Unreported: page.Unreported,
	}), nil
}

// agentsOf are the living ones that the request is about, and which of their targets.
func (s *gateways) agentsOf(ctx context.Context, organization uuid.UUID, m *adminv1.ListAgentTargetsRequest) (agents []gateway.Agent, filter fleet.TargetFilter, err error) {
	matches, err := sameID("gateway_id", m.GetGatewayId())
	if err != nil {
		return nil, filter, err
	}
	if m.GetProviderId() != "" {
		id, err := parseID("provider_id", m.GetProviderId())
		if err != nil {
			return nil, filter, err
		}
		agents, err = s.livingAgents(ctx, organization, id, matches)
		return agents, fleet.TargetFilter{Provider: id.String()}, err
	}
	matches = append(matches, readmodel.Match{Column: "revoked_at"})
	if !m.GetNotClosed() {
		id, err := parseID("agent_id", m.GetAgentId())
		if err != nil {
			return nil, filter, err
		}
		matches = append(matches, readmodel.Match{Column: "id", Value: id})
	}
	err = s.store.Read(ctx, organization, func(v readmodel.View) error {
		agents, err = readmodel.Agents.All(ctx, v, matches...)
		if err == nil && len(agents) == 0 && m.GetAgentId() != "" {
			return fault.New(fault.NotFound, "no living agent %s", m.GetAgentId())
		}
		return err
	})
	return agents, fleet.TargetFilter{NotClosed: m.GetNotClosed()}, err
}

// toProtoAgentTarget keeps the state's number: both enums agree, and a test holds them to
// it.
func toProtoAgentTarget(a gateway.Agent, said fleet.AgentTarget) *adminv1.AgentTarget {
	t := said.Target
	return &adminv1.AgentTarget{
		ProviderId: t.ProviderID, Model: t.Model, AgentId: a.ID.String(), AgentName: a.Name, GatewayId: a.GatewayID.String(),
		State: adminv1.TargetState(t.State), Reason: t.Reason, Since: toTimestamp(t.Since),
		TimeToFirstToken: known(t.TimeToFirstTokenUS), TimePerToken: known(t.TimePerTokenUS),
		InFlight: t.InFlight, ReportedAt: toTimestamp(said.SaidAt),
	}
}

// known leaves 0 out, of microseconds.
func known(us int64) *durationpb.Duration {
	if us == 0 {
		return nil
	}
	return durationpb.New(span(us, time.Microsecond))
}
