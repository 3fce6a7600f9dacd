package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/identity"
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

var serviceAccountKind = kind[serviceaccount.ServiceAccount, *adminv1.ServiceAccount]{
	table: readmodel.ServiceAccounts, apply: serviceaccount.Apply,
	convert:  func(a serviceaccount.ServiceAccount) *adminv1.ServiceAccount { return toProtoServiceAccount(a, nil) },
	version:  func(a serviceaccount.ServiceAccount) int64 { return a.Version },
	settable: []protoreflect.Name{"name", "role"},
}

func (s *serviceAccounts) CreateServiceAccount(ctx context.Context, req *connect.Request[adminv1.CreateServiceAccountRequest]) (*connect.Response[adminv1.CreateServiceAccountResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	creation := serviceaccount.Creation{ID: id, Name: req.Msg.GetName(), Role: eventv1.Role(req.Msg.GetRole())}
	return create(ctx, s.runner, serviceAccountKind, req, func(ctx context.Context, v readmodel.View) (_ []eventlog.Change, err error) {
		if creation.By, err = authority(ctx, v); err != nil {
			return nil, err
		}
		if creation.NameTaken, err = readmodel.ServiceAccounts.Any(ctx, v, named(creation.Name)); err != nil {
			return nil, err
		}
		return serviceaccount.Create(creation)
	}, func(a *adminv1.ServiceAccount) *adminv1.CreateServiceAccountResponse {
		return &adminv1.CreateServiceAccountResponse{ServiceAccount: a}
	})
}

// UpdateServiceAccount answers without the tokens, which it does not touch.
func (s *serviceAccounts) UpdateServiceAccount(ctx context.Context, req *connect.Request[adminv1.UpdateServiceAccountRequest]) (*connect.Response[adminv1.UpdateServiceAccountResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was serviceaccount.ServiceAccount, wanted *adminv1.ServiceAccount) ([]eventlog.Change, error) {
		by, err := authority(ctx, v)
		if err != nil {
			return nil, err
		}
		taken, err := readmodel.ServiceAccounts.TakenByOther(ctx, v, was.ID, named(wanted.GetName()))
		if err != nil {
			return nil, err
		}
		return was.Update(serviceaccount.Creation{
			ID: was.ID, Name: wanted.GetName(), Role: eventv1.Role(wanted.GetRole()), By: by, NameTaken: taken,
		})
	}
	return update(ctx, s.runner, serviceAccountKind, req, "service_account", req.Msg.GetServiceAccount(), req.Msg.GetUpdateMask(), decide,
		func(a *adminv1.ServiceAccount) *adminv1.UpdateServiceAccountResponse {
			return &adminv1.UpdateServiceAccountResponse{ServiceAccount: a}
		})
}

func (s *serviceAccounts) DeleteServiceAccount(ctx context.Context, req *connect.Request[adminv1.DeleteServiceAccountRequest]) (*connect.Response[adminv1.DeleteServiceAccountResponse], error) {
	return archive[serviceaccount.ServiceAccount, *adminv1.ServiceAccount, adminv1.DeleteServiceAccountResponse](ctx, s.runner, serviceAccountKind, req, req.Msg,
		func(ctx context.Context, v readmodel.View, was serviceaccount.ServiceAccount) ([]eventlog.Change, error) {
			by, err := authority(ctx, v)
			if err != nil {
				return nil, err
			}
			tokens, err := readmodel.ServiceAccountTokens.All(ctx, v, readmodel.Match{Column: "service_account_id", Value: was.ID})
			if err != nil {
				return nil, err
			}
			bound, err := boundBy(ctx, v, "principal_id", was.ID)
			if err != nil {
				return nil, err
			}
			return was.Archive(tokens, bound, by)
		})
}

func (s *serviceAccounts) GetServiceAccount(ctx context.Context, req *connect.Request[adminv1.GetServiceAccountRequest]) (*connect.Response[adminv1.GetServiceAccountResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return readAt(ctx, s.store, req.Msg, func(v readmodel.View) (*adminv1.GetServiceAccountResponse, error) {
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
	return readAt(ctx, s.store, req.Msg, func(v readmodel.View) (*adminv1.ListServiceAccountsResponse, error) {
		l, err := fromList("service accounts", readmodel.ServiceAccounts.Fields(), req.Msg)
		if err != nil {
			return nil, err
		}
		found, next, err := readmodel.ServiceAccounts.List(ctx, v, l.Query)
		if err != nil {
			return nil, err
		}
		answer := &adminv1.ListServiceAccountsResponse{}
		if answer.ServiceAccounts, err = withTokens(ctx, v, found); err != nil {
			return nil, err
		}
		answer.NextPageToken, err = l.token(next)
		return answer, err
	})
}

func withTokens(ctx context.Context, v readmodel.View, accounts []serviceaccount.ServiceAccount) ([]*adminv1.ServiceAccount, error) {
	of := make([]uuid.UUID, 0, len(accounts))
	for _, a := range accounts {
		of = append(of, a.ID)
	}
	tokens, err := readmodel.ServiceAccountTokens.All(ctx, v, readmodel.Match{Column: "service_account_id", Value: of})
	if err != nil {
		return nil, err
	}
	ids, owned := make([]uuid.UUID, 0, len(tokens)), map[uuid.UUID][]serviceaccount.Token{}
	for _, t := range tokens {
		ids = append(ids, t.ID)
		owned[t.ServiceAccountID] = append(owned[t.ServiceAccountID], t)
	}
	used, err := identity.LastUses(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	return convertAll(accounts, func(a serviceaccount.ServiceAccount) *adminv1.ServiceAccount {
		converted := toProtoServiceAccount(a, owned[a.ID])
		for i, t := range owned[a.ID] {
			converted.Tokens[i].LastUsedAt = toTimestamp(used[t.ID])
		}
		return converted
	}), nil
}
