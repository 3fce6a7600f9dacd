package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.SessionServiceHandler = (*sessions)(nil)

type sessions struct {
	store *readmodel.Store
}

func (s *sessions) WhoAmI(ctx context.Context, _ *connect.Request[adminv1.WhoAmIRequest]) (*connect.Response[adminv1.WhoAmIResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	answer := &adminv1.WhoAmIResponse{
		Kind: string(caller.Kind), Display: caller.Display, Role: adminv1.Role(caller.Role), Permissions: authz.Permissions(caller),
	}
	if caller.OrganizationID == uuid.Nil {
		return connect.NewResponse(answer), nil
	}
	answer.Id, answer.OrganizationId = caller.ID.String(), caller.OrganizationID.String()
	err := s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) error {
		o, err := readmodel.Organizations.Find(ctx, v, caller.OrganizationID)
		answer.OrganizationName = o.Name
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}
