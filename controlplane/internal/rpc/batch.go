package rpc

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/fault"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.BatchServiceHandler = (*batches)(nil)

// batches runs requests of other services as one command.
type batches struct {
	runner *command.Runner
	// operations by the name of their field in Operation and OperationResult.
	operations map[protoreflect.Name]operation
}

// operation is one method that can be part of a batch.
type operation struct {
	permission string
	run        func(ctx context.Context, request proto.Message) (proto.Message, error)
}

func newBatches(runner *command.Runner, s services) *batches {
	return &batches{runner, map[protoreflect.Name]operation{
		"create_project":           part(adminv1connect.ProjectServiceName, "CreateProject", s.projects.CreateProject),
		"update_project":           part(adminv1connect.ProjectServiceName, "UpdateProject", s.projects.UpdateProject),
		"delete_project":           part(adminv1connect.ProjectServiceName, "DeleteProject", s.projects.DeleteProject),
		"create_provider":          part(adminv1connect.ProviderServiceName, "CreateProvider", s.providers.CreateProvider),
		"update_provider":          part(adminv1connect.ProviderServiceName, "UpdateProvider", s.providers.UpdateProvider),
		"delete_provider":          part(adminv1connect.ProviderServiceName, "DeleteProvider", s.providers.DeleteProvider),
		"create_route":             part(adminv1connect.RouteServiceName, "CreateRoute", s.routes.CreateRoute),
		"update_route":             part(adminv1connect.RouteServiceName, "UpdateRoute", s.routes.UpdateRoute),
		"delete_route":             part(adminv1connect.RouteServiceName, "DeleteRoute", s.routes.DeleteRoute),
		"create_key":               part(adminv1connect.KeyServiceName, "CreateKey", s.keys.CreateKey),
		"update_key":               part(adminv1connect.KeyServiceName, "UpdateKey", s.keys.UpdateKey),
		"rotate_key":               part(adminv1connect.KeyServiceName, "RotateKey", s.keys.RotateKey),
		"revoke_key":               part(adminv1connect.KeyServiceName, "RevokeKey", s.keys.RevokeKey),
		"end_key_overlap":          part(adminv1connect.KeyServiceName, "EndKeyOverlap", s.keys.EndKeyOverlap),
		"delete_key":               part(adminv1connect.KeyServiceName, "DeleteKey", s.keys.DeleteKey),
		"create_gateway":           part(adminv1connect.GatewayServiceName, "CreateGateway", s.gateways.CreateGateway),
		"update_gateway":           part(adminv1connect.GatewayServiceName, "UpdateGateway", s.gateways.UpdateGateway),
		"delete_gateway":           part(adminv1connect.GatewayServiceName, "DeleteGateway", s.gateways.DeleteGateway),
		"set_gateway_key":          part(adminv1connect.GatewayServiceName, "SetGatewayKey", s.gateways.SetGatewayKey),
		"create_limit":             part(adminv1connect.LimitServiceName, "CreateLimit", s.limits.CreateLimit),
		"update_limit":             part(adminv1connect.LimitServiceName, "UpdateLimit", s.limits.UpdateLimit),
		"delete_limit":             part(adminv1connect.LimitServiceName, "DeleteLimit", s.limits.DeleteLimit),
		"create_budget":            part(adminv1connect.BudgetServiceName, "CreateBudget", s.budgets.CreateBudget),
		"update_budget":            part(adminv1connect.BudgetServiceName, "UpdateBudget", s.budgets.UpdateBudget),
		"raise_budget":             part(adminv1connect.BudgetServiceName, "RaiseBudget", s.budgets.RaiseBudget),
		"delete_budget":            part(adminv1connect.BudgetServiceName, "DeleteBudget", s.budgets.DeleteBudget),
		"create_price_override":    part(adminv1connect.PriceOverrideServiceName, "CreatePriceOverride", s.priceOverrides.CreatePriceOverride),
		"update_price_override":    part(adminv1connect.PriceOverrideServiceName, "UpdatePriceOverride", s.priceOverrides.UpdatePriceOverride),
		"delete_price_override":    part(adminv1connect.PriceOverrideServiceName, "DeletePriceOverride", s.priceOverrides.DeletePriceOverride),
		"create_saved_report":      part(adminv1connect.SavedReportServiceName, "CreateSavedReport", s.savedReports.CreateSavedReport),
		"update_saved_report":      part(adminv1connect.SavedReportServiceName, "UpdateSavedReport", s.savedReports.UpdateSavedReport),
		"delete_saved_report":      part(adminv1connect.SavedReportServiceName, "DeleteSavedReport", s.savedReports.DeleteSavedReport),
		"create_alert_channel":     part(adminv1connect.AlertChannelServiceName, "CreateAlertChannel", s.alertChannels.CreateAlertChannel),
		"update_alert_channel":     part(adminv1connect.AlertChannelServiceName, "UpdateAlertChannel", s.alertChannels.UpdateAlertChannel),
		"set_alert_channel_secret": part(adminv1connect.AlertChannelServiceName, "SetAlertChannelSecret", s.alertChannels.SetAlertChannelSecret),
		"delete_alert_channel":     part(adminv1connect.AlertChannelServiceName, "DeleteAlertChannel", s.alertChannels.DeleteAlertChannel),
		"create_service_account":   part(adminv1connect.ServiceAccountServiceName, "CreateServiceAccount", s.serviceAccounts.CreateServiceAccount),
		"update_service_account":   part(adminv1connect.ServiceAccountServiceName, "UpdateServiceAccount", s.serviceAccounts.UpdateServiceAccount),
		"delete_service_account":   part(adminv1connect.ServiceAccountServiceName, "DeleteServiceAccount", s.serviceAccounts.DeleteServiceAccount),
		"create_role_binding":      part(adminv1connect.RoleBindingServiceName, "CreateRoleBinding", s.roleBindings.CreateRoleBinding),
		"delete_role_binding":      part(adminv1connect.RoleBindingServiceName, "DeleteRoleBinding", s.roleBindings.DeleteRoleBinding),
	}}
}

