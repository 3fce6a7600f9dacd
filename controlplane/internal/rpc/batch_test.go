package rpc_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// team is a project with a provider, a route to it and a key for the route.
func team(name string) []*adminv1.Operation {
	return []*adminv1.Operation{
		{Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: name}}},
		{Request: &adminv1.Operation_CreateProvider{CreateProvider: &adminv1.CreateProviderRequest{
			Name: name, Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1", CredentialRef: "env://KEY",
		}}},
		{Request: &adminv1.Operation_CreateRoute{CreateRoute: &adminv1.CreateRouteRequest{
			Name: name, Targets: []*adminv1.Target{{ProviderId: "$1", Model: "gpt-5"}}, AllowedProjectIds: []string{"$0"},
		}}},
		{Request: &adminv1.Operation_CreateKey{CreateKey: &adminv1.CreateKeyRequest{Name: name, ProjectId: "$0", RouteIds: []string{"$2"}}}},
	}
}

func TestBatch(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	version := func() int64 {
		return call(t, n.organizations.GetOrganization, &adminv1.GetOrganizationRequest{}).Organization.Version
	}
	t.Run("all_of_it", func(t *testing.T) {
		request := &adminv1.BatchRequest{Operations: team("search"), Mutation: &adminv1.Mutation{RequestId: "b1"}}
		before := version()
		first := call(t, n.batches.Batch, request)
		same(t, version(), before+4)
		key := first.Results[3].GetCreateKey()
		same(t, key.Key.ProjectId, first.Results[0].GetCreateProject().Project.Id)
		same(t, key.Key.RouteIds[0], first.Results[2].GetCreateRoute().Route.Id)
		same(t, token.Valid(key.Secret, token.Key), true)
		recorded, err := pglog.New(in.db).Read(t.Context(), mustParse(t, n.organization.Id), before, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range recorded {
			same(t, e.RequestID, "b1")
		}
		same(t, len(recorded), 4)

		again := call(t, n.batches.Batch, request)
		same(t, version(), before+4)
		same(t, again.Results[3].GetCreateKey().Key.Id, key.Key.Id)
		same(t, again.Results[3].GetCreateKey().Secret, "")
		same(t, again.SecretAlreadyShown, true)
		request.Operations = request.Operations[:1]
		refused(t, connect.CodeInvalidArgument, n.batches.Batch, request)
	})
	t.Run("or_none", func(t *testing.T) {
		before := version()
		operations := append(team("ads"), team("ads")[0])
		err := refused(t, connect.CodeAlreadyExists, n.batches.Batch, &adminv1.BatchRequest{Operations: operations})
		if !strings.HasPrefix(err.Message(), "operations[4]: ") {
			t.Errorf("got %v", err)
		}
		same(t, version(), before)
		for _, p := range call(t, n.projects.ListProjects, &adminv1.ListProjectsRequest{}).Projects {
			differ(t, p.Name, "ads")
		}
	})
	t.Run("a_preview_changes_nothing", func(t *testing.T) {
		before := version()
		got := call(t, n.batches.Batch, &adminv1.BatchRequest{Operations: team("ops"), Mutation: &adminv1.Mutation{ValidateOnly: true}})
		same(t, len(got.Results), 4)
		same(t, got.Results[3].GetCreateKey().Secret, "")
		same(t, version(), before)
	})
	t.Run("said_again_it_says_that_secrets_were_shown", func(t *testing.T) {
		request := &adminv1.BatchRequest{Operations: team("again"), Mutation: &adminv1.Mutation{RequestId: "again"}}
		first := call(t, n.batches.Batch, request).Results[3].GetCreateKey()
		second := call(t, n.batches.Batch, request).Results[3].GetCreateKey()
		same(t, second.Key.Id, first.Key.Id)
		same(t, first.SecretAlreadyShown, false)
		same(t, second.SecretAlreadyShown, true)
		same(t, second.Secret, "")
		logged := 0
		for _, row := range n.in.everyRow()["event"] {
			if strings.Contains(row, ",again,") {
				logged++
			}
		}
		same(t, logged, 4) // events name the request that they came from
	})
	t.Run("each_sees_those_before_it", func(t *testing.T) {
		operations := append(team("short"),
			&adminv1.Operation{Request: &adminv1.Operation_DeleteKey{DeleteKey: &adminv1.DeleteKeyRequest{Id: "$3"}}},
			&adminv1.Operation{Request: &adminv1.Operation_DeleteRoute{DeleteRoute: &adminv1.DeleteRouteRequest{Id: "$2"}}},
			&adminv1.Operation{Request: &adminv1.Operation_DeleteProject{DeleteProject: &adminv1.DeleteProjectRequest{Id: "$0"}}},
			&adminv1.Operation{Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: "short"}}},
		)
		call(t, n.batches.Batch, &adminv1.BatchRequest{Operations: operations})
	})
	t.Run("stale_etag", func(t *testing.T) {
		read := call(t, n.projects.GetProject, &adminv1.GetProjectRequest{Id: n.project.Id}).Project
		call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: n.project.Id, DisplayName: "Changed"}})
		read.DisplayName = "Late"
		refused(t, connect.CodeAborted, n.batches.Batch, &adminv1.BatchRequest{Operations: append(team("late"),
			&adminv1.Operation{Request: &adminv1.Operation_UpdateProject{UpdateProject: &adminv1.UpdateProjectRequest{Project: read}}})})
	})
	refusals := map[string]*adminv1.Operation{
		"nothing_said":             {},
		"an_id_that_is_none":       {Request: &adminv1.Operation_DeleteProject{DeleteProject: &adminv1.DeleteProjectRequest{Id: "x"}}},
		"a_later_operation":        {Request: &adminv1.Operation_DeleteProject{DeleteProject: &adminv1.DeleteProjectRequest{Id: "$7"}}},
		"a_request_id_of_its_own":  {Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: "x", Mutation: &adminv1.Mutation{RequestId: "r"}}}},
		"a_preview_of_its_own":     {Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: "x", Mutation: &adminv1.Mutation{ValidateOnly: true}}}},
		"a_rule_of_the_proto_file": {Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: "Not A Slug"}}},
	}
	for name, operation := range refusals {
		t.Run(name, func(t *testing.T) {
			refused(t, connect.CodeInvalidArgument, n.batches.Batch, &adminv1.BatchRequest{Operations: []*adminv1.Operation{operation}})
		})
	}
}

