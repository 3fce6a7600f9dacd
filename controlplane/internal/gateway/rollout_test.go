package gateway_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestSetRollout(t *testing.T) {
	g := gateway.Gateway{ID: uuid.New(), Name: "prod", Region: "local", CreatedAt: now}
	canary := rollout.Settings{Strategy: eventv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY}
	fold := func(g gateway.Gateway, version int64, changes []eventlog.Change) gateway.Gateway {
		t.Helper()
		for _, change := range changes {
			var err error
			if g, err = gateway.Apply(g, eventlog.Event{Subject: change.Subject, Version: version, Body: change.Body}); err != nil {
				t.Fatal(err)
			}
		}
		return g
	}
	changes, err := g.SetRollout(canary, rollout.Stage{})
	if err != nil {
		t.Fatal(err)
	}
	staged := fold(g, 7, changes)
	if staged.StagedSince != 7 || staged.Rollout.BakeSeconds != 300 {
		t.Errorf("staged: %+v", staged)
	}
	if again, err := staged.SetRollout(canary, rollout.Stage{}); again != nil || err != nil {
		t.Errorf("said twice: %v, %v", again, err)
	}
	slower := canary
	slower.BakeSeconds = 600
	if changes, err = staged.SetRollout(slower, rollout.Stage{}); err != nil || fold(staged, 9, changes).StagedSince != 7 {
		t.Errorf("another bake time: %v, %v", changes, err)
	}
	restored, err := staged.Restore(false, false)
	if back := fold(gateway.Gateway{}, 12, restored); err != nil || back.StagedSince != 12 || !back.Rollout.Equal(staged.Rollout) {
		t.Errorf("restored: %+v, %v", back, err)
	}
	open := rollout.NewStage(staged.Rollout, 7, &rollout.Rollout{ID: uuid.New(), State: rollout.Running, Candidate: 8}, 0)
	if changes, err = staged.SetRollout(rollout.Settings{}, open); err != nil || len(changes) != 2 || changes[1].Subject != open.Last.ID {
		t.Errorf("no longer staged: %v, %v", changes, err)
	} else if g := fold(staged, 13, changes[:1]); g.StagedSince != 0 || g.Rollout.Staged() {
		t.Errorf("no longer staged: %+v", g)
	}
	if _, err := g.SetRollout(rollout.Settings{BakeSeconds: 1}, rollout.Stage{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bake time of nothing: %v", err)
	}
}
