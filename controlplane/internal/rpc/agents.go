package rpc

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// agentKind converts what the log knows; withStatuses adds what agents reported.
var agentKind = kind[gateway.Agent, *adminv1.Agent]{
	table: readmodel.Agents, apply: gateway.ApplyAgent,
	convert:  func(a gateway.Agent) *adminv1.Agent { return toProtoAgent(a, fleet.Status{}) },
	version:  func(a gateway.Agent) int64 { return a.Version },
	settable: []protoreflect.Name{"name"},
}

func (s *gateways) GetAgent(ctx context.Context, req *connect.Request[adminv1.GetAgentRequest]) (*connect.Response[adminv1.GetAgentResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	found, err := read(ctx, s.store, func(v readmodel.View) (*gateway.Agent, error) {
		agent, err := readmodel.Agents.Find(ctx, v, id)
		return &agent, err
	})
	if err != nil {
		return nil, err
	}
	agents, err := s.withStatuses(ctx, found.Msg.OrganizationID, []gateway.Agent{*found.Msg})
	if err != nil {
		return nil, err
	}
	agents[0].Credentials, err = s.credentialsOf(ctx, *found.Msg)
	return connect.NewResponse(&adminv1.GetAgentResponse{Agent: agents[0]}), err
}

func (s *gateways) ListAgents(ctx context.Context, req *connect.Request[adminv1.ListAgentsRequest]) (*connect.Response[adminv1.ListAgentsResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	l, err := fromList("agents of "+req.Msg.GetGatewayId(), readmodel.Agents.Fields(), req.Msg)
	matches, idErr := sameID("gateway_id", req.Msg.GetGatewayId())
	if err := errors.Join(err, idErr); err != nil {
		return nil, err
	}
	var found []gateway.Agent
	var next *filter.Place
	err = s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		found, next, err = readmodel.Agents.List(ctx, v, l.Query, matches...)
		return err
	})
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListAgentsResponse{}
	if answer.Agents, err = s.withStatuses(ctx, caller.OrganizationID, found); err != nil {
		return nil, err
	}
	if err := s.addTroubles(ctx, caller.OrganizationID, found, answer.Agents); err != nil {
		return nil, err
	}
	answer.NextPageToken, err = l.token(next)
	return connect.NewResponse(answer), err
}

func (s *gateways) withStatuses(ctx context.Context, organization uuid.UUID, agents []gateway.Agent) ([]*adminv1.Agent, error) {
	ids := make([]uuid.UUID, 0, len(agents))
	for _, a := range agents {
		ids = append(ids, a.ID)
	}
	statuses, err := s.agents.Statuses(ctx, organization, ids)
	if err != nil {
		return nil, err
	}
	return convertAll(agents, func(a gateway.Agent) *adminv1.Agent { return toProtoAgent(a, statuses[a.ID]) }), nil
}

// withReport answers a change with what the agent reported, too, as GetAgent does.
func withReport[M any](ctx context.Context, s *gateways, answer *connect.Response[M], err error, agent func(*M) *adminv1.Agent) (*connect.Response[M], error) {
	if err != nil {
		return nil, err
	}
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	to := agent(answer.Msg)
	a := gateway.Agent{ID: uuid.MustParse(to.GetId()), OrganizationID: caller.OrganizationID, GatewayID: uuid.MustParse(to.GetGatewayId()), Name: to.GetName()}
	statuses, err := s.agents.Statuses(ctx, a.OrganizationID, []uuid.UUID{a.ID})
	if err != nil {
		return nil, err
	}
	addStatus(to, statuses[a.ID])
	to.Credentials, err = s.credentialsOf(ctx, a)
	return answer, err
}

func (s *gateways) UpdateAgent(ctx context.Context, req *connect.Request[adminv1.UpdateAgentRequest]) (*connect.Response[adminv1.UpdateAgentResponse], error) {
	decide := func(_ context.Context, _ readmodel.View, was gateway.Agent, wanted *adminv1.Agent) ([]eventlog.Change, error) {
		return was.Rename(wanted.GetName())
	}
	answer, err := update(ctx, s.runner, agentKind, req, "agent", req.Msg.GetAgent(), req.Msg.GetUpdateMask(), decide,
		func(a *adminv1.Agent) *adminv1.UpdateAgentResponse { return &adminv1.UpdateAgentResponse{Agent: a} })
	return withReport(ctx, s, answer, err, (*adminv1.UpdateAgentResponse).GetAgent)
}

func (s *gateways) RevokeAgent(ctx context.Context, req *connect.Request[adminv1.RevokeAgentRequest]) (*connect.Response[adminv1.RevokeAgentResponse], error) {
	now := time.Now()
	answer, err := act(ctx, s.runner, agentKind, req, req.Msg, func(_ context.Context, _ readmodel.View, was gateway.Agent) ([]eventlog.Change, error) {
		return was.Revoke(req.Msg.GetReason(), now), nil
	}, func(a *adminv1.Agent) *adminv1.RevokeAgentResponse { return &adminv1.RevokeAgentResponse{Agent: a} })
	return withReport(ctx, s, answer, err, (*adminv1.RevokeAgentResponse).GetAgent)
}
