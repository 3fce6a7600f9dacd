package rpc_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestGatewayRegions(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	get := func() *adminv1.Gateway {
		return call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: n.gateway.Id}).Gateway
	}
	same(t, len(get().UnservedRoutes), 0)
	began := n.version()
	updated := call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{
		Gateway: &adminv1.Gateway{Id: n.gateway.Id, AllowedRegions: []string{"eu-west-1", "eu"}},
	}).Gateway
	same(t, strings.Join(updated.AllowedRegions, " "), "eu eu-west-1")
	same(t, updated.Name, n.gateway.Name)
	same(t, len(updated.UnservedRoutes), 0) // it would be of the regions before

	shown := get()
	if len(shown.UnservedRoutes) == 0 || !strings.Contains(shown.UnservedRoutes[0].Reason, "states no region") {
		t.Errorf("got %v", shown.UnservedRoutes)
	}
	t.Run("what_was_read_may_be_sent_back", func(t *testing.T) {
		call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: shown, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"*"}}})
		same(t, get().Etag, shown.Etag)
	})
	t.Run("empty_regions_are_none", func(t *testing.T) {
		err := refused(t, connect.CodeInvalidArgument, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{
			Gateway: &adminv1.Gateway{Id: n.gateway.Id, AllowedRegions: []string{""}},
		})
		if !strings.Contains(err.Error(), "gateway.allowed_regions") {
			t.Error(err)
		}
	})
	t.Run("a_provider_that_moves_is_inside", func(t *testing.T) {
		call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: n.provider.Id, Region: "eu"}})
		same(t, len(get().UnservedRoutes), 0)
	})
	t.Run("going_back_takes_them_back", func(t *testing.T) {
		call(t, n.history.Revert, toVersion(began))
		same(t, len(get().AllowedRegions), 0)
	})
	t.Run("a_gateway_begins_with_them", func(t *testing.T) {
		made := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "prod-eu", Region: "eu", AllowedRegions: []string{"eu"}}).Gateway
		same(t, made.AllowedRegions[0], "eu")
	})
}
