package policy_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Keys are of now, routes may be of the past: what is not there is left out, and a key
// that has nothing left may use nothing.
func TestKeysOfRoutesThatAreNotThere(t *testing.T) {
	there, gone := uuid.New(), uuid.New()
	for name, c := range map[string]struct {
		routes     []uuid.UUID
		revoked    time.Time
		want       []string
		none       bool
		capability int32
	}{
		"for_all":          {nil, time.Time{}, nil, false, 1},
		"one_is_there":     {[]uuid.UUID{gone, there}, time.Time{}, []string{there.String()}, false, 1},
		"none_is_there":    {[]uuid.UUID{gone}, time.Time{}, nil, true, 4},
		"revoked_as_it_is": {[]uuid.UUID{gone}, time.Now(), []string{gone.String()}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			state := policy.State{
				ConfigurationVersion: 1,
				Gateway:              gateway.Gateway{ID: uuid.New()}, Routes: []route.Route{{ID: there, Settings: route.Settings{Name: "r", Strategy: 1}}},
				Keys: []key.Key{{ID: uuid.New(), SHA256: make([]byte, 32), Settings: key.Settings{RouteIDs: c.routes}, RevokedAt: c.revoked}},
			}
			resources, err := policy.Compile(state, &policyv1.PriceBook{Version: "test"})
			if err != nil {
				t.Fatal(err)
			}
			compiled := &policyv1.Key{}
			for _, r := range resources {
				if r.GetKind() == policy.KindKey {
					if err := proto.Unmarshal(r.GetBody(), compiled); err != nil {
						t.Fatal(err)
					}
				}
			}
			if len(compiled.GetRouteIds()) != len(c.want) || len(c.want) > 0 && compiled.GetRouteIds()[0] != c.want[0] || compiled.GetNoRoutes() != c.none {
				t.Errorf("routes %v, none %t", compiled.GetRouteIds(), compiled.GetNoRoutes())
			}
			if got := needs(t, state); got != c.capability {
				t.Errorf("capability %d", got)
			}
		})
	}
}

func TestWithCredentialsOf(t *testing.T) {
	id := uuid.New()
	sealed := func(version int64) []provider.Sealed { return []provider.Sealed{{GatewayID: id, Version: version}} }
	was := provider.Provider{ID: id, Settings: provider.Settings{BaseURL: "https://a.example", Sealed: sealed(1)}}
	for name, c := range map[string]struct {
		now     []provider.Provider
		version int64
		ref     string
	}{
		"replaced_since":     {[]provider.Provider{{ID: id, Settings: provider.Settings{BaseURL: was.BaseURL, Sealed: sealed(2)}}}, 2, ""},
		"by_a_reference_now": {[]provider.Provider{{ID: id, Settings: provider.Settings{BaseURL: was.BaseURL, CredentialRef: "env://A"}}}, 0, "env://A"},
		"elsewhere_by_now":   {[]provider.Provider{{ID: id, Settings: provider.Settings{BaseURL: "https://b.example", Sealed: sealed(2)}}}, 1, ""},
		"gone_since":         {nil, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := policy.WithCredentialsOf([]provider.Provider{was}, c.now)[0]
			var version int64
			if len(got.Sealed) > 0 {
				version = got.Sealed[0].Version
			}
			if version != c.version || got.CredentialRef != c.ref {
				t.Errorf("sealed version %d, reference %q", version, got.CredentialRef)
			}
		})
	}
	ref := provider.Provider{ID: id, Settings: provider.Settings{BaseURL: was.BaseURL, CredentialRef: "env://OLD"}}
	if got := policy.WithCredentialsOf([]provider.Provider{ref}, []provider.Provider{was})[0]; got.CredentialRef != "env://OLD" || got.Sealed != nil {
		t.Errorf("a reference became %q, sealed %v", got.CredentialRef, got.Sealed)
	}
}
