package authz_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/fault"
	_ "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

//go:generate go test -run TestDocument -update .

var update = flag.Bool("update", false, "write docs/permissions.md")

const document = "../../../docs/permissions.md"

type column struct {
	title     string
	principal authn.Principal
}

var columns = []column{
	{"owner", authn.Principal{Kind: authn.Member, Role: eventv1.Role_ROLE_OWNER}},
	{"admin", authn.Principal{Kind: authn.Member, Role: eventv1.Role_ROLE_ADMIN}},
	{"operator", authn.Principal{Kind: authn.Member, Role: eventv1.Role_ROLE_OPERATOR}},
	{"analyst", authn.Principal{Kind: authn.Member, Role: eventv1.Role_ROLE_ANALYST}},
	{"viewer", authn.Principal{Kind: authn.Member, Role: eventv1.Role_ROLE_VIEWER}},
	{"projects only", authn.Principal{Kind: authn.Member, Role: eventv1.Role_ROLE_PROJECTS_ONLY}},
	{"installation's operator", authn.Principal{Kind: authn.Operator}},
}

func TestEveryRPC(t *testing.T) {
	for permission, methods := range declared() {
		t.Run(methods[0], func(t *testing.T) {
			if permission == "" {
				t.Fatalf("%s declare no permission", methods)
			}
			if permission == authz.Public || permission == authz.Self {
				return
			}
			granted := slices.ContainsFunc(columns, func(c column) bool { return authz.Check(c.principal, permission) == nil })
			if !granted {
				t.Errorf("nobody has %s", permission)
			}
		})
	}
}

func TestEveryPermissionIsUsed(t *testing.T) {
	used := declared()
	for _, c := range columns {
		for _, permission := range authz.Permissions(c.principal) {
			if used[permission] == nil {
				t.Errorf("%s has %q, which no RPC needs", c.title, permission)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	cases := []struct {
		name       string
		principal  authn.Principal
		permission string
		denied     bool
	}{
		{"viewer_reads", columns[4].principal, "projects.get", false},
		{"viewer_creates_nothing", columns[4].principal, "projects.create", true},
		{"operator_makes_no_keys", columns[2].principal, "keys.create", true},
		{"installation_sees_no_keys", columns[6].principal, "keys.list", true},
		{"owner_makes_no_organizations", columns[0].principal, "organizations.create", true},
		{"no_role_no_rights", authn.Principal{Kind: authn.Member}, "projects.get", true},
		{"anybody_is_somebody", authn.Principal{Kind: authn.Member}, authz.Self, false},
		{"undeclared", columns[0].principal, "", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := fault.Is(authz.Check(c.principal, c.permission), fault.Denied); got != c.denied {
				t.Errorf("denied: %t, want %t", got, c.denied)
			}
		})
	}
}

func TestReach(t *testing.T) {
	here, there, third := uuid.New(), uuid.New(), uuid.New()
	bound := authn.Principal{Kind: authn.Member, Role: eventv1.Role_ROLE_PROJECTS_ONLY, Bindings: []authn.Binding{
		{ProjectID: here, Role: eventv1.Role_ROLE_ADMIN}, {ProjectID: there, Role: eventv1.Role_ROLE_VIEWER},
	}}
	viewer := bound
	viewer.Role = eventv1.Role_ROLE_VIEWER
	suspended := viewer
	suspended.Suspended = true
	cases := []struct {
		name       string
		principal  authn.Principal
		permission string
		want       authz.Reach
	}{
		{"where_a_role_gives_it", bound, "keys.create", authz.Reach{Projects: []uuid.UUID{here}}},
		{"where_any_role_gives_it", bound, "keys.list", authz.Reach{Projects: []uuid.UUID{here, there}}},
		{"what_no_project_has", bound, "routes.list", authz.Reach{}},
		{"what_is_the_organizations", bound, "projects.create", authz.Reach{}},
		{"both_roles", viewer, "keys.create", authz.Reach{Projects: []uuid.UUID{here}}},
		{"the_organization_is_everywhere", viewer, "keys.list", authz.Reach{Everywhere: true}},
		{"suspended", suspended, "keys.list", authz.Reach{}},
		{"undeclared", bound, "", authz.Reach{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := authz.ReachOf(c.principal, c.permission)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Has(third) != c.want.Everywhere || got.Has(here) != (c.want.Everywhere || slices.Contains(c.want.Projects, here)) {
				t.Errorf("%+v has another than it says", got)
			}
			if denied := authz.Check(c.principal, c.permission) != nil; denied != (!c.want.Everywhere && c.want.Projects == nil) {
				t.Errorf("denied: %t", denied)
			}
		})
	}
}

// Reach is asked by the type of a request: no two RPCs may share one.
func TestEveryRequestHasItsOwnRPC(t *testing.T) {
	seen := map[protoreflect.FullName]bool{}
	protoregistry.GlobalFiles.RangeFilesByPackage("weir.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				if input := methods.Get(j).Input().FullName(); seen[input] {
					t.Errorf("%s shares %s", methods.Get(j).FullName(), input)
				} else {
					seen[input] = true
				}
			}
		}
		return true
	})
}

