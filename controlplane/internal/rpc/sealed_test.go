package rpc_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/proto/contract/seal"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const sealedCanary = "sk-canary-that-was-sealed-elsewhere"

func gatewayKey(t testing.TB) seal.PrivateKey {
	t.Helper()
	key, err := seal.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyed gives the gateway a key.
func (n *tenant) keyed(gatewayID string) seal.PrivateKey {
	n.t.Helper()
	key := gatewayKey(n.t)
	set := call(n.t, n.gateways.SetGatewayKey, &adminv1.SetGatewayKeyRequest{Id: gatewayID, PublicKey: key.Public().Bytes()}).Gateway
	same(n.t, set.KeyFingerprint, key.Public().Fingerprint().String())
	return key
}

// unsealed is a provider without a credential, which sealed ones begin as.
func (n *tenant) unsealed(name string) *adminv1.Provider {
	n.t.Helper()
	return call(n.t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: name, Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1",
	}).Provider
}

func (n *tenant) bindingOf(gatewayID, providerID string, version int64) seal.Binding {
	return seal.Binding{OrganizationID: n.organization.Id, GatewayID: gatewayID, ProviderID: providerID, Origin: "https://api.openai.com", Version: version}
}

// sealed is what weir-agent seal makes.
func (n *tenant) sealed(key seal.PrivateKey, gatewayID, providerID string, version int64) *adminv1.SealedCredential {
	n.t.Helper()
	made, err := seal.Seal(key.Public(), n.bindingOf(gatewayID, providerID, version), []byte(sealedCanary))
	if err != nil {
		n.t.Fatal(err)
	}
	return &adminv1.SealedCredential{GatewayId: gatewayID, Version: version, Sealed: made}
}

func resealed(p *adminv1.Provider, sealed ...*adminv1.SealedCredential) *adminv1.UpdateProviderRequest {
	return &adminv1.UpdateProviderRequest{
		Provider:   &adminv1.Provider{Id: p.Id, SealedCredentials: sealed},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"sealed_credentials"}},
	}
}

func TestSealedCredentials(t *testing.T) {
	n := install(t).tenant("alpha")
	other := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "other", Region: "local"}).Gateway
	p := n.unsealed("sealed")
	get := func() []*adminv1.SealedCredential {
		return call(t, n.providers.GetProvider, &adminv1.GetProviderRequest{Id: p.Id}).Provider.SealedCredentials
	}
	err := refused(t, connect.CodeFailedPrecondition, n.providers.UpdateProvider, resealed(p, n.sealed(gatewayKey(t), n.gateway.Id, p.Id, 1)))
	same(t, detail(t, err).GetReason(), "gateway_key_missing")
	key, otherKey := n.keyed(n.gateway.Id), n.keyed(other.Id)
	call(t, n.providers.UpdateProvider, resealed(p, n.sealed(key, n.gateway.Id, p.Id, 1), n.sealed(otherKey, other.Id, p.Id, 1)))

	t.Run("answers_have_no_bytes", func(t *testing.T) {
		for _, s := range get() {
			same(t, len(s.Sealed), 0)
			same(t, s.Version, 1)
			same(t, s.Stale, false)
		}
		same(t, get()[0].KeyFingerprint, key.Public().Fingerprint().String())
	})
	t.Run("an_answer_sent_back_changes_nothing", func(t *testing.T) {
		before := call(t, n.providers.GetProvider, &adminv1.GetProviderRequest{Id: p.Id}).Provider
		after := call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: before, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"*"}}}).Provider
		same(t, after.Etag, before.Etag)
	})
	t.Run("the_key_of_another_gateway", func(t *testing.T) {
		err := refused(t, connect.CodeFailedPrecondition, n.providers.UpdateProvider, resealed(p, n.sealed(otherKey, n.gateway.Id, p.Id, 2)))
		same(t, detail(t, err).GetReason(), "sealed_for_other_key")
		if !strings.Contains(err.Message(), otherKey.Public().Fingerprint().String()) {
			t.Errorf("it does not say which key: %v", err)
		}
	})
	t.Run("another_origin", func(t *testing.T) {
		err := refused(t, connect.CodeFailedPrecondition, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
			Provider: &adminv1.Provider{Id: p.Id, BaseUrl: "https://evil.example/v1"},
		})
		same(t, detail(t, err).GetReason(), "sealed_for_other_origin")
	})
	t.Run("a_reference_beside_them", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{
			Provider: &adminv1.Provider{Id: p.Id, CredentialRef: "env://KEY"},
		})
	})
	t.Run("a_new_key_of_the_gateway_makes_them_stale", func(t *testing.T) {
		newer := n.keyed(n.gateway.Id)
		listed := call(t, n.providers.ListProviders, &adminv1.ListProvidersRequest{}).Providers
		stale := map[string]bool{}
		for _, s := range append(get(), listed[len(listed)-1].SealedCredentials...) {
			stale[s.GatewayId] = s.Stale
		}
		same(t, stale[n.gateway.Id], true)
		same(t, stale[other.Id], false)
		renamed := call(t, n.providers.UpdateProvider, &adminv1.UpdateProviderRequest{Provider: &adminv1.Provider{Id: p.Id, Region: "eu"}}).Provider
		same(t, renamed.SealedCredentials[0].Stale, true)
		call(t, n.providers.UpdateProvider, resealed(p, n.sealed(newer, n.gateway.Id, p.Id, 2), &adminv1.SealedCredential{GatewayId: other.Id, Version: 1}))
		same(t, get()[0].Stale, false)
		same(t, len(get()), 2)
	})
}

