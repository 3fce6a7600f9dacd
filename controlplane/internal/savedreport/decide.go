package savedreport

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Creation is what Create needs.
type Creation struct {
	ID uuid.UUID
	Settings
	// NameTaken: a report of the organization has the name.
	NameTaken bool
}

// Create begins a report.
func Create(c Creation) ([]eventlog.Change, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.NameTaken {
		return nil, taken(c.Name)
	}
	return []eventlog.Change{{
		Subject: c.ID,
		Body:    &eventv1.SavedReportCreated{Name: c.Name, Description: c.Description, Sql: c.SQL},
	}}, nil
}

// Update changes the settings. nameTaken: another report of the organization has the
// new name.
func (r SavedReport) Update(s Settings, nameTaken bool) ([]eventlog.Change, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s == r.Settings {
		return nil, nil
	}
	if nameTaken {
		return nil, taken(s.Name)
	}
	return []eventlog.Change{{
		Subject: r.ID,
		Body:    &eventv1.SavedReportUpdated{Name: s.Name, Description: s.Description, Sql: s.SQL},
	}}, nil
}

// Archive ends a report.
func (r SavedReport) Archive() []eventlog.Change {
	return []eventlog.Change{{Subject: r.ID, Body: &eventv1.SavedReportArchived{}}}
}

// Restore brings an archived report back as it was.
func (r SavedReport) Restore(nameTaken bool) ([]eventlog.Change, error) {
	if nameTaken {
		return nil, taken(r.Name)
	}
	return []eventlog.Change{{
		Subject: r.ID,
		Body: &eventv1.SavedReportRestored{
			Name: r.Name, Description: r.Description, Sql: r.SQL, CreatedAt: timestamppb.New(r.CreatedAt),
		},
	}}, nil
}

func taken(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "a saved report named %q exists", name)
}
