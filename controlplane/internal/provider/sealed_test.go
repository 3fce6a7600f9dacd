package provider_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/proto/contract/seal"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// keyOf is the private key of a test gateway.
func keyOf(t *testing.T, fill byte) seal.PrivateKey {
	t.Helper()
	key, err := seal.ParsePrivateKey(bytes.Repeat([]byte{fill}, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sealedFor(t *testing.T, key seal.PrivateKey, version int64) []byte {
	t.Helper()
	made, err := seal.Seal(key.Public(), seal.Binding{
		OrganizationID: "o", GatewayID: "g", ProviderID: "p", Origin: "https://api.openai.com", Version: version,
	}, []byte("credential"))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestSealedCredentials(t *testing.T) {
	prod, spare, bare := uuid.UUID{1}, uuid.UUID{2}, uuid.UUID{3}
	key, older := keyOf(t, 7), keyOf(t, 8)
	gateways := map[uuid.UUID]gateway.Gateway{
		prod:  {ID: prod, Name: "prod", PublicKey: key.Public().Bytes()},
		spare: {ID: spare, Name: "spare", PublicKey: key.Public().Bytes()},
		bare:  {ID: bare, Name: "bare"},
	}
	present := provider.Sealed{GatewayID: prod, Version: 3, Bytes: sealedFor(t, older, 3)} // since then the gateway has another key
	next := provider.Sealed{GatewayID: prod, Version: 4, Bytes: sealedFor(t, key, 4)}
	first := provider.Sealed{GatewayID: spare, Version: 1, Bytes: sealedFor(t, key, 1)}
	was := provider.Provider{ID: uuid.New(), Settings: creation(func(c *provider.Creation) {
		c.CredentialRef, c.PriceList, c.Sealed = "", "openai", []provider.Sealed{present}
	}).Settings}
	update := func(sealed []provider.Sealed, change func(*provider.Change)) ([]eventlog.Change, error) {
		c := provider.Change{Settings: was.Settings, Gateways: gateways}
		c.Sealed = sealed
		if change != nil {
			change(&c)
		}
		return was.Update(c)
	}
	asItIs := provider.Sealed{GatewayID: prod, Version: 3}

	t.Run("as_it_is", func(t *testing.T) {
		for _, same := range []provider.Sealed{asItIs, present} {
			if changes, err := update([]provider.Sealed{same}, nil); changes != nil || err != nil {
				t.Errorf("%v, %v", changes, err)
			}
		}
	})
	accepted := map[string]struct {
		given, want []provider.Sealed
		change      func(*provider.Change)
	}{
		"as_it_is_beside_another_change": {[]provider.Sealed{asItIs}, []provider.Sealed{present}, func(c *provider.Change) { c.Name = "renamed" }},
		"as_it_is_of_a_gateway_that_is_gone": {[]provider.Sealed{asItIs}, []provider.Sealed{present}, func(c *provider.Change) {
			c.Name, c.Gateways = "renamed", nil
		}},
		"replaced":       {[]provider.Sealed{next}, []provider.Sealed{next}, nil},
		"added_in_order": {[]provider.Sealed{first, asItIs}, []provider.Sealed{present, first}, nil},
		"removed":        {nil, nil, nil},
		"another_origin": {[]provider.Sealed{next}, []provider.Sealed{next}, func(c *provider.Change) { c.BaseURL = "https://eu.api.openai.com/v1" }},
		"another_path_of_the_origin": {[]provider.Sealed{asItIs}, []provider.Sealed{present}, func(c *provider.Change) {
			c.BaseURL = "https://api.openai.com:443/v2"
		}},
		"a_reference_instead": {nil, nil, func(c *provider.Change) { c.CredentialRef = "env://KEY" }},
	}
	for name, test := range accepted {
		t.Run(name, func(t *testing.T) {
			changes, err := update(test.given, test.change)
			if err != nil {
				t.Fatal(err)
			}
			after, err := provider.Apply(was, eventlog.Event{Subject: was.ID, Body: changes[0].Body})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, after.Sealed); diff != "" {
				t.Error(diff)
			}
		})
	}
	refusals := map[string]struct {
		kind   fault.Kind
		given  provider.Sealed
		change func(*provider.Change)
	}{
		"same_version_other_bytes":  {fault.Invalid, provider.Sealed{GatewayID: prod, Version: 3, Bytes: next.Bytes}, nil},
		"lower_version":             {fault.Invalid, provider.Sealed{GatewayID: prod, Version: 2, Bytes: sealedFor(t, key, 2)}, nil},
		"same_bytes_higher_version": {fault.Invalid, provider.Sealed{GatewayID: prod, Version: 4, Bytes: present.Bytes}, nil},
		"no_bytes_other_version":    {fault.Invalid, provider.Sealed{GatewayID: prod, Version: 4}, nil},
		"no_bytes_and_none_there":   {fault.Invalid, provider.Sealed{GatewayID: spare, Version: 1}, nil},
		"not_sealed":                {fault.Invalid, provider.Sealed{GatewayID: spare, Version: 1, Bytes: []byte("sk-in-the-clear")}, nil},
		"another_key":               {fault.Precondition, provider.Sealed{GatewayID: spare, Version: 1, Bytes: sealedFor(t, older, 1)}, nil},
		"gateway_without_key":       {fault.Precondition, provider.Sealed{GatewayID: bare, Version: 1, Bytes: first.Bytes}, nil},
		"no_such_gateway":           {fault.NotFound, provider.Sealed{GatewayID: uuid.UUID{9}, Version: 1, Bytes: first.Bytes}, nil},
		"kept_for_another_origin":   {fault.Precondition, asItIs, func(c *provider.Change) { c.BaseURL = "https://evil.example/v1" }},
		"kept_for_another_scheme":   {fault.Precondition, asItIs, func(c *provider.Change) { c.BaseURL = "http://api.openai.com/v1" }},
		"beside_a_reference":        {fault.Invalid, asItIs, func(c *provider.Change) { c.CredentialRef = "env://KEY" }},
		"one_gateway_twice":         {fault.Invalid, asItIs, func(c *provider.Change) { c.Sealed = append(c.Sealed, next) }},
	}
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			if changes, err := update([]provider.Sealed{test.given}, test.change); !fault.Is(err, test.kind) {
				t.Errorf("got %v, %v", changes, err)
			}
		})
	}
	t.Run("not_at_creation", func(t *testing.T) {
		c := creation(func(c *provider.Creation) { c.CredentialRef, c.Sealed = "", []provider.Sealed{first} })
		if changes, err := provider.Create(c); !fault.Is(err, fault.Invalid) {
			t.Errorf("got %v, %v", changes, err)
		}
	})
	t.Run("restored_with_them", func(t *testing.T) {
		changes, err := was.Restore(false)
		if err != nil {
			t.Fatal(err)
		}
		after, err := provider.Apply(provider.Provider{}, eventlog.Event{Subject: was.ID, Body: changes[0].Body.(*eventv1.ProviderRestored)})
		if err != nil || cmp.Diff(was.Sealed, after.Sealed) != "" {
			t.Errorf("%v, %v", after.Sealed, err)
		}
	})
}
