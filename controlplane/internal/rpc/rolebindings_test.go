package rpc_test

import (
	"net/http"
	"slices"
	"testing"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const projectsOnly = adminv1.Role_ROLE_PROJECTS_ONLY

// bound is somebody with a role on the tenant's project and nothing else, and what
// is out of reach beside it.
type bound struct {
	*tenant
	// may calls as the one who is bound.
	may      client
	token    string
	binding  *adminv1.RoleBinding
	project2 *adminv1.Project
	key2     *adminv1.Key
}

func (n *tenant) bind(name string, role adminv1.Role) *bound {
	n.t.Helper()
	account := call(n.t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: name, Role: projectsOnly}).ServiceAccount
	b := &bound{tenant: n}
	b.token = call(n.t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: account.Id, Name: "t"}).Secret
	b.may = n.in.as(b.token)
	b.binding = call(n.t, n.bindings.CreateRoleBinding, &adminv1.CreateRoleBindingRequest{
		Principal: &adminv1.CreateRoleBindingRequest_ServiceAccountId{ServiceAccountId: account.Id}, ProjectId: n.project.Id, Role: role,
	}).RoleBinding
	b.project2 = call(n.t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: name + "-other"}).Project
	b.key2 = call(n.t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "second", ProjectId: b.project2.Id}).Key
	return b
}

func (b *bound) newKey() *adminv1.Key {
	b.t.Helper()
	return call(b.t, b.tenant.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "k-" + newName(), ProjectId: b.project.Id}).Key
}

// aboutSelf are the RPCs that need no permission.
var aboutSelf = []string{
	"SessionService.WhoAmI", "SessionService.ListSessions", "SessionService.RevokeSession", "SessionService.RevokeAllSessions",
}

