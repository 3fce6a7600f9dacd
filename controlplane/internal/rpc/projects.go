package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/key"
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
	creation := project.Creation{ID: id, Settings: project.Settings{Name: req.Msg.GetName(), DisplayName: req.Msg.GetDisplayName()}}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateProjectResponse], err error) {
		creation.NameTaken, err = readmodel.Projects.Any(ctx, v, named(creation.Name))
		if err != nil {
			return d, err
		}
		d.Changes, err = project.Create(creation)
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
	return readAt(ctx, s.store, req.Msg, func(v readmodel.View) (*adminv1.GetProjectResponse, error) {
		p, err := readmodel.Projects.Find(ctx, v, id)
		return &adminv1.GetProjectResponse{Project: toProtoProject(p)}, err
	})
}

func (s *projects) ListProjects(ctx context.Context, req *connect.Request[adminv1.ListProjectsRequest]) (*connect.Response[adminv1.ListProjectsResponse], error) {
	return readAt(ctx, s.store, req.Msg, func(v readmodel.View) (answer *adminv1.ListProjectsResponse, err error) {
		answer = &adminv1.ListProjectsResponse{}
		answer.Projects, answer.NextPageToken, err = list(ctx, v, readmodel.Projects, toProtoProject, "projects", req.Msg.GetPage())
		return answer, err
	})
}

func (s *projects) UpdateProject(ctx context.Context, req *connect.Request[adminv1.UpdateProjectRequest]) (*connect.Response[adminv1.UpdateProjectResponse], error) {
	id, err := parseID("project.id", req.Msg.GetProject().GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.UpdateProjectResponse], err error) {
		p, err := readmodel.Projects.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		wanted, err := merge(toProtoProject(p), req.Msg.GetProject(), req.Msg.GetUpdateMask(), "name", "display_name")
		if err != nil {
			return d, err
		}
		taken, err := readmodel.Projects.TakenByOther(ctx, v, id, named(wanted.GetName()))
		if err != nil {
			return d, err
		}
		d.Version = p.Version
		d.Changes, err = p.Update(project.Settings{Name: wanted.GetName(), DisplayName: wanted.GetDisplayName()}, taken)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.UpdateProjectResponse, error) {
			after, err := changed(p, recorded, project.Apply)
			return &adminv1.UpdateProjectResponse{Project: toProtoProject(after)}, err
		}
		return d, err
	})
}

func (s *projects) DeleteProject(ctx context.Context, req *connect.Request[adminv1.DeleteProjectRequest]) (*connect.Response[adminv1.DeleteProjectResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.DeleteProjectResponse], err error) {
		p, err := readmodel.Projects.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		uses, err := usesOfProject(ctx, v, p)
		if err != nil {
			return d, err
		}
		d.Version = p.Version
		d.Changes, err = p.Archive(uses)
		d.Answer = emptyAnswer[adminv1.DeleteProjectResponse]
		return d, err
	})
}

// usesOfProject are the keys that live in it.
func usesOfProject(ctx context.Context, v readmodel.View, p project.Project) ([]fault.Use, error) {
	keys, err := readmodel.Keys.Mentioning(ctx, v, p.ID, maxUses, readmodel.Match{Column: "revoked_at"})
	return usesBy(keys, "key", func(k key.Key) string { return k.Name }), err
}
