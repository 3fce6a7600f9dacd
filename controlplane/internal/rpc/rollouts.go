package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/conduct"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.RolloutServiceHandler = (*rollouts)(nil)

type rollouts struct {
	runner *command.Runner
	store  *readmodel.Store
	// chapters are the kinds of resources that are staged.
	chapters []chapter
}

var rolloutKind = kind[rollout.Rollout, *adminv1.Rollout]{
	table: readmodel.Rollouts, convert: toProtoRollout, apply: rollout.Apply,
	version: func(r rollout.Rollout) int64 { return r.Version },
}

func (s *rollouts) GetRollout(ctx context.Context, req *connect.Request[adminv1.GetRolloutRequest]) (*connect.Response[adminv1.GetRolloutResponse], error) {
	return get(ctx, s.store, rolloutKind, req.Msg, func(r *adminv1.Rollout) *adminv1.GetRolloutResponse {
		return &adminv1.GetRolloutResponse{Rollout: r}
	})
}

func (s *rollouts) ListRollouts(ctx context.Context, req *connect.Request[adminv1.ListRolloutsRequest]) (*connect.Response[adminv1.ListRolloutsResponse], error) {
	matches, err := sameID("gateway_id", req.Msg.GetGatewayId())
	if err != nil {
		return nil, err
	}
	return page(ctx, s.store, rolloutKind, "rollouts of "+req.Msg.GetGatewayId(), req.Msg, func(all []*adminv1.Rollout, next string) *adminv1.ListRolloutsResponse {
		return &adminv1.ListRolloutsResponse{Rollouts: all, NextPageToken: next}
	}, matches...)
}

func (s *rollouts) PromoteRollout(ctx context.Context, req *connect.Request[adminv1.PromoteRolloutRequest]) (*connect.Response[adminv1.PromoteRolloutResponse], error) {
	all := req.Msg.GetTo() == adminv1.PromoteTo_PROMOTE_TO_ALL
	return steer(ctx, s, req, req.Msg, func(r rollout.Rollout, scene conduct.Scene) ([]eventlog.Change, error) {
		return scene.Stage.Promote(r, all, scene.Look)
	}, func(r *adminv1.Rollout) *adminv1.PromoteRolloutResponse {
		return &adminv1.PromoteRolloutResponse{Rollout: r}
	})
}

func (s *rollouts) HoldRollout(ctx context.Context, req *connect.Request[adminv1.HoldRolloutRequest]) (*connect.Response[adminv1.HoldRolloutResponse], error) {
	return steer(ctx, s, req, req.Msg, func(r rollout.Rollout, _ conduct.Scene) ([]eventlog.Change, error) {
		return r.HoldAt(req.Msg.GetReason())
	}, func(r *adminv1.Rollout) *adminv1.HoldRolloutResponse { return &adminv1.HoldRolloutResponse{Rollout: r} })
}

func (s *rollouts) ResumeRollout(ctx context.Context, req *connect.Request[adminv1.ResumeRolloutRequest]) (*connect.Response[adminv1.ResumeRolloutResponse], error) {
	return steer(ctx, s, req, req.Msg, func(r rollout.Rollout, _ conduct.Scene) ([]eventlog.Change, error) {
		return r.Resume()
	}, func(r *adminv1.Rollout) *adminv1.ResumeRolloutResponse {
		return &adminv1.ResumeRolloutResponse{Rollout: r}
	})
}

// steer runs a decision about a rollout and what is seen of its gateway.
func steer[A any, M message[A]](
	ctx context.Context, s *rollouts, req connect.AnyRequest, request identified,
	decide func(rollout.Rollout, conduct.Scene) ([]eventlog.Change, error), wrap func(*adminv1.Rollout) M,
) (*connect.Response[A], error) {
	id, err := parseID("id", request.GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[M], err error) {
		was, err := readmodel.Rollouts.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		d.Version, d.Parts = was.Version, []pglog.Part{conduct.NoteBaselines}
		var scene conduct.Scene
		if was.Open() { // else its gateway may be gone
			if scene, err = conduct.See(ctx, v, was.GatewayID); err != nil {
				return d, err
			}
		}
		d.Changes, err = decide(was, scene)
		d.Answer = func(recorded []eventlog.Event) (M, error) {
			after, err := changed(was, about(id, recorded), rollout.Apply)
			return wrap(toProtoRollout(after)), err
		}
		return d, err
	})
}

func (s *rollouts) GoForward(ctx context.Context, req *connect.Request[adminv1.GoForwardRequest]) (*connect.Response[adminv1.GoForwardResponse], error) {
	gatewayID, err := parseID("gateway_id", req.Msg.GetGatewayId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.GoForwardResponse], err error) {
		stage, version, err := stageOf(ctx, v, gatewayID)
		if err != nil {
			return d, err
		}
		d.Version = version
		if d.Changes, err = stage.GoForward(); err != nil {
			return d, err
		}
		d.Answer = func(recorded []eventlog.Event) (*adminv1.GoForwardResponse, error) {
			after, err := changed(*stage.Last, recorded, rollout.Apply)
			return &adminv1.GoForwardResponse{Rollout: toProtoRollout(after)}, err
		}
		return d, nil
	})
}

func stageOf(ctx context.Context, v readmodel.View, gatewayID uuid.UUID) (rollout.Stage, int64, error) {
	g, err := readmodel.Gateways.Find(ctx, v, gatewayID)
	if err != nil {
		return rollout.Stage{}, 0, err
	}
	stage, err := readmodel.StageOf(ctx, v, g)
	return stage, g.Version, err
}
