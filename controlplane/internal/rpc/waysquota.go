package rpc

import (
	"context"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

func backLimit(ctx context.Context, v readmodel.View, now, was *limit.Limit) (command.Plan, error) {
	if was == nil {
		return plan(limit.Archive(*now), nil)
	}
	if now == nil {
		world, err := quotaWorld(ctx, v, readmodel.Limits, was.Name, was.Scope)
		if err != nil {
			return command.Plan{}, err
		}
		return plan(was.Restore(world))
	}
	taken, err := readmodel.Limits.TakenByOther(ctx, v, was.ID, named(was.Name))
	if err != nil {
		return command.Plan{}, err
	}
	return plan(now.Update(was.Settings, taken))
}

// backBudget leaves the raise of a budget that is there: it was granted for a time.
func backBudget(ctx context.Context, v readmodel.View, now, was *budget.Budget) (command.Plan, error) {
	if was == nil {
		return plan(budget.Archive(*now), nil)
	}
	if now == nil {
		world, err := budgetWorld(ctx, v, was.Settings)
		if err != nil {
			return command.Plan{}, err
		}
		return plan(was.Restore(world))
	}
	world, err := changedBudgetWorld(ctx, v, was.ID, was.Settings)
	if err != nil {
		return command.Plan{}, err
	}
	return plan(now.Update(was.Settings, world))
}
