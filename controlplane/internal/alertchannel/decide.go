package alertchannel

import (
	"slices"

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
	s = s.inOrder()
	if err := s.check(w); err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: id, Body: &eventv1.AlertChannelCreated{Name: s.Name, Url: s.URL, Kinds: s.Kinds}}}, nil
}

// Update changes the settings.
func (c AlertChannel) Update(s Settings, w World) ([]eventlog.Change, error) {
	s = s.inOrder()
	if s.Name == c.Name && s.URL == c.URL && slices.Equal(s.Kinds, c.Kinds) {
		return nil, nil
	}
	if err := s.check(w); err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.AlertChannelUpdated{Name: s.Name, Url: s.URL, Kinds: s.Kinds}}}, nil
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
		Body:    &eventv1.AlertChannelRestored{Name: c.Name, Url: c.URL, CreatedAt: timestamppb.New(c.CreatedAt), Kinds: c.Kinds},
	}}, nil
}

// inOrder has the kinds sorted, in a slice of its own.
func (s Settings) inOrder() Settings {
	s.Kinds = slices.Sorted(slices.Values(s.Kinds))
	return s
}

func (s Settings) check(w World) error {
	if err := slug.Check("name", s.Name); err != nil {
		return err
	}
	if err := checkURL(s.URL, w.Networks); err != nil {
		return err
	}
	for i, kind := range s.Kinds {
		if !slices.Contains(toldOf, kind) || i > 0 && s.Kinds[i-1] == kind {
			return fault.Field("kinds", "want ALERT_KIND_SPEND_ANOMALY, ALERT_KIND_UNPRICED_USAGE, each once; got %s. Of budgets a channel is told that they name in alert_channel_ids", kind)
		}
	}
	if w.NameTaken {
		return fault.Because(fault.Conflict, "name_taken", "an alert channel named %q exists", s.Name)
	}
	return nil
}
