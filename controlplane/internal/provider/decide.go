package provider

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Creation is what Create needs.
type Creation struct {
	ID uuid.UUID
	Settings
	// NameTaken: a provider of the organization has the name.
	NameTaken bool
}

// Create begins an upstream account. Sealed credentials come later: they are bound
// to its id.
func Create(c Creation) ([]eventlog.Change, error) {
	s, err := c.complete()
	if err != nil {
		return nil, err
	}
	if len(s.Sealed) > 0 {
		return nil, fault.Field("sealed_credentials", "they are bound to the provider's id: create it without, then update it")
	}
	if c.NameTaken {
		return nil, taken(s.Name)
	}
	e := s.toEvent()
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.ProviderCreated{
		Name: e.Name, Dialect: e.Dialect, BaseUrl: e.BaseUrl, CredentialRef: e.CredentialRef, Region: e.Region,
		PriceList: e.PriceList, Headers: e.Headers, Timeouts: e.Timeouts, AllowedModels: e.AllowedModels,
		ApiVersion: e.ApiVersion, Queue: e.Queue,
	}}}, nil
}

// Change is what Update needs.
type Change struct {
	Settings
	// NameTaken: another provider of the organization has the name.
	NameTaken bool
	// Models that routes send to, by the routes' names.
	Models map[string][]string
	// Gateways of the organization, those of Sealed at least.
	Gateways map[uuid.UUID]gateway.Gateway
}

// Update changes everything but the dialect.
func (p Provider) Update(c Change) ([]eventlog.Change, error) {
	s, err := c.complete()
	if err != nil {
		return nil, err
	}
	if s.Dialect != p.Dialect {
		return nil, fault.Field("dialect", "it can't change; make another provider")
	}
	if err := s.allowUsed(c.Models); err != nil {
		return nil, err
	}
	if s.Sealed, err = p.reseal(s, c.Gateways); err != nil {
		return nil, err
	}
	if proto.Equal(s.toEvent(), p.toEvent()) {
		return nil, nil
	}
	if c.NameTaken {
		return nil, taken(s.Name)
	}
	return []eventlog.Change{{Subject: p.ID, Body: &eventv1.ProviderUpdated{Settings: s.toEvent()}}}, nil
}

// allowUsed refuses settings that forbid a model of a route.
func (s Settings) allowUsed(byRoute map[string][]string) error {
	for route, models := range byRoute {
		for _, model := range models {
			if !s.Allows(model) {
				return fault.Because(fault.Precondition, "in_use", "route %q sends to model %q; change the route first", route, model)
			}
		}
	}
	return nil
}

// Archive ends a provider that no route sends to and no quota names any more.
func (p Provider) Archive(uses []fault.Use) ([]eventlog.Change, error) {
	if len(uses) > 0 {
		return nil, fault.InUse("provider", p.Name, uses)
	}
	return []eventlog.Change{{Subject: p.ID, Body: &eventv1.ProviderArchived{}}}, nil
}

// Restore brings an archived provider back as it was.
func (p Provider) Restore(nameTaken bool) ([]eventlog.Change, error) {
	if nameTaken {
		return nil, taken(p.Name)
	}
	return []eventlog.Change{{Subject: p.ID, Body: &eventv1.ProviderRestored{
		Settings: p.toEvent(), CreatedAt: timestamppb.New(p.CreatedAt),
	}}}, nil
}

func taken(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "a provider named %q exists", name)
}
