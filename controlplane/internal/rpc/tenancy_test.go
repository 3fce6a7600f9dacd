package rpc_test

import (
	"strconv"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// foreign is every RPC, called by one tenant with the other's ids: what names
// something answers NotFound as for an id that never was, a list is the caller's.
var foreign = map[string]func(t *testing.T, a, b *tenant){
	"OrganizationService.CreateOrganization": func(t *testing.T, _, b *tenant) {
		refused(t, connect.CodePermissionDenied, b.organizations.CreateOrganization, &adminv1.CreateOrganizationRequest{Name: "mine", OwnerEmail: "a@b.example"})
	},
	"OrganizationService.ListOrganizations": func(t *testing.T, _, b *tenant) {
		refused(t, connect.CodePermissionDenied, b.organizations.ListOrganizations, &adminv1.ListOrganizationsRequest{})
	},
	"OrganizationService.GetOrganization": func(t *testing.T, a, b *tenant) {
		got := call(t, b.organizations.GetOrganization, &adminv1.GetOrganizationRequest{}).Organization
		same(t, got.Id, b.organization.Id)
	},
	"OrganizationService.UpdateOrganization": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.organizations.UpdateOrganization, &adminv1.UpdateOrganizationRequest{
			Organization: &adminv1.Organization{Id: a.organization.Id, DisplayName: "stolen"},
		})
		refused(t, connect.CodeAlreadyExists, b.organizations.UpdateOrganization, &adminv1.UpdateOrganizationRequest{
			Organization: &adminv1.Organization{Name: a.organization.Name},
		})
	},
	"OrganizationService.SuspendOrganization": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodePermissionDenied, b.organizations.SuspendOrganization, &adminv1.SuspendOrganizationRequest{Id: a.organization.Id, Reason: "r"})
		refused(t, connect.CodePermissionDenied, b.organizations.SuspendOrganization, &adminv1.SuspendOrganizationRequest{Id: b.organization.Id, Reason: "r"})
	},
	"OrganizationService.ResumeOrganization": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodePermissionDenied, b.organizations.ResumeOrganization, &adminv1.ResumeOrganizationRequest{Id: a.organization.Id})
	},
	"OrganizationService.DeleteOrganization": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodePermissionDenied, b.organizations.DeleteOrganization, &adminv1.DeleteOrganizationRequest{Id: a.organization.Id})
	},
	"RoleBindingService.CreateRoleBinding": func(t *testing.T, a, b *tenant) {
		for _, request := range []*adminv1.CreateRoleBindingRequest{
			bindingOf(a.account, b.project), bindingOf(b.account, a.project),
			{Principal: &adminv1.CreateRoleBindingRequest_MemberId{MemberId: a.account.Id}, ProjectId: b.project.Id, Role: viewer},
		} {
			refused(t, connect.CodeNotFound, b.bindings.CreateRoleBinding, request)
		}
	},
	"RoleBindingService.GetRoleBinding": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.bindings.GetRoleBinding, &adminv1.GetRoleBindingRequest{Id: a.bound(t).Id})
	},
	"RoleBindingService.ListRoleBindings": func(t *testing.T, a, b *tenant) {
		a.bound(t)
		same(t, len(call(t, b.bindings.ListRoleBindings, &adminv1.ListRoleBindingsRequest{}).RoleBindings), 0)
		same(t, len(call(t, b.bindings.ListRoleBindings, &adminv1.ListRoleBindingsRequest{ProjectId: a.project.Id}).RoleBindings), 0)
	},
	"RoleBindingService.DeleteRoleBinding": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.bindings.DeleteRoleBinding, &adminv1.DeleteRoleBindingRequest{Id: a.bound(t).Id})
	},
	"SessionService.WhoAmI": func(t *testing.T, _, b *tenant) {
		same(t, call(t, b.sessions.WhoAmI, &adminv1.WhoAmIRequest{}).OrganizationId, b.organization.Id)
	},
	"ProjectService.CreateProject": func(t *testing.T, a, b *tenant) {
		name := "only-" + a.organization.Name
		call(t, a.projects.CreateProject, &adminv1.CreateProjectRequest{Name: name})
		call(t, b.projects.CreateProject, &adminv1.CreateProjectRequest{Name: name})
	},
	"ProjectService.GetProject": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.projects.GetProject, &adminv1.GetProjectRequest{Id: a.project.Id})
	},
	"ProjectService.ListProjects": func(t *testing.T, a, b *tenant) {
		for _, p := range call(t, b.projects.ListProjects, &adminv1.ListProjectsRequest{}).Projects {
			differ(t, p.Id, a.project.Id)
		}
	},
	"ProjectService.UpdateProject": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: a.project.Id, Name: "stolen"}})
	},
	"ProjectService.DeleteProject": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: a.project.Id})
	},
	"ProviderService.CreateProvider": func(t *testing.T, a, b *tenant) {
		request := &adminv1.CreateProviderRequest{
			Name: "shared-name", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://x.example", CredentialRef: "env://X",
		}
		call(t, a.providers.CreateProvider, request)
		call(t, b.providers.CreateProvider, request)
	},
	"ProviderService.GetProvider": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.providers.GetProvider, &adminv1.GetProviderRequest{Id: a.provider.Id})
	},
	"ProviderService.ListProviders": func(t *testing.T, a, b *tenant) {
		for _, p := range call(t, b.providers.ListProviders, &adminv1.ListProvidersRequest{}).Providers {
			differ(t, p.Id, a.provider.Id)
		}
	},
	"ProviderService.UpdateProvider": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: a.provider.Id, Name: "stolen"}})
	},
	"ProviderService.DeleteProvider": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: a.provider.Id})
	},
	"RouteService.UpdateRoute": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: a.route.Id, Name: "stolen"}})
		for _, r := range []*adminv1.Route{
			{Targets: []*adminv1.Target{{ProviderId: a.provider.Id, Model: "m"}}},
			{AllowedProjectIds: []string{a.project.Id}},
		} {
			r.Id = b.route.Id
			refused(t, connect.CodeNotFound, b.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: r})
		}
	},
	"RouteService.DeleteRoute": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: a.route.Id})
	},
	"KeyService.UpdateKey": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: &adminv1.Key{Id: a.key.Id, Name: "stolen"}})
		refused(t, connect.CodeNotFound, b.keys.UpdateKey, &adminv1.UpdateKeyRequest{Key: &adminv1.Key{Id: b.key.Id, RouteIds: []string{a.route.Id}}})
	},
	"KeyService.RotateKey": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.keys.RotateKey, &adminv1.RotateKeyRequest{Id: a.key.Id})
	},
	"KeyService.DeleteKey": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: a.key.Id})
	},
	"GatewayService.UpdateGateway": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: a.gateway.Id, Name: "stolen"}})
	},
	"GatewayService.SetGatewayKey": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.SetGatewayKey, &adminv1.SetGatewayKeyRequest{Id: a.gateway.Id, PublicKey: gatewayKey(t).Public().Bytes()})
	},
	"GatewayService.DeleteGateway": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: a.gateway.Id})
	},
	"GatewayService.ListEnrolmentTokens": func(t *testing.T, a, b *tenant) {
		same(t, len(call(t, b.gateways.ListEnrolmentTokens, &adminv1.ListEnrolmentTokensRequest{GatewayId: a.gateway.Id}).EnrolmentTokens), 0)
		same(t, len(call(t, b.gateways.ListEnrolmentTokens, &adminv1.ListEnrolmentTokensRequest{}).EnrolmentTokens), 1)
	},
	"GatewayService.RevokeEnrolmentToken": func(t *testing.T, a, b *tenant) {
		token := call(t, a.gateways.ListEnrolmentTokens, &adminv1.ListEnrolmentTokensRequest{}).EnrolmentTokens[0]
		refused(t, connect.CodeNotFound, b.gateways.RevokeEnrolmentToken, &adminv1.RevokeEnrolmentTokenRequest{Id: token.Id})
	},
	"ServiceAccountService.UpdateServiceAccount": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.accounts.UpdateServiceAccount, &adminv1.UpdateServiceAccountRequest{
			ServiceAccount: &adminv1.ServiceAccount{Id: a.account.Id, Name: "stolen"},
		})
	},
	"ServiceAccountService.DeleteServiceAccount": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.accounts.DeleteServiceAccount, &adminv1.DeleteServiceAccountRequest{Id: a.account.Id})
	},
	"RouteService.CreateRoute": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.routes.CreateRoute, &adminv1.CreateRouteRequest{
			Name: "stolen", Targets: []*adminv1.Target{{ProviderId: a.provider.Id, Model: "m"}},
		})
	},
	"RouteService.GetRoute": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.routes.GetRoute, &adminv1.GetRouteRequest{Id: a.route.Id})
	},
	"RouteService.ListRoutes": func(t *testing.T, a, b *tenant) {
		for _, r := range call(t, b.routes.ListRoutes, &adminv1.ListRoutesRequest{}).Routes {
			differ(t, r.Id, a.route.Id)
		}
	},
	"KeyService.CreateKey": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "k", ProjectId: a.project.Id})
		refused(t, connect.CodeNotFound, b.keys.CreateKey, &adminv1.CreateKeyRequest{
			Name: "k", ProjectId: b.project.Id, RouteIds: []string{a.route.Id},
		})
	},
	"KeyService.GetKey": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.keys.GetKey, &adminv1.GetKeyRequest{Id: a.key.Id})
	},
	"KeyService.EndKeyOverlap": func(t *testing.T, a, b *tenant) {
		call(t, a.keys.RotateKey, &adminv1.RotateKeyRequest{Id: a.key.Id})
		refused(t, connect.CodeNotFound, b.keys.EndKeyOverlap, &adminv1.EndKeyOverlapRequest{Id: a.key.Id})
		same(t, call(t, a.keys.GetKey, &adminv1.GetKeyRequest{Id: a.key.Id}).Key.PreviousEndedAt == nil, true)
	},
	"KeyService.GetKeyRevocation": func(t *testing.T, a, b *tenant) {
		key := call(t, b.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "short-lived", ProjectId: b.project.Id}).Key
		call(t, b.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: key.Id})
		refused(t, connect.CodeNotFound, a.keys.GetKeyRevocation, &adminv1.GetKeyRevocationRequest{Id: key.Id})
		same(t, call(t, b.keys.GetKeyRevocation, &adminv1.GetKeyRevocationRequest{Id: key.Id}).Agents, 0) // the agent is a's
	},
	"KeyService.ListKeys": func(t *testing.T, a, b *tenant) {
		same(t, len(call(t, b.keys.ListKeys, &adminv1.ListKeysRequest{ProjectId: a.project.Id}).Keys), 0)
		for _, k := range call(t, b.keys.ListKeys, &adminv1.ListKeysRequest{}).Keys {
			differ(t, k.Id, a.key.Id)
		}
	},
	"KeyService.RevokeKey": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: a.key.Id})
		if call(t, a.keys.GetKey, &adminv1.GetKeyRequest{Id: a.key.Id}).Key.RevokedAt != nil {
			t.Error("the other tenant revoked the key")
		}
	},
	"DiagnosticsService.TestProvider": func(t *testing.T, a, b *tenant) {
		for _, request := range []*adminv1.TestProviderRequest{
			{ProviderId: a.provider.Id, GatewayId: a.gateway.Id}, {ProviderId: a.provider.Id, GatewayId: b.gateway.Id},
			{ProviderId: b.provider.Id, GatewayId: a.gateway.Id}, {ProviderId: b.provider.Id, GatewayId: b.gateway.Id, AgentId: a.agent(t).Id},
		} {
			refused(t, connect.CodeNotFound, b.diagnostics.TestProvider, request)
		}
	},
	"DiagnosticsService.DryRun": func(t *testing.T, a, b *tenant) {
		ofKey := func(gateway, key string) *adminv1.DryRunRequest {
			return &adminv1.DryRunRequest{GatewayId: gateway, Caller: &adminv1.DryRunRequest_KeyId{KeyId: key}, Model: "m"}
		}
		ofProject := ofKey(b.gateway.Id, "")
		ofProject.Caller = &adminv1.DryRunRequest_ProjectId{ProjectId: a.project.Id}
		byAgent := ofKey(b.gateway.Id, b.key.Id)
		byAgent.AgentId = a.agent(t).Id
		ofRoute := ofKey(b.gateway.Id, b.key.Id)
		ofRoute.Draft = &adminv1.Route{Id: a.route.Id, Name: "m", Targets: []*adminv1.Target{{ProviderId: b.provider.Id, Model: "m"}}}
		toProvider := ofKey(b.gateway.Id, b.key.Id)
		toProvider.Draft = &adminv1.Route{Name: "m", Targets: []*adminv1.Target{{ProviderId: a.provider.Id, Model: "m"}}}
		for _, request := range []*adminv1.DryRunRequest{ofKey(a.gateway.Id, b.key.Id), ofKey(b.gateway.Id, a.key.Id), ofProject, byAgent, ofRoute, toProvider} {
			refused(t, connect.CodeNotFound, b.diagnostics.DryRun, request)
		}
	},
	"BatchService.Batch": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.batches.Batch, &adminv1.BatchRequest{Operations: []*adminv1.Operation{
			{Request: &adminv1.Operation_RevokeKey{RevokeKey: &adminv1.RevokeKeyRequest{Id: a.key.Id}}},
		}})
	},
	"GatewayService.CreateGateway": func(t *testing.T, a, b *tenant) {
		call(t, a.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "both", Region: "local"})
		call(t, b.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "both", Region: "local"})
	},
	"GatewayService.GetGateway": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: a.gateway.Id})
	},
	"GatewayService.ListGateways": func(t *testing.T, a, b *tenant) {
		for _, g := range call(t, b.gateways.ListGateways, &adminv1.ListGatewaysRequest{}).Gateways {
			differ(t, g.Id, a.gateway.Id)
		}
	},
	"GatewayService.CreateEnrolmentToken": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: a.gateway.Id})
	},
	"GatewayService.GetAgent": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.GetAgent, &adminv1.GetAgentRequest{Id: a.agent(t).Id})
	},
	"GatewayService.UpdateAgent": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.UpdateAgent, &adminv1.UpdateAgentRequest{Agent: &adminv1.Agent{Id: a.agent(t).Id, Name: "stolen"}})
	},
	"GatewayService.RevokeAgent": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: a.agent(t).Id})
		if a.agent(t).RevokedAt != nil {
			t.Error("the other tenant revoked the agent")
		}
	},
	"GatewayService.ListAgentCredentials": func(t *testing.T, a, b *tenant) {
		same(t, len(call(t, a.gateways.ListAgentCredentials, &adminv1.ListAgentCredentialsRequest{ProviderId: a.provider.Id}).Credentials), 1)
		refused(t, connect.CodeNotFound, b.gateways.ListAgentCredentials, &adminv1.ListAgentCredentialsRequest{ProviderId: a.provider.Id})
		same(t, len(call(t, b.gateways.ListAgentCredentials, &adminv1.ListAgentCredentialsRequest{ProviderId: b.provider.Id, GatewayId: a.gateway.Id}).Credentials), 0)
	},
	"GatewayService.ListAgentTargets": func(t *testing.T, a, b *tenant) {
		agent := &adminv1.ListAgentTargetsRequest_AgentId{AgentId: a.agent(t).Id}
		same(t, len(call(t, a.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: agent}).Targets), 0)
		refused(t, connect.CodeNotFound, b.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: agent})
		of := &adminv1.ListAgentTargetsRequest_ProviderId{ProviderId: a.provider.Id}
		same(t, len(call(t, a.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: of}).Targets), 0)
		refused(t, connect.CodeNotFound, b.gateways.ListAgentTargets, &adminv1.ListAgentTargetsRequest{Of: of})
	},
	"GatewayService.ListAgents": func(t *testing.T, a, b *tenant) {
		same(t, len(call(t, a.gateways.ListAgents, &adminv1.ListAgentsRequest{}).Agents), 1)
		same(t, len(call(t, b.gateways.ListAgents, &adminv1.ListAgentsRequest{GatewayId: a.gateway.Id}).Agents), 0)
		same(t, len(call(t, b.gateways.ListAgents, &adminv1.ListAgentsRequest{}).Agents), 0)
	},
	"RolloutService.GetRollout": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.rollouts.GetRollout, &adminv1.GetRolloutRequest{Id: a.wentBack(t).Id})
	},
	"RolloutService.ListRollouts": func(t *testing.T, a, b *tenant) {
		theirs := a.wentBack(t)
		for _, r := range call(t, b.rollouts.ListRollouts, &adminv1.ListRolloutsRequest{}).Rollouts {
			differ(t, r.Id, theirs.Id)
		}
		same(t, len(call(t, b.rollouts.ListRollouts, &adminv1.ListRolloutsRequest{GatewayId: a.gateway.Id}).Rollouts), 0)
	},
	"RolloutService.PromoteRollout": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.rollouts.PromoteRollout, &adminv1.PromoteRolloutRequest{Id: a.wentBack(t).Id})
	},
	"RolloutService.HoldRollout": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.rollouts.HoldRollout, &adminv1.HoldRolloutRequest{Id: a.wentBack(t).Id})
	},
	"RolloutService.ResumeRollout": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.rollouts.ResumeRollout, &adminv1.ResumeRolloutRequest{Id: a.wentBack(t).Id})
	},
	"RolloutService.GoBack": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.rollouts.GoBack, &adminv1.GoBackRequest{GatewayId: a.gateway.Id, Version: 1})
	},
	"RolloutService.GoForward": func(t *testing.T, a, b *tenant) {
		a.wentBack(t)
		refused(t, connect.CodeNotFound, b.rollouts.GoForward, &adminv1.GoForwardRequest{GatewayId: a.gateway.Id})
	},
	"ServiceAccountService.CreateServiceAccount": func(t *testing.T, a, b *tenant) {
		request := &adminv1.CreateServiceAccountRequest{Name: "both", Role: adminv1.Role_ROLE_VIEWER}
		call(t, a.accounts.CreateServiceAccount, request)
		call(t, b.accounts.CreateServiceAccount, request)
	},
	"ServiceAccountService.GetServiceAccount": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.accounts.GetServiceAccount, &adminv1.GetServiceAccountRequest{Id: a.account.Id})
	},
	"ServiceAccountService.ListServiceAccounts": func(t *testing.T, a, b *tenant) {
		for _, s := range call(t, b.accounts.ListServiceAccounts, &adminv1.ListServiceAccountsRequest{}).ServiceAccounts {
			differ(t, s.Id, a.account.Id)
		}
	},
	"ServiceAccountService.CreateServiceAccountToken": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: a.account.Id, Name: "t"})
	},
	"ServiceAccountService.RevokeServiceAccountToken": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: a.accountToken.Id})
	},
	"PriceOverrideService.CreatePriceOverride": func(t *testing.T, a, b *tenant) {
		request := &adminv1.CreatePriceOverrideRequest{PriceList: "both", Model: "m", Rates: &adminv1.Rates{Input: "1"}}
		call(t, a.prices.CreatePriceOverride, request)
		call(t, b.prices.CreatePriceOverride, request)
		request.Model, request.ProviderId = "n", a.provider.Id
		refused(t, connect.CodeNotFound, b.prices.CreatePriceOverride, request)
	},
	"PriceOverrideService.GetPriceOverride": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.prices.GetPriceOverride, &adminv1.GetPriceOverrideRequest{Id: a.override.Id})
	},
	"PriceOverrideService.ListPriceOverrides": func(t *testing.T, a, b *tenant) {
		for _, p := range call(t, b.prices.ListPriceOverrides, &adminv1.ListPriceOverridesRequest{}).PriceOverrides {
			differ(t, p.Id, a.override.Id)
		}
	},
	"PriceOverrideService.UpdatePriceOverride": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
			PriceOverride: &adminv1.PriceOverride{Id: a.override.Id, Rates: &adminv1.Rates{Input: "0"}},
		})
	},
	"RerateService.RerateUsage": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) { r.ProjectId = a.project.Id }))
		refused(t, connect.CodeNotFound, b.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) { r.ProviderId = a.provider.Id }))
		call(t, a.rerates.RerateUsage, rerateOf(nil))
		call(t, b.rerates.RerateUsage, rerateOf(nil)) // a's is not in its way
	},
	"RerateService.GetRerate": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.rerates.GetRerate, &adminv1.GetRerateRequest{Id: a.rerated(t).Id})
	},
	"RerateService.ListRerates": func(t *testing.T, a, b *tenant) {
		id := a.rerated(t).Id
		for _, r := range call(t, b.rerates.ListRerates, &adminv1.ListReratesRequest{}).Rerates {
			differ(t, r.Id, id)
		}
	},
	"PriceOverrideService.DeletePriceOverride": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.prices.DeletePriceOverride, &adminv1.DeletePriceOverrideRequest{Id: a.override.Id})
	},
	"PriceOverrideService.ImportPrices": func(t *testing.T, a, b *tenant) {
		file := &adminv1.ImportPricesRequest{Lists: []*adminv1.ImportedList{{LitellmProvider: "openai", PriceList: "imported"}},
			Litellm: `{"m":{"litellm_provider":"openai","input_cost_per_token":1e-6}}`}
		same(t, call(t, a.prices.ImportPrices, file).Prices[0].Change, adminv1.ImportedPrice_CHANGE_CREATED)
		same(t, call(t, b.prices.ImportPrices, file).Prices[0].Change, adminv1.ImportedPrice_CHANGE_CREATED)
	},
	"PriceOverrideService.ListPrices": func(t *testing.T, a, b *tenant) {
		call(t, a.prices.CreatePriceOverride, &adminv1.CreatePriceOverrideRequest{PriceList: "of-a", Model: "m", Rates: &adminv1.Rates{Input: "1"}})
		same(t, len(call(t, b.prices.ListPrices, &adminv1.ListPricesRequest{PriceList: "of-a"}).Prices), 0)
	},
	"PriceOverrideService.GetPrice": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.prices.GetPrice, &adminv1.GetPriceRequest{ProviderId: a.provider.Id, Model: "gpt-5"})
		call(t, a.prices.CreatePriceOverride, &adminv1.CreatePriceOverrideRequest{PriceList: "of-a", Model: "one", Rates: &adminv1.Rates{Input: "1"}})
		same(t, len(call(t, b.prices.GetPrice, &adminv1.GetPriceRequest{PriceList: "of-a", Model: "one"}).Candidates), 0)
	},
	"SavedReportService.CreateSavedReport": func(t *testing.T, a, b *tenant) {
		request := &adminv1.CreateSavedReportRequest{Name: "both", Sql: "SELECT 1"}
		call(t, a.saved.CreateSavedReport, request)
		call(t, b.saved.CreateSavedReport, request)
	},
	"SavedReportService.GetSavedReport": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.saved.GetSavedReport, &adminv1.GetSavedReportRequest{Id: a.report.Id})
	},
	"SavedReportService.ListSavedReports": func(t *testing.T, a, b *tenant) {
		for _, r := range call(t, b.saved.ListSavedReports, &adminv1.ListSavedReportsRequest{}).SavedReports {
			differ(t, r.Id, a.report.Id)
		}
	},
	"SavedReportService.UpdateSavedReport": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.saved.UpdateSavedReport, &adminv1.UpdateSavedReportRequest{SavedReport: &adminv1.SavedReport{Id: a.report.Id, Name: "stolen"}})
	},
	"SavedReportService.DeleteSavedReport": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.saved.DeleteSavedReport, &adminv1.DeleteSavedReportRequest{Id: a.report.Id})
	},
	"AlertChannelService.CreateAlertChannel": func(t *testing.T, a, b *tenant) {
		request := &adminv1.CreateAlertChannelRequest{Name: "both", Url: "https://hooks.example", Secret: webhookSecret("both")}
		call(t, a.alerts.CreateAlertChannel, request)
		call(t, b.alerts.CreateAlertChannel, request)
	},
	"AlertChannelService.GetAlertChannel": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.alerts.GetAlertChannel, &adminv1.GetAlertChannelRequest{Id: a.channel.Id})
	},
	"AlertChannelService.ListAlertChannels": func(t *testing.T, a, b *tenant) {
		for _, c := range call(t, b.alerts.ListAlertChannels, &adminv1.ListAlertChannelsRequest{}).AlertChannels {
			differ(t, c.Id, a.channel.Id)
		}
	},
	"AlertChannelService.UpdateAlertChannel": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.alerts.UpdateAlertChannel, &adminv1.UpdateAlertChannelRequest{AlertChannel: &adminv1.AlertChannel{Id: a.channel.Id, Name: "stolen"}})
	},
	"AlertChannelService.SetAlertChannelSecret": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.alerts.SetAlertChannelSecret, &adminv1.SetAlertChannelSecretRequest{Id: a.channel.Id, Secret: webhookSecret("stolen")})
	},
	"AlertChannelService.DeleteAlertChannel": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.alerts.DeleteAlertChannel, &adminv1.DeleteAlertChannelRequest{Id: a.channel.Id})
	},
	"AlertChannelService.TestAlertChannel": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.alerts.TestAlertChannel, &adminv1.TestAlertChannelRequest{Id: a.channel.Id})
	},
	"AlertService.ListAlerts": func(t *testing.T, a, b *tenant) {
		sent := call(t, a.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: a.channel.Id})
		same(t, len(call(t, b.told.ListAlerts, &adminv1.ListAlertsRequest{}).Alerts), 0)
		same(t, len(call(t, b.told.ListAlerts, &adminv1.ListAlertsRequest{Filter: `id = "` + sent.Alert.Id + `"`}).Alerts), 0)
	},
	"AlertService.ListAlertDeliveries": func(t *testing.T, a, b *tenant) {
		sent := call(t, a.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: a.channel.Id})
		same(t, len(call(t, b.told.ListAlertDeliveries, &adminv1.ListAlertDeliveriesRequest{}).Deliveries), 0)
		same(t, len(call(t, b.told.ListAlertDeliveries, &adminv1.ListAlertDeliveriesRequest{Filter: `alert_channel_id = "` + a.channel.Id + `"`}).Deliveries), 0)
		same(t, len(call(t, b.told.ListAlertDeliveries, &adminv1.ListAlertDeliveriesRequest{Filter: `alert_id = "` + sent.Alert.Id + `"`}).Deliveries), 0)
	},
	"AlertService.RetryAlertDelivery": func(t *testing.T, a, b *tenant) {
		sent := call(t, a.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: a.channel.Id})
		refused(t, connect.CodeNotFound, b.told.RetryAlertDelivery, &adminv1.RetryAlertDeliveryRequest{Id: sent.DeliveryId})
	},
	"AlertService.SendTestAlert": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: a.channel.Id})
		same(t, len(call(t, b.told.ListAlerts, &adminv1.ListAlertsRequest{}).Alerts), 0)
	},
	"QuotaService.ListQuotas": func(t *testing.T, a, b *tenant) {
		theirs := []string{a.limited(t, onKey(a.key)).Id, a.budgeted(t, onOrganization()).Id}
		for _, q := range call(t, b.quotas.ListQuotas, &adminv1.ListQuotasRequest{}).Quotas {
			differ(t, q.Id, theirs[0])
			differ(t, q.Id, theirs[1])
		}
		same(t, len(call(t, b.quotas.ListQuotas, &adminv1.ListQuotasRequest{ProjectId: a.project.Id}).Quotas), 0)
	},
	"QuotaService.GetQuota": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: a.limited(t, onKey(a.key)).Id})
		refused(t, connect.CodeNotFound, b.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: a.budgeted(t, onOrganization()).Id})
	},
	"QuotaService.ListQuotaSubjects": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.quotas.ListQuotaSubjects, &adminv1.ListQuotaSubjectsRequest{Id: a.budgeted(t, onOrganization()).Id})
	},
	"QuotaService.ListQuotaHistory": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.quotas.ListQuotaHistory, &adminv1.ListQuotaHistoryRequest{Id: a.budgeted(t, onOrganization()).Id})
	},
	"QuotaService.WriteOffLease": func(t *testing.T, a, b *tenant) {
		agent := gateway.Agent{ID: mustParse(t, a.agent(t).Id), OrganizationID: mustParse(t, a.organization.Id)}
		theirs := call(t, a.budgets.CreateBudget, forEver("f-"+newName(), onOrganization(), 100)).Budget.Id
		own := call(t, b.budgets.CreateBudget, forEver("f-"+newName(), onOrganization(), 100)).Budget.Id
		lease(t, a.in.leases(0), agent, theirs, "", 60, 0)
		silent(t, a)
		for _, id := range []string{theirs, own} {
			refused(t, connect.CodeNotFound, b.quotas.WriteOffLease, &adminv1.WriteOffLeaseRequest{
				Id: id, Window: "lifetime", AgentId: agent.ID.String(), Boot: firstBoot, Reason: "r",
			})
		}
		same(t, call(t, a.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: theirs}).Quota.Standing.Stranded, 60)
	},
	"QuotaService.ReleaseLeases": func(t *testing.T, a, b *tenant) {
		for _, id := range []string{a.limited(t, onKey(a.key)).Id, a.budgeted(t, onOrganization()).Id} {
			refused(t, connect.CodeNotFound, b.quotas.ReleaseLeases, &adminv1.ReleaseLeasesRequest{Id: id, Reason: "r"})
		}
	},
	"LimitService.CreateLimit": func(t *testing.T, a, b *tenant) {
		call(t, a.limits.CreateLimit, requestsOf("both", onOrganization()))
		call(t, b.limits.CreateLimit, requestsOf("both", onOrganization()))
		for _, scope := range a.scopes() {
			refused(t, connect.CodeNotFound, b.limits.CreateLimit, requestsOf("stolen", scope))
		}
	},
	"LimitService.GetLimit": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.limits.GetLimit, &adminv1.GetLimitRequest{Id: a.limited(t, onKey(a.key)).Id})
	},
	"LimitService.ListLimits": func(t *testing.T, a, b *tenant) {
		theirs := a.limited(t, onKey(a.key))
		for _, l := range call(t, b.limits.ListLimits, &adminv1.ListLimitsRequest{}).Limits {
			differ(t, l.Id, theirs.Id)
		}
		same(t, len(call(t, b.limits.ListLimits, &adminv1.ListLimitsRequest{ProjectId: a.project.Id}).Limits), 0)
	},
	"LimitService.UpdateLimit": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.limits.UpdateLimit, &adminv1.UpdateLimitRequest{
			Limit: &adminv1.Limit{Id: a.limited(t, onOrganization()).Id, Amount: 1},
		})
	},
	"LimitService.DeleteLimit": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: a.limited(t, onOrganization()).Id})
	},
	"BudgetService.CreateBudget": func(t *testing.T, a, b *tenant) {
		call(t, a.budgets.CreateBudget, monthly("both", onOrganization()))
		call(t, b.budgets.CreateBudget, monthly("both", onOrganization()))
		for _, scope := range a.scopes() {
			refused(t, connect.CodeNotFound, b.budgets.CreateBudget, monthly("stolen", scope))
		}
		telling := monthly("stolen", onOrganization())
		telling.AlertPercents, telling.AlertChannelIds = []int32{50}, []string{a.channel.Id}
		refused(t, connect.CodeNotFound, b.budgets.CreateBudget, telling)
	},
	"BudgetService.GetBudget": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.budgets.GetBudget, &adminv1.GetBudgetRequest{Id: a.budgeted(t, onKey(a.key)).Id})
	},
	"BudgetService.ListBudgets": func(t *testing.T, a, b *tenant) {
		theirs := a.budgeted(t, onKey(a.key))
		for _, l := range call(t, b.budgets.ListBudgets, &adminv1.ListBudgetsRequest{}).Budgets {
			differ(t, l.Id, theirs.Id)
		}
		same(t, len(call(t, b.budgets.ListBudgets, &adminv1.ListBudgetsRequest{ProjectId: a.project.Id}).Budgets), 0)
	},
	"BudgetService.UpdateBudget": func(t *testing.T, a, b *tenant) {
		theirs, own := a.budgeted(t, onOrganization()), b.budgeted(t, onOrganization())
		refused(t, connect.CodeNotFound, b.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{Budget: &adminv1.Budget{Id: theirs.Id, AmountNanoUsd: 1}})
		refused(t, connect.CodeNotFound, b.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{
			Budget: &adminv1.Budget{Id: own.Id, AlertPercents: []int32{50}, AlertChannelIds: []string{a.channel.Id}},
		})
	},
	"BudgetService.RaiseBudget": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.budgets.RaiseBudget, raiseOf(a.budgeted(t, onOrganization()), 1))
	},
	"BudgetService.DeleteBudget": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.budgets.DeleteBudget, &adminv1.DeleteBudgetRequest{Id: a.budgeted(t, onOrganization()).Id})
	},
	"HistoryService.ListEvents": func(t *testing.T, a, b *tenant) {
		same(t, len(call(t, b.history.ListEvents, &adminv1.ListEventsRequest{Match: &adminv1.EventMatch{ResourceId: a.key.Id}}).Events), 0)
		for _, e := range call(t, b.history.ListEvents, &adminv1.ListEventsRequest{Page: &adminv1.Page{Size: 1000}}).Events {
			differ(t, e.Resource.Id, a.key.Id)
			differ(t, e.Resource.Id, a.organization.Id)
		}
	},
	"HistoryService.GetEvent": func(t *testing.T, _, b *tenant) {
		same(t, call(t, b.history.GetEvent, &adminv1.GetEventRequest{Version: 1}).Event.Resource.Id, b.organization.Id)
	},
	"HistoryService.ExportEvents": func(t *testing.T, a, b *tenant) {
		for _, one := range b.exported(&adminv1.EventMatch{}) {
			differ(t, one.Event.Resource.Id, a.key.Id)
		}
		same(t, len(b.exported(&adminv1.EventMatch{ResourceId: a.key.Id})), 0)
	},
	"HistoryService.WatchEvents": func(t *testing.T, a, b *tenant) {
		events, _ := b.watch(t.Context(), 0)
		for range b.head() {
			differ(t, (<-events).Resource.Id, a.key.Id)
		}
	},
	"HistoryService.Diff": func(t *testing.T, a, b *tenant) {
		for _, c := range call(t, b.history.Diff, &adminv1.DiffRequest{From: atVersion(1), Page: &adminv1.Page{Size: 1000}}).Changes {
			differ(t, c.Resource.Id, a.key.Id)
		}
	},
	"HistoryService.Revert": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.history.Revert, &adminv1.RevertRequest{Target: &adminv1.RevertRequest_Resource{
			Resource: &adminv1.ResourceVersion{Kind: "route", Id: a.route.Id, Version: b.head()},
		}})
		before := a.head()
		call(t, b.history.Revert, &adminv1.RevertRequest{Target: &adminv1.RevertRequest_ToVersion{ToVersion: 1}, Mutation: &adminv1.Mutation{ValidateOnly: true}})
		same(t, a.head(), before)
	},
	// The reports have no ids of others; their own tests hold what they may read.
	"ReportService.RunQuery": func(t *testing.T, _, b *tenant) {
		refused(t, connect.CodeUnimplemented, b.reports.RunQuery, &adminv1.RunQueryRequest{Sql: "SELECT 1"})
	},
	"ReportService.StreamQuery": func(t *testing.T, _, b *tenant) {
		stream, err := b.reports.StreamQuery(t.Context(), b.signed(&adminv1.StreamQueryRequest{Sql: "SELECT 1"}))
		if err != nil || stream.Receive() {
			t.Fatal("want an error", err)
		}
		same(t, connect.CodeOf(stream.Err()), connect.CodeUnimplemented)
	},
	"ReportService.QueryMetrics": func(t *testing.T, _, b *tenant) {
		refused(t, connect.CodeUnimplemented, b.reports.QueryMetrics, &adminv1.QueryMetricsRequest{Measures: []adminv1.Measure{adminv1.Measure_MEASURE_SPEND}})
	},
	"ReportService.TailRequests": func(t *testing.T, _, b *tenant) {
		request := connect.NewRequest(&adminv1.TailRequestsRequest{})
		request.Header().Set("Authorization", "Bearer "+b.token)
		stream, err := b.reports.TailRequests(t.Context(), request)
		if err != nil || stream.Receive() {
			t.Fatal("want an error", err)
		}
		same(t, connect.CodeOf(stream.Err()), connect.CodeUnimplemented)
	},
	"ReportService.GetOverview": func(t *testing.T, _, b *tenant) {
		refused(t, connect.CodeUnimplemented, b.reports.GetOverview, &adminv1.GetOverviewRequest{})
	},
	"ReportService.GetRequest": func(t *testing.T, _, b *tenant) {
		refused(t, connect.CodeUnimplemented, b.reports.GetRequest, &adminv1.GetRequestRequest{RequestId: uuid.NewString()})
	},
	"ReportService.ListRequests": func(t *testing.T, _, b *tenant) {
		refused(t, connect.CodeUnimplemented, b.reports.ListRequests, &adminv1.ListRequestsRequest{})
	},
}

