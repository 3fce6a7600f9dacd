package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.GatewayServiceHandler = (*gateways)(nil)

type gateways struct {
	runner *command.Runner
	store  *readmodel.Store
	agents AgentStatuses
}

var gatewayKind = kind[gateway.Gateway, *adminv1.Gateway]{
	table: readmodel.Gateways, convert: toProtoGateway, apply: gateway.Apply,
	version:  func(g gateway.Gateway) int64 { return g.Version },
	settable: []protoreflect.Name{"name", "credential_max_age", "allowed_regions", "rollout", "when_spool_full"},
}

func (s *gateways) CreateGateway(ctx context.Context, req *connect.Request[adminv1.CreateGatewayRequest]) (*connect.Response[adminv1.CreateGatewayResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	settings, err := fromProtoRolloutSettings("rollout", req.Msg.GetRollout())
	age, ageErr := wholeSeconds("credential_max_age", req.Msg.GetCredentialMaxAge())
	if err := errors.Join(err, ageErr); err != nil {
		return nil, err
	}
	return create(ctx, s.runner, gatewayKind, req, func(ctx context.Context, v readmodel.View) ([]eventlog.Change, error) {
		taken, err := readmodel.Gateways.Any(ctx, v, named(req.Msg.GetName()))
		if err != nil {
			return nil, err
		}
		o, err := readmodel.Organizations.Find(ctx, v, v.Organization)
		if err != nil {
			return nil, err
		}
		return gateway.Create(gateway.Creation{
			ID: id, Name: req.Msg.GetName(), Region: req.Msg.GetRegion(), AllowedRegions: req.Msg.GetAllowedRegions(),
			CredentialMaxAge: age, Rollout: settings, NameTaken: taken, Elsewhere: !o.Allows(req.Msg.GetRegion()),
			WhenSpoolFull: eventv1.SpoolFull(req.Msg.GetWhenSpoolFull()),
		})
	}, func(g *adminv1.Gateway) *adminv1.CreateGatewayResponse {
		return &adminv1.CreateGatewayResponse{Gateway: g}
	})
}

func (s *gateways) GetGateway(ctx context.Context, req *connect.Request[adminv1.GetGatewayRequest]) (*connect.Response[adminv1.GetGatewayResponse], error) {
	return get(ctx, s.store, stagedGatewayKind, req.Msg, func(g *adminv1.Gateway) *adminv1.GetGatewayResponse {
		return &adminv1.GetGatewayResponse{Gateway: g}
	})
}

func (s *gateways) ListGateways(ctx context.Context, req *connect.Request[adminv1.ListGatewaysRequest]) (*connect.Response[adminv1.ListGatewaysResponse], error) {
	return page(ctx, s.store, stagedGatewayKind, "gateways", req.Msg, func(all []*adminv1.Gateway, next string) *adminv1.ListGatewaysResponse {
		return &adminv1.ListGatewaysResponse{Gateways: all, NextPageToken: next}
	})
}

func (s *gateways) UpdateGateway(ctx context.Context, req *connect.Request[adminv1.UpdateGatewayRequest]) (*connect.Response[adminv1.UpdateGatewayResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was gateway.Gateway, wanted *adminv1.Gateway) ([]eventlog.Change, error) {
		settings, err := fromProtoRolloutSettings("gateway.rollout", wanted.GetRollout())
		if err != nil {
			return nil, err
		}
		age, err := wholeSeconds("gateway.credential_max_age", wanted.GetCredentialMaxAge())
		if err != nil {
			return nil, err
		}
		return reshape(ctx, v, was, gateway.Update{
			Name: wanted.GetName(), CredentialMaxAge: age, AllowedRegions: wanted.GetAllowedRegions(),
			WhenSpoolFull: eventv1.SpoolFull(wanted.GetWhenSpoolFull()),
		}, settings)
	}
	return update(ctx, s.runner, gatewayKind, req, "gateway", req.Msg.GetGateway(), req.Msg.GetUpdateMask(), decide,
		func(g *adminv1.Gateway) *adminv1.UpdateGatewayResponse {
			return &adminv1.UpdateGatewayResponse{Gateway: g}
		})
}

// reshape makes a gateway's settings those that are wanted.
func reshape(ctx context.Context, v readmodel.View, was gateway.Gateway, wanted gateway.Update, settings rollout.Settings) ([]eventlog.Change, error) {
	var err error
	if wanted.NameTaken, err = readmodel.Gateways.TakenByOther(ctx, v, was.ID, named(wanted.Name)); err != nil {
		return nil, err
	}
	stage, err := readmodel.StageOf(ctx, v, was)
	if err != nil {
		return nil, err
	}
	updated, err := was.Update(wanted)
	if err != nil {
		return nil, err
	}
	staged, err := was.SetRollout(settings, stage)
	return append(updated, staged...), err
}

func (s *gateways) SetGatewayKey(ctx context.Context, req *connect.Request[adminv1.SetGatewayKeyRequest]) (*connect.Response[adminv1.SetGatewayKeyResponse], error) {
	return act(ctx, s.runner, gatewayKind, req, req.Msg,
		func(_ context.Context, _ readmodel.View, was gateway.Gateway) ([]eventlog.Change, error) {
			return was.SetKey(req.Msg.GetPublicKey())
		}, func(g *adminv1.Gateway) *adminv1.SetGatewayKeyResponse {
			return &adminv1.SetGatewayKeyResponse{Gateway: g}
		})
}

func (s *gateways) DeleteGateway(ctx context.Context, req *connect.Request[adminv1.DeleteGatewayRequest]) (*connect.Response[adminv1.DeleteGatewayResponse], error) {
	return archive[gateway.Gateway, *adminv1.Gateway, adminv1.DeleteGatewayResponse](ctx, s.runner, gatewayKind, req, req.Msg, endGateway)
}

// endGateway decides with the living agents that serve it and the tokens that let in more.
func endGateway(ctx context.Context, v readmodel.View, was gateway.Gateway) ([]eventlog.Change, error) {
	agents, err := readmodel.Agents.Some(ctx, v, maxUses,
		readmodel.Match{Column: "gateway_id", Value: was.ID}, readmodel.Match{Column: "revoked_at"})
	if err != nil {
		return nil, err
	}
	tokens, err := readmodel.EnrolmentTokens.All(ctx, v, readmodel.Match{Column: "gateway_id", Value: was.ID})
	if err != nil {
		return nil, err
	}
	stage, err := readmodel.StageOf(ctx, v, was)
	if err != nil {
		return nil, err
	}
	return was.Archive(usesBy(agents, "agent", func(a gateway.Agent) string { return a.Name }), tokens, stage)
}
