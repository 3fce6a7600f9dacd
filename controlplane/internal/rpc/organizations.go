package rpc

import (
	"context"
	"errors"
	"slices"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
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

func (s *organizations) GetOrganization(ctx context.Context, req *connect.Request[adminv1.GetOrganizationRequest]) (*connect.Response[adminv1.GetOrganizationResponse], error) {
	return readAt(ctx, s.store, req.Msg, func(v readmodel.View) (*adminv1.GetOrganizationResponse, error) {
		o, head, err := organizationIn(ctx, v)
		return &adminv1.GetOrganizationResponse{Organization: toProtoOrganization(o, head)}, err
	})
}

// organizationIn returns the view's own, and the version of the log that it shows.
func organizationIn(ctx context.Context, v readmodel.View) (o organization.Organization, version int64, err error) {
	if version = v.AsOf; version == 0 {
		if version, err = readmodel.Head(ctx, v); err != nil {
			return o, 0, err
		}
	}
	o, err = readmodel.Organizations.Find(ctx, v, v.Organization)
	return o, max(version, o.Version), err
}

func (s *organizations) UpdateOrganization(ctx context.Context, req *connect.Request[adminv1.UpdateOrganizationRequest]) (*connect.Response[adminv1.UpdateOrganizationResponse], error) {
	sent := req.Msg.GetOrganization()
	answer, err := mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.UpdateOrganizationResponse], err error) {
		if id := sent.GetId(); id != "" && id != v.Organization.String() {
			return d, fault.Because(fault.NotFound, "organization_not_found", "no organization %s", id)
		}
		was, head, err := organizationIn(ctx, v)
		if err != nil {
			return d, err
		}
		d.Version = was.Version
		wanted, err := merge(toProtoOrganization(was, head), sent, req.Msg.GetUpdateMask(), "name", "display_name", "allowed_regions",
			"usage", "usage.end_users", "usage.labels",
			"pricing", "pricing.unpriced", "pricing.estimate_price_list", "pricing.estimate_model")
		if err != nil {
			return d, err
		}
		d.Changes, err = s.decideUpdate(ctx, v, was, wanted)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.UpdateOrganizationResponse, error) {
			after, err := changedOrganization(was, head, recorded)
			return &adminv1.UpdateOrganizationResponse{Organization: after}, err
		}
		return d, err
	})
	if violates(err, "organization_name") {
		return nil, organization.TakenName(sent.GetName()) // another organization was faster
	}
	return answer, err
}

func (s *organizations) decideUpdate(ctx context.Context, v readmodel.View, was organization.Organization, wanted *adminv1.Organization) ([]eventlog.Change, error) {
	taken := false
	if wanted.GetName() != was.Name {
		var err error
		if taken, err = s.store.OrganizationNamed(ctx, wanted.GetName()); err != nil {
			return nil, err
		}
	}
	gateways, err := readmodel.Gateways.All(ctx, v)
	if err != nil {
		return nil, err
	}
	return was.Update(organization.Settings{
		Name: wanted.GetName(), DisplayName: wanted.GetDisplayName(), AllowedRegions: wanted.GetAllowedRegions(),
		Usage: fromProtoUsage(wanted.GetUsage()), Pricing: fromProtoPricing(wanted.GetPricing()),
	}, convertAll(gateways, func(g gateway.Gateway) organization.Gateway {
		return organization.Gateway{Name: g.Name, Region: g.Region}
	}), taken)
}

// changedOrganization shows the organization after what was recorded about it, which
// its end is not.
func changedOrganization(was organization.Organization, head int64, recorded []eventlog.Event) (*adminv1.Organization, error) {
	if len(recorded) > 0 {
		head = recorded[len(recorded)-1].Version
	}
	own := slices.DeleteFunc(about(was.ID, recorded), func(e eventlog.Event) bool { return e.Kind == "OrganizationArchived" })
	after, err := changed(was, own, organization.Apply)
	return toProtoOrganization(after, head), err
}

func (s *organizations) ListOrganizations(ctx context.Context, req *connect.Request[adminv1.ListOrganizationsRequest]) (*connect.Response[adminv1.ListOrganizationsResponse], error) {
	l, err := fromList("organizations", readmodel.Organizations.Fields(), req.Msg)
	if err != nil {
		return nil, err
	}
	found, heads, next, err := s.store.ListOrganizations(ctx, l.Query)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListOrganizationsResponse{
		Organizations: convertAll(found, func(o organization.Organization) *adminv1.Organization {
			return toProtoOrganization(o, heads[o.ID])
		}),
	}
	answer.NextPageToken, err = l.token(next)
	return connect.NewResponse(answer), err
}
