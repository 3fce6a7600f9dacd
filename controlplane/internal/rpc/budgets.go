package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.BudgetServiceHandler = (*budgets)(nil)

type budgets struct {
	runner *command.Runner
	store  *readmodel.Store
}

var budgetKind = kind[budget.Budget, *adminv1.Budget]{
	table: readmodel.Budgets, convert: toProtoBudget, apply: budget.Apply,
	version: func(b budget.Budget) int64 { return b.Version },
	project: func(b budget.Budget) uuid.UUID { return b.Scope.Project() }, projectColumn: "project_id",
	settable: []protoreflect.Name{
		"name", "scope", "amount_nano_usd", "window", "carry_over", "alert_percents", "alert_channel_ids", "mode", "when_unreachable",
	},
}

// budgetsIn shows the window of this moment, too, unless the request is about the past.
func budgetsIn(request dated) kind[budget.Budget, *adminv1.Budget] {
	k, now := budgetKind, time.Now()
	if request.GetAsOf() != nil {
		return k
	}
	k.convert = func(b budget.Budget) *adminv1.Budget {
		shown := toProtoBudget(b)
		if span, err := b.Window.At(now); err == nil { // or this server does not know the zone, which another one took
			shown.CurrentWindow = toProtoSpan(span)
		}
		return shown
	}
	return k
}

func (s *budgets) CreateBudget(ctx context.Context, req *connect.Request[adminv1.CreateBudgetRequest]) (*connect.Response[adminv1.CreateBudgetResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	settings, err := fromProtoBudget(req.Msg)
	if err != nil {
		return nil, err
	}
	return create(ctx, s.runner, budgetKind, req, func(ctx context.Context, v readmodel.View) ([]eventlog.Change, error) {
		world, err := budgetWorld(ctx, v, settings)
		if err != nil {
			return nil, err
		}
		return budget.Create(id, settings, world)
	}, func(b *adminv1.Budget) *adminv1.CreateBudgetResponse {
		return &adminv1.CreateBudgetResponse{Budget: b}
	})
}

func (s *budgets) GetBudget(ctx context.Context, req *connect.Request[adminv1.GetBudgetRequest]) (*connect.Response[adminv1.GetBudgetResponse], error) {
	return get(ctx, s.store, budgetsIn(req.Msg), req.Msg, func(b *adminv1.Budget) *adminv1.GetBudgetResponse {
		return &adminv1.GetBudgetResponse{Budget: b}
	})
}

func (s *budgets) ListBudgets(ctx context.Context, req *connect.Request[adminv1.ListBudgetsRequest]) (*connect.Response[adminv1.ListBudgetsResponse], error) {
	matches, err := sameID("project_id", req.Msg.GetProjectId())
	if err != nil {
		return nil, err
	}
	name := "budgets of " + req.Msg.GetProjectId()
	return page(ctx, s.store, budgetsIn(req.Msg), name, req.Msg, func(all []*adminv1.Budget, next string) *adminv1.ListBudgetsResponse {
		return &adminv1.ListBudgetsResponse{Budgets: all, NextPageToken: next}
	}, matches...)
}

func (s *budgets) UpdateBudget(ctx context.Context, req *connect.Request[adminv1.UpdateBudgetRequest]) (*connect.Response[adminv1.UpdateBudgetResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was budget.Budget, wanted *adminv1.Budget) ([]eventlog.Change, error) {
		settings, err := fromProtoBudget(wanted)
		if err != nil {
			return nil, err
		}
		world, err := changedBudgetWorld(ctx, v, was.ID, settings)
		if err != nil {
			return nil, err
		}
		return was.Update(settings, world)
	}
	return update(ctx, s.runner, budgetKind, req, "budget", req.Msg.GetBudget(), req.Msg.GetUpdateMask(), decide,
		func(b *adminv1.Budget) *adminv1.UpdateBudgetResponse {
			return &adminv1.UpdateBudgetResponse{Budget: b}
		})
}

func (s *budgets) RaiseBudget(ctx context.Context, req *connect.Request[adminv1.RaiseBudgetRequest]) (*connect.Response[adminv1.RaiseBudgetResponse], error) {
	raise := budget.Raise{
		AmountNanoUSD: req.Msg.GetAmountNanoUsd(), ExpiresAt: fromTimestamp(req.Msg.GetExpiresAt()), Reason: req.Msg.GetReason(),
	}
	now := time.Now()
	return act(ctx, s.runner, budgetKind, req, req.Msg, func(_ context.Context, _ readmodel.View, was budget.Budget) ([]eventlog.Change, error) {
		return was.Raise(raise, now)
	}, func(b *adminv1.Budget) *adminv1.RaiseBudgetResponse {
		return &adminv1.RaiseBudgetResponse{Budget: b}
	})
}

func (s *budgets) DeleteBudget(ctx context.Context, req *connect.Request[adminv1.DeleteBudgetRequest]) (*connect.Response[adminv1.DeleteBudgetResponse], error) {
	return archive[budget.Budget, *adminv1.Budget, adminv1.DeleteBudgetResponse](ctx, s.runner, budgetKind, req, req.Msg,
		func(_ context.Context, _ readmodel.View, was budget.Budget) ([]eventlog.Change, error) {
			return budget.Archive(was), nil
		})
}

// budgetWorld reads what the beginning of a budget depends on.
func budgetWorld(ctx context.Context, v readmodel.View, s budget.Settings) (w budget.World, err error) {
	if w.World, err = quotaWorld(ctx, v, readmodel.Budgets, s.Name, s.Scope); err != nil {
		return w, err
	}
	w.AlertChannels, err = readmodel.AlertChannels.Which(ctx, v, s.AlertChannelIDs)
	return w, err
}

// changedBudgetWorld reads what a change of a budget depends on.
func changedBudgetWorld(ctx context.Context, v readmodel.View, id uuid.UUID, s budget.Settings) (w budget.World, err error) {
	if w.NameTaken, err = readmodel.Budgets.TakenByOther(ctx, v, id, named(s.Name)); err != nil {
		return w, err
	}
	w.AlertChannels, err = readmodel.AlertChannels.Which(ctx, v, s.AlertChannelIDs)
	return w, err
}
