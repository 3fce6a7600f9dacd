package route

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	maxModel   = 200
	maxTargets = 16
	maxWeight  = 1000
)

// checkTargets holds them to what the strategy takes and to what the world has.
func (s Settings) checkTargets(w World) error {
	switch s.Strategy {
	case eventv1.Strategy_STRATEGY_SINGLE:
		if len(s.Targets) != 1 {
			return fault.Field("targets", "the strategy single takes exactly one target, got %d", len(s.Targets))
		}
	case eventv1.Strategy_STRATEGY_WEIGHTED, eventv1.Strategy_STRATEGY_PRIORITY:
		if len(s.Targets) < 1 || len(s.Targets) > maxTargets {
			return fault.Field("targets", "want 1 to %d, got %d", maxTargets, len(s.Targets))
		}
	default:
		return fault.Field("strategy", "want single, weighted or priority")
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

func (s Settings) checkModels(w World) error {
	type upstream struct {
		provider uuid.UUID
		model    string
	}
	seen := map[upstream]int{}
	for i, t := range s.Targets {
		field := fmt.Sprintf("targets[%d]", i)
		if t.Model == "" || len(t.Model) > maxModel {
			return fault.Field(field+".model", "want 1 to %d bytes", maxModel)
		}
		p, ok := w.Providers[t.ProviderID]
		if !ok {
			return fault.Because(fault.NotFound, "provider_not_found", "%s: no provider %s", field, t.ProviderID)
		}
		if !p.Allows(t.Model) {
			return fault.Because(fault.Precondition, "model_not_allowed", "%s: provider %q does not allow the model %q", field, p.Name, t.Model)
		}
		if first, twice := seen[upstream{t.ProviderID, t.Model}]; twice {
			return fault.Field(field, "it is targets[%d] again: leave it out, or raise that one's weight", first)
		}
		seen[upstream{t.ProviderID, t.Model}] = i
	}
	return nil
}
