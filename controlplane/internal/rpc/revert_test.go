package rpc_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func toVersion(version int64) *adminv1.RevertRequest {
	return &adminv1.RevertRequest{Target: &adminv1.RevertRequest_ToVersion{ToVersion: version}}
}

func oneAt(kind, id string, version int64) *adminv1.RevertRequest {
	return &adminv1.RevertRequest{Target: &adminv1.RevertRequest_Resource{
		Resource: &adminv1.ResourceVersion{Kind: kind, Id: id, Version: version},
	}}
}

func mask(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }

// reasons of what was skipped, by the id of the resource.
func reasons(answer *adminv1.RevertResponse) map[string]string {
	found := map[string]string{}
	for _, s := range answer.Skipped {
		found[s.Resource.Id] = s.Reason
	}
	return found
}

// A provider and all on it were replaced by others of the same names; all of it goes
// back at once.
func TestRevert(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	target := n.head()
	call(t, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{
		Key: &adminv1.Key{Id: n.key.Id, Name: "renamed"}, UpdateMask: mask("name", "route_ids"),
	})
	call(t, n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: n.route.Id})
	call(t, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: n.provider.Id})
	provider := call(t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: n.provider.Name, Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://other.example/v1", CredentialRef: "env://OTHER",
	}).Provider
	route := call(t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{
		Name: n.route.Name, Targets: []*adminv1.Target{{ProviderId: provider.Id, Model: "m"}},
	}).Route
	project := call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "search"}).Project
	made := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "first", ProjectId: project.Id, RouteIds: []string{route.Id}}).Key
	call(t, n.prices.DeletePriceOverride, &adminv1.DeletePriceOverrideRequest{Id: n.override.Id})
	call(t, n.organizations.UpdateOrganization, &adminv1.UpdateOrganizationRequest{Organization: &adminv1.Organization{DisplayName: "Alpha"}})
	before := n.head()

	request := toVersion(target)
	request.Mutation = &adminv1.Mutation{ValidateOnly: true}
	preview := call(t, n.history.Revert, request)
	same(t, n.head(), before)
	same(t, preview.Version, before)
	request.Mutation = &adminv1.Mutation{RequestId: "back", Etag: preview.Etag}
	answer := call(t, n.history.Revert, request)
	same(t, len(answer.Skipped), 0)
	same(t, answer.Version, n.head())
	same(t, len(n.differences(target, 0, 100)), 0)
	same(t, len(answer.Changes), len(preview.Changes))
	for i, c := range answer.Changes {
		same(t, c.Resource.Id+paths(c.Fields), preview.Changes[i].Resource.Id+paths(preview.Changes[i].Fields))
	}
	same(t, call(t, n.providers.GetProvider, &adminv1.GetProviderRequest{Id: n.provider.Id}).Provider.BaseUrl, n.provider.BaseUrl)
	refused(t, connect.CodeNotFound, n.providers.GetProvider, &adminv1.GetProviderRequest{Id: provider.Id})
	refused(t, connect.CodeNotFound, n.keys.GetKey, &adminv1.GetKeyRequest{Id: made.Id})
	for _, e := range n.events(&adminv1.EventMatch{FirstVersion: before + 1}) {
		same(t, e.RequestId, "back")
	}
	t.Run("said_again_it_is_done", func(t *testing.T) {
		again := call(t, n.history.Revert, request)
		same(t, n.head(), answer.Version)
		same(t, proto.Equal(again, answer), true)
		same(t, len(call(t, n.history.Revert, toVersion(target)).Changes), 0)
		same(t, n.head(), answer.Version)
	})
	t.Run("held_to_another_state_it_is_another_request", func(t *testing.T) {
		other := proto.CloneOf(request)
		other.Mutation.Etag = preview.Etag + "0"
		same(t, detail(t, refused(t, connect.CodeInvalidArgument, n.history.Revert, other)).GetReason(), "request_id_reused")
	})
	t.Run("back_from_the_way_back", func(t *testing.T) {
		answer := call(t, n.history.Revert, toVersion(before))
		same(t, len(answer.Skipped), 1)
		same(t, reasons(answer)[made.Id], "never_revived")
		left := n.differences(before, 0, 100)
		same(t, len(left), 1)
		same(t, left[made.Id].GetAction(), adminv1.ChangeAction_CHANGE_ACTION_REMOVED)
	})
	t.Run("not_over_what_nobody_saw", func(t *testing.T) {
		request := toVersion(target)
		request.Mutation = &adminv1.Mutation{Etag: preview.Etag}
		same(t, detail(t, refused(t, connect.CodeAborted, n.history.Revert, request)).GetReason(), "etag_stale")
		refused(t, connect.CodeInvalidArgument, n.history.Revert, toVersion(n.head()+1))
	})
}

