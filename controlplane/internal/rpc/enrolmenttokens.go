package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// everyToken is more than a gateway has.
const everyToken = 100_000

var enrolmentTokenKind = kind[gateway.Token, *adminv1.EnrolmentToken]{
	table: readmodel.EnrolmentTokens, convert: toProtoEnrolmentToken, apply: gateway.ApplyToken,
	version: func(t gateway.Token) int64 { return t.Version },
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

func (s *gateways) ListEnrolmentTokens(ctx context.Context, req *connect.Request[adminv1.ListEnrolmentTokensRequest]) (*connect.Response[adminv1.ListEnrolmentTokensResponse], error) {
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.ListEnrolmentTokensResponse, error) {
		found, err := tokensOf(ctx, v, req.Msg)
		return &adminv1.ListEnrolmentTokensResponse{EnrolmentTokens: convertAll(found, toProtoEnrolmentToken)}, err
	})
}

func tokensOf(ctx context.Context, v readmodel.View, request *adminv1.ListEnrolmentTokensRequest) ([]gateway.Token, error) {
	l, err := fromSelection("enrolment tokens", readmodel.EnrolmentTokens.Fields(), request)
	if err != nil {
		return nil, err
	}
	matches, err := sameID("gateway_id", request.GetGatewayId())
	if err != nil {
		return nil, err
	}
	l.Size = everyToken
	found, _, err := readmodel.EnrolmentTokens.List(ctx, v, l.Query, matches...)
	return found, err
}

func (s *gateways) RevokeEnrolmentToken(ctx context.Context, req *connect.Request[adminv1.RevokeEnrolmentTokenRequest]) (*connect.Response[adminv1.RevokeEnrolmentTokenResponse], error) {
	return archive[gateway.Token, *adminv1.EnrolmentToken, adminv1.RevokeEnrolmentTokenResponse](ctx, s.runner, enrolmentTokenKind, req, req.Msg,
		func(_ context.Context, _ readmodel.View, was gateway.Token) ([]eventlog.Change, error) {
			return was.Revoke(req.Msg.GetReason()), nil
		})
}
