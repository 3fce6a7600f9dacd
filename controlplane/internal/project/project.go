// Package project decides about projects: the teams or use cases that keys and
// spend attach to. It knows no clock and no I/O.
package project

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Project is a team or use case as the log has it.
type Project struct {
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
	// NameTaken: a project of the organization has the name.
	NameTaken bool
}

// Create begins a project. An empty display name becomes the name.
func Create(c Creation) ([]eventlog.Change, error) {
	if err := slug.Check("name", c.Name); err != nil {
		return nil, err
	}
	if c.NameTaken {
		return nil, fault.Because(fault.Conflict, "name_taken", "a project named %q exists", c.Name)
	}
	display := c.DisplayName
	if display == "" {
		display = c.Name
	}
	return []eventlog.Change{{
		Subject: c.ID,
		Body:    &eventv1.ProjectCreated{Name: c.Name, DisplayName: display},
	}}, nil
}

// Apply folds one event into the state.
func Apply(p Project, e eventlog.Event) (Project, error) {
	switch body := e.Body.(type) {
	case *eventv1.ProjectCreated:
		p = Project{ID: e.Subject, Name: body.GetName(), DisplayName: body.GetDisplayName(), CreatedAt: e.RecordedAt}
	default:
		return p, fmt.Errorf("fold project: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	p.Version = e.Version
	return p, nil
}
