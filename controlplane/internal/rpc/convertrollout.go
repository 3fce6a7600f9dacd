package rpc

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// maxAgentsTold of a rollout; there can be thousands.
const maxAgentsTold = 100

var rolloutStates = map[rollout.State]adminv1.RolloutState{
	rollout.Running: adminv1.RolloutState_ROLLOUT_STATE_RUNNING, rollout.Held: adminv1.RolloutState_ROLLOUT_STATE_HELD,
	rollout.Finished: adminv1.RolloutState_ROLLOUT_STATE_FINISHED, rollout.Abandoned: adminv1.RolloutState_ROLLOUT_STATE_ABANDONED,
	rollout.Pinned: adminv1.RolloutState_ROLLOUT_STATE_PINNED, rollout.Unpinned: adminv1.RolloutState_ROLLOUT_STATE_UNPINNED,
}

func toProtoRollout(r rollout.Rollout) *adminv1.Rollout {
	converted := &adminv1.Rollout{
		Id: r.ID.String(), GatewayId: r.GatewayID.String(), State: rolloutStates[r.State], BaseVersion: r.Base, CandidateVersion: r.Candidate,
		Step: r.Step, StepPercent: r.Percent, AgentCount: int32(len(r.Agents)), AgentIds: toTexts(r.Agents[:min(len(r.Agents), maxAgentsTold)]),
		StartedAt: toTimestamp(r.StartedAt), StepAt: toTimestamp(r.StepAt), EndedAt: toTimestamp(r.EndedAt), Reason: r.Reason,
		Etag: toETag(r.Version),
	}
	if r.Hold != nil {
		converted.Hold = &adminv1.RolloutHold{Cause: adminv1.RolloutHoldCause(r.Hold.Cause), Reason: r.Hold.Reason}
		if r.Hold.AgentID != uuid.Nil {
			converted.Hold.AgentId = r.Hold.AgentID.String()
		}
	}
	return converted
}

func toProtoStage(s rollout.Stage, configuration int64) *adminv1.GatewayStage {
	converted := &adminv1.GatewayStage{
		StableVersion: s.Configuration(rollout.Stable), Pinned: s.Pinned(), ConfigurationVersion: configuration,
	}
	if open := s.Open(); open != nil {
		converted.RolloutId = open.ID.String()
	}
	return converted
}

func toProtoRolloutSettings(s rollout.Settings) *adminv1.RolloutSettings {
	if !s.Staged() {
		return &adminv1.RolloutSettings{Strategy: adminv1.RolloutStrategy_ROLLOUT_STRATEGY_ALL_AT_ONCE}
	}
	return &adminv1.RolloutSettings{
		Strategy: adminv1.RolloutStrategy(s.Strategy), Steps: s.Steps, BakeTime: durationpb.New(time.Duration(s.BakeSeconds) * time.Second),
		MaxErrorRise: s.MaxErrorRise, MinRequests: s.MinRequests,
	}
}

// fromProtoRolloutSettings leaves to rollout.Settings.Complete what the numbers may be.
// field is where the settings are in the request.
func fromProtoRolloutSettings(field string, s *adminv1.RolloutSettings) (rollout.Settings, error) {
	bake := s.GetBakeTime().AsDuration()
	if s.GetBakeTime() != nil && (bake < time.Second || bake > 24*time.Hour || bake%time.Second != 0) {
		return rollout.Settings{}, fault.Field(field+".bake_time", rollout.WantedBakeTime)
	}
	return rollout.Settings{
		Strategy: eventv1.RolloutStrategy(s.GetStrategy()), Steps: s.GetSteps(), BakeSeconds: int32(bake / time.Second),
		MaxErrorRise: s.GetMaxErrorRise(), MinRequests: s.GetMinRequests(),
	}, nil
}
