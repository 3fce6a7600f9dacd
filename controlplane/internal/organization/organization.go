// Package organization decides about tenants. It knows no clock and no I/O.
package organization

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Organization is a tenant as its log has it.
type Organization struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	CreatedAt   time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Creation is what Create needs.
type Creation struct {
	ID                uuid.UUID
	Name, DisplayName string
	// NameTaken: another organization has the name.
	NameTaken bool
}

// Create begins a tenant. An empty display name becomes the name.
func Create(c Creation) ([]eventlog.Change, error) {
	if err := slug.Check("name", c.Name); err != nil {
		return nil, err
	}
	if c.NameTaken {
		return nil, TakenName(c.Name)
	}
	display := c.DisplayName
	if display == "" {
		display = c.Name
	}
	return []eventlog.Change{{
		Subject: c.ID,
		Body:    &eventv1.OrganizationCreated{Name: c.Name, DisplayName: display},
	}}, nil
}

// TakenName is the fault for a name that another organization has.
func TakenName(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "an organization named %q exists", name)
}

// Apply folds one event into the state.
func Apply(o Organization, e eventlog.Event) (Organization, error) {
	switch body := e.Body.(type) {
	case *eventv1.OrganizationCreated:
		o = Organization{ID: e.Subject, Name: body.GetName(), DisplayName: body.GetDisplayName(), CreatedAt: e.RecordedAt}
	default:
		return o, fmt.Errorf("fold organization: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	o.Version = e.Version
	return o, nil
}
