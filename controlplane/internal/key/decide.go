package key

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Creation is what Create needs.
type Creation struct {
	ID        uuid.UUID
	ProjectID uuid.UUID
	Name      string
	SHA256    [32]byte
	Suffix    string
	RouteIDs  []uuid.UUID
	// ExpiresAt is zero for a key that never expires.
	ExpiresAt time.Time
	Now       time.Time

	// ProjectExists in the organization.
	ProjectExists bool
	// Routes are those of the organization that RouteIDs name.
	Routes map[uuid.UUID]bool
	// NameTaken: a key of the project that is not revoked has the name.
	NameTaken bool
}

// Create makes a key known by its hash.
func Create(c Creation) ([]eventlog.Change, error) {
	if err := slug.Check("name", c.Name); err != nil {
		return nil, err
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(c.Now) {
		return nil, fault.Field("expires_at", "want a time to come")
	}
	if !c.ProjectExists {
		return nil, fault.Because(fault.NotFound, "project_not_found", "no project %s", c.ProjectID)
	}
	for _, id := range c.RouteIDs {
		if !c.Routes[id] {
			return nil, fault.Because(fault.NotFound, "route_not_found", "no route %s", id)
		}
	}
	if c.NameTaken {
		return nil, fault.Because(fault.Conflict, "name_taken", "the project has a key named %q that is not revoked", c.Name)
	}
	return []eventlog.Change{{Subject: c.ID, Body: c.event()}}, nil
}

func (c Creation) event() *eventv1.KeyCreated {
	created := &eventv1.KeyCreated{
		ProjectId: c.ProjectID.String(), Name: c.Name, Sha256: c.SHA256[:], Suffix: c.Suffix,
	}
	for _, id := range c.RouteIDs {
		created.RouteIds = append(created.RouteIds, id.String())
	}
	if !c.ExpiresAt.IsZero() {
		created.ExpiresAt = timestamppb.New(c.ExpiresAt)
	}
	return created
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
