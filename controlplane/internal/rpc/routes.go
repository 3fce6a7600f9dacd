package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/route"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.RouteServiceHandler = (*routes)(nil)

type routes struct {
	runner *command.Runner
	store  *readmodel.Store
}

var routeKind = kind[route.Route, *adminv1.Route]{
	table: readmodel.Routes, convert: toProtoRoute, apply: route.Apply,
	version:  func(r route.Route) int64 { return r.Version },
	settable: []protoreflect.Name{"name", "strategy", "targets", "timeouts", "allowed_project_ids", "retry", "strict", "sticky", "hedge", "canary", "shadow"},
}

func (s *routes) CreateRoute(ctx context.Context, req *connect.Request[adminv1.CreateRouteRequest]) (*connect.Response[adminv1.CreateRouteResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	settings, err := fromProtoRoute(req.Msg)
	if err != nil {
		return nil, err
	}
	return create(ctx, s.runner, routeKind, req, func(ctx context.Context, v readmodel.View) ([]eventlog.Change, error) {
		world, err := routeWorld(ctx, v, id, settings)
		if err != nil {
			return nil, err
		}
		return route.Create(id, settings, world)
	}, func(r *adminv1.Route) *adminv1.CreateRouteResponse { return &adminv1.CreateRouteResponse{Route: r} })
}

func (s *routes) GetRoute(ctx context.Context, req *connect.Request[adminv1.GetRouteRequest]) (*connect.Response[adminv1.GetRouteResponse], error) {
	return get(ctx, s.store, routeKind, req.Msg, func(r *adminv1.Route) *adminv1.GetRouteResponse {
		return &adminv1.GetRouteResponse{Route: r}
	})
}

func (s *routes) ListRoutes(ctx context.Context, req *connect.Request[adminv1.ListRoutesRequest]) (*connect.Response[adminv1.ListRoutesResponse], error) {
	return page(ctx, s.store, routeKind, "routes", req.Msg, func(all []*adminv1.Route, next string) *adminv1.ListRoutesResponse {
		return &adminv1.ListRoutesResponse{Routes: all, NextPageToken: next}
	})
}

func (s *routes) UpdateRoute(ctx context.Context, req *connect.Request[adminv1.UpdateRouteRequest]) (*connect.Response[adminv1.UpdateRouteResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was route.Route, wanted *adminv1.Route) ([]eventlog.Change, error) {
		settings, err := fromProtoRoute(wanted)
		if err != nil {
			return nil, err
		}
		world, err := routeWorld(ctx, v, was.ID, settings)
		if err != nil {
			return nil, err
		}
		return was.Update(settings, world)
	}
	return update(ctx, s.runner, routeKind, req, "route", req.Msg.GetRoute(), req.Msg.GetUpdateMask(), decide,
		func(r *adminv1.Route) *adminv1.UpdateRouteResponse { return &adminv1.UpdateRouteResponse{Route: r} })
}

func (s *routes) DeleteRoute(ctx context.Context, req *connect.Request[adminv1.DeleteRouteRequest]) (*connect.Response[adminv1.DeleteRouteResponse], error) {
	return archive[route.Route, *adminv1.Route, adminv1.DeleteRouteResponse](ctx, s.runner, routeKind, req, req.Msg,
		func(ctx context.Context, v readmodel.View, was route.Route) ([]eventlog.Change, error) {
			uses, err := usesOfRoute(ctx, v, was)
			if err != nil {
				return nil, err
			}
			return was.Archive(uses)
		})
}

// usesOfRoute are the living keys that name it, and the quotas on it.
func usesOfRoute(ctx context.Context, v readmodel.View, r route.Route) ([]fault.Use, error) {
	keys, err := readmodel.Keys.Some(ctx, v, maxUses, readmodel.Match{Column: "route_ids", Holds: r.ID}, readmodel.Match{Column: "revoked_at"})
	if err != nil {
		return nil, err
	}
	quotas, err := usesByQuotas(ctx, v, r.ID)
	return append(usesBy(keys, "key", func(k key.Key) string { return k.Name }), quotas...), err
}

// routeWorld reads what decisions about a route depend on.
func routeWorld(ctx context.Context, v readmodel.View, id uuid.UUID, s route.Settings) (w route.World, err error) {
	if w.NameTaken, err = readmodel.Routes.TakenByOther(ctx, v, id, named(s.Name)); err != nil {
		return w, err
	}
	if w.Projects, err = readmodel.Projects.Which(ctx, v, s.AllowedProjectIDs); err != nil {
		return w, err
	}
	w.Providers = map[uuid.UUID]provider.Provider{}
	for _, t := range s.EveryTarget() {
		found, err := readmodel.Providers.All(ctx, v, readmodel.Match{Column: "id", Value: t.ProviderID})
		if err != nil {
			return w, err
		}
		for _, p := range found {
			w.Providers[p.ID] = p
		}
	}
	return w, nil
}