// onProject is every RPC that a role on a project reaches: it answers about that
// project, and about nothing else.
var onProject = map[string]func(t *testing.T, b *bound){
	"ProjectService.GetProject": func(t *testing.T, b *bound) {
		call(t, b.may.projects.GetProject, &adminv1.GetProjectRequest{Id: b.project.Id})
		refused(t, connect.CodeNotFound, b.may.projects.GetProject, &adminv1.GetProjectRequest{Id: b.project2.Id})
	},
	"ProjectService.ListProjects": func(t *testing.T, b *bound) {
		found := call(t, b.may.projects.ListProjects, &adminv1.ListProjectsRequest{}).Projects
		if len(found) != 1 || found[0].Id != b.project.Id {
			t.Errorf("got %v", found)
		}
	},
	"ProjectService.UpdateProject": func(t *testing.T, b *bound) {
		call(t, b.may.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: b.project.Id, DisplayName: "Ours"}})
		refused(t, connect.CodeNotFound, b.may.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: b.project2.Id, DisplayName: "Ours"}})
	},
	"KeyService.CreateKey": func(t *testing.T, b *bound) {
		call(t, b.may.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "own", ProjectId: b.project.Id})
		for _, name := range []string{"free", "second"} { // a taken name tells nothing
			err := refused(t, connect.CodeNotFound, b.may.keys.CreateKey, &adminv1.CreateKeyRequest{Name: name, ProjectId: b.project2.Id})
			same(t, detail(t, err).GetReason(), "project_not_found")
		}
	},
	"KeyService.GetKey": func(t *testing.T, b *bound) {
		call(t, b.may.keys.GetKey, &adminv1.GetKeyRequest{Id: b.key.Id})
		refused(t, connect.CodeNotFound, b.may.keys.GetKey, &adminv1.GetKeyRequest{Id: b.key2.Id})
	},
	"KeyService.GetKeyRevocation": func(t *testing.T, b *bound) {
		own := b.newKey().Id
		call(t, b.may.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: own})
		call(t, b.may.keys.GetKeyRevocation, &adminv1.GetKeyRevocationRequest{Id: own})
		refused(t, connect.CodeNotFound, b.may.keys.GetKeyRevocation, &adminv1.GetKeyRevocationRequest{Id: b.key2.Id})
	},
	"KeyService.ListKeys": func(t *testing.T, b *bound) {
		found := call(t, b.may.keys.ListKeys, &adminv1.ListKeysRequest{}).Keys
		if len(found) == 0 || slices.ContainsFunc(found, func(k *adminv1.Key) bool { return k.ProjectId != b.project.Id }) {
			t.Errorf("got %v", found)
		}
		same(t, len(call(t, b.may.keys.ListKeys, &adminv1.ListKeysRequest{ProjectId: b.project2.Id}).Keys), 0)
	},
	"KeyService.UpdateKey": func(t *testing.T, b *bound) {
		call(t, b.may.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: &adminv1.Key{Id: b.newKey().Id, Name: "n-" + newName()}})
		refused(t, connect.CodeNotFound, b.may.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: &adminv1.Key{Id: b.key2.Id, Name: "n"}})
	},
	"KeyService.RotateKey": func(t *testing.T, b *bound) {
		call(t, b.may.keys.RotateKey, &adminv1.RotateKeyRequest{Id: b.newKey().Id})
		refused(t, connect.CodeNotFound, b.may.keys.RotateKey, &adminv1.RotateKeyRequest{Id: b.key2.Id})
	},
	"KeyService.EndKeyOverlap": func(t *testing.T, b *bound) {
		own := b.newKey().Id
		call(t, b.may.keys.RotateKey, &adminv1.RotateKeyRequest{Id: own})
		call(t, b.may.keys.EndKeyOverlap, &adminv1.EndKeyOverlapRequest{Id: own})
		refused(t, connect.CodeNotFound, b.may.keys.EndKeyOverlap, &adminv1.EndKeyOverlapRequest{Id: b.key2.Id})
	},
	"KeyService.RevokeKey": func(t *testing.T, b *bound) {
		call(t, b.may.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: b.newKey().Id})
		refused(t, connect.CodeNotFound, b.may.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: b.key2.Id})
	},
	"LimitService.GetLimit": func(t *testing.T, b *bound) {
		for _, scope := range []*adminv1.QuotaScope{onProjectScope(b.project), onKey(b.key)} {
			call(t, b.may.limits.GetLimit, &adminv1.GetLimitRequest{Id: b.limited(t, scope).Id})
		}
		for _, scope := range []*adminv1.QuotaScope{onProjectScope(b.project2), onKey(b.key2), onOrganization()} {
			refused(t, connect.CodeNotFound, b.may.limits.GetLimit, &adminv1.GetLimitRequest{Id: b.limited(t, scope).Id})
		}
	},
	"LimitService.ListLimits": func(t *testing.T, b *bound) {
		seen, unseen := b.limited(t, onKey(b.key)), b.limited(t, onKey(b.key2))
		found := call(t, b.may.limits.ListLimits, &adminv1.ListLimitsRequest{}).Limits
		has := func(l *adminv1.Limit) bool {
			return slices.ContainsFunc(found, func(f *adminv1.Limit) bool { return f.Id == l.Id })
		}
		if !has(seen) || has(unseen) {
			t.Errorf("got %v", found)
		}
		same(t, len(call(t, b.may.limits.ListLimits, &adminv1.ListLimitsRequest{ProjectId: b.project2.Id}).Limits), 0)
	},
	"QuotaService.GetQuota": func(t *testing.T, b *bound) {
		for _, id := range []string{b.limited(t, onKey(b.key)).Id, b.budgeted(t, onProjectScope(b.project)).Id} {
			call(t, b.may.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: id})
		}
		for _, id := range []string{b.limited(t, onKey(b.key2)).Id, b.budgeted(t, onOrganization()).Id} {
			refused(t, connect.CodeNotFound, b.may.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: id})
		}
	},
	"QuotaService.ListQuotas": func(t *testing.T, b *bound) {
		mine := []string{b.limited(t, onKey(b.key)).Id, b.budgeted(t, onProjectScope(b.project)).Id}
		others := []string{b.limited(t, onKey(b.key2)).Id, b.budgeted(t, onOrganization()).Id}
		seen := map[string]bool{}
		for _, q := range call(t, b.may.quotas.ListQuotas, &adminv1.ListQuotasRequest{Page: &adminv1.Page{Size: 1000}}).Quotas {
			seen[q.Id] = true
		}
		if !seen[mine[0]] || !seen[mine[1]] || seen[others[0]] || seen[others[1]] {
			t.Errorf("got %v", seen)
		}
		same(t, len(call(t, b.may.quotas.ListQuotas, &adminv1.ListQuotasRequest{ProjectId: b.project2.Id}).Quotas), 0)
	},
	"QuotaService.ListQuotaSubjects": func(t *testing.T, b *bound) {
		call(t, b.may.quotas.ListQuotaSubjects, &adminv1.ListQuotaSubjectsRequest{Id: b.budgeted(t, onKey(b.key)).Id})
		refused(t, connect.CodeNotFound, b.may.quotas.ListQuotaSubjects, &adminv1.ListQuotaSubjectsRequest{Id: b.budgeted(t, onKey(b.key2)).Id})
	},
	"QuotaService.ListQuotaHistory": func(t *testing.T, b *bound) {
		call(t, b.may.quotas.ListQuotaHistory, &adminv1.ListQuotaHistoryRequest{Id: b.budgeted(t, onKey(b.key)).Id})
		refused(t, connect.CodeNotFound, b.may.quotas.ListQuotaHistory, &adminv1.ListQuotaHistoryRequest{Id: b.budgeted(t, onKey(b.key2)).Id})
	},
	"BudgetService.GetBudget": func(t *testing.T, b *bound) {
		for _, scope := range []*adminv1.QuotaScope{onProjectScope(b.project), onKey(b.key)} {
			call(t, b.may.budgets.GetBudget, &adminv1.GetBudgetRequest{Id: b.budgeted(t, scope).Id})
		}
		for _, scope := range []*adminv1.QuotaScope{onProjectScope(b.project2), onKey(b.key2), onOrganization()} {
			refused(t, connect.CodeNotFound, b.may.budgets.GetBudget, &adminv1.GetBudgetRequest{Id: b.budgeted(t, scope).Id})
		}
	},
	"BudgetService.ListBudgets": func(t *testing.T, b *bound) {
		seen, unseen := b.budgeted(t, onProjectScope(b.project)), b.budgeted(t, onOrganization())
		found := call(t, b.may.budgets.ListBudgets, &adminv1.ListBudgetsRequest{}).Budgets
		has := func(l *adminv1.Budget) bool {
			return slices.ContainsFunc(found, func(f *adminv1.Budget) bool { return f.Id == l.Id })
		}
		if !has(seen) || has(unseen) {
			t.Errorf("got %v", found)
		}
		same(t, len(call(t, b.may.budgets.ListBudgets, &adminv1.ListBudgetsRequest{ProjectId: b.project2.Id}).Budgets), 0)
	},
	"BatchService.Batch": func(t *testing.T, b *bound) {
		create := func(project *adminv1.Project) *adminv1.BatchRequest {
			return &adminv1.BatchRequest{Operations: []*adminv1.Operation{{Request: &adminv1.Operation_CreateKey{
				CreateKey: &adminv1.CreateKeyRequest{Name: "b-" + newName(), ProjectId: project.Id},
			}}}}
		}
		call(t, b.may.batches.Batch, create(b.project))
		refused(t, connect.CodeNotFound, b.may.batches.Batch, create(b.project2))
		refused(t, connect.CodePermissionDenied, b.may.batches.Batch, &adminv1.BatchRequest{Operations: []*adminv1.Operation{{
			Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: "new"}},
		}}})
	},
	"KeyService.DeleteKey": func(t *testing.T, b *bound) {
		call(t, b.may.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: b.newKey().Id})
		refused(t, connect.CodeNotFound, b.may.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: b.key2.Id})
	},
}