func part[Q, A any, M message[Q], N message[A]](
	service, method protoreflect.Name, serve func(context.Context, *connect.Request[Q]) (*connect.Response[A], error),
) operation {
	return operation{
		permission: declared(service, method),
		run: func(ctx context.Context, request proto.Message) (proto.Message, error) {
			answer, err := serve(ctx, connect.NewRequest((*Q)(request.(M))))
			if err != nil {
				return nil, err
			}
			return N(answer.Msg), nil
		},
	}
}

func (s *batches) Batch(ctx context.Context, req *connect.Request[adminv1.BatchRequest]) (*connect.Response[adminv1.BatchResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	if req.Msg.GetMutation().GetEtag() != "" {
		return nil, fault.Field("mutation.etag", "a batch has none; put it into the operation that it is about")
	}
	if err := s.mayAll(caller, req.Msg.GetOperations()); err != nil {
		return nil, err
	}
	answer, err := command.Whole(ctx, s.runner, command.Call{
		Origin: command.Origin{
			Organization: caller.OrganizationID, Actor: caller.Actor(), RequestID: req.Msg.GetMutation().GetRequestId(),
			Source: sourceOf(ctx),
		},
		Procedure: req.Spec().Procedure, Request: req.Msg, ValidateOnly: req.Msg.GetMutation().GetValidateOnly(),
	}, func(ctx context.Context) (*adminv1.BatchResponse, error) {
		return s.runAll(ctx, req.Msg.GetOperations())
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

// mayAll refuses before anything is tried.
func (s *batches) mayAll(caller authn.Principal, operations []*adminv1.Operation) error {
	for i, o := range operations {
		field, _, ok := chosen(o.ProtoReflect())
		if !ok {
			return fault.Field(fmt.Sprintf("operations[%d]", i), "it says no request")
		}
		if err := authz.Check(caller, s.operations[field.Name()].permission); err != nil {
			return inOperation(i, err)
		}
	}
	return nil
}

func (s *batches) runAll(ctx context.Context, operations []*adminv1.Operation) (*adminv1.BatchResponse, error) {
	answer := &adminv1.BatchResponse{}
	var made []string
	for i, o := range operations {
		result, err := s.runOne(ctx, o, made)
		if err != nil {
			return nil, inOperation(i, err)
		}
		answer.Results = append(answer.Results, result)
		made = append(made, madeBy(result))
	}
	return answer, nil
}

func (s *batches) runOne(ctx context.Context, o *adminv1.Operation, made []string) (*adminv1.OperationResult, error) {
	field, request, _ := chosen(proto.CloneOf(o).ProtoReflect())
	if err := substitute(request.ProtoReflect(), made); err != nil {
		return nil, err
	}
	if err := validate(request); err != nil {
		return nil, err
	}
	if m := request.(mutating).GetMutation(); m.GetRequestId() != "" || m.GetValidateOnly() {
		return nil, fault.Field("mutation", "request_id and validate_only belong to the batch")
	}
	answered, err := s.operations[field.Name()].run(ctx, request)
	if err != nil {
		return nil, err
	}
	result := &adminv1.OperationResult{}
	result.ProtoReflect().Set(result.ProtoReflect().Descriptor().Fields().ByName(field.Name()), protoreflect.ValueOfMessage(answered.ProtoReflect()))
	return result, nil
}
