package rpc_test

import (
	"testing"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// differences are all changes between two versions, by the id of the resource, read in
// pages of a size.
func (n *tenant) differences(from, to int64, size int32) map[string]*adminv1.ResourceChange {
	n.t.Helper()
	found := map[string]*adminv1.ResourceChange{}
	request := &adminv1.DiffRequest{From: atVersion(from), Page: &adminv1.Page{Size: size}}
	if to > 0 {
		request.To = atVersion(to)
	}
	for {
		answer := call(n.t, n.history.Diff, request)
		for _, c := range answer.Changes {
			if found[c.Resource.Id] != nil {
				n.t.Errorf("%s %s is in two pages", c.Resource.Kind, c.Resource.Id)
			}
			found[c.Resource.Id] = c
		}
		if answer.NextPageToken == "" {
			return found
		}
		request.Page = &adminv1.Page{Size: size, Token: answer.NextPageToken}
	}
}

func TestDiff(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	before := n.head()
	added := call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "search"}).Project
	call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: n.gateway.Id, Name: "prod-eu"}})
	call(t, n.saved.DeleteSavedReport, &adminv1.DeleteSavedReportRequest{Id: n.report.Id})
	call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: n.project.Id, DisplayName: "App"}})
	call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: n.project.Id, DisplayName: "app"}})
	after := n.head()
	for _, size := range []int32{1, 2, 100} {
		found := n.differences(before, after, size)
		same(t, len(found), 3)
		same(t, found[added.Id].GetAction(), adminv1.ChangeAction_CHANGE_ACTION_ADDED)
		same(t, found[n.report.Id].GetAction(), adminv1.ChangeAction_CHANGE_ACTION_REMOVED)
		same(t, found[n.gateway.Id].GetAction(), adminv1.ChangeAction_CHANGE_ACTION_CHANGED)
		same(t, found[n.gateway.Id].GetResource().GetName(), "prod-eu")
		same(t, paths(found[n.gateway.Id].GetFields()), "name")
		same(t, field(found[n.gateway.Id].GetFields(), "name"), `"prod"→"prod-eu"`)
		same(t, field(found[n.report.Id].GetFields(), "sql"), `"SELECT1"→unset`)
	}
	t.Run("the_other_way_round", func(t *testing.T) {
		found := n.differences(after, before, 100)
		same(t, found[added.Id].GetAction(), adminv1.ChangeAction_CHANGE_ACTION_REMOVED)
		same(t, field(found[n.gateway.Id].GetFields(), "name"), `"prod-eu"→"prod"`)
	})
	t.Run("pages_are_of_the_same_two_versions", func(t *testing.T) {
		first := call(t, n.history.Diff, &adminv1.DiffRequest{From: atVersion(before), Page: &adminv1.Page{Size: 1}})
		call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "later"})
		second := call(t, n.history.Diff, &adminv1.DiffRequest{From: atVersion(before), Page: &adminv1.Page{Size: 100, Token: first.NextPageToken}})
		same(t, second.ToVersion, after)
		for _, c := range second.Changes {
			differ(t, c.Resource.Name, "later")
		}
		refused(t, connect.CodeInvalidArgument, n.history.Diff, &adminv1.DiffRequest{From: atVersion(1), Page: &adminv1.Page{Token: first.NextPageToken}})
	})
	t.Run("what_there_is_not", func(t *testing.T) {
		err := refused(t, connect.CodeInvalidArgument, n.history.Diff, &adminv1.DiffRequest{From: atVersion(n.head() + 1)})
		same(t, err.Message()[:13], "from.version:")
		refused(t, connect.CodeInvalidArgument, n.history.Diff, &adminv1.DiffRequest{})
	})
}
