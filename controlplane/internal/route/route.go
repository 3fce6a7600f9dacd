// Package route decides about routes: the names that applications write in `model`.
package route

import (
	"time"

	"github.com/google/uuid"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Route is a name with its targets as the log has it.
type Route struct {
	ID        uuid.UUID        `json:"id"`
	Name      string           `json:"name"`
	Strategy  eventv1.Strategy `json:"strategy"`
	Targets   []Target         `json:"targets"`
	CreatedAt time.Time        `json:"created_at"`
	Version   int64            `json:"version"`
}

// Target is one upstream model.
type Target struct {
	ProviderID uuid.UUID `json:"provider_id"`
	Model      string    `json:"model"`
}