// Every RPC, now and to come, answers about the bound project only, or is denied.
func TestRolesOnProjectsReachNothingElse(t *testing.T) {
	in := install(t)
	b := in.tenant("alpha").bind("bot", adminv1.Role_ROLE_ADMIN)
	for _, name := range everyRPC() {
		t.Run(name, func(t *testing.T) {
			if check := onProject[name]; check != nil {
				check(t, b)
				return
			}
			got := in.ask(&tenant{token: b.token}, name)
			if !slices.Contains(aboutSelf, name) && (got.status != http.StatusForbidden || got.reason() != "permission_missing") {
				t.Errorf("got %d %s; it is neither denied nor in onProject", got.status, got.body)
			}
		})
	}
}

func TestRoleBindings(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	list := func(project, principal string) []*adminv1.RoleBinding {
		return call(t, n.bindings.ListRoleBindings, &adminv1.ListRoleBindingsRequest{ProjectId: project, PrincipalId: principal}).RoleBindings
	}
	member := call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "guest@alpha.example", Role: projectsOnly}).Member
	ofMember := func(project string, role adminv1.Role) *adminv1.CreateRoleBindingRequest {
		return &adminv1.CreateRoleBindingRequest{
			Principal: &adminv1.CreateRoleBindingRequest_MemberId{MemberId: member.Id}, ProjectId: project, Role: role,
		}
	}
	viewing := n.bind("viewing", viewer)
	t.Run("a_viewer_of_a_project_only_looks", func(t *testing.T) {
		call(t, viewing.may.keys.GetKey, &adminv1.GetKeyRequest{Id: n.key.Id})
		refused(t, connect.CodePermissionDenied, viewing.may.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})
	})
	t.Run("who_am_i", func(t *testing.T) {
		who := call(t, viewing.may.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		if len(who.Permissions) > 0 || len(who.Projects) != 1 || who.Projects[0].ProjectId != n.project.Id ||
			!slices.Equal(who.Projects[0].Permissions, []string{
				"budgets.get", "budgets.list", "keys.get", "keys.list", "limits.get", "limits.list", "projects.get", "projects.list",
				"quotas.get", "quotas.history", "quotas.list",
			}) {
			t.Errorf("got %v", who)
		}
	})
	t.Run("of_a_member_who_joins_later", func(t *testing.T) {
		made := call(t, n.bindings.CreateRoleBinding, ofMember(n.project.Id, adminv1.Role_ROLE_ADMIN)).RoleBinding
		same(t, made.GetMemberId(), member.Id)
		guest := in.logIn("guest@alpha.example")
		call(t, guest.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "of-guest", ProjectId: n.project.Id})
		refused(t, connect.CodePermissionDenied, guest.routes.ListRoutes, &adminv1.ListRoutesRequest{})
		err := refused(t, connect.CodeAlreadyExists, n.bindings.CreateRoleBinding, ofMember(n.project.Id, viewer))
		same(t, detail(t, err).GetReason(), "already_bound")
		same(t, len(list("", member.Id)), 1)
		same(t, len(list(n.project.Id, "")), 2)

		call(t, n.bindings.DeleteRoleBinding, &adminv1.DeleteRoleBindingRequest{Id: made.Id, Mutation: &adminv1.Mutation{Etag: made.Etag}})
		refused(t, connect.CodePermissionDenied, guest.keys.ListKeys, &adminv1.ListKeysRequest{})
		past := &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: mustVersion(t, made.Etag)}}
		call(t, n.bindings.GetRoleBinding, &adminv1.GetRoleBindingRequest{Id: made.Id, AsOf: past})
		refused(t, connect.CodeNotFound, n.bindings.GetRoleBinding, &adminv1.GetRoleBindingRequest{Id: made.Id})
	})
	t.Run("nobody_binds_above_themselves", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.bindings.CreateRoleBinding, ofMember(n.project.Id, adminv1.Role_ROLE_OWNER))
		refused(t, connect.CodePermissionDenied, viewing.may.bindings.CreateRoleBinding, ofMember(n.project.Id, viewer))
	})
	t.Run("bindings_end_with_what_they_bind", func(t *testing.T) {
		short := call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "short"}).Project
		call(t, n.bindings.CreateRoleBinding, ofMember(short.Id, viewer))
		call(t, n.bindings.CreateRoleBinding, ofMember(n.project.Id, viewer))
		call(t, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: short.Id})
		same(t, len(list("", member.Id)), 1)
		call(t, n.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: member.Id})
		same(t, len(list("", member.Id)), 0)
		refused(t, connect.CodeFailedPrecondition, n.bindings.CreateRoleBinding, ofMember(n.project.Id, viewer))
		call(t, n.accounts.DeleteServiceAccount, &adminv1.DeleteServiceAccountRequest{Id: viewing.binding.GetServiceAccountId()})
		same(t, len(list("", "")), 0)
	})
}
