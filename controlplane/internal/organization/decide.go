package organization

import (
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// ReasonSuspended is the reason of the fault that Suspended returns.
const ReasonSuspended = "organization_suspended"

// Creation is what Create needs.
type Creation struct {
	ID                uuid.UUID
	Name, DisplayName string
	// NameTaken: another organization has the name.
	NameTaken bool
}

// Create begins a tenant. An empty display name becomes the name.
func Create(c Creation) ([]eventlog.Change, error) {
	s, err := Settings{Name: c.Name, DisplayName: c.DisplayName}.complete()
	if err != nil {
		return nil, err
	}
	if c.NameTaken {
		return nil, TakenName(s.Name)
	}
	return []eventlog.Change{{
		Subject: c.ID,
		Body:    &eventv1.OrganizationCreated{Name: s.Name, DisplayName: s.DisplayName},
	}}, nil
}

// Gateway is where one of the organization's lives.
type Gateway struct{ Name, Region string }

// Update changes the settings. nameTaken: another organization has the new name.
func (o Organization) Update(s Settings, gateways []Gateway, nameTaken bool) ([]eventlog.Change, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	if s.equal(o.Settings) {
		return nil, nil
	}
	if nameTaken {
		return nil, TakenName(s.Name)
	}
	for _, g := range gateways {
		if !s.Allows(g.Region) {
			return nil, fault.Because(fault.Precondition, "region_in_use",
				"gateway %q is in the region %q; keep the region, or delete the gateway first", g.Name, g.Region)
		}
	}
	return []eventlog.Change{{Subject: o.ID, Body: &eventv1.OrganizationUpdated{
		Name: s.Name, DisplayName: s.DisplayName, AllowedRegions: s.AllowedRegions, Usage: s.Usage.toProto(), Pricing: s.Pricing.toProto(),
	}}}, nil
}

// Suspend lets nobody of the organization do anything. Said twice it is true once,
// for the first reason.
func (o Organization) Suspend(reason string) ([]eventlog.Change, error) {
	if reason == "" {
		return nil, fault.Field("reason", "say why")
	}
	if o.Suspended() {
		return nil, nil
	}
	return []eventlog.Change{{Subject: o.ID, Body: &eventv1.OrganizationSuspended{Reason: reason}}}, nil
}

// Resume ends a suspension. Said twice it is true once.
func (o Organization) Resume() []eventlog.Change {
	if !o.Suspended() {
		return nil
	}
	return []eventlog.Change{{Subject: o.ID, Body: &eventv1.OrganizationResumed{}}}
}

// Archive ends a suspended organization for ever.
func (o Organization) Archive() ([]eventlog.Change, error) {
	if !o.Suspended() {
		return nil, fault.Because(fault.Precondition, "organization_not_suspended",
			"organization %q is at work; suspend it first", o.Name)
	}
	return []eventlog.Change{{Subject: o.ID, Body: &eventv1.OrganizationArchived{}}}, nil
}

// TakenName is the fault for a name that another organization has.
func TakenName(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "an organization named %q exists", name)
}

// Suspended is the fault for whoever acts in a suspended organization.
func Suspended() error {
	return fault.Because(fault.Denied, ReasonSuspended,
		"the organization is suspended; whoever operates this installation suspended it and can resume it: ask them")
}

// Unknown is the fault for an organization that is not there, or not any more.
func Unknown(id uuid.UUID) error {
	return fault.Because(fault.NotFound, "organization_not_found", "no organization %s", id)
}