func TestTenancy(t *testing.T) {
	in := install(t)
	a, b := in.tenant("alpha"), in.tenant("beta")
	in.enrol(a)
	for _, name := range everyRPC() {
		t.Run(name, func(t *testing.T) {
			attempt, ok := foreign[name]
			if !ok {
				t.Fatal("no case says what another tenant gets")
			}
			attempt(t, a, b)
		})
	}
}

func bindingOf(a *adminv1.ServiceAccount, p *adminv1.Project) *adminv1.CreateRoleBindingRequest {
	return &adminv1.CreateRoleBindingRequest{
		Principal: &adminv1.CreateRoleBindingRequest_ServiceAccountId{ServiceAccountId: a.Id}, ProjectId: p.Id, Role: viewer,
	}
}

// bound is a binding of a new service account of the tenant.
func (n *tenant) bound(t *testing.T) *adminv1.RoleBinding {
	t.Helper()
	account := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: newName(), Role: viewer}).ServiceAccount
	return call(t, n.bindings.CreateRoleBinding, bindingOf(account, n.project)).RoleBinding
}

func newName() string { return uuid.NewString() }

func mustVersion(t *testing.T, etag string) int64 {
	t.Helper()
	version, err := strconv.ParseInt(etag, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestLoginIsNeeded(t *testing.T) {
	in := install(t)
	nobody := in.as("")
	refused(t, connect.CodeUnauthenticated, nobody.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	refused(t, connect.CodeUnauthenticated, nobody.keys.ListKeys, &adminv1.ListKeysRequest{})
	refused(t, connect.CodeUnauthenticated, in.as("weirsa_wrong").keys.ListKeys, &adminv1.ListKeysRequest{})
}

func everyRPC() []string {
	var names []string
	protoregistry.GlobalFiles.RangeFilesByPackage("weir.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				names = append(names, string(service.Name())+"."+string(service.Methods().Get(j).Name()))
			}
		}
		return true
	})
	return names
}

func same[T comparable](t testing.TB, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func differ[T comparable](t testing.TB, got, other T) {
	t.Helper()
	if got == other {
		t.Errorf("saw %v of the other tenant", got)
	}
}
