package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.RoleBindingServiceHandler = (*roleBindings)(nil)

type roleBindings struct {
	runner *command.Runner
	store  *readmodel.Store
}

var roleBindingKind = kind[rolebinding.Binding, *adminv1.RoleBinding]{
	table: readmodel.RoleBindings, convert: toProtoRoleBinding, apply: rolebinding.Apply,
	version: func(b rolebinding.Binding) int64 { return b.Version },
}

func (s *roleBindings) CreateRoleBinding(ctx context.Context, req *connect.Request[adminv1.CreateRoleBindingRequest]) (*connect.Response[adminv1.CreateRoleBindingResponse], error) {
	wanted, err := fromCreateRoleBinding(req.Msg)
	if err != nil {
		return nil, err
	}
	creation := rolebinding.Creation{Binding: wanted}
	return create(ctx, s.runner, roleBindingKind, req, func(ctx context.Context, v readmodel.View) (_ []eventlog.Change, err error) {
		if creation.By, err = authority(ctx, v); err != nil {
			return nil, err
		}
		if err := bindable(ctx, v, wanted); err != nil {
			return nil, err
		}
		creation.Bound, err = readmodel.RoleBindings.Any(ctx, v,
			readmodel.Match{Column: "principal_id", Value: wanted.Principal()}, readmodel.Match{Column: "project_id", Value: wanted.ProjectID})
		if err != nil {
			return nil, err
		}
		return rolebinding.Create(creation)
	}, func(b *adminv1.RoleBinding) *adminv1.CreateRoleBindingResponse {
		return &adminv1.CreateRoleBindingResponse{RoleBinding: b}
	})
}

// bindable asks for both ends: who was removed can't be bound.
func bindable(ctx context.Context, v readmodel.View, b rolebinding.Binding) error {
	if _, err := readmodel.Projects.Find(ctx, v, b.ProjectID); err != nil {
		return err
	}
	if b.MemberID == uuid.Nil {
		_, err := readmodel.ServiceAccounts.Find(ctx, v, b.ServiceAccountID)
		return err
	}
	m, err := readmodel.Members.Find(ctx, v, b.MemberID)
	if err == nil && !m.RemovedAt.IsZero() {
		return fault.Because(fault.Precondition, "member_removed", "the member was removed; invite the person again")
	}
	return err
}

func (s *roleBindings) GetRoleBinding(ctx context.Context, req *connect.Request[adminv1.GetRoleBindingRequest]) (*connect.Response[adminv1.GetRoleBindingResponse], error) {
	return get(ctx, s.store, roleBindingKind, req.Msg, func(b *adminv1.RoleBinding) *adminv1.GetRoleBindingResponse {
		return &adminv1.GetRoleBindingResponse{RoleBinding: b}
	})
}

func (s *roleBindings) ListRoleBindings(ctx context.Context, req *connect.Request[adminv1.ListRoleBindingsRequest]) (*connect.Response[adminv1.ListRoleBindingsResponse], error) {
	ofProject, err := sameID("project_id", req.Msg.GetProjectId())
	if err != nil {
		return nil, err
	}
	ofPrincipal, err := sameID("principal_id", req.Msg.GetPrincipalId())
	if err != nil {
		return nil, err
	}
	name := "role bindings of " + req.Msg.GetProjectId() + ", " + req.Msg.GetPrincipalId()
	return page(ctx, s.store, roleBindingKind, name, req.Msg, func(all []*adminv1.RoleBinding, next string) *adminv1.ListRoleBindingsResponse {
		return &adminv1.ListRoleBindingsResponse{RoleBindings: all, NextPageToken: next}
	}, append(ofProject, ofPrincipal...)...)
}

func (s *roleBindings) DeleteRoleBinding(ctx context.Context, req *connect.Request[adminv1.DeleteRoleBindingRequest]) (*connect.Response[adminv1.DeleteRoleBindingResponse], error) {
	return archive[rolebinding.Binding, *adminv1.RoleBinding, adminv1.DeleteRoleBindingResponse](ctx, s.runner, roleBindingKind, req, req.Msg,
		func(_ context.Context, _ readmodel.View, was rolebinding.Binding) ([]eventlog.Change, error) {
			return rolebinding.Archive(was), nil
		})
}

// boundBy are the bindings that end with a project, member or service account.
func boundBy(ctx context.Context, v readmodel.View, column string, id uuid.UUID) ([]rolebinding.Binding, error) {
	return readmodel.RoleBindings.All(ctx, v, readmodel.Match{Column: column, Value: id})
}

func fromCreateRoleBinding(msg *adminv1.CreateRoleBindingRequest) (b rolebinding.Binding, err error) {
	b.Role = eventv1.Role(msg.GetRole())
	if b.ID, err = newID(); err != nil {
		return b, err
	}
	if b.ProjectID, err = parseID("project_id", msg.GetProjectId()); err != nil {
		return b, err
	}
	switch p := msg.GetPrincipal().(type) {
	case *adminv1.CreateRoleBindingRequest_MemberId:
		b.MemberID, err = parseID("member_id", p.MemberId)
	case *adminv1.CreateRoleBindingRequest_ServiceAccountId:
		b.ServiceAccountID, err = parseID("service_account_id", p.ServiceAccountId)
	}
	return b, err
}

func toProtoRoleBinding(b rolebinding.Binding) *adminv1.RoleBinding {
	converted := &adminv1.RoleBinding{
		Id: b.ID.String(), Role: adminv1.Role(b.Role), ProjectId: b.ProjectID.String(),
		CreatedAt: toTimestamp(b.CreatedAt), Etag: toETag(b.Version),
	}
	if b.MemberID != uuid.Nil {
		converted.Principal = &adminv1.RoleBinding_MemberId{MemberId: b.MemberID.String()}
	} else {
		converted.Principal = &adminv1.RoleBinding_ServiceAccountId{ServiceAccountId: b.ServiceAccountID.String()}
	}
	return converted
}
