package rpc_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestErrorsOnTheWire(t *testing.T) {
	n := install(t).tenant("alpha")
	t.Run("taken_name", func(t *testing.T) {
		err := refused(t, connect.CodeAlreadyExists, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "app"})
		same(t, reason(t, err), "name_taken")
	})
	t.Run("rules_of_the_proto", func(t *testing.T) {
		err := refused(t, connect.CodeInvalidArgument, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "Not A Slug"})
		same(t, violations(t, err)[0], "name")
	})
	t.Run("rules_of_the_decision", func(t *testing.T) {
		err := refused(t, connect.CodeInvalidArgument, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
			Name: "p", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://user:secret@host/v1", CredentialRef: "env://X",
		})
		same(t, violations(t, err)[0], "base_url")
	})
	t.Run("nul", func(t *testing.T) {
		err := refused(t, connect.CodeInvalidArgument, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "ok", DisplayName: "a\x00b"})
		same(t, violations(t, err)[0], "display_name")
	})
	t.Run("ids_that_never_were", func(t *testing.T) {
		err := refused(t, connect.CodeNotFound, n.keys.GetKey, &adminv1.GetKeyRequest{Id: uuid.NewString()})
		same(t, reason(t, err), "key_not_found")
	})
	t.Run("unknown_targets", func(t *testing.T) {
		refused(t, connect.CodeNotFound, n.routes.CreateRoute, &adminv1.CreateRouteRequest{
			Name: "r", Targets: []*adminv1.Target{{ProviderId: uuid.NewString(), Model: "m"}},
		})
	})
}

func TestPlainJSON(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	url := in.server.URL + "/weir.admin.v1.ProjectService/GetProject"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(fmt.Sprintf(`{"id":%q}`, n.project.Id)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+n.token)
	response, err := in.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"name":"app"`) {
		t.Errorf("%d: %s", response.StatusCode, body)
	}
}

func TestPages(t *testing.T) {
	n := install(t).tenant("alpha")
	want := []string{"app"}
	for i := range 7 {
		name := fmt.Sprintf("p%d", i)
		call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: name})
		want = append(want, name)
	}
	var got []string
	page := &adminv1.Page{Size: 3}
	for {
		answer := call(t, n.projects.ListProjects, &adminv1.ListProjectsRequest{Page: page})
		for _, p := range answer.Projects {
			got = append(got, p.Name)
		}
		if answer.NextPageToken == "" {
			break
		}
		page = &adminv1.Page{Size: 3, Token: answer.NextPageToken}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	refused(t, connect.CodeInvalidArgument, n.keys.ListKeys, &adminv1.ListKeysRequest{Page: page})
	refused(t, connect.CodeInvalidArgument, n.projects.ListProjects, &adminv1.ListProjectsRequest{Page: &adminv1.Page{Token: "%%%"}})
}

func TestDefaults(t *testing.T) {
	n := install(t).tenant("alpha")
	same(t, n.provider.PriceList, "openai")
	same(t, n.provider.BaseUrl, "https://api.openai.com/v1")
	same(t, n.route.Strategy, adminv1.Strategy_STRATEGY_SINGLE)
	same(t, n.project.DisplayName, "app")
	same(t, n.version(), 4+11)
}

func TestOperator(t *testing.T) {
	in := install(t)
	in.tenant("alpha")
	in.tenant("beta")
	operator := in.as(operatorToken)
	listed := call(t, operator.organizations.ListOrganizations, &adminv1.ListOrganizationsRequest{Page: &adminv1.Page{Size: 1}})
	same(t, len(listed.Organizations), 1)
	next := call(t, operator.organizations.ListOrganizations, &adminv1.ListOrganizationsRequest{Page: &adminv1.Page{Token: listed.NextPageToken}})
	same(t, next.Organizations[0].Name, "beta")
	same(t, next.Organizations[0].Version, 4+11)
	me := call(t, operator.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	same(t, me.Kind, "operator")
	refused(t, connect.CodePermissionDenied, operator.keys.ListKeys, &adminv1.ListKeysRequest{})
}

func reason(t *testing.T, err *connect.Error) string {
	t.Helper()
	for _, detail := range err.Details() {
		value, err := detail.Value()
		if err != nil {
			t.Fatal(err)
		}
		if info, ok := value.(*errdetails.ErrorInfo); ok {
			return info.Reason
		}
	}
	t.Fatalf("no ErrorInfo in %v", err)
	return ""
}

func violations(t *testing.T, err *connect.Error) []string {
	t.Helper()
	var fields []string
	for _, detail := range err.Details() {
		value, err := detail.Value()
		if err != nil {
			t.Fatal(err)
		}
		if bad, ok := value.(*errdetails.BadRequest); ok {
			for _, v := range bad.FieldViolations {
				fields = append(fields, v.Field)
			}
		}
	}
	if len(fields) == 0 {
		t.Fatalf("no BadRequest in %v", err)
	}
	return fields
}
