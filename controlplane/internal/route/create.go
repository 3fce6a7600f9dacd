package route

import (
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const maxModel = 200

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:/-]{0,126}[A-Za-z0-9])?$`)

// Creation is what Create needs.
type Creation struct {
	ID       uuid.UUID
	Name     string
	Strategy eventv1.Strategy
	Targets  []Target
	// Providers are those of the organization that targets name.
	Providers map[uuid.UUID]bool
	// NameTaken: a route of the organization has the name.
	NameTaken bool
}

// Create begins a route. An unspecified strategy becomes SINGLE.
func Create(c Creation) ([]eventlog.Change, error) {
	if c.Strategy == eventv1.Strategy_STRATEGY_UNSPECIFIED {
		c.Strategy = eventv1.Strategy_STRATEGY_SINGLE
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.NameTaken {
		return nil, fault.Because(fault.Conflict, "name_taken", "a route named %q exists", c.Name)
	}
	body := &eventv1.RouteCreated{Name: c.Name, Strategy: c.Strategy}
	for _, t := range c.Targets {
		body.Targets = append(body.Targets, &eventv1.Target{ProviderId: t.ProviderID.String(), Model: t.Model})
	}
	return []eventlog.Change{{Subject: c.ID, Body: body}}, nil
}

func (c Creation) validate() error {
	if !nameForm.MatchString(c.Name) {
		return fault.Field("name", "want letters, digits and inner -._:/ , at most 128; got %q", c.Name)
	}
	if c.Strategy != eventv1.Strategy_STRATEGY_SINGLE {
		return fault.Field("strategy", "want single")
	}
	if len(c.Targets) != 1 {
		return fault.Field("targets", "the strategy single takes exactly one target, got %d", len(c.Targets))
	}
	for i, t := range c.Targets {
		if t.Model == "" || len(t.Model) > maxModel {
			return fault.Field(fmt.Sprintf("targets[%d].model", i), "want 1 to %d bytes", maxModel)
		}
		if !c.Providers[t.ProviderID] {
			return fault.Because(fault.NotFound, "provider_not_found", "targets[%d]: no provider %s", i, t.ProviderID)
		}
	}
	return nil
}

// Apply folds one event into the state.
func Apply(r Route, e eventlog.Event) (Route, error) {
	switch body := e.Body.(type) {
	case *eventv1.RouteCreated:
		targets, err := fromEventTargets(body.GetTargets())
		if err != nil {
			return r, fmt.Errorf("fold route %s: %w", e.Subject, err)
		}
		r = Route{ID: e.Subject, Name: body.GetName(), Strategy: body.GetStrategy(), Targets: targets, CreatedAt: e.RecordedAt}
	default:
		return r, fmt.Errorf("fold route: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	r.Version = e.Version
	return r, nil
}

func fromEventTargets(stored []*eventv1.Target) ([]Target, error) {
	targets := make([]Target, 0, len(stored))
	for _, t := range stored {
		id, err := uuid.Parse(t.GetProviderId())
		if err != nil {
			return nil, fmt.Errorf("provider of a target: %w", err)
		}
		targets = append(targets, Target{ProviderID: id, Model: t.GetModel()})
	}
	return targets, nil
}
