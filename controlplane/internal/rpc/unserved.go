package rpc

import (
	"context"
	"slices"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// maxUnserved bounds what one gateway lists.
const maxUnserved = 100

// unservedRoutes adds to gateways the routes that have no target where they may send.
func unservedRoutes(ctx context.Context, v readmodel.View, gateways []gateway.Gateway) (func(*adminv1.Gateway), error) {
	if !slices.ContainsFunc(gateways, func(g gateway.Gateway) bool { return len(g.AllowedRegions) > 0 }) {
		return func(*adminv1.Gateway) {}, nil // nothing else is read for most
	}
	providers, err := readmodel.Providers.All(ctx, v)
	if err != nil {
		return nil, err
	}
	routes, err := readmodel.Routes.All(ctx, v)
	if err != nil {
		return nil, err
	}
	return func(g *adminv1.Gateway) {
		found := policy.UnservedBy(gateway.Gateway{Name: g.GetName(), AllowedRegions: g.GetAllowedRegions()}, providers, routes)
		g.UnservedRoutes = convertAll(found[:min(maxUnserved, len(found))], toProtoUnserved)
	}, nil
}

func toProtoUnserved(u policy.Unserved) *adminv1.UnservedRoute {
	return &adminv1.UnservedRoute{RouteId: u.RouteID.String(), Name: u.Name, Reason: u.Reason}
}
