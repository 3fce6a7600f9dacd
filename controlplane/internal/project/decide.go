package project

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Creation is what Create needs.
type Creation struct {
	ID uuid.UUID
	Settings
	// NameTaken: a project of the organization has the name.
	NameTaken bool
}

// Create begins a project. An empty display name becomes the name.
func Create(c Creation) ([]eventlog.Change, error) {
	s, err := c.complete()
	if err != nil {
		return nil, err
	}
	if c.NameTaken {
		return nil, taken(s.Name)
	}
	return []eventlog.Change{{
		Subject: c.ID,
		Body:    &eventv1.ProjectCreated{Name: s.Name, DisplayName: s.DisplayName, Weight: int32(s.Weight)},
	}}, nil
}

// Update changes the settings. nameTaken: another project of the organization has
// the new name.
func (p Project) Update(s Settings, nameTaken bool) ([]eventlog.Change, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	if s == p.Settings {
		return nil, nil
	}
	if nameTaken {
		return nil, taken(s.Name)
	}
	return []eventlog.Change{{
		Subject: p.ID,
		Body:    &eventv1.ProjectUpdated{Name: s.Name, DisplayName: s.DisplayName, Weight: int32(s.Weight)},
	}}, nil
}

// Archive ends a project that nothing uses any more; roles bound to it end with it.
func (p Project) Archive(uses []fault.Use, bound []rolebinding.Binding) ([]eventlog.Change, error) {
	if len(uses) > 0 {
		return nil, fault.InUse("project", p.Name, uses)
	}
	return append(rolebinding.Archive(bound...), eventlog.Change{Subject: p.ID, Body: &eventv1.ProjectArchived{}}), nil
}

// Restore brings an archived project back as it was.
func (p Project) Restore(nameTaken bool) ([]eventlog.Change, error) {
	if nameTaken {
		return nil, taken(p.Name)
	}
	return []eventlog.Change{{
		Subject: p.ID,
		Body: &eventv1.ProjectRestored{
			Name: p.Name, DisplayName: p.DisplayName, CreatedAt: timestamppb.New(p.CreatedAt), Weight: int32(p.Weight),
		},
	}}, nil
}

func taken(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "a project named %q exists", name)
}
