package alertchannel

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// World is what a decision about settings needs to know besides them.
type World struct {
	// NameTaken: another channel of the organization has the name.
	NameTaken bool
	Networks  Networks
}

// Create begins a channel with its first secret.
func Create(id uuid.UUID, s Settings, w World) ([]eventlog.Change, error) {
	if err := s.check(w); err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: id, Body: &eventv1.AlertChannelCreated{Name: s.Name, Url: s.URL}}}, nil
}

// Update changes the settings.
func (c AlertChannel) Update(s Settings, w World) ([]eventlog.Change, error) {
	if s == c.Settings {
		return nil, nil
	}
	if err := s.check(w); err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.AlertChannelUpdated{Name: s.Name, Url: s.URL}}}, nil
}

// SetSecret lets another secret sign.
func (c AlertChannel) SetSecret() []eventlog.Change {
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.AlertChannelSecretSet{}}}
}

// Archive ends a channel that no budget tells any more.
func (c AlertChannel) Archive(uses []fault.Use) ([]eventlog.Change, error) {
	if len(uses) > 0 {
		return nil, fault.InUse("alert channel", c.Name, uses)
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.AlertChannelArchived{}}}, nil
}

// Restore brings an archived channel back, without a secret.
func (c AlertChannel) Restore(w World) ([]eventlog.Change, error) {
	if err := c.check(w); err != nil {
		return nil, err
	}
	return []eventlog.Change{{
		Subject: c.ID,
		Body:    &eventv1.AlertChannelRestored{Name: c.Name, Url: c.URL, CreatedAt: timestamppb.New(c.CreatedAt)},
	}}, nil
}

func (s Settings) check(w World) error {
	if err := slug.Check("name", s.Name); err != nil {
		return err
	}
	if err := checkURL(s.URL, w.Networks); err != nil {
		return err
	}
	if w.NameTaken {
		return fault.Because(fault.Conflict, "name_taken", "an alert channel named %q exists", s.Name)
	}
	return nil
}
