package key_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func given() (key.Creation, key.World) {
	routeID := uuid.New()
	return key.Creation{
		ID: uuid.New(), ProjectID: uuid.New(), Settings: key.Settings{Name: "laptop", RouteIDs: []uuid.UUID{routeID}},
		Secret: key.Secret{SHA256: [32]byte{1}, Suffix: "abcd"},
	}, key.World{Now: now, ProjectExists: true, Routes: map[uuid.UUID]bool{routeID: true}}
}

func TestCreate(t *testing.T) {
	t.Run("never_expires", func(t *testing.T) {
		changes, err := key.Create(given())
		if err != nil || changes[0].Body.(*eventv1.KeyCreated).ExpiresAt != nil {
			t.Errorf("%v, %v", changes, err)
		}
	})
	refusals := map[string]struct {
		kind   fault.Kind
		change func(*key.Creation, *key.World)
	}{
		"taken_name":      {fault.Conflict, func(_ *key.Creation, w *key.World) { w.NameTaken = true }},
		"bad_name":        {fault.Invalid, func(c *key.Creation, _ *key.World) { c.Name = "" }},
		"bad_label":       {fault.Invalid, func(c *key.Creation, _ *key.World) { c.Labels = map[string]string{"Team": "a"} }},
		"expired":         {fault.Invalid, func(c *key.Creation, _ *key.World) { c.ExpiresAt = now }},
		"unknown_project": {fault.NotFound, func(_ *key.Creation, w *key.World) { w.ProjectExists = false }},
		"unknown_route":   {fault.NotFound, func(_ *key.Creation, w *key.World) { w.Routes = nil }},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			c, w := given()
			r.change(&c, &w)
			if _, err := key.Create(c, w); !fault.Is(err, r.kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	was := key.Key{ID: uuid.New(), SHA256: []byte{1}, Suffix: "old1"}
	fresh := key.Secret{SHA256: [32]byte{2}, Suffix: "new2"}
	changes, err := was.Rotate(fresh, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := key.Apply(was, eventlog.Event{Version: 4, Subject: was.ID, Body: changes[0].Body})
	want := &key.Previous{SHA256: []byte{1}, Suffix: "old1", ExpiresAt: now.Add(time.Hour)}
	if diff := cmp.Diff(want, got.Previous); err != nil || diff != "" || got.Suffix != "new2" || got.SHA256[0] != 2 {
		t.Errorf("%+v, %v\n%s", got, err, diff)
	}
	for name, k := range map[string]key.Key{
		"revoked": {RevokedAt: now},
		"expired": {Settings: key.Settings{ExpiresAt: now}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := k.Rotate(fresh, time.Hour, now); !fault.Is(err, fault.Precondition) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEndOverlap(t *testing.T) {
	rotated := key.Key{ID: uuid.New(), SHA256: []byte{2}, Previous: &key.Previous{SHA256: []byte{1}, Suffix: "old1", ExpiresAt: now.Add(time.Hour)}}
	changes, err := rotated.EndOverlap("leaked", now)
	if err != nil || len(changes) != 1 {
		t.Fatalf("%v, %v", changes, err)
	}
	ended, err := key.Apply(rotated, eventlog.Event{Version: 9, Subject: rotated.ID, Body: changes[0].Body})
	if err != nil || !ended.Previous.ExpiresAt.Equal(now) || !rotated.Previous.ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v, %v", ended, err)
	}
	last, ok := ended.PreviousEnded()
	if diff := cmp.Diff(key.Ended{SHA256: []byte{1}, At: now, Version: 9}, last); diff != "" || !ok {
		t.Error(diff)
	}
	if changes, err := ended.EndOverlap("again", now.Add(time.Minute)); changes != nil || err != nil {
		t.Errorf("said twice: %v, %v", changes, err)
	}
	if changes, err := rotated.EndOverlap("late", now.Add(time.Hour)); changes != nil || err != nil {
		t.Errorf("its time was over: %v, %v", changes, err)
	}
	for name, k := range map[string]key.Key{"revoked": {RevokedAt: now, Previous: rotated.Previous}, "never_rotated": {}} {
		t.Run(name, func(t *testing.T) {
			if _, err := k.EndOverlap("", now); !fault.Is(err, fault.Precondition) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("one_that_was_never_rotated_is_no_state", func(t *testing.T) {
		if _, err := key.Apply(key.Key{}, eventlog.Event{Body: changes[0].Body}); err == nil {
			t.Error("folded")
		}
	})
	t.Run("the_last_few_are_kept", func(t *testing.T) {
		k := ended
		for i := range byte(20) {
			k.Previous = &key.Previous{SHA256: []byte{i}, ExpiresAt: now.Add(time.Hour)}
			if _, ok := k.PreviousEnded(); ok && i != 1 {
				t.Errorf("secret %d is ended before its time", i)
			}
			if k, err = key.Apply(k, eventlog.Event{Version: int64(i), Body: changes[0].Body}); err != nil {
				t.Fatal(err)
			}
		}
		if first := k.Ended[0].SHA256[0]; len(k.Ended) != 8 || first != 12 {
			t.Errorf("%d are kept, from %d", len(k.Ended), first)
		}
	})
}

func TestArchive(t *testing.T) {
	kinds := func(k key.Key) string {
		changes, err := k.Archive("gone", now, []limit.Limit{{ID: uuid.New()}}, []budget.Budget{{ID: uuid.New()}})
		names := fmt.Sprint(err)
		for _, c := range changes {
			names += " " + string(c.Body.ProtoReflect().Descriptor().Name())
		}
		return names
	}
	if got := kinds(key.Key{}); got != "<nil> KeyRevoked LimitArchived BudgetArchived KeyArchived" {
		t.Errorf("a living key: %s", got)
	}
	if got := kinds(key.Key{RevokedAt: now}); got != "<nil> LimitArchived BudgetArchived KeyArchived" {
		t.Errorf("a revoked key: %s", got)
	}
}

func TestUpdate(t *testing.T) {
	c, w := given()
	was := key.Key{ID: c.ID, Settings: c.Settings}
	if changes, err := was.Update(c.Settings, w); changes != nil || err != nil {
		t.Errorf("said again: %v, %v", changes, err)
	}
	c.ExpiresAt = now.Add(-time.Hour)
	if changes, err := was.Update(c.Settings, w); len(changes) != 1 || err != nil {
		t.Errorf("expire now: %v, %v", changes, err)
	}
	was.RevokedAt = now
	if _, err := was.Update(c.Settings, w); !fault.Is(err, fault.Precondition) {
		t.Errorf("a revoked key: %v", err)
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
