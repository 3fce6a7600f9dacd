package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func (s *serviceAccounts) CreateServiceAccountToken(ctx context.Context, req *connect.Request[adminv1.CreateServiceAccountTokenRequest]) (*connect.Response[adminv1.CreateServiceAccountTokenResponse], error) {
	accountID, err := parseID("service_account_id", req.Msg.GetServiceAccountId())
	if err != nil {
		return nil, err
	}
	creation, err := fromCreateToken(req.Msg)
	if err != nil {
		return nil, err
	}
	secret, hash, suffix, err := token.New(token.ServiceAccount)
	if err != nil {
		return nil, err
	}
	creation.SHA256, creation.Suffix = hash, suffix
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateServiceAccountTokenResponse], err error) {
		a, err := readmodel.ServiceAccounts.Find(ctx, v, accountID)
		if err != nil {
			return d, err
		}
		if creation.By, err = authority(ctx, v); err != nil {
			return d, err
		}
		d.Changes, err = a.CreateToken(creation)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateServiceAccountTokenResponse, error) {
			t, err := created(recorded, serviceaccount.ApplyToken)
			return &adminv1.CreateServiceAccountTokenResponse{Token: toProtoToken(t), Secret: secret}, err
		}
		return d, err
	})
}

func fromCreateToken(msg *adminv1.CreateServiceAccountTokenRequest) (serviceaccount.TokenCreation, error) {
	id, err := newID()
	return serviceaccount.TokenCreation{
		ID: id, Name: msg.GetName(), ExpiresAt: fromTimestamp(msg.GetExpiresAt()), Now: time.Now(),
	}, err
}

func (s *serviceAccounts) RevokeServiceAccountToken(ctx context.Context, req *connect.Request[adminv1.RevokeServiceAccountTokenRequest]) (*connect.Response[adminv1.RevokeServiceAccountTokenResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.RevokeServiceAccountTokenResponse], err error) {
		t, err := readmodel.ServiceAccountTokens.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		a, err := readmodel.ServiceAccounts.Find(ctx, v, t.ServiceAccountID)
		if err != nil {
			return d, err
		}
		by, err := authority(ctx, v)
		if err != nil {
			return d, err
		}
		d.Changes, err = a.RevokeToken(t, req.Msg.GetReason(), by)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.RevokeServiceAccountTokenResponse, error) {
			after, err := changed(t, recorded, serviceaccount.ApplyToken)
			return &adminv1.RevokeServiceAccountTokenResponse{Token: toProtoToken(after)}, err
		}
		return d, err
	})
}
