package rpc

import (
	"context"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// quotaWorld reads what the beginning of a limit or budget, which table has, depends on.
func quotaWorld[T any](ctx context.Context, v readmodel.View, table *readmodel.Table[T], name string, s quota.Scope) (w quota.World, err error) {
	if w.NameTaken, err = table.Any(ctx, v, named(name)); err != nil {
		return w, err
	}
	if w.Count, err = table.Count(ctx, v); err != nil {
		return w, err
	}
	w.Target, err = targetOf(ctx, v, s)
	return w, err
}

// targetOf reads what a scope names.
func targetOf(ctx context.Context, v readmodel.View, s quota.Scope) (quota.Target, error) {
	var found map[uuid.UUID]bool
	var err error
	switch s.On {
	case eventv1.QuotaOn_QUOTA_ON_KEY:
		return keyTarget(ctx, v, s.ID)
	case eventv1.QuotaOn_QUOTA_ON_PROJECT:
		found, err = readmodel.Projects.Which(ctx, v, []uuid.UUID{s.ID})
	case eventv1.QuotaOn_QUOTA_ON_ROUTE:
		found, err = readmodel.Routes.Which(ctx, v, []uuid.UUID{s.ID})
	case eventv1.QuotaOn_QUOTA_ON_PROVIDER:
		found, err = readmodel.Providers.Which(ctx, v, []uuid.UUID{s.ID})
	}
	return quota.Target{Exists: found[s.ID]}, err
}

func keyTarget(ctx context.Context, v readmodel.View, id uuid.UUID) (quota.Target, error) {
	keys, err := readmodel.Keys.All(ctx, v, readmodel.Match{Column: "id", Value: id})
	if err != nil || len(keys) == 0 {
		return quota.Target{}, err
	}
	return quota.Target{Exists: true, Revoked: !keys[0].RevokedAt.IsZero(), ProjectID: keys[0].ProjectID}, nil
}

// quotasNaming are the limits and budgets that name something, at most so many of each.
func quotasNaming(ctx context.Context, v readmodel.View, id uuid.UUID, most int) (limits []limit.Limit, budgets []budget.Budget, err error) {
	if limits, err = readmodel.Limits.Mentioning(ctx, v, id, most); err != nil {
		return nil, nil, err
	}
	budgets, err = readmodel.Budgets.Mentioning(ctx, v, id, most)
	return limits, budgets, err
}

// usesByQuotas are the limits and budgets that name something which is to be archived.
func usesByQuotas(ctx context.Context, v readmodel.View, id uuid.UUID) ([]fault.Use, error) {
	limits, budgets, err := quotasNaming(ctx, v, id, maxUses)
	uses := usesBy(limits, "limit", func(l limit.Limit) string { return l.Name })
	return append(uses, usesBy(budgets, "budget", func(b budget.Budget) string { return b.Name })...), err
}
