package gateway_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestUpdate(t *testing.T) {
	g := gateway.Gateway{ID: uuid.New(), Name: "prod", Region: "local", CreatedAt: now}
	changes, err := g.Update(gateway.Update{Name: "prod", CredentialMaxAge: 3600, NameTaken: true})
	if err != nil {
		t.Fatal(err)
	}
	aged := apply(t, g, changes)
	if aged.CredentialMaxAge != 3600 || aged.Name != "prod" {
		t.Errorf("%+v", aged)
	}
	if changes, err := aged.Update(gateway.Update{Name: "prod", CredentialMaxAge: 3600}); changes != nil || err != nil {
		t.Errorf("said twice: %v, %v", changes, err)
	}
	restored, err := aged.Restore(false, false)
	if err != nil {
		t.Fatal(err)
	}
	if back := apply(t, gateway.Gateway{}, restored); back.CredentialMaxAge != 3600 {
		t.Errorf("restored with %d s", back.CredentialMaxAge)
	}
	changes, err = aged.Update(gateway.Update{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if ever := apply(t, aged, changes); ever.CredentialMaxAge != 0 || ever.Name != "other" {
		t.Errorf("%+v", ever)
	}
	for name, bad := range map[string]struct {
		update gateway.Update
		kind   fault.Kind
	}{
		"negative": {gateway.Update{Name: "prod", CredentialMaxAge: -1}, fault.Invalid}, "eleven_years": {gateway.Update{Name: "prod", CredentialMaxAge: 11 * 365 * 24 * 3600}, fault.Invalid},
		"no_name": {gateway.Update{}, fault.Invalid}, "taken": {gateway.Update{Name: "other", NameTaken: true}, fault.Conflict},
	} {
		if changes, err := g.Update(bad.update); !fault.Is(err, bad.kind) {
			t.Errorf("%s: %v, %v", name, changes, err)
		}
	}
}

// A fault names the field as the request has it: an update has a gateway in it, a creation
// is one.
func TestFaultsNameTheField(t *testing.T) {
	g := gateway.Gateway{ID: uuid.New(), Name: "prod", Region: "local"}
	_, updated := g.Update(gateway.Update{Name: "prod", AllowedRegions: []string{""}})
	_, aged := g.Update(gateway.Update{Name: "prod", CredentialMaxAge: -1})
	_, created := gateway.Create(gateway.Creation{ID: g.ID, Name: "prod", Region: "local", AllowedRegions: []string{""}})
	_, begun := gateway.Create(gateway.Creation{ID: g.ID, Name: "prod", Region: "local", CredentialMaxAge: -1})
	for want, err := range map[string]error{
		"gateway.allowed_regions: want": updated, "gateway.credential_max_age: want": aged, "allowed_regions: want": created, "credential_max_age: want": begun,
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// BLOCK and nothing said are one; what is said outlives an end.
func TestWhenSpoolFull(t *testing.T) {
	const tombstone, block = eventv1.SpoolFull_SPOOL_FULL_TOMBSTONE, eventv1.SpoolFull_SPOOL_FULL_BLOCK
	begin := func(when eventv1.SpoolFull) gateway.Gateway {
		t.Helper()
		changes, err := gateway.Create(gateway.Creation{ID: uuid.New(), Name: "prod", Region: "local", WhenSpoolFull: when})
		if err != nil {
			t.Fatal(err)
		}
		return apply(t, gateway.Gateway{}, changes)
	}
	said, plain := begin(tombstone), begin(block)
	if said.WhenSpoolFull != tombstone || plain.WhenSpoolFull != begin(0).WhenSpoolFull {
		t.Errorf("begun with %v, %v", said.WhenSpoolFull, plain.WhenSpoolFull)
	}
	for _, same := range []struct {
		g    gateway.Gateway
		when eventv1.SpoolFull
	}{{said, tombstone}, {plain, block}, {plain, 0}} {
		if changes, err := same.g.Update(gateway.Update{Name: "prod", WhenSpoolFull: same.when}); changes != nil || err != nil {
			t.Errorf("said twice: %v, %v", changes, err)
		}
	}
	changes, err := said.Update(gateway.Update{Name: "prod", WhenSpoolFull: block})
	if err != nil || apply(t, said, changes).WhenSpoolFull != 0 {
		t.Errorf("blocking again: %v, %v", changes, err)
	}
	changes, err = said.Restore(false, false)
	if err != nil || apply(t, gateway.Gateway{}, changes).WhenSpoolFull != tombstone {
		t.Errorf("restored: %v, %v", changes, err)
	}
}
