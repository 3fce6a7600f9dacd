// Package member decides about the people of an organization. Their names and
// addresses are not here: those live in one erasable table. It knows no clock and
// no I/O.
package member

import (
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Member is a person's place in an organization as its log has it.
type Member struct {
	ID   uuid.UUID    `json:"id"`
	Role eventv1.Role `json:"role"`
	// InvitationExpiresAt is zero for who is no invitation, or joined.
	InvitationExpiresAt time.Time `json:"invitation_expires_at,omitzero"`
	// JoinDomainID let the person in; uuid.Nil for who was named or invited.
	JoinDomainID uuid.UUID `json:"join_domain_id,omitzero"`
	// RemovedAt and ErasedAt are zero for who was not.
	RemovedAt time.Time `json:"removed_at,omitzero"`
	ErasedAt  time.Time `json:"erased_at,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Invited tells who may join and has not.
func (m Member) Invited() bool { return !m.InvitationExpiresAt.IsZero() && m.RemovedAt.IsZero() }

// Active tells who may log in.
func (m Member) Active() bool { return m.InvitationExpiresAt.IsZero() && m.RemovedAt.IsZero() }

// Add gives somebody a role without an invitation: the first owner, and who joins
// by a domain. domain is uuid.Nil for the former.
func Add(id uuid.UUID, role eventv1.Role, domain uuid.UUID) ([]eventlog.Change, error) {
	if err := known(role); err != nil {
		return nil, err
	}
	added := &eventv1.MemberAdded{Role: role}
	if domain != uuid.Nil {
		added.JoinDomainId = domain.String()
	}
	return []eventlog.Change{{Subject: id, Body: added}}, nil
}

func known(role eventv1.Role) error {
	if _, known := eventv1.Role_name[int32(role)]; !known || role == eventv1.Role_ROLE_UNSPECIFIED {
		return fault.Field("role", "want a role")
	}
	return nil
}

// notAbove holds that roles with lower numbers include those with higher ones.
func notAbove(role, by eventv1.Role) error {
	if by == eventv1.Role_ROLE_UNSPECIFIED || role < by {
		return fault.Because(fault.Denied, "role_above_own",
			"nobody gives, takes or ends a role above their own; ask somebody who has it")
	}
	return nil
}
