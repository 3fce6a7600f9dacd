package key

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/limit"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Secret is what is kept of a key's text.
type Secret struct {
	SHA256 [32]byte
	Suffix string
}

// Creation is what Create needs.
type Creation struct {
	ID        uuid.UUID
	ProjectID uuid.UUID
	Settings
	Secret
}

// Create makes a key known by its hash.
func Create(c Creation, w World) ([]eventlog.Change, error) {
	if !w.ProjectExists {
		return nil, fault.Because(fault.NotFound, "project_not_found", "no project %s", c.ProjectID)
	}
	complete, err := c.complete(w)
	if err != nil {
		return nil, err
	}
	if err := expiresLater(c.ExpiresAt, w.Now); err != nil {
		return nil, err
	}
	if w.NameTaken {
		return nil, taken(c.Name)
	}
	s := complete.toEvent()
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.KeyCreated{
		ProjectId: c.ProjectID.String(), Name: s.Name, Sha256: c.SHA256[:], Suffix: c.Suffix,
		RouteIds: s.RouteIds, ExpiresAt: s.ExpiresAt, Labels: s.Labels,
		Weight: s.Weight, Priority: s.Priority,
	}}}, nil
}

// Update changes what a living key may do. A new expiry may be now or past: the
// key is expired from then on.
func (k Key) Update(s Settings, w World) ([]eventlog.Change, error) {
	if err := k.lives("change"); err != nil {
		return nil, err
	}
	s, err := s.complete(w)
	if err != nil {
		return nil, err
	}
	if proto.Equal(s.toEvent(), k.toEvent()) {
		return nil, nil
	}
	if w.NameTaken {
		return nil, taken(s.Name)
	}
	return []eventlog.Change{{Subject: k.ID, Body: s.toEvent()}}, nil
}

// Rotate gives the key a new secret; the old one lives for the overlap.
func (k Key) Rotate(fresh Secret, overlap time.Duration, now time.Time) ([]eventlog.Change, error) {
	if err := k.lives("rotate"); err != nil {
		return nil, err
	}
	if !k.Lives(now) {
		return nil, fault.Because(fault.Precondition, "key_expired", "the key %q expired; give it a later expires_at first", k.Name)
	}
	return []eventlog.Change{{Subject: k.ID, Body: &eventv1.KeyRotated{
		Sha256: fresh.SHA256[:], Suffix: fresh.Suffix, PreviousExpiresAt: timestamppb.New(now.Add(overlap)),
	}}}, nil
}

// EndOverlap ends the secret before the last rotation before its time. Said twice it is
// true once: the first reason and time stay.
func (k Key) EndOverlap(reason string, now time.Time) ([]eventlog.Change, error) {
	if err := k.lives("end the overlap of"); err != nil {
		return nil, err
	}
	if k.Previous == nil {
		return nil, fault.Because(fault.Precondition, "key_not_rotated", "the key %q was never rotated: it has one secret, which RotateKey replaces", k.Name)
	}
	if !now.Before(k.Previous.ExpiresAt) {
		return nil, nil
	}
	return []eventlog.Change{{
		Subject: k.ID,
		Body:    &eventv1.KeyOverlapEnded{Reason: reason, EndedAt: timestamppb.New(now)},
	}}, nil
}

func (k Key) lives(to string) error {
	if k.RevokedAt.IsZero() {
		return nil
	}
	return fault.Because(fault.Precondition, "key_revoked", "the key %q was revoked, for ever; there is nothing to %s", k.Name, to)
}

// Revoke ends a key for ever. Said twice it is true once: the first reason and
// time stay.
func (k Key) Revoke(reason string, now time.Time) ([]eventlog.Change, error) {
	if !k.RevokedAt.IsZero() {
		return nil, nil
	}
	return []eventlog.Change{{
		Subject: k.ID,
		Body:    &eventv1.KeyRevoked{Reason: reason, RevokedAt: timestamppb.New(now)},
	}}, nil
}

// Archive takes the key out of lists; one that lives is revoked with it, and limits
// and budgets on it end with it.
func (k Key) Archive(reason string, now time.Time, limits []limit.Limit, budgets []budget.Budget) ([]eventlog.Change, error) {
	changes, err := k.Revoke(reason, now)
	changes = append(changes, limit.Archive(limits...)...)
	changes = append(changes, budget.Archive(budgets...)...)
	return append(changes, eventlog.Change{Subject: k.ID, Body: &eventv1.KeyArchived{}}), err
}

func taken(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "the project has a key named %q that is not revoked", name)
}
