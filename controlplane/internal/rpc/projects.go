package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.ProjectServiceHandler = (*projects)(nil)

type projects struct {
	runner *command.Runner
	store  *readmodel.Store
}

func (s *projects) CreateProject(ctx context.Context, req *connect.Request[adminv1.CreateProjectRequest]) (*connect.Response[adminv1.CreateProjectResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateProjectResponse], err error) {
		taken, err := readmodel.Projects.Any(ctx, v, named(req.Msg.GetName()))
		if err != nil {
			return d, err
		}
		d.Changes, err = project.Create(project.Creation{
			ID: id, Name: req.Msg.GetName(), DisplayName: req.Msg.GetDisplayName(), NameTaken: taken,
		})
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateProjectResponse, error) {
			p, err := created(recorded, project.Apply)
			return &adminv1.CreateProjectResponse{Project: toProtoProject(p)}, err
		}
		return d, err
	})
}

func (s *projects) GetProject(ctx context.Context, req *connect.Request[adminv1.GetProjectRequest]) (*connect.Response[adminv1.GetProjectResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetProjectResponse, error) {
		p, err := readmodel.Projects.Find(ctx, v, id)
		return &adminv1.GetProjectResponse{Project: toProtoProject(p)}, err
	})
}

func (s *projects) ListProjects(ctx context.Context, req *connect.Request[adminv1.ListProjectsRequest]) (*connect.Response[adminv1.ListProjectsResponse], error) {
	return read(ctx, s.store, func(v readmodel.View) (answer *adminv1.ListProjectsResponse, err error) {
		answer = &adminv1.ListProjectsResponse{}
		answer.Projects, answer.NextPageToken, err = list(ctx, v, readmodel.Projects, toProtoProject, "projects", req.Msg.GetPage())
		return answer, err
	})
}
