package gateway

import (
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// SetRollout says how changes come to its agents from now on. stage is as it is now:
// what is under way ends where changes are not staged any more.
func (g Gateway) SetRollout(wanted rollout.Settings, stage rollout.Stage) ([]eventlog.Change, error) {
	complete, err := wanted.Complete("gateway.rollout")
	if err != nil || complete.Equal(g.Rollout) {
		return nil, err
	}
	changes := []eventlog.Change{{Subject: g.ID, Body: &eventv1.GatewayRolloutSet{Rollout: complete.ToProto()}}}
	if !complete.Staged() {
		changes = append(changes, stage.Unstage()...)
	}
	return changes, nil
}

// stageFrom takes settings that hold from a version on.
func (g Gateway) stageFrom(version int64, settings rollout.Settings) Gateway {
	switch {
	case !settings.Staged():
		g.StagedSince = 0
	case !g.Rollout.Staged():
		g.StagedSince = version
	}
	g.Rollout = settings
	return g
}

// staged is nil where nothing is, as in events that were stored before anything could be.
func staged(settings rollout.Settings) *eventv1.RolloutSettings {
	if !settings.Staged() {
		return nil
	}
	return settings.ToProto()
}
