package member

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// How long an invitation lasts.
const (
	DefaultInvitation = 14 * 24 * time.Hour
	MaxInvitation     = 90 * 24 * time.Hour
)

// Invitation is what Invite needs.
type Invitation struct {
	ID   uuid.UUID
	Role eventv1.Role
	// By is the caller's own role.
	By eventv1.Role
	// ExpiresAt is zero for the default.
	ExpiresAt time.Time
	Now       time.Time
	// Holder is the member, not removed, who has the address; nil: nobody.
	Holder *Member
	// Bound are the holder's roles on projects.
	Bound []rolebinding.Binding
}

// Invite lets somebody join. No changes: the holder is this very invitation.
func Invite(i Invitation) ([]eventlog.Change, error) {
	if err := known(i.Role); err != nil {
		return nil, err
	}
	if err := notAbove(i.Role, i.By); err != nil {
		return nil, err
	}
	if i.ExpiresAt.IsZero() {
		i.ExpiresAt = i.Now.Add(DefaultInvitation)
	}
	if !i.ExpiresAt.After(i.Now) || i.ExpiresAt.After(i.Now.Add(MaxInvitation)) {
		return nil, fault.Field("expires_at", "want a time to come, within 90 days")
	}
	invited := []eventlog.Change{{
		Subject: i.ID, Body: &eventv1.MemberInvited{Role: i.Role, ExpiresAt: timestamppb.New(i.ExpiresAt)},
	}}
	switch holder := i.Holder; {
	case holder == nil:
		return invited, nil
	case holder.Active():
		return nil, fault.Because(fault.Conflict, "already_member", "a member has this address")
	case i.Now.Before(holder.InvitationExpiresAt) && holder.Role == i.Role:
		return nil, nil // said twice, true once
	case i.Now.Before(holder.InvitationExpiresAt):
		return nil, fault.Because(fault.Conflict, "already_invited",
			"this address is invited with another role; change the role of member %s", holder.ID)
	default:
		ended, err := holder.Remove(i.By, false, i.Bound)
		return append(ended, invited...), err
	}
}

// Join makes a member of who was invited and logged in. No changes: there is
// nothing to join, or nothing any more.
func (m Member) Join(now time.Time) []eventlog.Change {
	if !m.Invited() || !now.Before(m.InvitationExpiresAt) {
		return nil
	}
	return []eventlog.Change{{Subject: m.ID, Body: &eventv1.MemberJoined{}}}
}
