package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.ProviderServiceHandler = (*providers)(nil)

type providers struct {
	runner *command.Runner
	store  *readmodel.Store
}

func (s *providers) CreateProvider(ctx context.Context, req *connect.Request[adminv1.CreateProviderRequest]) (*connect.Response[adminv1.CreateProviderResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	creation := provider.Creation{
		ID: id, Name: req.Msg.GetName(), Dialect: eventv1.Dialect(req.Msg.GetDialect()), BaseURL: req.Msg.GetBaseUrl(),
		CredentialRef: req.Msg.GetCredentialRef(), Region: req.Msg.GetRegion(), PriceList: req.Msg.GetPriceList(),
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateProviderResponse], err error) {
		creation.NameTaken, err = readmodel.Providers.Any(ctx, v, named(creation.Name))
		if err != nil {
			return d, err
		}
		d.Changes, err = provider.Create(creation)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateProviderResponse, error) {
			p, err := created(recorded, provider.Apply)
			return &adminv1.CreateProviderResponse{Provider: toProtoProvider(p)}, err
		}
		return d, err
	})
}

func (s *providers) GetProvider(ctx context.Context, req *connect.Request[adminv1.GetProviderRequest]) (*connect.Response[adminv1.GetProviderResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetProviderResponse, error) {
		p, err := readmodel.Providers.Find(ctx, v, id)
		return &adminv1.GetProviderResponse{Provider: toProtoProvider(p)}, err
	})
}

func (s *providers) ListProviders(ctx context.Context, req *connect.Request[adminv1.ListProvidersRequest]) (*connect.Response[adminv1.ListProvidersResponse], error) {
	return read(ctx, s.store, func(v readmodel.View) (answer *adminv1.ListProvidersResponse, err error) {
		answer = &adminv1.ListProvidersResponse{}
		answer.Providers, answer.NextPageToken, err = list(ctx, v, readmodel.Providers, toProtoProvider, "providers", req.Msg.GetPage())
		return answer, err
	})
}
