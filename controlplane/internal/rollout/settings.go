package rollout

import (
	"slices"

	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	maxSteps       = 10
	maxBakeSeconds = 24 * 60 * 60
	maxMinRequests = 1_000_000

	defaultStep         = 10
	defaultBakeSeconds  = 5 * 60
	defaultMaxErrorRise = 5
	defaultMinRequests  = 100
)

// WantedBakeTime says which there are, and how JSON writes one.
const WantedBakeTime = `want 1 s to 24 h in whole seconds, such as "300s"`

// Settings of a gateway; the zero Settings: every change comes to all agents at once.
type Settings struct {
	Strategy eventv1.RolloutStrategy `json:"strategy,omitempty"`
	// Steps are rising percentages of the connected agents, 1 to 99; one agent comes
	// before them, all after.
	Steps []int32 `json:"steps,omitempty"`
	// BakeSeconds is how long each step lasts at least.
	BakeSeconds int32 `json:"bake_seconds,omitempty"`
	// MaxErrorRise in percentage points over an agent's own rate of failures before.
	MaxErrorRise int32 `json:"max_error_rise,omitempty"`
	// MinRequests is what an agent must have had to be judged by its rate.
	MinRequests int32 `json:"min_requests,omitempty"`
}

// Staged tells whether changes come step by step.
func (s Settings) Staged() bool {
	return s.Strategy == eventv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY
}

// Equal tells whether both say the same.
func (s Settings) Equal(other Settings) bool {
	return s.Strategy == other.Strategy && slices.Equal(s.Steps, other.Steps) && s.BakeSeconds == other.BakeSeconds &&
		s.MaxErrorRise == other.MaxErrorRise && s.MinRequests == other.MinRequests
}

// Complete returns the settings with what they leave open, or an Invalid fault about
// a field below within.
func (s Settings) Complete(within string) (Settings, error) {
	if !s.Staged() {
		if s.Steps != nil || s.BakeSeconds != 0 || s.MaxErrorRise != 0 || s.MinRequests != 0 {
			return s, fault.Field(within+".strategy", "want CANARY: without it there are no steps, no bake time and nothing to judge")
		}
		return Settings{}, nil
	}
	if len(s.Steps) == 0 {
		s.Steps = []int32{defaultStep}
	}
	fill := func(field *int32, value int32) {
		if *field == 0 {
			*field = value
		}
	}
	fill(&s.BakeSeconds, defaultBakeSeconds)
	fill(&s.MaxErrorRise, defaultMaxErrorRise)
	fill(&s.MinRequests, defaultMinRequests)
	return s, s.check(within)
}

func (s Settings) check(within string) error {
	if len(s.Steps) > maxSteps {
		return fault.Field(within+".steps", "want at most %d", maxSteps)
	}
	for i, percent := range s.Steps {
		if percent < 1 || percent > 99 || i > 0 && percent <= s.Steps[i-1] {
			return fault.Field(within+".steps", "want rising percentages from 1 to 99; one agent comes before them, all after")
		}
	}
	switch {
	case s.BakeSeconds < 1 || s.BakeSeconds > maxBakeSeconds:
		return fault.Field(within+".bake_time", WantedBakeTime)
	case s.MaxErrorRise < 1 || s.MaxErrorRise > 100:
		return fault.Field(within+".max_error_rise", "want 1 to 100 percentage points")
	case s.MinRequests < 1 || s.MinRequests > maxMinRequests:
		return fault.Field(within+".min_requests", "want 1 to %d", maxMinRequests)
	}
	return nil
}

// ToProto is how events say the settings.
func (s Settings) ToProto() *eventv1.RolloutSettings {
	if !s.Staged() {
		return &eventv1.RolloutSettings{Strategy: eventv1.RolloutStrategy_ROLLOUT_STRATEGY_ALL_AT_ONCE}
	}
	return &eventv1.RolloutSettings{
		Strategy: s.Strategy, Steps: s.Steps, BakeSeconds: s.BakeSeconds, MaxErrorRise: s.MaxErrorRise, MinRequests: s.MinRequests,
	}
}

// FromProto reads them.
func FromProto(p *eventv1.RolloutSettings) Settings {
	if p.GetStrategy() != eventv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY {
		return Settings{}
	}
	return Settings{
		Strategy: p.GetStrategy(), Steps: p.GetSteps(), BakeSeconds: p.GetBakeSeconds(), MaxErrorRise: p.GetMaxErrorRise(), MinRequests: p.GetMinRequests(),
	}
}
