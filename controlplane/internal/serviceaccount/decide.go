package serviceaccount

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Creation is what Create needs.
type Creation struct {
	ID   uuid.UUID
	Name string
	Role eventv1.Role
	// By is the caller's own role.
	By eventv1.Role
	// NameTaken: a service account of the organization has the name.
	NameTaken bool
}

// Create makes an account without a token.
func Create(c Creation) ([]eventlog.Change, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.ServiceAccountCreated{Name: c.Name, Role: c.Role}}}, nil
}

func (c Creation) check() error {
	if err := slug.Check("name", c.Name); err != nil {
		return err
	}
	if _, known := eventv1.Role_name[int32(c.Role)]; !known || c.Role == eventv1.Role_ROLE_UNSPECIFIED {
		return fault.Field("role", "want a role")
	}
	if err := notAbove(c.Role, c.By); err != nil {
		return err
	}
	if c.NameTaken {
		return fault.Because(fault.Conflict, "name_taken", "a service account named %q exists", c.Name)
	}
	return nil
}

// Update changes name and role; the ID of c is the account's own.
func (a ServiceAccount) Update(c Creation) ([]eventlog.Change, error) {
	if err := notAbove(a.Role, c.By); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Name == a.Name && c.Role == a.Role {
		return nil, nil
	}
	return []eventlog.Change{{Subject: a.ID, Body: &eventv1.ServiceAccountUpdated{Name: c.Name, Role: c.Role}}}, nil
}

// Archive ends the account, its tokens and its roles on projects, for ever.
func (a ServiceAccount) Archive(tokens []Token, bound []rolebinding.Binding, by eventv1.Role) ([]eventlog.Change, error) {
	changes := rolebinding.Archive(bound...)
	for _, t := range tokens {
		revoked, err := a.RevokeToken(t, "its service account was deleted", by)
		if err != nil {
			return nil, err
		}
		changes = append(changes, revoked...)
	}
	return append(changes, eventlog.Change{Subject: a.ID, Body: &eventv1.ServiceAccountArchived{}}), notAbove(a.Role, by)
}

// TokenCreation is what CreateToken needs.
type TokenCreation struct {
	ID     uuid.UUID
	Name   string
	SHA256 [32]byte
	Suffix string
	// ExpiresAt is zero for a token that never expires.
	ExpiresAt time.Time
	Now       time.Time
	// By is the caller's own role.
	By eventv1.Role
}

// CreateToken makes a bearer token of the account known by its hash.
func (a ServiceAccount) CreateToken(c TokenCreation) ([]eventlog.Change, error) {
	if err := slug.Check("name", c.Name); err != nil {
		return nil, err
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(c.Now) {
		return nil, fault.Field("expires_at", "want a time to come")
	}
	if err := notAbove(a.Role, c.By); err != nil {
		return nil, err
	}
	created := &eventv1.ServiceAccountTokenCreated{
		ServiceAccountId: a.ID.String(), Name: c.Name, Sha256: c.SHA256[:], Suffix: c.Suffix,
	}
	if !c.ExpiresAt.IsZero() {
		created.ExpiresAt = timestamppb.New(c.ExpiresAt)
	}
	return []eventlog.Change{{Subject: c.ID, Body: created}}, nil
}

// RevokeToken ends a token of the account for ever. Said twice it is true once.
func (a ServiceAccount) RevokeToken(t Token, reason string, by eventv1.Role) ([]eventlog.Change, error) {
	if err := notAbove(a.Role, by); err != nil {
		return nil, err
	}
	if !t.RevokedAt.IsZero() {
		return nil, nil
	}
	return []eventlog.Change{{Subject: t.ID, Body: &eventv1.ServiceAccountTokenRevoked{Reason: reason}}}, nil
}

// notAbove holds that roles with lower numbers include those with higher ones.
func notAbove(role, by eventv1.Role) error {
	if by == eventv1.Role_ROLE_UNSPECIFIED || role < by {
		return fault.Because(fault.Denied, "role_above_own", "the service account's role is above the caller's own")
	}
	return nil
}
