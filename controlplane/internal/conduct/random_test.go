package conduct_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/conduct"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Whatever people and agents do, what each agent is sent only grows (the agents watch
// that), nobody serves a revoked key, and in the end each has what the log says.
func TestRandomRollouts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	in := install(t, quick)
	in.start()
	other := in.start()
	agents := in.fleetOf(6, "model-7") // a hold, where it comes
	revoked, living := []string{}, map[string]uuid.UUID{}
	for n := range 150 {
		switch dice.IntN(12) {
		case 0, 1, 2:
			in.reroute(fmt.Sprint("model-", n))
		case 3:
			living[fmt.Sprint("key-", n)] = in.addKey(fmt.Sprint("key-", n))
		case 4:
			for text, id := range living {
				in.revoke(id)
				revoked = append(revoked, text)
				delete(living, text)
				break
			}
		case 5:
			in.try(func(s conduct.Scene) ([]eventlog.Change, error) {
				return s.Stage.Promote(last(s), dice.IntN(3) == 0, s.Look)
			})
		case 6:
			in.try(func(s conduct.Scene) ([]eventlog.Change, error) { return last(s).HoldAt("") })
		case 7:
			in.try(func(s conduct.Scene) ([]eventlog.Change, error) { return last(s).Resume() })
		case 8:
			to := 6 + dice.Int64N(in.head()-5)
			in.try(func(s conduct.Scene) ([]eventlog.Change, error) {
				return s.Stage.GoBack(uuid.New(), in.gateway, to, "")
			})
		case 9:
			in.try(func(s conduct.Scene) ([]eventlog.Change, error) { return s.Stage.GoForward() })
		case 10:
			a := agents[dice.IntN(len(agents))]
			a.stop()
			a.start()
		case 11:
			if dice.IntN(4) == 0 {
				other.kill()
				other = in.start()
			}
		}
		time.Sleep(time.Duration(dice.IntN(120)) * time.Millisecond)
	}
	models := in.models()
	eventually(t, "every agent has what the log says", func() bool {
		stage := in.stage()
		for _, a := range agents {
			version := stage.Configuration(stage.TrackOf(a.id))
			if wanted := models(version); !a.has(wanted) && wanted != "model-7" {
				return false
			}
			for text := range living { // the last one may have been made a moment ago
				if a.serves(text) == "" && !a.saw("model-7") {
					return false
				}
			}
		}
		return true
	})
	for _, a := range agents {
		for _, text := range revoked {
			if a.serves(text) != "" {
				t.Errorf("agent %s serves the revoked %s", a.id, text)
			}
		}
	}
	t.Logf("%d began, %d started anew, %d advanced, %d held, %d went back, %d finished", len(in.events("RolloutStarted")),
		len(in.events("RolloutRestarted")), len(in.events("RolloutAdvanced")), len(in.events("RolloutHeld")),
		len(in.events("GatewayWentBack")), len(in.events("RolloutFinished")))
	in.oneRootEach(agents)
}

func last(s conduct.Scene) rollout.Rollout {
	if s.Stage.Last == nil {
		return rollout.Rollout{State: rollout.Finished}
	}
	return *s.Stage.Last
}

// try commits what somebody decides, if it can be.
func (in *installation) try(decide func(conduct.Scene) ([]eventlog.Change, error)) {
	in.t.Helper()
	origin := command.Origin{Organization: in.organization, Actor: "operator", Operator: true}
	_, err := in.runner.Commit(context.Background(), origin, func(ctx context.Context, v readmodel.View) (command.Plan, error) {
		scene, err := conduct.See(ctx, v, in.gateway)
		if err != nil {
			return command.Plan{}, err
		}
		changes, err := decide(scene)
		return command.Plan{Changes: changes, Parts: []pglog.Part{conduct.NoteBaselines}}, err
	})
	if err != nil && !fault.Is(err, fault.Precondition) {
		in.t.Fatal(err)
	}
}

func (in *installation) head() (head int64) {
	in.t.Helper()
	err := in.store.Read(context.Background(), in.organization, func(v readmodel.View) (err error) {
		head, err = readmodel.Head(context.Background(), v)
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return head
}

// models tells which model the route led to at a version; 0: now.
func (in *installation) models() func(version int64) string {
	updates := in.events("RouteUpdated")
	return func(version int64) string {
		model := "first"
		for _, e := range updates {
			if version == 0 || e.Version <= version {
				model = e.Body.(*eventv1.RouteUpdated).GetSettings().GetTargets()[0].GetModel()
			}
		}
		return model
	}
}

// oneRootEach holds what agents were sent against what was released: one root for each
// (epoch, version, track), and nothing else.
func (in *installation) oneRootEach(agents []*agent) {
	in.t.Helper()
	type key struct {
		position
		root string
	}
	var sent []key // before what is released: it goes on
	for _, a := range agents {
		a.mu.Lock()
		for at, root := range a.roots {
			sent = append(sent, key{at, root})
		}
		a.mu.Unlock()
	}
	released := map[key]bool{}
	err := in.db.InOrganization(context.Background(), in.organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(context.Background(), `SELECT epoch, version, root FROM release WHERE gateway_id = $1`, in.gateway)
		if err != nil {
			return err
		}
		var k key
		var root []byte
		_, err = pgx.ForEachRow(rows, []any{&k.epoch, &k.version, &root}, func() error {
			k.root = string(root)
			released[k] = true
			return nil
		})
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	for _, k := range sent {
		if !released[k] {
			in.t.Errorf("another root was sent at %v than was released", k.position)
		}
	}
	in.t.Logf("%d releases", len(released))
}
