// Package conduct leads rollouts: it looks at the agents that have a candidate, and
// commits what package rollout decides of what it sees. Every process with the fleet
// role does; a decision stands only on the log that it was made from, so that they
// agree, and any of them goes on where another one died.
package conduct

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// DefaultEvery is how often every staged gateway is looked at.
const DefaultEvery = time.Second

// actor is who the log says decided.
const actor = "rollout"

// Config of a Conductor; Every of 0 is DefaultEvery.
type Config struct {
	Store  *readmodel.Store
	Runner *command.Runner
	Log    *slog.Logger
	Every  time.Duration
}

// Conductor leads the rollouts of every organization.
type Conductor struct{ Config }

// New returns a conductor that leads while Run runs.
func New(config Config) *Conductor {
	if config.Every == 0 {
		config.Every = DefaultEvery
	}
	return &Conductor{config}
}

// Run looks at every staged gateway, again and again, until ctx ends.
func (c *Conductor) Run(ctx context.Context) {
	every := time.NewTicker(c.Every)
	defer every.Stop()
	for {
		if err := c.look(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("rollouts stand still", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (c *Conductor) look(ctx context.Context) error {
	staged, err := c.Store.StagedGateways(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, g := range staged {
		faults = append(faults, c.lead(ctx, g))
	}
	return errors.Join(faults...)
}

// lead does what follows at one gateway. Most looks write nothing.
func (c *Conductor) lead(ctx context.Context, at readmodel.Staged) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	var changes []eventlog.Change
	decide := func(ctx context.Context, v readmodel.View) (command.Plan, error) {
		scene, err := See(ctx, v, at.GatewayID)
		if err != nil {
			return command.Plan{}, err
		}
		changes = scene.Stage.Next(id, at.GatewayID, scene.Look)
		return command.Plan{Changes: changes, Parts: []pglog.Part{NoteBaselines}}, nil
	}
	if err := c.noteApplied(ctx, at); err != nil {
		return err
	}
	err = c.Store.Read(ctx, at.OrganizationID, func(v readmodel.View) error {
		_, err := decide(ctx, v)
		return err
	})
	if err != nil || len(changes) == 0 {
		return ended(err)
	}
	recorded, err := c.Runner.Commit(ctx, command.Origin{Organization: at.OrganizationID, Actor: actor}, decide)
	for _, e := range recorded {
		c.Log.Info("rollout", "organization_id", at.OrganizationID, "gateway_id", at.GatewayID, "rollout_id", e.Subject,
			"event", e.Kind, "version", e.Version)
	}
	return ended(err)
}

// ended is nil where the gateway, or its organization, came to an end meanwhile.
func ended(err error) error {
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Precondition) {
		return nil
	}
	return err
}
