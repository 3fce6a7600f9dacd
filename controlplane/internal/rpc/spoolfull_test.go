package rpc_test

import (
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/policy"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// compiledSpoolFull is what the gateway's agents get.
func (n *tenant) compiledSpoolFull() policyv1.SpoolFull {
	n.t.Helper()
	state, err := n.in.store.PolicyState(n.t.Context(), n.policyQuery())
	if err != nil {
		n.t.Fatal(err)
	}
	compiled, err := policy.CompileNext(nil, state, builtinPrices)
	if err != nil {
		n.t.Fatal(err)
	}
	var g policyv1.Gateway
	for _, r := range compiled.Resources() {
		if r.Kind == policy.KindGateway {
			if err := proto.Unmarshal(r.Body, &g); err != nil {
				n.t.Fatal(err)
			}
		}
	}
	return g.WhenSpoolFull
}

func TestWhenSpoolFull(t *testing.T) {
	const block, tombstone = adminv1.SpoolFull_SPOOL_FULL_BLOCK, adminv1.SpoolFull_SPOOL_FULL_TOMBSTONE
	n := install(t).tenant("alpha")
	begun := n.head()
	update := func(when adminv1.SpoolFull, paths ...string) *adminv1.Gateway {
		t.Helper()
		return call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{
			Gateway: &adminv1.Gateway{Id: n.gateway.Id, WhenSpoolFull: when}, UpdateMask: mask(paths...),
		}).Gateway
	}
	read := func() adminv1.SpoolFull {
		t.Helper()
		return call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: n.gateway.Id}).Gateway.WhenSpoolFull
	}
	same(t, read(), block)
	same(t, n.compiledSpoolFull(), policyv1.SpoolFull_SPOOL_FULL_UNSPECIFIED)
	same(t, update(tombstone).WhenSpoolFull, tombstone)
	same(t, n.compiledSpoolFull(), policyv1.SpoolFull_SPOOL_FULL_TOMBSTONE)
	set := n.head()
	update(tombstone, "when_spool_full")
	same(t, n.head(), set)
	call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: n.gateway.Id, Name: "renamed"}, UpdateMask: mask("name")})
	same(t, read(), tombstone)
	if change := n.differences(begun, set, 10)[n.gateway.Id]; change == nil {
		t.Error("the difference does not have it")
	}
	same(t, update(0, "when_spool_full").WhenSpoolFull, block)
	call(t, n.history.Revert, oneAt("gateway", n.gateway.Id, set))
	same(t, read(), tombstone)
	call(t, n.history.Revert, toVersion(begun))
	same(t, read(), block)

	made := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "serving", Region: "local", WhenSpoolFull: tombstone}).Gateway
	same(t, made.WhenSpoolFull, tombstone)
	refused(t, connect.CodeInvalidArgument, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "odd", Region: "local", WhenSpoolFull: 9})
}
