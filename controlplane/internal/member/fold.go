package member

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(m Member, e eventlog.Event) (Member, error) {
	switch body := e.Body.(type) {
	case *eventv1.MemberAdded:
		m = Member{ID: e.Subject, Role: body.GetRole(), CreatedAt: e.RecordedAt}
		if text := body.GetJoinDomainId(); text != "" {
			var err error
			if m.JoinDomainID, err = uuid.Parse(text); err != nil {
				return m, fmt.Errorf("fold member %s: join domain: %w", e.Subject, err)
			}
		}
	case *eventv1.MemberInvited:
		m = Member{
			ID: e.Subject, Role: body.GetRole(), CreatedAt: e.RecordedAt, InvitationExpiresAt: body.GetExpiresAt().AsTime(),
		}
	case *eventv1.MemberJoined:
		m.InvitationExpiresAt = time.Time{}
	case *eventv1.MemberRoleChanged:
		m.Role = body.GetRole()
	case *eventv1.MemberRemoved:
		m.RemovedAt = e.RecordedAt
	case *eventv1.MemberErased:
		m.ErasedAt = e.RecordedAt
	case *eventv1.MemberSessionsRevoked: // is for the audit
	default:
		return m, fmt.Errorf("fold member: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	m.Version = e.Version
	return m, nil
}
