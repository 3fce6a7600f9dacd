package key_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/key"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestCreate(t *testing.T) {
	routeID := uuid.New()
	given := func(change func(*key.Creation)) key.Creation {
		c := key.Creation{
			ID: uuid.New(), ProjectID: uuid.New(), Name: "laptop", SHA256: [32]byte{1}, Suffix: "abcd", Now: now,
			ProjectExists: true, RouteIDs: []uuid.UUID{routeID}, Routes: map[uuid.UUID]bool{routeID: true},
		}
		change(&c)
		return c
	}
	t.Run("never_expires", func(t *testing.T) {
		changes, err := key.Create(given(func(*key.Creation) {}))
		if err != nil || changes[0].Body.(*eventv1.KeyCreated).ExpiresAt != nil {
			t.Errorf("%v, %v", changes, err)
		}
	})
	refusals := map[string]struct {
		kind   fault.Kind
		change func(*key.Creation)
	}{
		"taken_name":      {fault.Conflict, func(c *key.Creation) { c.NameTaken = true }},
		"bad_name":        {fault.Invalid, func(c *key.Creation) { c.Name = "" }},
		"expired":         {fault.Invalid, func(c *key.Creation) { c.ExpiresAt = now }},
		"unknown_project": {fault.NotFound, func(c *key.Creation) { c.ProjectExists = false }},
		"unknown_route":   {fault.NotFound, func(c *key.Creation) { c.Routes = nil }},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			if _, err := key.Create(given(r.change)); !fault.Is(err, r.kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	living := key.Key{ID: uuid.New(), Version: 3}
	changes, err := living.Revoke("leaked", now)
	if err != nil || len(changes) != 1 {
		t.Fatalf("%v, %v", changes, err)
	}
	revoked, err := key.Apply(living, eventlog.Event{Version: 9, Subject: living.ID, Body: changes[0].Body})
	if err != nil || !revoked.RevokedAt.Equal(now) || revoked.RevokedVersion != 9 || revoked.Version != 9 {
		t.Errorf("%+v, %v", revoked, err)
	}
	if changes, err := revoked.Revoke("again", now); changes != nil || err != nil {
		t.Errorf("said twice: %v, %v", changes, err)
	}
}
