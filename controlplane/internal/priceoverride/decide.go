package priceoverride

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
	// Taken: the organization has an override of the same name.
	Taken bool
	// Count is how many the organization has.
	Count int
}

// Create begins an override.
func Create(c Creation) ([]eventlog.Change, error) {
	c.Settings = c.Complete()
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Taken {
		return nil, taken(c.Settings)
	}
	if c.Count >= Most {
		return nil, Full()
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.PriceOverrideCreated{Settings: c.toEvent()}}}, nil
}

// Update changes the prices.
func (p PriceOverride) Update(s Settings) ([]eventlog.Change, error) {
	s.PriceList, s.Model, s.ProviderID, s.From = p.PriceList, p.Model, p.ProviderID, p.From
	s = s.Complete()
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.equal(p.Settings) {
		return nil, nil
	}
	return []eventlog.Change{{Subject: p.ID, Body: &eventv1.PriceOverrideUpdated{Settings: s.toEvent()}}}, nil
}

// Archive ends an override; the built-in price counts again.
func (p PriceOverride) Archive() []eventlog.Change {
	return []eventlog.Change{{Subject: p.ID, Body: &eventv1.PriceOverrideArchived{}}}
}

// Restore brings an archived override back as it was. taken: another one is for the
// same model.
func (p PriceOverride) Restore(isTaken bool, count int) ([]eventlog.Change, error) {
	if isTaken {
		return nil, taken(p.Settings)
	}
	if count >= Most {
		return nil, Full()
	}
	return []eventlog.Change{{
		Subject: p.ID,
		Body:    &eventv1.PriceOverrideRestored{Settings: p.toEvent(), CreatedAt: timestamppb.New(p.CreatedAt)},
	}}, nil
}

func taken(s Settings) error {
	return fault.Because(fault.Conflict, "name_taken", "there is a price override %s already", s.Name())
}

// Full says that there are as many as there can be.
func Full() error {
	return fault.Because(fault.Precondition, "too_many_price_overrides", "an organization has at most %d price overrides; delete some", Most)
}
