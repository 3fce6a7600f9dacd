package rpc

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/share"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.ProviderServiceHandler = (*providers)(nil)

type providers struct {
	runner *command.Runner
	store  *readmodel.Store
}

var providerKind = kind[provider.Provider, *adminv1.Provider]{
	table: readmodel.Providers, convert: toProtoProvider, apply: provider.Apply,
	version:  func(p provider.Provider) int64 { return p.Version },
	settable: []protoreflect.Name{"name", "base_url", "credential_ref", "region", "price_list", "headers", "timeouts", "allowed_models", "api_version", "sealed_credentials", "queue"},
	beside:   markStale,
}

// providerSettings is what Provider and CreateProviderRequest have in common.
type providerSettings interface {
	GetName() string
	GetDialect() adminv1.Dialect
	GetBaseUrl() string
	GetCredentialRef() string
	GetRegion() string
	GetPriceList() string
	GetHeaders() map[string]string
	GetTimeouts() *adminv1.Timeouts
	GetAllowedModels() []string
	GetApiVersion() string
	GetQueue() *adminv1.Queue
}

func fromProtoProvider(p providerSettings) provider.Settings {
	return provider.Settings{
		Name: p.GetName(), Dialect: eventv1.Dialect(p.GetDialect()), BaseURL: p.GetBaseUrl(), CredentialRef: p.GetCredentialRef(),
		Region: p.GetRegion(), PriceList: p.GetPriceList(), Headers: p.GetHeaders(), Timeouts: fromProtoTimeouts(p.GetTimeouts()),
		AllowedModels: p.GetAllowedModels(), APIVersion: p.GetApiVersion(),
		Queue: share.Queue{MaxRequests: p.GetQueue().GetMaxRequests(), MaxWaitMS: p.GetQueue().GetMaxWaitMs()},
	}
}

func (s *providers) CreateProvider(ctx context.Context, req *connect.Request[adminv1.CreateProviderRequest]) (*connect.Response[adminv1.CreateProviderResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	creation := provider.Creation{ID: id, Settings: fromProtoProvider(req.Msg)}
	return create(ctx, s.runner, providerKind, req, func(ctx context.Context, v readmodel.View) (_ []eventlog.Change, err error) {
		if creation.NameTaken, err = readmodel.Providers.Any(ctx, v, named(creation.Name)); err != nil {
			return nil, err
		}
		return provider.Create(creation)
	}, func(p *adminv1.Provider) *adminv1.CreateProviderResponse {
		return &adminv1.CreateProviderResponse{Provider: p}
	})
}

func (s *providers) GetProvider(ctx context.Context, req *connect.Request[adminv1.GetProviderRequest]) (*connect.Response[adminv1.GetProviderResponse], error) {
	return get(ctx, s.store, providerKind, req.Msg, func(p *adminv1.Provider) *adminv1.GetProviderResponse {
		return &adminv1.GetProviderResponse{Provider: p}
	})
}

func (s *providers) ListProviders(ctx context.Context, req *connect.Request[adminv1.ListProvidersRequest]) (*connect.Response[adminv1.ListProvidersResponse], error) {
	return page(ctx, s.store, providerKind, "providers", req.Msg, func(all []*adminv1.Provider, next string) *adminv1.ListProvidersResponse {
		return &adminv1.ListProvidersResponse{Providers: all, NextPageToken: next}
	})
}

func (s *providers) UpdateProvider(ctx context.Context, req *connect.Request[adminv1.UpdateProviderRequest]) (*connect.Response[adminv1.UpdateProviderResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was provider.Provider, wanted *adminv1.Provider) ([]eventlog.Change, error) {
		taken, err := readmodel.Providers.TakenByOther(ctx, v, was.ID, named(wanted.GetName()))
		if err != nil {
			return nil, err
		}
		models, err := modelsOf(ctx, v, was)
		if err != nil {
			return nil, err
		}
		change := provider.Change{Settings: fromProtoProvider(wanted), NameTaken: taken, Models: models}
		if change.Sealed, err = fromProtoSealed(wanted.GetSealedCredentials()); err != nil {
			return nil, err
		}
		if change.Gateways, err = gatewaysOf(ctx, v); err != nil {
			return nil, err
		}
		return was.Update(change)
	}
	return update(ctx, s.runner, providerKind, req, "provider", req.Msg.GetProvider(), req.Msg.GetUpdateMask(), decide,
		func(p *adminv1.Provider) *adminv1.UpdateProviderResponse {
			return &adminv1.UpdateProviderResponse{Provider: p}
		})
}

func (s *providers) DeleteProvider(ctx context.Context, req *connect.Request[adminv1.DeleteProviderRequest]) (*connect.Response[adminv1.DeleteProviderResponse], error) {
	return archive[provider.Provider, *adminv1.Provider, adminv1.DeleteProviderResponse](ctx, s.runner, providerKind, req, req.Msg,
		func(ctx context.Context, v readmodel.View, was provider.Provider) ([]eventlog.Change, error) {
			uses, err := usesOfProvider(ctx, v, was)
			if err != nil {
				return nil, err
			}
			return was.Archive(uses)
		})
}

// usesOfProvider are the routes that send to it, and the quotas on it.
func usesOfProvider(ctx context.Context, v readmodel.View, p provider.Provider) ([]fault.Use, error) {
	routes, err := readmodel.Routes.Mentioning(ctx, v, p.ID, maxUses)
	if err != nil {
		return nil, err
	}
	quotas, err := usesByQuotas(ctx, v, p.ID)
	return append(usesBy(routes, "route", func(r route.Route) string { return r.Name }), quotas...), err
}

// modelsOf are those that routes ask the provider for, by the routes' names.
func modelsOf(ctx context.Context, v readmodel.View, p provider.Provider) (map[string][]string, error) {
	routes, err := readmodel.Routes.Mentioning(ctx, v, p.ID, everyRoute)
	models := map[string][]string{}
	for _, r := range routes {
		for _, t := range r.EveryTarget() {
			if t.ProviderID == p.ID {
				models[r.Name] = append(models[r.Name], t.Model)
			}
		}
	}
	return models, err
}
