package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func (s *organizations) SuspendOrganization(ctx context.Context, req *connect.Request[adminv1.SuspendOrganizationRequest]) (*connect.Response[adminv1.SuspendOrganizationResponse], error) {
	return operate(ctx, s.runner, req, req.Msg, func(_ context.Context, _ readmodel.View, was organization.Organization) ([]eventlog.Change, error) {
		return was.Suspend(req.Msg.GetReason())
	}, func(o *adminv1.Organization) *adminv1.SuspendOrganizationResponse {
		return &adminv1.SuspendOrganizationResponse{Organization: o}
	})
}

func (s *organizations) ResumeOrganization(ctx context.Context, req *connect.Request[adminv1.ResumeOrganizationRequest]) (*connect.Response[adminv1.ResumeOrganizationResponse], error) {
	return operate(ctx, s.runner, req, req.Msg, func(_ context.Context, _ readmodel.View, was organization.Organization) ([]eventlog.Change, error) {
		return was.Resume(), nil
	}, func(o *adminv1.Organization) *adminv1.ResumeOrganizationResponse {
		return &adminv1.ResumeOrganizationResponse{Organization: o}
	})
}

// DeleteOrganization lets go of what is unique over the installation: the name and
// the domains whose people may join.
func (s *organizations) DeleteOrganization(ctx context.Context, req *connect.Request[adminv1.DeleteOrganizationRequest]) (*connect.Response[adminv1.DeleteOrganizationResponse], error) {
	return operate(ctx, s.runner, req, req.Msg, func(ctx context.Context, v readmodel.View, was organization.Organization) ([]eventlog.Change, error) {
		domains, err := readmodel.JoinDomains.All(ctx, v)
		if err != nil {
			return nil, err
		}
		var changes []eventlog.Change
		for _, d := range domains {
			changes = append(changes, d.Remove()...)
		}
		archived, err := was.Archive()
		return append(changes, archived...), err
	}, func(*adminv1.Organization) *adminv1.DeleteOrganizationResponse {
		return &adminv1.DeleteOrganizationResponse{}
	})
}

// operate runs a decision of the operator about an organization. When one at work
// stops, its console logins end.
func operate[A any, M message[A]](
	ctx context.Context, runner *command.Runner, req connect.AnyRequest, request identified,
	decide func(context.Context, readmodel.View, organization.Organization) ([]eventlog.Change, error), wrap func(*adminv1.Organization) M,
) (*connect.Response[A], error) {
	id, err := parseID("id", request.GetId())
	if err != nil {
		return nil, err
	}
	return mutateIn(ctx, runner, id, req, func(ctx context.Context, v readmodel.View) (d command.Decision[M], err error) {
		was, head, err := organizationIn(ctx, v)
		if err != nil {
			return d, err
		}
		d.Version = was.Version
		d.Changes, err = decide(ctx, v, was)
		if len(d.Changes) > 0 && !was.Suspended() {
			d.Parts = []pglog.Part{identity.EndAllSessionsWith(id)}
		}
		d.Answer = func(recorded []eventlog.Event) (M, error) {
			after, err := changedOrganization(was, head, recorded)
			return wrap(after), err
		}
		return d, err
	})
}
