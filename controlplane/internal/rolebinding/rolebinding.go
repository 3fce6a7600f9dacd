// Package rolebinding decides about the roles that members and service accounts have
// on single projects, beside their role in the organization. It knows no clock and
// no I/O.
package rolebinding

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Binding is a role on a project as the log has it.
type Binding struct {
	ID uuid.UUID `json:"id"`
	// MemberID or ServiceAccountID; the other is uuid.Nil.
	MemberID         uuid.UUID    `json:"member_id,omitzero"`
	ServiceAccountID uuid.UUID    `json:"service_account_id,omitzero"`
	Role             eventv1.Role `json:"role"`
	ProjectID        uuid.UUID    `json:"project_id"`
	CreatedAt        time.Time    `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Principal is who is bound.
func (b Binding) Principal() uuid.UUID {
	if b.MemberID != uuid.Nil {
		return b.MemberID
	}
	return b.ServiceAccountID
}

// Creation is what Create needs.
type Creation struct {
	// Binding as it is wanted.
	Binding
	// By is the caller's own role in the organization.
	By eventv1.Role
	// Bound: the two are bound already.
	Bound bool
}

// Create binds a principal to a project; both exist.
func Create(c Creation) ([]eventlog.Change, error) {
	if c.Role < eventv1.Role_ROLE_ADMIN || c.Role > eventv1.Role_ROLE_VIEWER {
		return nil, fault.Field("role", "want admin, operator, analyst or viewer")
	}
	if c.By == eventv1.Role_ROLE_UNSPECIFIED || c.Role < c.By {
		return nil, fault.Because(fault.Denied, "role_above_own", "nobody binds a role above their own; ask somebody who has it")
	}
	if (c.MemberID == uuid.Nil) == (c.ServiceAccountID == uuid.Nil) {
		return nil, fault.Field("principal", "want a member or a service account")
	}
	if c.Bound {
		return nil, fault.Because(fault.Conflict, "already_bound",
			"there is a binding of the two; delete it to give another role")
	}
	body := &eventv1.RoleBindingCreated{Role: c.Role, ProjectId: c.ProjectID.String()}
	if c.MemberID != uuid.Nil {
		body.MemberId = c.MemberID.String()
	} else {
		body.ServiceAccountId = c.ServiceAccountID.String()
	}
	return []eventlog.Change{{Subject: c.ID, Body: body}}, nil
}

// Archive ends bindings: one by itself, all of them with what they bind.
func Archive(bindings ...Binding) []eventlog.Change {
	var changes []eventlog.Change
	for _, b := range bindings {
		changes = append(changes, eventlog.Change{Subject: b.ID, Body: &eventv1.RoleBindingArchived{}})
	}
	return changes
}

// Apply folds one event into the state.
func Apply(b Binding, e eventlog.Event) (Binding, error) {
	body, ok := e.Body.(*eventv1.RoleBindingCreated)
	if !ok {
		return b, fmt.Errorf("fold role binding: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	b = Binding{ID: e.Subject, Role: body.GetRole(), CreatedAt: e.RecordedAt, Version: e.Version}
	for text, id := range map[string]*uuid.UUID{
		body.GetMemberId(): &b.MemberID, body.GetServiceAccountId(): &b.ServiceAccountID, body.GetProjectId(): &b.ProjectID,
	} {
		if text == "" {
			continue
		}
		var err error
		if *id, err = uuid.Parse(text); err != nil {
			return b, fmt.Errorf("fold role binding %s: %w", e.Subject, err)
		}
	}
	return b, nil
}
