package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.LimitServiceHandler = (*quotaLimits)(nil)

// quotaLimits are the limits that organizations set; Limits bound calls of this API.
type quotaLimits struct {
	runner *command.Runner
	store  *readmodel.Store
}

var limitKind = kind[limit.Limit, *adminv1.Limit]{
	table: readmodel.Limits, convert: toProtoLimit, apply: limit.Apply,
	version: func(l limit.Limit) int64 { return l.Version },
	project: func(l limit.Limit) uuid.UUID { return l.Scope.Project() }, projectColumn: "project_id",
	settable: []protoreflect.Name{"name", "scope", "metric", "amount", "window", "mode", "when_unreachable"},
}

// limitsIn shows the window of this moment, too, unless the request is about the past.
func limitsIn(request dated) kind[limit.Limit, *adminv1.Limit] {
	k, now := limitKind, time.Now()
	if request.GetAsOf() != nil {
		return k
	}
	k.convert = func(l limit.Limit) *adminv1.Limit {
		shown := toProtoLimit(l)
		shown.CurrentWindow = toProtoSpan(l.WindowAt(now))
		return shown
	}
	return k
}

func (s *quotaLimits) CreateLimit(ctx context.Context, req *connect.Request[adminv1.CreateLimitRequest]) (*connect.Response[adminv1.CreateLimitResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	settings, err := fromProtoLimit(req.Msg)
	if err != nil {
		return nil, err
	}
	return create(ctx, s.runner, limitKind, req, func(ctx context.Context, v readmodel.View) ([]eventlog.Change, error) {
		world, err := quotaWorld(ctx, v, readmodel.Limits, settings.Name, settings.Scope)
		if err != nil {
			return nil, err
		}
		return limit.Create(id, settings, world)
	}, func(l *adminv1.Limit) *adminv1.CreateLimitResponse {
		return &adminv1.CreateLimitResponse{Limit: l}
	})
}

func (s *quotaLimits) GetLimit(ctx context.Context, req *connect.Request[adminv1.GetLimitRequest]) (*connect.Response[adminv1.GetLimitResponse], error) {
	return get(ctx, s.store, limitsIn(req.Msg), req.Msg, func(l *adminv1.Limit) *adminv1.GetLimitResponse {
		return &adminv1.GetLimitResponse{Limit: l}
	})
}

func (s *quotaLimits) ListLimits(ctx context.Context, req *connect.Request[adminv1.ListLimitsRequest]) (*connect.Response[adminv1.ListLimitsResponse], error) {
	matches, err := sameID("project_id", req.Msg.GetProjectId())
	if err != nil {
		return nil, err
	}
	name := "limits of " + req.Msg.GetProjectId()
	return page(ctx, s.store, limitsIn(req.Msg), name, req.Msg, func(all []*adminv1.Limit, next string) *adminv1.ListLimitsResponse {
		return &adminv1.ListLimitsResponse{Limits: all, NextPageToken: next}
	}, matches...)
}

func (s *quotaLimits) UpdateLimit(ctx context.Context, req *connect.Request[adminv1.UpdateLimitRequest]) (*connect.Response[adminv1.UpdateLimitResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was limit.Limit, wanted *adminv1.Limit) ([]eventlog.Change, error) {
		settings, err := fromProtoLimit(wanted)
		if err != nil {
			return nil, err
		}
		taken, err := readmodel.Limits.TakenByOther(ctx, v, was.ID, named(settings.Name))
		if err != nil {
			return nil, err
		}
		return was.Update(settings, taken)
	}
	return update(ctx, s.runner, limitKind, req, "limit", req.Msg.GetLimit(), req.Msg.GetUpdateMask(), decide,
		func(l *adminv1.Limit) *adminv1.UpdateLimitResponse {
			return &adminv1.UpdateLimitResponse{Limit: l}
		})
}

func (s *quotaLimits) DeleteLimit(ctx context.Context, req *connect.Request[adminv1.DeleteLimitRequest]) (*connect.Response[adminv1.DeleteLimitResponse], error) {
	return archive[limit.Limit, *adminv1.Limit, adminv1.DeleteLimitResponse](ctx, s.runner, limitKind, req, req.Msg,
		func(_ context.Context, _ readmodel.View, was limit.Limit) ([]eventlog.Change, error) {
			return limit.Archive(was), nil
		})
}
