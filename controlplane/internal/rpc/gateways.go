package rpc

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.GatewayServiceHandler = (*gateways)(nil)

type gateways struct {
	runner *command.Runner
	store  *readmodel.Store
	agents AgentStatuses
}

func (s *gateways) CreateGateway(ctx context.Context, req *connect.Request[adminv1.CreateGatewayRequest]) (*connect.Response[adminv1.CreateGatewayResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateGatewayResponse], err error) {
		taken, err := readmodel.Gateways.Any(ctx, v, named(req.Msg.GetName()))
		if err != nil {
			return d, err
		}
		d.Changes, err = gateway.Create(gateway.Creation{
			ID: id, Name: req.Msg.GetName(), Region: req.Msg.GetRegion(), NameTaken: taken,
		})
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateGatewayResponse, error) {
			g, err := created(recorded, gateway.Apply)
			return &adminv1.CreateGatewayResponse{Gateway: toProtoGateway(g)}, err
		}
		return d, err
	})
}

func (s *gateways) GetGateway(ctx context.Context, req *connect.Request[adminv1.GetGatewayRequest]) (*connect.Response[adminv1.GetGatewayResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetGatewayResponse, error) {
		g, err := readmodel.Gateways.Find(ctx, v, id)
		return &adminv1.GetGatewayResponse{Gateway: toProtoGateway(g)}, err
	})
}

func (s *gateways) ListGateways(ctx context.Context, req *connect.Request[adminv1.ListGatewaysRequest]) (*connect.Response[adminv1.ListGatewaysResponse], error) {
	return read(ctx, s.store, func(v readmodel.View) (answer *adminv1.ListGatewaysResponse, err error) {
		answer = &adminv1.ListGatewaysResponse{}
		answer.Gateways, answer.NextPageToken, err = list(ctx, v, readmodel.Gateways, toProtoGateway, "gateways", req.Msg.GetPage())
		return answer, err
	})
}

func (s *gateways) CreateEnrolmentToken(ctx context.Context, req *connect.Request[adminv1.CreateEnrolmentTokenRequest]) (*connect.Response[adminv1.CreateEnrolmentTokenResponse], error) {
	gatewayID, err := parseID("gateway_id", req.Msg.GetGatewayId())
	if err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	secret, hash, _, err := token.New(token.Enrolment)
	if err != nil {
		return nil, err
	}
	creation := gateway.TokenCreation{
		ID: id, GatewayID: gatewayID, SHA256: hash, MaxUses: req.Msg.GetMaxUses(),
		ExpiresAt: fromTimestamp(req.Msg.GetExpiresAt()), Now: time.Now(),
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateEnrolmentTokenResponse], err error) {
		found, err := readmodel.Gateways.Which(ctx, v, []uuid.UUID{gatewayID})
		if err != nil {
			return d, err
		}
		creation.GatewayExists = found[gatewayID]
		d.Changes, err = gateway.CreateToken(creation)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateEnrolmentTokenResponse, error) {
			t, err := created(recorded, gateway.ApplyToken)
			return &adminv1.CreateEnrolmentTokenResponse{Id: t.ID.String(), Token: secret, ExpiresAt: toTimestamp(t.ExpiresAt)}, err
		}
		return d, err
	})
}

func (s *gateways) ListAgents(ctx context.Context, req *connect.Request[adminv1.ListAgentsRequest]) (*connect.Response[adminv1.ListAgentsResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	name := "agents of " + req.Msg.GetGatewayId()
	after, size, err := fromPage(name, req.Msg.GetPage())
	matches, idErr := sameID("gateway_id", req.Msg.GetGatewayId())
	if err := errors.Join(err, idErr); err != nil {
		return nil, err
	}
	var found []gateway.Agent
	var next *readmodel.Cursor
	err = s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		found, next, err = readmodel.Agents.List(ctx, v, after, size, matches...)
		return err
	})
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListAgentsResponse{}
	if answer.Agents, err = s.withStatuses(ctx, caller.OrganizationID, found); err != nil {
		return nil, err
	}
	answer.NextPageToken, err = toPageToken(name, next)
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
