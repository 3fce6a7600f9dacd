package rpc

import (
	"context"
	"slices"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// maxStagedChanges is how many changes a going back tells of.
const maxStagedChanges = 100

// stagedKinds are those of resources that rollouts stage, as the API calls them;
// readmodel.ConfigurationVersions goes by the same tables.
var stagedKinds = []string{
	readmodel.Providers.Kind(), readmodel.Routes.Kind(), readmodel.PriceOverrides.Kind(), readmodel.Gateways.Kind(),
}

func staged(chapters []chapter) []chapter {
	return slices.DeleteFunc(slices.Clone(chapters), func(c chapter) bool { return !slices.Contains(stagedKinds, c.kind()) })
}

func (s *rollouts) GoBack(ctx context.Context, req *connect.Request[adminv1.GoBackRequest]) (*connect.Response[adminv1.GoBackResponse], error) {
	gatewayID, err := parseID("gateway_id", req.Msg.GetGatewayId())
	if err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	target := req.Msg.GetVersion()
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.GoBackResponse], err error) {
		stage, version, err := stageOf(ctx, v, gatewayID)
		if err != nil {
			return d, err
		}
		d.Version = version
		past, err := v.AsOfVersion(ctx, "version", target)
		if err != nil {
			return d, err
		}
		was, err := readmodel.Gateways.Which(ctx, past, []uuid.UUID{gatewayID})
		if err != nil {
			return d, err
		}
		if !was[gatewayID] {
			return d, fault.Field("version", "there was no such gateway at version %d", target)
		}
		answer := &adminv1.GoBackResponse{}
		if err := s.addChanges(ctx, v, answer, gatewayID, stage, target); err != nil {
			return d, err
		}
		d.Changes, err = stage.GoBack(id, gatewayID, target, req.Msg.GetReason())
		d.Answer = func(recorded []eventlog.Event) (*adminv1.GoBackResponse, error) {
			after, err := pinned(stage, id, recorded)
			answer.Rollout = toProtoRollout(after)
			return answer, err
		}
		return d, err
	})
}

// addChanges tells what a going back to a version changes for the agents of each track.
func (s *rollouts) addChanges(ctx context.Context, v readmodel.View, to *adminv1.GoBackResponse, gatewayID uuid.UUID, stage rollout.Stage, target int64) (err error) {
	to.Changes, to.Truncated, err = s.stagedChanges(ctx, v, gatewayID, stage.Configuration(rollout.Stable), target)
	if err != nil || !stage.Has(rollout.Candidate) {
		return err
	}
	var more bool
	to.CandidateChanges, more, err = s.stagedChanges(ctx, v, gatewayID, stage.Configuration(rollout.Candidate), target)
	to.Truncated = to.Truncated || more
	return err
}

// pinned is the going back that was recorded, or the one that said the same before.
func pinned(stage rollout.Stage, id uuid.UUID, recorded []eventlog.Event) (rollout.Rollout, error) {
	if len(recorded) == 0 {
		return *stage.Last, nil
	}
	return created(about(id, recorded), rollout.Apply)
}

// stagedChanges are how the configuration of one version differs from that of another,
// 0: the present one, for one gateway; more: not all is told.
func (s *rollouts) stagedChanges(ctx context.Context, v readmodel.View, gatewayID uuid.UUID, from, to int64) (changes []*adminv1.ResourceChange, more bool, err error) {
	if from == 0 {
		if from, err = readmodel.Head(ctx, v); err != nil {
			return nil, false, err
		}
	}
	for _, c := range s.chapters {
		span := readmodel.Span{From: from, To: to, Limit: maxStagedChanges}
		if c.kind() == readmodel.Gateways.Kind() {
			span.Only = gatewayID
		}
		whole, err := eachBetween(ctx, v, c, span, func(t turn) (bool, error) {
			change, err := toProtoChange(t)
			if err != nil || change == nil {
				return true, err
			}
			if len(changes) == maxStagedChanges {
				return false, nil
			}
			changes = append(changes, change)
			return true, nil
		})
		if err != nil || !whole {
			return changes, true, err
		}
	}
	return changes, false, nil
}
