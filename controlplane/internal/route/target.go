package route

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/proto/contract/condition"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	maxModel   = 200
	maxTargets = 16
	maxWeight  = 1000

	canaryField = "canary.target"
	shadowField = "shadow.target"
)

// checkTargets holds them to what the strategy takes and to what the world has.
func (s Settings) checkTargets(w World) error {
	switch s.Strategy {
	case eventv1.Strategy_STRATEGY_SINGLE:
		if len(s.Targets) != 1 {
			return fault.Field("targets", "the strategy single takes exactly one target, got %d", len(s.Targets))
		}
	case eventv1.Strategy_STRATEGY_WEIGHTED, eventv1.Strategy_STRATEGY_PRIORITY, eventv1.Strategy_STRATEGY_LATENCY,
		eventv1.Strategy_STRATEGY_LEAST_BUSY, eventv1.Strategy_STRATEGY_CHEAPEST, eventv1.Strategy_STRATEGY_STICKY:
		if len(s.Targets) < 1 || len(s.Targets) > maxTargets {
			return fault.Field("targets", "want 1 to %d, got %d", maxTargets, len(s.Targets))
		}
	default:
		return fault.Field("strategy", "want single, weighted, priority, latency, least_busy, cheapest or sticky")
	}
	if err := s.checkWeights(); err != nil {
		return err
	}
	return s.checkModels(w)
}

func (s Settings) checkWeights() error {
	for i, t := range s.Targets {
		field := fmt.Sprintf("targets[%d].weight", i)
		if s.Strategy != eventv1.Strategy_STRATEGY_WEIGHTED && t.Weight != 0 {
			return fault.Field(field, "only the strategy weighted takes one: leave it out or choose that strategy")
		}
		if s.Strategy == eventv1.Strategy_STRATEGY_WEIGHTED && (t.Weight < 1 || t.Weight > maxWeight) {
			return fault.Field(field, "the strategy weighted wants 1 to %d, got %d", maxWeight, t.Weight)
		}
	}
	return nil
}

// checkModels: a shadow may be one of the targets, too.
func (s Settings) checkModels(w World) error {
	type upstream struct {
		provider uuid.UUID
		model    string
	}
	seen := map[upstream]string{}
	for field, t := range s.EveryTarget() {
		if t.Model == "" || len(t.Model) > maxModel {
			return fault.Field(field+".model", "want 1 to %d bytes", maxModel)
		}
		if t.Model == "." || t.Model == ".." { // agents refuse a policy with it: in a URL it is a step up
			return fault.Field(field+".model", "%q is no model's name", t.Model)
		}
		p, ok := w.Providers[t.ProviderID]
		if !ok {
			return fault.Because(fault.NotFound, "provider_not_found", "%s: no provider %s", field, t.ProviderID)
		}
		if !p.Allows(t.Model) {
			return fault.Because(fault.Precondition, "model_not_allowed", "%s: provider %q does not allow the model %q", field, p.Name, t.Model)
		}
		if err := t.checkWhen(field); err != nil {
			return err
		}
		if field == shadowField {
			continue
		}
		if first, twice := seen[upstream{t.ProviderID, t.Model}]; twice {
			if field == canaryField {
				return fault.Field(field, "it is %s already: a canary is a target that the route does not have yet", first)
			}
			return fault.Field(field, "it is %s again: leave it out, or raise that one's weight", first)
		}
		seen[upstream{t.ProviderID, t.Model}] = field
	}
	return nil
}

func (t Target) checkWhen(field string) error {
	if t.When == "" {
		return nil
	}
	if err := condition.Check(t.When); err != nil {
		return fault.Field(field+".when", "%s", err)
	}
	return nil
}

func (t Target) toEvent() *eventv1.Target {
	return &eventv1.Target{ProviderId: t.ProviderID.String(), Model: t.Model, Weight: t.Weight, When: t.When}
}

func targetFromEvent(e *eventv1.Target) (Target, error) {
	id, err := uuid.Parse(e.GetProviderId())
	if err != nil {
		return Target{}, fmt.Errorf("provider of a target: %w", err)
	}
	return Target{ProviderID: id, Model: e.GetModel(), Weight: e.GetWeight(), When: e.GetWhen()}, nil
}
