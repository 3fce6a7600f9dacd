package rpc_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestUpdate(t *testing.T) {
	n := install(t).tenant("alpha")
	update := func(p *adminv1.Project, paths ...string) *adminv1.UpdateProjectRequest {
		p.Id = n.project.Id
		return &adminv1.UpdateProjectRequest{Project: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}}
	}
	cases := []struct {
		name          string
		request       *adminv1.UpdateProjectRequest
		want, display string
	}{
		{"no_mask_takes_what_is_not_empty", update(&adminv1.Project{DisplayName: "App"}), "app", "App"},
		{"a_mask_takes_what_it_names", update(&adminv1.Project{Name: "web", DisplayName: "ignored"}, "name"), "web", "App"},
		{"a_mask_empties_what_it_names", update(&adminv1.Project{}, "display_name"), "web", "web"},
		{"a_star_takes_all", update(&adminv1.Project{Name: "app"}, "*"), "app", "app"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, n.projects.UpdateProject, c.request).Project
			same(t, got.Name+"/"+got.DisplayName, c.want+"/"+c.display)
			read := call(t, n.projects.GetProject, &adminv1.GetProjectRequest{Id: n.project.Id}).Project
			same(t, read.Name+"/"+read.DisplayName+"/"+read.Etag, got.Name+"/"+got.DisplayName+"/"+got.Etag)
		})
	}
	t.Run("what_cannot_change_is_refused", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.projects.UpdateProject, update(&adminv1.Project{}, "created_at"))
		refused(t, connect.CodeInvalidArgument, n.projects.UpdateProject, update(&adminv1.Project{}, "nonsense"))
	})
	t.Run("what_no_update_changes_is_not_ignored", func(t *testing.T) {
		key := call(t, n.keys.GetKey, &adminv1.GetKeyRequest{Id: n.key.Id}).Key
		key.Name = "sent-back"
		key.Etag = ""
		call(t, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: key})
		call(t, n.limits.UpdateLimit, &adminv1.UpdateLimitRequest{
			Limit: call(t, n.limits.GetLimit, &adminv1.GetLimitRequest{Id: n.limited(t, onKey(n.key)).Id}).Limit,
		})
		for field, wanted := range map[string]*adminv1.Key{
			"key.project_id": {Id: n.key.Id, ProjectId: uuid.NewString()},
			"key.revoked_at": {Id: n.key.Id, RevokedAt: timestamppb.Now()},
			"key.suffix":     {Id: n.key.Id, Suffix: "1234"},
		} {
			for _, paths := range [][]string{nil, {"*"}} {
				err := refused(t, connect.CodeInvalidArgument, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: wanted, UpdateMask: mask(paths...)})
				same(t, strings.HasPrefix(err.Message(), field+": "), true)
			}
		}
	})
	t.Run("names_of_others_are_taken", func(t *testing.T) {
		call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "other"})
		refused(t, connect.CodeAlreadyExists, n.projects.UpdateProject, update(&adminv1.Project{Name: "other"}))
	})
}

func TestETags(t *testing.T) {
	n := install(t).tenant("alpha")
	read := call(t, n.projects.GetProject, &adminv1.GetProjectRequest{Id: n.project.Id}).Project
	read.DisplayName = "first"
	first := call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: read}).Project
	t.Run("stale", func(t *testing.T) {
		read.DisplayName = "second"
		err := refused(t, connect.CodeAborted, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: read})
		same(t, detail(t, err).GetReason(), "etag_stale")
		same(t, detail(t, err).GetMetadata()["etag"], first.Etag)
		refused(t, connect.CodeAborted, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{
			Id: n.project.Id, Mutation: &adminv1.Mutation{Etag: read.Etag},
		})
	})
	t.Run("two_that_differ", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{
			Project: first, Mutation: &adminv1.Mutation{Etag: read.Etag},
		})
	})
	t.Run("nothing_to_hold_it_against", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.projects.CreateProject, &adminv1.CreateProjectRequest{
			Name: "new", Mutation: &adminv1.Mutation{Etag: "1"},
		})
	})
	t.Run("current", func(t *testing.T) {
		first.DisplayName = "second"
		call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: first, Mutation: &adminv1.Mutation{Etag: first.Etag}})
	})
}

// detail is what programs read of an error.
func detail(t *testing.T, err *connect.Error) *errdetails.ErrorInfo {
	t.Helper()
	for _, d := range err.Details() {
		if value, err := d.Value(); err == nil {
			if info, ok := value.(*errdetails.ErrorInfo); ok {
				return info
			}
		}
	}
	t.Fatalf("%v has no ErrorInfo", err)
	return nil
}

func TestDelete(t *testing.T) {
	n := install(t).tenant("alpha")
	err := refused(t, connect.CodeFailedPrecondition, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id})
	same(t, detail(t, err).GetReason(), "in_use")
	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})
	call(t, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id})
	refused(t, connect.CodeNotFound, n.projects.GetProject, &adminv1.GetProjectRequest{Id: n.project.Id})
	refused(t, connect.CodeNotFound, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id})
	refused(t, connect.CodeNotFound, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "late", ProjectId: n.project.Id})
	again := call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: n.project.Name}).Project
	differ(t, again.Id, n.project.Id)
}

func TestThePast(t *testing.T) {
	n := install(t).tenant("alpha")
	at := func(v int64) *adminv1.AsOf { return &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: v}} }
	version := func() int64 {
		return call(t, n.organizations.GetOrganization, &adminv1.GetOrganizationRequest{}).Organization.Version
	}
	made := call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "first"}).Project
	begun := version()
	call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: made.Id, Name: "second"}})
	changedAt := time.Now()
	call(t, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: made.Id})

	get := func(as *adminv1.AsOf) *adminv1.GetProjectRequest {
		return &adminv1.GetProjectRequest{Id: made.Id, AsOf: as}
	}
	same(t, call(t, n.projects.GetProject, get(at(begun))).Project.Name, "first")
	same(t, call(t, n.projects.GetProject, get(at(begun+1))).Project.Name, "second")
	same(t, call(t, n.projects.GetProject, get(&adminv1.AsOf{Point: &adminv1.AsOf_Time{Time: timestamppb.New(changedAt)}})).Project.Name, "second")
	refused(t, connect.CodeNotFound, n.projects.GetProject, get(at(begun-1)))
	refused(t, connect.CodeNotFound, n.projects.GetProject, get(at(begun+2)))
	same(t, len(call(t, n.projects.ListProjects, &adminv1.ListProjectsRequest{AsOf: at(begun)}).Projects), 2)
	same(t, len(call(t, n.projects.ListProjects, &adminv1.ListProjectsRequest{}).Projects), 1)

	refused(t, connect.CodeInvalidArgument, n.projects.GetProject, get(at(version()+1)))
	refused(t, connect.CodeInvalidArgument, n.projects.GetProject, get(&adminv1.AsOf{}))
	refused(t, connect.CodeInvalidArgument, n.projects.GetProject, get(&adminv1.AsOf{
		Point: &adminv1.AsOf_Time{Time: timestamppb.New(time.Unix(0, 0))},
	}))
}
