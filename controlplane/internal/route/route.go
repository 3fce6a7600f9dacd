// Package route decides about routes: the names that applications write in `model`.
package route

import (
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Route is a name with its targets as the log has it.
type Route struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
}

// Settings are what people choose.
type Settings struct {
	Name     string            `json:"name"`
	Strategy eventv1.Strategy  `json:"strategy"`
	Targets  []Target          `json:"targets"`
	Timeouts timeouts.Timeouts `json:"timeouts"`
	// AllowedProjectIDs whose keys may use it; empty: all.
	AllowedProjectIDs []uuid.UUID `json:"allowed_project_ids,omitempty"`
	// Retry is nil where nothing is said.
	Retry *Retry `json:"retry,omitempty"`
	// Strict: what translation would leave out is refused.
	Strict bool `json:"strict,omitempty"`
	// Sticky is there with the strategy STICKY, and else nil.
	Sticky *Sticky `json:"sticky,omitempty"`
	// Hedge, Canary and Shadow are nil where there is none.
	Hedge  *Hedge `json:"hedge,omitempty"`
	Canary *Share `json:"canary,omitempty"`
	Shadow *Share `json:"shadow,omitempty"`
}

// EveryTarget goes through all that the route may send to, by their fields: "targets[0]",
// "canary.target".
func (s Settings) EveryTarget() iter.Seq2[string, Target] {
	return func(yield func(string, Target) bool) {
		for i, t := range s.Targets {
			if !yield(fmt.Sprintf("targets[%d]", i), t) {
				return
			}
		}
		if s.Canary != nil && !yield(canaryField, s.Canary.Target) {
			return
		}
		if s.Shadow != nil {
			yield(shadowField, s.Shadow.Target)
		}
	}
}

// Target is one upstream model.
type Target struct {
	ProviderID uuid.UUID `json:"provider_id"`
	Model      string    `json:"model"`
	// Weight is 1 to 1000 with the strategy WEIGHTED, else 0.
	Weight int32 `json:"weight,omitempty"`
	// When it is a candidate (contract/condition); empty: always.
	When string `json:"when,omitempty"`
}

// World is what decisions about a route depend on.
type World struct {
	// Providers are those of the organization that targets name.
	Providers map[uuid.UUID]provider.Provider
	// Projects are those of the organization that may use it.
	Projects map[uuid.UUID]bool
	// NameTaken: another route of the organization has the name.
	NameTaken bool
}
