package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/route"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.ProjectServiceHandler = (*projects)(nil)

type projects struct {
	runner *command.Runner
	store  *readmodel.Store
}

var projectKind = kind[project.Project, *adminv1.Project]{
	table: readmodel.Projects, convert: toProtoProject, apply: project.Apply,
	version: func(p project.Project) int64 { return p.Version },
	project: func(p project.Project) uuid.UUID { return p.ID }, projectColumn: "id",
	settable: []protoreflect.Name{"name", "display_name", "weight"},
}

func (s *projects) CreateProject(ctx context.Context, req *connect.Request[adminv1.CreateProjectRequest]) (*connect.Response[adminv1.CreateProjectResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	creation := project.Creation{ID: id, Settings: fromProtoProject(req.Msg)}
	return create(ctx, s.runner, projectKind, req, func(ctx context.Context, v readmodel.View) (_ []eventlog.Change, err error) {
		if creation.NameTaken, err = readmodel.Projects.Any(ctx, v, named(creation.Name)); err != nil {
			return nil, err
		}
		return project.Create(creation)
	}, func(p *adminv1.Project) *adminv1.CreateProjectResponse {
		return &adminv1.CreateProjectResponse{Project: p}
	})
}

func (s *projects) GetProject(ctx context.Context, req *connect.Request[adminv1.GetProjectRequest]) (*connect.Response[adminv1.GetProjectResponse], error) {
	return get(ctx, s.store, projectKind, req.Msg, func(p *adminv1.Project) *adminv1.GetProjectResponse {
		return &adminv1.GetProjectResponse{Project: p}
	})
}

func (s *projects) ListProjects(ctx context.Context, req *connect.Request[adminv1.ListProjectsRequest]) (*connect.Response[adminv1.ListProjectsResponse], error) {
	return page(ctx, s.store, projectKind, "projects", req.Msg, func(all []*adminv1.Project, next string) *adminv1.ListProjectsResponse {
		return &adminv1.ListProjectsResponse{Projects: all, NextPageToken: next}
	})
}

func (s *projects) UpdateProject(ctx context.Context, req *connect.Request[adminv1.UpdateProjectRequest]) (*connect.Response[adminv1.UpdateProjectResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was project.Project, wanted *adminv1.Project) ([]eventlog.Change, error) {
		taken, err := readmodel.Projects.TakenByOther(ctx, v, was.ID, named(wanted.GetName()))
		if err != nil {
			return nil, err
		}
		return was.Update(fromProtoProject(wanted), taken)
	}
	return update(ctx, s.runner, projectKind, req, "project", req.Msg.GetProject(), req.Msg.GetUpdateMask(), decide,
		func(p *adminv1.Project) *adminv1.UpdateProjectResponse {
			return &adminv1.UpdateProjectResponse{Project: p}
		})
}

func (s *projects) DeleteProject(ctx context.Context, req *connect.Request[adminv1.DeleteProjectRequest]) (*connect.Response[adminv1.DeleteProjectResponse], error) {
	return archive[project.Project, *adminv1.Project, adminv1.DeleteProjectResponse](ctx, s.runner, projectKind, req, req.Msg,
		func(ctx context.Context, v readmodel.View, was project.Project) ([]eventlog.Change, error) {
			uses, err := usesOfProject(ctx, v, was)
			if err != nil {
				return nil, err
			}
			bound, err := boundBy(ctx, v, "project_id", was.ID)
			if err != nil {
				return nil, err
			}
			return was.Archive(uses, bound)
		})
}

// usesOfProject are the keys that live in it, the routes that are for it, and the quotas
// on it and its keys.
func usesOfProject(ctx context.Context, v readmodel.View, p project.Project) ([]fault.Use, error) {
	keys, err := readmodel.Keys.Some(ctx, v, maxUses, readmodel.Match{Column: "project_id", Value: p.ID}, readmodel.Match{Column: "revoked_at"})
	if err != nil {
		return nil, err
	}
	routes, err := readmodel.Routes.Mentioning(ctx, v, p.ID, maxUses)
	if err != nil {
		return nil, err
	}
	quotas, err := usesByQuotas(ctx, v, p.ID)
	uses := append(usesBy(keys, "key", func(k key.Key) string { return k.Name }), usesBy(routes, "route", func(r route.Route) string { return r.Name })...)
	return append(uses, quotas...), err
}