// TestTheControlPlaneOpensNothing plants a credential and a private key outside, and
// looks for them in everything that the control plane keeps and sends.
func TestTheControlPlaneOpensNothing(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	other := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "other", Region: "local"}).Gateway
	p := n.unsealed("sealed")
	key, otherKey := n.keyed(n.gateway.Id), n.keyed(other.Id)
	mutation := &adminv1.Mutation{RequestId: "sealed"}
	ours, theirs := n.sealed(key, n.gateway.Id, p.Id, 1), n.sealed(otherKey, other.Id, p.Id, 1)
	request := resealed(p, ours, theirs)
	request.Mutation = mutation
	call(t, n.providers.UpdateProvider, request)

	raw, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	kept := in.logs.String()
	for _, rows := range in.everyRow() {
		kept += strings.Join(rows, "\n")
	}
	if !strings.Contains(kept, base64.StdEncoding.EncodeToString(ours.Sealed)) {
		t.Fatal("the search does not find what was sealed")
	}
	for what, secret := range map[string][]byte{"credential": []byte(sealedCanary), "gateway's private key": raw} {
		for _, form := range []string{string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret)} {
			if strings.Contains(kept, form) {
				t.Errorf("the control plane holds the %s", what)
			}
		}
	}

	state, err := in.store.PolicyState(t.Context(), n.policyQuery())
	if err != nil {
		t.Fatal(err)
	}
	resources, err := policy.Compile(state, builtinPrices)
	if err != nil {
		t.Fatal(err)
	}
	var sent strings.Builder
	for _, r := range resources {
		sent.Write(r.GetBody())
	}
	if !strings.Contains(sent.String(), string(ours.Sealed)) || strings.Contains(sent.String(), string(theirs.Sealed)) || strings.Contains(sent.String(), sealedCanary) {
		t.Error("the policy is not of this gateway's sealed credential alone")
	}
	if opened, err := seal.Open(key, n.bindingOf(n.gateway.Id, p.Id, 1), ours.Sealed); err != nil || string(opened) != sealedCanary {
		t.Errorf("its agents open %q, %v", opened, err)
	}
}

// Another tenant's gateway is nobody's to seal for.
func TestSealedForAnotherTenant(t *testing.T) {
	in := install(t)
	a, b := in.tenant("alpha"), in.tenant("beta")
	key := a.keyed(a.gateway.Id)
	p := b.unsealed("sealed")
	refused(t, connect.CodeNotFound, b.providers.UpdateProvider, resealed(p, b.sealed(key, a.gateway.Id, p.Id, 1)))
	refused(t, connect.CodeNotFound, b.providers.UpdateProvider, resealed(a.provider, b.sealed(key, b.gateway.Id, a.provider.Id, 1)))
}
