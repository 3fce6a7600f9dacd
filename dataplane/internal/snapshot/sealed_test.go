package snapshot_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/seal"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func sealedAt(base string) func(*policyv1.Provider) {
	return func(p *policyv1.Provider) {
		p.BaseUrl, p.CredentialRef = base, ""
		p.SealedCredential = &policyv1.SealedCredential{Version: 3, Sealed: []byte("bytes")}
	}
}

// What a credential must be sealed for comes from the signed release and from where
// it would be sent.
func TestSealed(t *testing.T) {
	resources := []*policyv1.Resource{tuned(t, "p9", sealedAt("HTTPS://API.OpenAI.com:443/v1/")), route(t, "r9", "z", "p9")}
	p, err := snapshot.Compile(&policyv1.Release{OrganizationId: "o", GatewayId: "g", ResourceCount: 2}, resources, nil, snapshot.DefaultOrigins())
	if err != nil {
		t.Fatal(err)
	}
	want := snapshot.Sealed{Bytes: "bytes", Binding: seal.Binding{
		OrganizationID: "o", GatewayID: "g", ProviderID: "p9", Origin: "https://api.openai.com", Version: 3,
	}}
	found := p.Route("z").Targets[0].Provider
	if diff := cmp.Diff(&want, found.Sealed); diff != "" || found.Blocked != "" {
		t.Errorf("%s; blocked %q", diff, found.Blocked)
	}
	if diff := cmp.Diff([]snapshot.Sealed{want}, p.Sealed()); diff != "" {
		t.Error(diff)
	}
}

func TestSealedGoesWhereTheAgentAllowsItTo(t *testing.T) {
	origins, err := snapshot.ParseOrigins([]string{"https://a.example", "https://b.example=env://KEY", "https://c.example=env://KEY,sealed"})
	if err != nil {
		t.Fatal(err)
	}
	for base, allowed := range map[string]bool{
		"https://a.example/v1": true, "https://b.example/v1": false, "https://c.example/v1": true, "https://d.example/v1": false,
	} {
		resources := []*policyv1.Resource{tuned(t, "p", sealedAt(base)), route(t, "r", "r", "p")}
		p, err := snapshot.Compile(&policyv1.Release{ResourceCount: 2}, resources, nil, origins)
		if err != nil {
			t.Fatal(err)
		}
		if blocked := p.Route("r").Targets[0].Provider.Blocked; (blocked == "") != allowed {
			t.Errorf("%s: %q", base, blocked)
		}
	}
}

func TestSealedBesideAReference(t *testing.T) {
	both := tuned(t, "p", func(p *policyv1.Provider) { p.SealedCredential = &policyv1.SealedCredential{} })
	_, err := snapshot.Compile(&policyv1.Release{ResourceCount: 1}, []*policyv1.Resource{both}, nil, snapshot.DefaultOrigins())
	if err == nil || !strings.Contains(err.Error(), "sealed credential and a reference") {
		t.Errorf("error %v", err)
	}
}
