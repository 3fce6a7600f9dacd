package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.OrganizationServiceHandler = (*organizations)(nil)

type organizations struct {
	runner *command.Runner
	store  *readmodel.Store
}

// CreateOrganization begins a new log: the organization, its owner, a service
// account and its token are its first four versions, in one commit.
func (s *organizations) CreateOrganization(ctx context.Context, req *connect.Request[adminv1.CreateOrganizationRequest]) (*connect.Response[adminv1.CreateOrganizationResponse], error) {
	f, err := newFounding(req.Msg)
	if err != nil {
		return nil, err
	}
	answer, err := mutateIn(ctx, s.runner, f.organization, req, func(ctx context.Context, _ readmodel.View) (d command.Decision[*adminv1.CreateOrganizationResponse], err error) {
		taken, err := s.store.OrganizationNamed(ctx, req.Msg.GetName())
		if err != nil {
			return d, err
		}
		d.Changes, err = f.changes(taken)
		d.Parts = []pglog.Part{identity.AddPerson(f.organization, f.owner, req.Msg.GetOwnerEmail())}
		d.Answer = f.answer
		return d, err
	})
	if violates(err, "organization_name") {
		return nil, organization.TakenName(req.Msg.GetName()) // another organization was faster
	}
	return answer, err
}

func violates(err error, constraint string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == constraint
}

func (s *organizations) GetOrganization(ctx context.Context, _ *connect.Request[adminv1.GetOrganizationRequest]) (*connect.Response[adminv1.GetOrganizationResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	answer := &adminv1.GetOrganizationResponse{}
	err := s.store.Snapshot(ctx, caller.OrganizationID, func(v readmodel.View) error {
		o, err := readmodel.Organizations.Find(ctx, v, caller.OrganizationID)
		if err != nil {
			return err
		}
		head, err := readmodel.Head(ctx, v)
		answer.Organization = toProtoOrganization(o, head)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

func (s *organizations) ListOrganizations(ctx context.Context, req *connect.Request[adminv1.ListOrganizationsRequest]) (*connect.Response[adminv1.ListOrganizationsResponse], error) {
	const name = "organizations"
	after, size, err := fromPage(name, req.Msg.GetPage())
	if err != nil {
		return nil, err
	}
	found, heads, next, err := s.store.ListOrganizations(ctx, after, size)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListOrganizationsResponse{
		Organizations: convertAll(found, func(o organization.Organization) *adminv1.Organization {
			return toProtoOrganization(o, heads[o.ID])
		}),
	}
	answer.NextPageToken, err = toPageToken(name, next)
	return connect.NewResponse(answer), err
}