// What was shut stays shut, and nobody's authority changes.
func TestRevertRevivesNothing(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	in.enrol(n)
	rotated := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "rotated", ProjectId: n.project.Id}).Key
	owner := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "was-owner", Role: adminv1.Role_ROLE_OWNER}).ServiceAccount
	binding := n.bound(t)
	deleted := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "deleted", Role: adminv1.Role_ROLE_VIEWER}).ServiceAccount
	token := call(t, n.gateways.ListEnrolmentTokens, &adminv1.ListEnrolmentTokensRequest{}).EnrolmentTokens[0]
	target := n.head()

	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id, Reason: "leaked"})
	fresh := call(t, n.keys.RotateKey, &adminv1.RotateKeyRequest{Id: rotated.Id}).Key
	call(t, n.accounts.UpdateServiceAccount, &adminv1.UpdateServiceAccountRequest{
		ServiceAccount: &adminv1.ServiceAccount{Id: owner.Id, Role: adminv1.Role_ROLE_VIEWER},
	})
	call(t, n.accounts.DeleteServiceAccount, &adminv1.DeleteServiceAccountRequest{Id: deleted.Id})
	call(t, n.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: n.accountToken.Id})
	call(t, n.bindings.DeleteRoleBinding, &adminv1.DeleteRoleBindingRequest{Id: binding.Id})
	call(t, n.gateways.RevokeEnrolmentToken, &adminv1.RevokeEnrolmentTokenRequest{Id: token.Id})
	call(t, n.alerts.DeleteAlertChannel, &adminv1.DeleteAlertChannelRequest{Id: n.channel.Id})
	added := call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "new@alpha.example", Role: adminv1.Role_ROLE_VIEWER}).Member

	answer := call(t, n.history.Revert, toVersion(target))
	want := map[string]string{
		n.key.Id: "never_revived", rotated.Id: "secret_kept", owner.Id: "not_configuration", deleted.Id: "never_revived",
		n.accountToken.Id: "not_configuration", binding.Id: "never_revived", token.Id: "never_revived", n.channel.Id: "secret_gone",
		added.Id: "not_configuration",
	}
	got := reasons(answer)
	same(t, len(got), len(want))
	for id, reason := range want {
		same(t, got[id], reason)
	}
	same(t, len(answer.Changes), 1) // the alert channel is back, without its secret
	same(t, call(t, n.keys.GetKey, &adminv1.GetKeyRequest{Id: n.key.Id}).Key.RevokedAt != nil, true)
	same(t, call(t, n.keys.GetKey, &adminv1.GetKeyRequest{Id: rotated.Id}).Key.Suffix, fresh.Suffix)
	same(t, call(t, n.accounts.GetServiceAccount, &adminv1.GetServiceAccountRequest{Id: owner.Id}).ServiceAccount.Role, adminv1.Role_ROLE_VIEWER)
	same(t, detail(t, refused(t, connect.CodeFailedPrecondition, n.alerts.TestAlertChannel, &adminv1.TestAlertChannelRequest{Id: n.channel.Id})).GetReason(), "secret_missing")

	for _, one := range []*adminv1.RevertRequest{
		oneAt("key", n.key.Id, target), oneAt("service_account", owner.Id, target), oneAt("role_binding", binding.Id, target),
	} {
		before := n.head()
		refused(t, connect.CodeFailedPrecondition, n.history.Revert, one)
		same(t, n.head(), before)
	}
}

// A gateway that agents serve stays, and says so.
func TestRevertLeavesWhatIsInUse(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	in.enrol(n)
	answer := call(t, n.history.Revert, toVersion(4)) // the founding
	same(t, reasons(answer)[n.gateway.Id], "in_use")
	same(t, len(call(t, n.gateways.ListGateways, &adminv1.ListGatewaysRequest{}).Gateways), 1)
	same(t, len(call(t, n.projects.ListProjects, &adminv1.ListProjectsRequest{}).Projects), 0)
	same(t, len(call(t, n.routes.ListRoutes, &adminv1.ListRoutesRequest{}).Routes), 0)
}

