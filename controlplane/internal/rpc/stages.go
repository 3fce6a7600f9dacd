package rpc

import (
	"context"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// stagedGatewayKind says besides what the agents of a gateway are to have, and which
// routes they refuse: of now, so that no change answers with it.
var stagedGatewayKind = func() kind[gateway.Gateway, *adminv1.Gateway] {
	k := gatewayKind
	k.beside = stagesAndRoutesOf
	return k
}()

func stagesAndRoutesOf(ctx context.Context, v readmodel.View) (func(*adminv1.Gateway), error) {
	gateways, err := readmodel.Gateways.All(ctx, v)
	if err != nil {
		return nil, err
	}
	stage, err := stagesOf(ctx, v, gateways)
	if err != nil {
		return nil, err
	}
	routes, err := unservedRoutes(ctx, v, gateways)
	return func(g *adminv1.Gateway) { stage(g); routes(g) }, err
}

func stagesOf(ctx context.Context, v readmodel.View, gateways []gateway.Gateway) (func(*adminv1.Gateway), error) {
	stages, err := readmodel.StagesOf(ctx, v, gateways)
	if err != nil {
		return nil, err
	}
	versions, err := readmodel.ConfigurationVersions(ctx, v, gateways)
	if err != nil {
		return nil, err
	}
	return func(g *adminv1.Gateway) {
		id := uuid.MustParse(g.GetId()) // as it was converted a moment ago
		g.Stage = toProtoStage(stages[id], versions[id])
	}, nil
}