func TestDocument(t *testing.T) {
	want := render()
	if *update {
		if err := os.WriteFile(document, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/permissions.md is stale: go generate ./controlplane/internal/authz")
	}
}

func render() []byte {
	var text bytes.Buffer
	text.WriteString(introduction + "\n| permission | RPCs |")
	for _, c := range columns {
		fmt.Fprintf(&text, " %s |", c.title)
	}
	text.WriteString("\n| --- | --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
	all := declared()
	for _, permission := range sortedKeys(all) {
		fmt.Fprintf(&text, "| `%s` | %s |", permission, strings.Join(all[permission], ", "))
		for _, c := range columns {
			mark := " "
			if permission == authz.Public || authz.Check(c.principal, permission) == nil {
				mark = " yes "
			}
			text.WriteString(mark + "|")
		}
		text.WriteString("\n")
	}
	text.WriteString(onProjects)
	projectTable(&text)
	return text.Bytes()
}

const introduction = `# Permissions

Generated from the API's options and the roles; change neither here.

Who calls has one role in the organization, and may have further ones on single projects (RoleBindingService). A call is
allowed where either has its permission; nothing takes a permission away.
Nobody gives or takes a role above their own, whatever the tables say. While the operator of the installation has
suspended an organization, its people and service accounts may call WhoAmI and what else only reads about themselves.

## In the organization
`

const onProjects = `
## On a project

A role on a project reaches that project and its keys, and nothing else: other projects and their keys are not found and
in no list. It shows the limits and budgets on them, which are the organization's to change. Reports, history, routes,
providers, gateways and people are the organization's. Nobody is bound as owner. Give somebody the role "projects only" in
the organization, and bindings are all that they have. A binding ends with its project, member or service account, and never
comes back by itself.
`

// projectTable says what each role gives on a project.
func projectTable(text *bytes.Buffer) {
	text.WriteString("\n| permission |")
	bindable := columns[1:5]
	for _, c := range bindable {
		fmt.Fprintf(text, " %s |", c.title)
	}
	text.WriteString("\n| --- |" + strings.Repeat(" --- |", len(bindable)) + "\n")
	admin := authz.OnProject(authn.Principal{}, authn.Binding{Role: eventv1.Role_ROLE_ADMIN})
	for _, permission := range admin {
		fmt.Fprintf(text, "| `%s` |", permission)
		for _, c := range bindable {
			mark := " "
			if slices.Contains(authz.OnProject(authn.Principal{}, authn.Binding{Role: c.principal.Role}), permission) {
				mark = " yes "
			}
			text.WriteString(mark + "|")
		}
		text.WriteString("\n")
	}
}

// declared returns the RPCs of weir.admin.v1 by their permission.
func declared() map[string][]string {
	found := map[string][]string{}
	protoregistry.GlobalFiles.RangeFilesByPackage("weir.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				permission := authz.Of(method)
				found[permission] = append(found[permission], string(service.Name())+"."+string(method.Name()))
			}
		}
		return true
	})
	for _, methods := range found {
		slices.Sort(methods)
	}
	return found
}

func sortedKeys(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
