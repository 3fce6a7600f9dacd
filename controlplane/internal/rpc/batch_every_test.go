package rpc_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// notInBatches are calls that change something and stand alone: people and what lets
// agents and programs in, which is handed out one by one, what goes by the ledger as it is, and
// what is a whole itself.
var notInBatches = []string{
	"OrganizationService.", "MemberService.", "SessionService.", "BatchService.", "HistoryService.", "RolloutService.", "QuotaService.",
	"GatewayService.CreateEnrolmentToken", "GatewayService.RevokeEnrolmentToken",
	"GatewayService.UpdateAgent", "GatewayService.RevokeAgent",
	"ServiceAccountService.CreateServiceAccountToken", "ServiceAccountService.RevokeServiceAccountToken",
	"AlertChannelService.TestAlertChannel", "PriceOverrideService.ImportPrices", "RerateService.RerateUsage",
}

func TestEveryChangeOfConfigurationFitsIntoABatch(t *testing.T) {
	parts := map[protoreflect.FullName]bool{}
	fields := (&adminv1.Operation{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		parts[fields.Get(i).Message().FullName()] = true
	}
	for _, m := range everyMethod() {
		name := string(m.Parent().Name()) + "." + string(m.Name())
		alone := false
		for _, prefix := range notInBatches {
			alone = alone || strings.HasPrefix(name, prefix)
		}
		changes := m.Input().Fields().ByName("mutation") != nil
		if changes && parts[m.Input().FullName()] == alone {
			t.Errorf("%s: part of batches: %t, to stand alone: %t", name, !alone, alone)
		}
	}
}

// What a team needs besides its route and key, and all of it gone again.
func TestBatchOfATeam(t *testing.T) {
	n := install(t).tenant("alpha")
	key := gatewayKey(t)
	budget := monthly("team", onOrganization())
	budget.AlertPercents, budget.AlertChannelIds = []int32{80}, []string{"$0"}
	rates := &adminv1.Rates{Input: "1", Output: "2"}
	result := call(t, n.batches.Batch, &adminv1.BatchRequest{Operations: []*adminv1.Operation{
		{Request: &adminv1.Operation_CreateAlertChannel{CreateAlertChannel: &adminv1.CreateAlertChannelRequest{
			Name: "team", Url: "https://hooks.example/team", Secret: webhookSecret("of a team"),
		}}},
		{Request: &adminv1.Operation_CreateBudget{CreateBudget: budget}},
		{Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: "team"}}},
		{Request: &adminv1.Operation_CreateServiceAccount{CreateServiceAccount: &adminv1.CreateServiceAccountRequest{Name: "team", Role: adminv1.Role_ROLE_PROJECTS_ONLY}}},
		{Request: &adminv1.Operation_CreateRoleBinding{CreateRoleBinding: &adminv1.CreateRoleBindingRequest{
			Principal: &adminv1.CreateRoleBindingRequest_ServiceAccountId{ServiceAccountId: "$3"}, Role: adminv1.Role_ROLE_ADMIN, ProjectId: "$2",
		}}},
		{Request: &adminv1.Operation_CreateSavedReport{CreateSavedReport: &adminv1.CreateSavedReportRequest{Name: "team", Sql: "SELECT 1"}}},
		{Request: &adminv1.Operation_CreatePriceOverride{CreatePriceOverride: &adminv1.CreatePriceOverrideRequest{PriceList: "openai", Model: "gpt-team", Rates: rates}}},
		{Request: &adminv1.Operation_SetGatewayKey{SetGatewayKey: &adminv1.SetGatewayKeyRequest{Id: n.gateway.Id, PublicKey: key.Public().Bytes()}}},
	}}).Results
	same(t, result[1].GetCreateBudget().Budget.AlertChannelIds[0], result[0].GetCreateAlertChannel().AlertChannel.Id)
	same(t, result[4].GetCreateRoleBinding().RoleBinding.ProjectId, result[2].GetCreateProject().Project.Id)
	same(t, result[7].GetSetGatewayKey().Gateway.KeyFingerprint, key.Public().Fingerprint().String())

	call(t, n.batches.Batch, &adminv1.BatchRequest{Operations: []*adminv1.Operation{
		{Request: &adminv1.Operation_DeleteBudget{DeleteBudget: &adminv1.DeleteBudgetRequest{Id: result[1].GetCreateBudget().Budget.Id}}},
		{Request: &adminv1.Operation_DeleteAlertChannel{DeleteAlertChannel: &adminv1.DeleteAlertChannelRequest{Id: result[0].GetCreateAlertChannel().AlertChannel.Id}}},
		{Request: &adminv1.Operation_DeleteProject{DeleteProject: &adminv1.DeleteProjectRequest{Id: result[2].GetCreateProject().Project.Id}}},
	}})
	same(t, len(call(t, n.budgets.ListBudgets, &adminv1.ListBudgetsRequest{}).Budgets), 0)
}
