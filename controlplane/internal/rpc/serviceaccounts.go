package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.ServiceAccountServiceHandler = (*serviceAccounts)(nil)

type serviceAccounts struct {
	runner *command.Runner
	store  *readmodel.Store
}

func (s *serviceAccounts) CreateServiceAccount(ctx context.Context, req *connect.Request[adminv1.CreateServiceAccountRequest]) (*connect.Response[adminv1.CreateServiceAccountResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateServiceAccountResponse], err error) {
		taken, err := readmodel.ServiceAccounts.Any(ctx, v, named(req.Msg.GetName()))
		if err != nil {
			return d, err
		}
		d.Changes, err = serviceaccount.Create(serviceaccount.Creation{
			ID: id, Name: req.Msg.GetName(), Role: eventv1.Role(req.Msg.GetRole()), By: roleOfCaller(ctx), NameTaken: taken,
		})
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateServiceAccountResponse, error) {
			a, err := created(recorded, serviceaccount.Apply)
			return &adminv1.CreateServiceAccountResponse{ServiceAccount: toProtoServiceAccount(a, nil)}, err
		}
		return d, err
	})
}

// roleOfCaller is unspecified, and so above nothing, where there is no caller.
func roleOfCaller(ctx context.Context) eventv1.Role {
	caller, _ := authn.From(ctx)
	return caller.Role
}

func (s *serviceAccounts) GetServiceAccount(ctx context.Context, req *connect.Request[adminv1.GetServiceAccountRequest]) (*connect.Response[adminv1.GetServiceAccountResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetServiceAccountResponse, error) {
		a, err := readmodel.ServiceAccounts.Find(ctx, v, id)
		if err != nil {
			return nil, err
		}
		converted, err := withTokens(ctx, v, []serviceaccount.ServiceAccount{a})
		if err != nil {
			return nil, err
		}
		return &adminv1.GetServiceAccountResponse{ServiceAccount: converted[0]}, nil
	})
}

func (s *serviceAccounts) ListServiceAccounts(ctx context.Context, req *connect.Request[adminv1.ListServiceAccountsRequest]) (*connect.Response[adminv1.ListServiceAccountsResponse], error) {
	const name = "service accounts"
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.ListServiceAccountsResponse, error) {
		after, size, err := fromPage(name, req.Msg.GetPage())
		if err != nil {
			return nil, err
		}
		found, next, err := readmodel.ServiceAccounts.List(ctx, v, after, size)
		if err != nil {
			return nil, err
		}
		answer := &adminv1.ListServiceAccountsResponse{}
		if answer.ServiceAccounts, err = withTokens(ctx, v, found); err != nil {
			return nil, err
		}
		answer.NextPageToken, err = toPageToken(name, next)
		return answer, err
	})
}

func withTokens(ctx context.Context, v readmodel.View, accounts []serviceaccount.ServiceAccount) ([]*adminv1.ServiceAccount, error) {
	converted := make([]*adminv1.ServiceAccount, 0, len(accounts))
	for _, a := range accounts {
		tokens, err := readmodel.ServiceAccountTokens.All(ctx, v, readmodel.Match{Column: "service_account_id", Value: a.ID})
		if err != nil {
			return nil, err
		}
		converted = append(converted, toProtoServiceAccount(a, tokens))
	}
	return converted, nil
}
