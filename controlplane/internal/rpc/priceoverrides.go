package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var _ adminv1connect.PriceOverrideServiceHandler = (*priceOverrides)(nil)

type priceOverrides struct {
	runner  *command.Runner
	store   *readmodel.Store
	builtin *policyv1.PriceBook
}

var priceOverrideKind = kind[priceoverride.PriceOverride, *adminv1.PriceOverride]{
	table: readmodel.PriceOverrides, convert: toProtoPriceOverride, apply: priceoverride.Apply,
	version: func(p priceoverride.PriceOverride) int64 { return p.Version },
	settable: []protoreflect.Name{"rates", "long_context_threshold", "long_rates", "long_context", "service_tiers",
		"region_factors", "geo_factors", "per_request", "per_image", "effective_until"},
}

func (s *priceOverrides) CreatePriceOverride(ctx context.Context, req *connect.Request[adminv1.CreatePriceOverrideRequest]) (*connect.Response[adminv1.CreatePriceOverrideResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	settings, err := fromProtoPrice("", req.Msg)
	if err != nil {
		return nil, err
	}
	creation := priceoverride.Creation{ID: id, Settings: settings.Complete()}
	return create(ctx, s.runner, priceOverrideKind, req, func(ctx context.Context, v readmodel.View) (_ []eventlog.Change, err error) {
		if creation.ProviderID != uuid.Nil {
			if _, err := readmodel.Providers.Find(ctx, v, creation.ProviderID); err != nil {
				return nil, err
			}
		}
		if creation.Taken, err = readmodel.PriceOverrides.Any(ctx, v, named(creation.Name())); err != nil {
			return nil, err
		}
		if creation.Count, err = readmodel.PriceOverrides.Count(ctx, v); err != nil {
			return nil, err
		}
		return priceoverride.Create(creation)
	}, func(p *adminv1.PriceOverride) *adminv1.CreatePriceOverrideResponse {
		return &adminv1.CreatePriceOverrideResponse{PriceOverride: p}
	})
}

func (s *priceOverrides) GetPriceOverride(ctx context.Context, req *connect.Request[adminv1.GetPriceOverrideRequest]) (*connect.Response[adminv1.GetPriceOverrideResponse], error) {
	return get(ctx, s.store, priceOverrideKind, req.Msg, func(p *adminv1.PriceOverride) *adminv1.GetPriceOverrideResponse {
		return &adminv1.GetPriceOverrideResponse{PriceOverride: p}
	})
}

func (s *priceOverrides) ListPriceOverrides(ctx context.Context, req *connect.Request[adminv1.ListPriceOverridesRequest]) (*connect.Response[adminv1.ListPriceOverridesResponse], error) {
	return page(ctx, s.store, priceOverrideKind, "price overrides", req.Msg, func(all []*adminv1.PriceOverride, next string) *adminv1.ListPriceOverridesResponse {
		return &adminv1.ListPriceOverridesResponse{PriceOverrides: all, NextPageToken: next}
	})
}

func (s *priceOverrides) UpdatePriceOverride(ctx context.Context, req *connect.Request[adminv1.UpdatePriceOverrideRequest]) (*connect.Response[adminv1.UpdatePriceOverrideResponse], error) {
	decide := func(_ context.Context, _ readmodel.View, was priceoverride.PriceOverride, wanted *adminv1.PriceOverride) ([]eventlog.Change, error) {
		settings, err := fromProtoPrice("price_override.", wanted)
		if err != nil {
			return nil, err
		}
		return was.Update(settings)
	}
	return update(ctx, s.runner, priceOverrideKind, req, "price_override", req.Msg.GetPriceOverride(), req.Msg.GetUpdateMask(), decide,
		func(p *adminv1.PriceOverride) *adminv1.UpdatePriceOverrideResponse {
			return &adminv1.UpdatePriceOverrideResponse{PriceOverride: p}
		})
}

func (s *priceOverrides) DeletePriceOverride(ctx context.Context, req *connect.Request[adminv1.DeletePriceOverrideRequest]) (*connect.Response[adminv1.DeletePriceOverrideResponse], error) {
	return archive[priceoverride.PriceOverride, *adminv1.PriceOverride, adminv1.DeletePriceOverrideResponse](ctx, s.runner, priceOverrideKind, req, req.Msg,
		func(_ context.Context, _ readmodel.View, was priceoverride.PriceOverride) ([]eventlog.Change, error) {
			return was.Archive(), nil
		})
}
