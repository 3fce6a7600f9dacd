package rpc

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/route"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.RouteServiceHandler = (*routes)(nil)

type routes struct {
	runner *command.Runner
	store  *readmodel.Store
}

func (s *routes) CreateRoute(ctx context.Context, req *connect.Request[adminv1.CreateRouteRequest]) (*connect.Response[adminv1.CreateRouteResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	targets, err := fromProtoTargets(req.Msg.GetTargets())
	if err != nil {
		return nil, err
	}
	creation := route.Creation{ID: id, Name: req.Msg.GetName(), Strategy: eventv1.Strategy(req.Msg.GetStrategy()), Targets: targets}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateRouteResponse], err error) {
		creation.NameTaken, err = readmodel.Routes.Any(ctx, v, named(creation.Name))
		if err != nil {
			return d, err
		}
		if creation.Providers, err = targetProviders(ctx, v, targets); err != nil {
			return d, err
		}
		d.Changes, err = route.Create(creation)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateRouteResponse, error) {
			r, err := created(recorded, route.Apply)
			return &adminv1.CreateRouteResponse{Route: toProtoRoute(r)}, err
		}
		return d, err
	})
}

func fromProtoTargets(targets []*adminv1.Target) ([]route.Target, error) {
	var all []route.Target
	for i, t := range targets {
		id, err := parseID(fmt.Sprintf("targets[%d].provider_id", i), t.GetProviderId())
		if err != nil {
			return nil, err
		}
		all = append(all, route.Target{ProviderID: id, Model: t.GetModel()})
	}
	return all, nil
}

func targetProviders(ctx context.Context, v readmodel.View, targets []route.Target) (map[uuid.UUID]bool, error) {
	ids := make([]uuid.UUID, 0, len(targets))
	for _, t := range targets {
		ids = append(ids, t.ProviderID)
	}
	return readmodel.Providers.Which(ctx, v, ids)
}

func (s *routes) GetRoute(ctx context.Context, req *connect.Request[adminv1.GetRouteRequest]) (*connect.Response[adminv1.GetRouteResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetRouteResponse, error) {
		r, err := readmodel.Routes.Find(ctx, v, id)
		return &adminv1.GetRouteResponse{Route: toProtoRoute(r)}, err
	})
}

func (s *routes) ListRoutes(ctx context.Context, req *connect.Request[adminv1.ListRoutesRequest]) (*connect.Response[adminv1.ListRoutesResponse], error) {
	return read(ctx, s.store, func(v readmodel.View) (answer *adminv1.ListRoutesResponse, err error) {
		answer = &adminv1.ListRoutesResponse{}
		answer.Routes, answer.NextPageToken, err = list(ctx, v, readmodel.Routes, toProtoRoute, "routes", req.Msg.GetPage())
		return answer, err
	})
}