func TestRevertOneResource(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	target := n.head()
	call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: n.route.Id, Name: "other"}})
	call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: n.gateway.Id, Name: "other"}})
	answer := call(t, n.history.Revert, oneAt("route", n.route.Id, target))
	same(t, len(answer.Changes), 1)
	same(t, field(answer.Changes[0].Fields, "name"), `"other"→"gpt"`)
	same(t, call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: n.gateway.Id}).Gateway.Name, "other")

	call(t, n.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: n.key.Id})
	call(t, n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: n.route.Id})
	call(t, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: n.provider.Id})
	before := n.head()
	same(t, detail(t, refused(t, connect.CodeNotFound, n.history.Revert, oneAt("route", n.route.Id, target))).GetReason(), "provider_not_found")
	same(t, detail(t, refused(t, connect.CodeNotFound, n.history.Revert, oneAt("route", n.route.Id, 1))).GetReason(), "route_not_found")
	refused(t, connect.CodeInvalidArgument, n.history.Revert, oneAt("routes", n.route.Id, target))
	same(t, n.head(), before)
	call(t, n.history.Revert, oneAt("provider", n.provider.Id, target))
	call(t, n.history.Revert, oneAt("route", n.route.Id, target))
	same(t, call(t, n.routes.GetRoute, &adminv1.GetRouteRequest{Id: n.route.Id}).Route.Name, "gpt")
	call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: n.project.Id, Name: "moved"}})
	call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "app"})
	same(t, detail(t, refused(t, connect.CodeAlreadyExists, n.history.Revert, oneAt("project", n.project.Id, target))).GetReason(), "name_taken")
}

// Two that swapped their names swap them again.
func TestRevertOfASwap(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	other := call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "other"}).Project
	gateway := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "other", Region: "local"}).Gateway
	target := n.head()
	swap := func(rename func(id, name string), one, two, name string) {
		rename(one, "between")
		rename(two, name)
		rename(one, "other")
	}
	swap(func(id, name string) {
		call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: id, Name: name}})
	}, n.project.Id, other.Id, n.project.Name)
	swap(func(id, name string) {
		call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: id, Name: name}})
	}, n.gateway.Id, gateway.Id, n.gateway.Name)
	before := n.head()
	answer := call(t, n.history.Revert, toVersion(target))
	same(t, len(answer.Skipped), 0)
	same(t, len(n.differences(target, 0, 100)), 0)
	recorded, err := pglog.New(in.db).Read(t.Context(), mustParse(t, n.organization.Id), before, 100)
	if err != nil {
		t.Fatal(err)
	}
	same(t, slices.ContainsFunc(recorded, func(e eventlog.Event) bool {
		return !strings.HasPrefix(e.Kind, "Project") && !strings.HasPrefix(e.Kind, "Gateway")
	}), false)
}

// A revert changes, and names, so many resources and no more; it says which it is.
func TestRevertIsBounded(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	target, organization := n.head(), mustParse(t, n.organization.Id)
	many := func(one func(i int) ([]eventlog.Change, error)) {
		t.Helper()
		from := command.Origin{Organization: organization, Actor: "operator", Operator: true}
		_, err := in.runner.Commit(t.Context(), from, func(context.Context, readmodel.View) (p command.Plan, err error) {
			for i := range 1001 {
				changes, err := one(i)
				if err != nil {
					return p, err
				}
				p.Changes = append(p.Changes, changes...)
			}
			return p, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	many(func(i int) ([]eventlog.Change, error) {
		return gateway.CreateToken(gateway.TokenCreation{
			ID: uuid.New(), GatewayID: mustParse(t, n.gateway.Id), GatewayExists: true, Now: time.Now(), SHA256: hashOf(fmt.Sprint(i)),
		})
	})
	answer := call(t, n.history.Revert, toVersion(target))
	same(t, len(answer.Skipped), 1000)
	same(t, answer.Truncated, true)
	same(t, len(answer.Changes), 0)

	many(func(i int) ([]eventlog.Change, error) {
		return project.Create(project.Creation{ID: uuid.New(), Settings: project.Settings{Name: fmt.Sprint("p", i)}})
	})
	before := n.head()
	same(t, detail(t, refused(t, connect.CodeFailedPrecondition, n.history.Revert, toVersion(target))).GetReason(), "revert_too_large")
	same(t, n.head(), before)
}
