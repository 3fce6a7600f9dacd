package route_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/route"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestCreate(t *testing.T) {
	known, unknown := uuid.New(), uuid.New()
	given := func(change func(*route.Creation)) route.Creation {
		c := route.Creation{
			ID: uuid.New(), Name: "gpt-5", Targets: []route.Target{{ProviderID: known, Model: "gpt-5"}},
			Providers: map[uuid.UUID]bool{known: true},
		}
		change(&c)
		return c
	}
	t.Run("one_target", func(t *testing.T) {
		changes, err := route.Create(given(func(*route.Creation) {}))
		if err != nil {
			t.Fatal(err)
		}
		body := changes[0].Body.(*eventv1.RouteCreated)
		if body.Strategy != eventv1.Strategy_STRATEGY_SINGLE || body.Targets[0].ProviderId != known.String() {
			t.Errorf("got %v", body)
		}
	})
	refusals := map[string]struct {
		kind   fault.Kind
		change func(*route.Creation)
	}{
		"taken_name":       {fault.Conflict, func(c *route.Creation) { c.NameTaken = true }},
		"bad_name":         {fault.Invalid, func(c *route.Creation) { c.Name = "gpt 5" }},
		"no_target":        {fault.Invalid, func(c *route.Creation) { c.Targets = nil }},
		"two_targets":      {fault.Invalid, func(c *route.Creation) { c.Targets = append(c.Targets, c.Targets[0]) }},
		"no_model":         {fault.Invalid, func(c *route.Creation) { c.Targets[0].Model = "" }},
		"unknown_provider": {fault.NotFound, func(c *route.Creation) { c.Targets[0].ProviderID = unknown }},
		"unknown_strategy": {fault.Invalid, func(c *route.Creation) { c.Strategy = 7 }},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			if _, err := route.Create(given(r.change)); !fault.Is(err, r.kind) {
				t.Errorf("got %v", err)
			}
		})
	}
}
