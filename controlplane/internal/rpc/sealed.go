package rpc

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// toProtoSealed leaves the bytes out: they are the agents'.
func toProtoSealed(s provider.Sealed) *adminv1.SealedCredential {
	return &adminv1.SealedCredential{GatewayId: s.GatewayID.String(), Version: s.Version, KeyFingerprint: s.Recipient().String()}
}

func fromProtoSealed(all []*adminv1.SealedCredential) ([]provider.Sealed, error) {
	var sealed []provider.Sealed
	for i, s := range all {
		id, err := parseID(fmt.Sprintf("sealed_credentials[%d].gateway_id", i), s.GetGatewayId())
		if err != nil {
			return nil, err
		}
		sealed = append(sealed, provider.Sealed{GatewayID: id, Version: s.GetVersion(), Bytes: s.GetSealed()})
	}
	return sealed, nil
}

// gatewaysOf are those of the view, by id.
func gatewaysOf(ctx context.Context, v readmodel.View) (map[uuid.UUID]gateway.Gateway, error) {
	all, err := readmodel.Gateways.All(ctx, v)
	byID := make(map[uuid.UUID]gateway.Gateway, len(all))
	for _, g := range all {
		byID[g.ID] = g
	}
	return byID, err
}

// markStale completes providers with what their gateways' keys say.
func markStale(ctx context.Context, v readmodel.View) (func(*adminv1.Provider), error) {
	gateways, err := gatewaysOf(ctx, v)
	keys := map[string]string{}
	for id, g := range gateways {
		if key, set := g.KeyFingerprint(); set {
			keys[id.String()] = key.String()
		}
	}
	return func(p *adminv1.Provider) {
		for _, s := range p.GetSealedCredentials() {
			s.Stale = keys[s.GetGatewayId()] != s.GetKeyFingerprint()
		}
	}, err
}
