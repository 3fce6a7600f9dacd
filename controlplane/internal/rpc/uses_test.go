package rpc_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// Nothing is archived while something stands on it; from the top down, all is.
func TestDeleteWhatIsInUse(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	named := func(err *connect.Error, what string) {
		t.Helper()
		if detail(t, err).GetReason() != "in_use" || !strings.Contains(err.Message(), what) {
			t.Errorf("got %v, want a mention of %s", err, what)
		}
	}
	named(refused(t, connect.CodeFailedPrecondition, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: n.provider.Id}), `route "gpt"`)
	named(refused(t, connect.CodeFailedPrecondition, n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: n.route.Id}), `key "first"`)
	named(refused(t, connect.CodeFailedPrecondition, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
		Provider: &adminv1.Provider{Id: n.provider.Id, AllowedModels: []string{"gpt-4"}},
	}), `route "gpt"`)
	call(t, n.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: n.key.Id})
	call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: n.route.Id, AllowedProjectIds: []string{n.project.Id}}})
	named(refused(t, connect.CodeFailedPrecondition, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id}), `route "gpt"`)
	call(t, n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: n.route.Id})
	call(t, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: n.provider.Id})
	call(t, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id})

	in.enrol(n)
	named(refused(t, connect.CodeFailedPrecondition, n.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: n.gateway.Id}), `agent "host-1"`)
	call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: n.agent(t).Id})
	call(t, n.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: n.gateway.Id})
	empty := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "empty", Region: "local"}).Gateway
	call(t, n.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: empty.Id})
	call(t, n.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: empty.Id})
	same(t, len(call(t, n.gateways.ListEnrolmentTokens, &adminv1.ListEnrolmentTokensRequest{GatewayId: empty.Id}).EnrolmentTokens), 0)
}

func TestRevokeEnrolmentToken(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	token := call(t, n.gateways.ListEnrolmentTokens, &adminv1.ListEnrolmentTokensRequest{}).EnrolmentTokens[0]
	call(t, n.gateways.RevokeEnrolmentToken, &adminv1.RevokeEnrolmentTokenRequest{Id: token.Id, Reason: "leaked"})
	if _, err := in.runner.EnrolAgent(t.Context(), hashOf(n.enrolmentToken), publicKey(t), "host-1"); err == nil {
		t.Error("an agent joined with a revoked token")
	}
}

func TestDeleteServiceAccount(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	secret := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{
		ServiceAccountId: n.account.Id, Name: "one",
	}).Secret
	deleted := in.as(secret)
	call(t, deleted.projects.ListProjects, &adminv1.ListProjectsRequest{})
	call(t, n.accounts.UpdateServiceAccount, &adminv1.UpdateServiceAccountRequest{
		ServiceAccount: &adminv1.ServiceAccount{Id: n.account.Id, Role: adminv1.Role_ROLE_ADMIN},
	})
	call(t, deleted.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "by-admin"})
	call(t, n.accounts.DeleteServiceAccount, &adminv1.DeleteServiceAccountRequest{Id: n.account.Id})
	refused(t, connect.CodeUnauthenticated, deleted.projects.ListProjects, &adminv1.ListProjectsRequest{})
	refused(t, connect.CodeNotFound, n.accounts.GetServiceAccount, &adminv1.GetServiceAccountRequest{Id: n.account.Id})
}
