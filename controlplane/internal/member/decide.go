package member

import (
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// ChangeRole gives another role. by is the caller's own; lastOwner: no other active
// member is an owner.
func (m Member) ChangeRole(role, by eventv1.Role, lastOwner bool) ([]eventlog.Change, error) {
	if err := known(role); err != nil {
		return nil, err
	}
	if err := m.within(by); err != nil {
		return nil, err
	}
	if err := notAbove(role, by); err != nil {
		return nil, err
	}
	if !m.RemovedAt.IsZero() {
		return nil, fault.Because(fault.Precondition, "member_removed", "the member was removed; invite the person again")
	}
	if role == m.Role {
		return nil, nil
	}
	if err := m.dispensable(lastOwner); err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: m.ID, Body: &eventv1.MemberRoleChanged{Role: role}}}, nil
}

// Remove ends a member or an invitation for ever, and its roles on projects. Said
// twice it is true once.
func (m Member) Remove(by eventv1.Role, lastOwner bool, bound []rolebinding.Binding) ([]eventlog.Change, error) {
	if err := m.within(by); err != nil {
		return nil, err
	}
	if !m.RemovedAt.IsZero() {
		return nil, nil
	}
	if err := m.dispensable(lastOwner); err != nil {
		return nil, err
	}
	return append(rolebinding.Archive(bound...), eventlog.Change{Subject: m.ID, Body: &eventv1.MemberRemoved{}}), nil
}

// Erase is Remove, after which nobody knows who it was.
func (m Member) Erase(by eventv1.Role, lastOwner bool, bound []rolebinding.Binding) ([]eventlog.Change, error) {
	changes, err := m.Remove(by, lastOwner, bound)
	if err != nil || !m.ErasedAt.IsZero() {
		return nil, err
	}
	return append(changes, eventlog.Change{Subject: m.ID, Body: &eventv1.MemberErased{}}), nil
}

// RevokeSessions records that console logins were ended; uuid.Nil: all of them.
func (m Member) RevokeSessions(session uuid.UUID, by eventv1.Role) ([]eventlog.Change, error) {
	if err := m.within(by); err != nil {
		return nil, err
	}
	revoked := &eventv1.MemberSessionsRevoked{}
	if session != uuid.Nil {
		revoked.SessionId = session.String()
	}
	return []eventlog.Change{{Subject: m.ID, Body: revoked}}, nil
}

// within holds that the member's role, as it is, is not above the caller's.
func (m Member) within(by eventv1.Role) error { return notAbove(m.Role, by) }

func (m Member) dispensable(lastOwner bool) error {
	if m.Role == eventv1.Role_ROLE_OWNER && m.Active() && lastOwner {
		return fault.Because(fault.Precondition, "last_owner",
			"this is the organization's last owner; make somebody else an owner first")
	}
	return nil
}
