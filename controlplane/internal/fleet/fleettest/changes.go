package fleettest

import (
	"reflect"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
)

// changes are what the state now has that the one before had not, or otherwise.
func changes(before, now policy.State) policy.State {
	changed := now
	changed.Since, changed.Gone = before.Version, nil
	var gone []policy.Name
	changed.Providers, gone = differ(policy.KindProvider, before.Providers, now.Providers, func(p provider.Provider) uuid.UUID { return p.ID })
	changed.Gone = append(changed.Gone, gone...)
	changed.Routes, gone = differ(policy.KindRoute, before.Routes, now.Routes, func(r route.Route) uuid.UUID { return r.ID })
	changed.Gone = append(changed.Gone, gone...)
	changed.Keys, gone = differ(policy.KindKey, before.Keys, now.Keys, func(k key.Key) uuid.UUID { return k.ID })
	changed.Gone = append(changed.Gone, gone...)
	changed.Budgets, gone = differ(policy.KindQuota, before.Budgets, now.Budgets, func(b budget.Budget) uuid.UUID { return b.ID })
	changed.Gone = append(changed.Gone, gone...)
	changed.Limits, gone = differ(policy.KindQuota, before.Limits, now.Limits, func(l limit.Limit) uuid.UUID { return l.ID })
	changed.Gone = append(changed.Gone, gone...)
	changed.Projects, gone = differ(policy.KindProject, before.Projects, now.Projects, func(p project.Project) uuid.UUID { return p.ID })
	changed.Gone = append(changed.Gone, gone...)
	return changed
}

func differ[T any](kind string, before, now []T, id func(T) uuid.UUID) (changed []T, gone []policy.Name) {
	were := make(map[uuid.UUID]T, len(before))
	for _, thing := range before {
		were[id(thing)] = thing
	}
	for _, thing := range now {
		was, ok := were[id(thing)]
		if delete(were, id(thing)); !ok || !reflect.DeepEqual(was, thing) {
			changed = append(changed, thing)
		}
	}
	for id := range were {
		gone = append(gone, policy.Name{Kind: kind, ID: id.String()})
	}
	return changed, gone
}
