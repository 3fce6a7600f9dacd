// Package member decides about the people of an organization. Their names and
// addresses are not here: those live in one erasable table.
package member

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Member is a person's place in an organization as its log has it.
type Member struct {
	ID        uuid.UUID    `json:"id"`
	Role      eventv1.Role `json:"role"`
	CreatedAt time.Time    `json:"created_at"`
	Version   int64        `json:"version"`
}

// Add gives somebody a role.
func Add(id uuid.UUID, role eventv1.Role) ([]eventlog.Change, error) {
	if _, known := eventv1.Role_name[int32(role)]; !known || role == eventv1.Role_ROLE_UNSPECIFIED {
		return nil, fault.Field("role", "want a role")
	}
	return []eventlog.Change{{Subject: id, Body: &eventv1.MemberAdded{Role: role}}}, nil
}

// Apply folds one event into the state.
func Apply(m Member, e eventlog.Event) (Member, error) {
	switch body := e.Body.(type) {
	case *eventv1.MemberAdded:
		m = Member{ID: e.Subject, Role: body.GetRole(), CreatedAt: e.RecordedAt}
	default:
		return m, fmt.Errorf("fold member: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	m.Version = e.Version
	return m, nil
}