func TestBatchNeedsEveryPermission(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	operator := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "runner", Role: adminv1.Role_ROLE_OPERATOR}).ServiceAccount
	secret := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: operator.Id, Name: "t"}).Secret
	runner := in.as(secret)
	call(t, runner.batches.Batch, &adminv1.BatchRequest{Operations: team("search")[1:2]})
	err := refused(t, connect.CodePermissionDenied, runner.batches.Batch, &adminv1.BatchRequest{Operations: team("ads")})
	if !strings.HasPrefix(err.Message(), "operations[0]: ") {
		t.Errorf("got %v", err)
	}
}

// Two batches and single commands at once, from two processes: whole ones only.
func TestBatchesAtOnce(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	other := in.replica().as(n.token)
	done := make(chan error)
	for i := range 8 {
		client := n.client
		if i%2 == 1 {
			client = other
		}
		go func() {
			_, err := client.batches.Batch(t.Context(), connect.NewRequest(&adminv1.BatchRequest{Operations: team("same")}))
			done <- err
		}()
	}
	made := 0
	for range 8 {
		if err := <-done; err == nil {
			made++
		} else if connect.CodeOf(err) != connect.CodeAlreadyExists {
			t.Error(err)
		}
	}
	same(t, made, 1)
	same(t, len(call(t, n.providers.ListProviders, &adminv1.ListProvidersRequest{}).Providers), 2)
}
