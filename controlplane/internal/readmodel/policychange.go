package readmodel

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/route"
)

// maxPolicyChanges is how many things may have changed for reading them alone to be
// worth it: a whole state of 100,000 keys is read in the time of 20,000 look-ups.
const maxPolicyChanges = 10_000

// policyKinds are the tables whose rows become resources one by one.
var policyKinds = map[string][]projection{
	policy.KindProvider: {Providers}, policy.KindRoute: {Routes}, policy.KindKey: {Keys}, policy.KindQuota: {Budgets, Limits},
	policy.KindProject: {Projects},
}

// touchedSince returns the ids of what the log changed after a version, by the kind of
// resource it becomes; ok is false where that can't be told or is too much.
func touchedSince(ctx context.Context, v View, since, head int64) (touched map[string][]uuid.UUID, ok bool, err error) {
	if since <= 0 || since > head {
		return nil, false, nil
	}
	const query = `SELECT DISTINCT kind, subject FROM event WHERE organization_id = $1 AND version > $2 LIMIT $3`
	rows, err := v.Tx.Query(ctx, query, v.Organization, since, maxPolicyChanges+1)
	if err != nil {
		return nil, false, fmt.Errorf("read changes since version %d: %w", since, err)
	}
	touched = make(map[string][]uuid.UUID)
	var event string
	var subject uuid.UUID
	changes := 0
	_, err = pgx.ForEachRow(rows, []any{&event, &subject}, func() error {
		changes++
		for kind, tables := range policyKinds {
			if slices.ContainsFunc(tables, func(t projection) bool { return t.touches(event) }) {
				touched[kind] = append(touched[kind], subject)
			}
		}
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read changes since version %d: %w", since, err)
	}
	return touched, changes <= maxPolicyChanges, nil
}

// readTouched adds what is touched to the state as it is now, or its name where it is no more.
func readTouched(ctx context.Context, v View, state *policy.State, touched map[string][]uuid.UUID) error {
	for kind, ids := range touched {
		here, err := readKind(ctx, v, state, kind, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !here[id] {
				state.Gone = append(state.Gone, policy.Name{Kind: kind, ID: id.String()})
			}
		}
	}
	return nil
}

// readKind returns which of the ids it found.
func readKind(ctx context.Context, v View, state *policy.State, kind string, ids []uuid.UUID) (here map[uuid.UUID]bool, err error) {
	among := Match{Column: "id", Value: ids}
	switch kind {
	case policy.KindProvider:
		state.Providers, err = Providers.All(ctx, v, among)
		here = idsOf(state.Providers, func(p provider.Provider) uuid.UUID { return p.ID })
	case policy.KindRoute:
		state.Routes, err = Routes.All(ctx, v, among)
		here = idsOf(state.Routes, func(r route.Route) uuid.UUID { return r.ID })
	case policy.KindKey:
		state.Keys, err = policyKeys(ctx, v, ids)
		here = idsOf(state.Keys, func(k key.Key) uuid.UUID { return k.ID })
	case policy.KindProject:
		err = readProjects(ctx, v, state, among)
		here = idsOf(state.Projects, func(p project.Project) uuid.UUID { return p.ID })
	case policy.KindQuota:
		err = readQuotas(ctx, v, state, among)
		here = idsOf(state.Budgets, func(b budget.Budget) uuid.UUID { return b.ID })
		maps.Copy(here, idsOf(state.Limits, func(l limit.Limit) uuid.UUID { return l.ID }))
	}
	return here, err
}

// readQuotas reads those that are enforced; the others are in no policy.
func readQuotas(ctx context.Context, v View, state *policy.State, among ...Match) (err error) {
	if state.Budgets, err = Budgets.All(ctx, v, among...); err != nil {
		return err
	}
	if state.Limits, err = Limits.All(ctx, v, among...); err != nil {
		return err
	}
	state.Budgets = slices.DeleteFunc(state.Budgets, func(b budget.Budget) bool { return !quota.Enforced(b.Mode) })
	state.Limits = slices.DeleteFunc(state.Limits, func(l limit.Limit) bool { return !quota.Enforced(l.Mode) })
	return nil
}

// readProjects reads those that have a weight; the others are in no policy.
func readProjects(ctx context.Context, v View, state *policy.State, among ...Match) (err error) {
	state.Projects, err = Projects.All(ctx, v, among...)
	state.Projects = slices.DeleteFunc(state.Projects, func(p project.Project) bool { return p.Weight == 0 })
	return err
}

func idsOf[T any](things []T, id func(T) uuid.UUID) map[uuid.UUID]bool {
	ids := make(map[uuid.UUID]bool, len(things))
	for _, thing := range things {
		ids[id(thing)] = true
	}
	return ids
}
