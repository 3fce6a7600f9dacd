// Package route decides about routes: the names that applications write in `model`.
package route

import (
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
}

// Target is one upstream model.
type Target struct {
	ProviderID uuid.UUID `json:"provider_id"`
	Model      string    `json:"model"`
	// Weight is 1 to 1000 with the strategy WEIGHTED, else 0.
	Weight int32 `json:"weight,omitempty"`
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
