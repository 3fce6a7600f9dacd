package route

import (
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/proto/contract/header"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// What agents accept; a policy beyond it is refused whole.
const (
	maxStickyTokens = 100_000_000
	maxBreakEven    = 10_000
	minPercentile   = 50
	maxPercentile   = 99
	maxHedgeMS      = 600_000
	maxHedgePercent = 50
	maxPerMille     = 1000
)

// Sticky is what requests are alike in, so that one target serves them. What is 0 is the
// agent's to fill in.
type Sticky struct {
	By eventv1.StickyBy `json:"by"`
	// Header in canonical form; of HEADER only.
	Header           string `json:"header,omitempty"`
	MinTokens        int64  `json:"min_tokens,omitempty"`
	BreakEvenPercent int32  `json:"break_even_percent,omitempty"`
}

// Hedge is when a second target is asked beside the first. What is 0 is the agent's to
// fill in.
type Hedge struct {
	Percentile int32 `json:"percentile,omitempty"`
	MinMS      int64 `json:"min_ms,omitempty"`
	MaxPercent int32 `json:"max_percent,omitempty"`
}

// Share is a part of a route's requests.
type Share struct {
	Target Target `json:"target"`
	// PerMille is 1 to 1000.
	PerMille int32 `json:"per_mille"`
}

// checkStrategies holds what is chosen besides targets to the rest.
func (s Settings) checkStrategies() error {
	sticks := s.Strategy == eventv1.Strategy_STRATEGY_STICKY
	switch {
	case sticks && s.Sticky == nil:
		return fault.Field("sticky", "the strategy sticky needs to know what requests are alike in")
	case !sticks && s.Sticky != nil:
		return fault.Field("sticky", "only the strategy sticky takes it: leave it out or choose that strategy")
	}
	if err := s.Sticky.check(); err != nil {
		return err
	}
	if err := s.checkHedge(); err != nil {
		return err
	}
	if err := s.Canary.check("canary"); err != nil {
		return err
	}
	if s.Shadow != nil && s.Shadow.Target.When != "" {
		return fault.Field("shadow.target.when", "copies are made of requests that are drawn at random: leave the condition out")
	}
	return s.Shadow.check("shadow")
}

func (s *Sticky) check() error {
	if s == nil {
		return nil
	}
	byHeader := s.By == eventv1.StickyBy_STICKY_BY_HEADER
	switch {
	case s.By < eventv1.StickyBy_STICKY_BY_HEADER || s.By > eventv1.StickyBy_STICKY_BY_KEY:
		return fault.Field("sticky.by", "want header, end_user, prompt_prefix or key")
	case !byHeader && s.Header != "":
		return fault.Field("sticky.header", "it is for requests that are alike in a header: leave it out or choose that")
	case byHeader && s.Header == "":
		return fault.Field("sticky.header", "name the header that alike requests have the same value of")
	case byHeader && header.Refusal(s.Header, "") != "":
		return fault.Field("sticky.header", "%q is no header's name, or one that carries a credential or belongs to the connection: name another", s.Header)
	case s.MinTokens < 0 || s.MinTokens > maxStickyTokens:
		return fault.Field("sticky.min_tokens", "want 0 to %d, got %d", maxStickyTokens, s.MinTokens)
	case s.BreakEvenPercent < 0 || s.BreakEvenPercent > maxBreakEven:
		return fault.Field("sticky.break_even_percent", "want 1 to %d, or 0 for 100; got %d", maxBreakEven, s.BreakEvenPercent)
	}
	return nil
}

// canonical has the header's name in its one form.
func (s *Sticky) canonical() *Sticky {
	if s == nil {
		return nil
	}
	canonical := *s
	canonical.Header = header.Canonical(s.Header)
	return &canonical
}

func (s Settings) checkHedge() error {
	h := s.Hedge
	switch {
	case h == nil:
		return nil
	case len(s.Targets) < 2:
		return fault.Field("hedge", "a hedge asks a second target, and the route has %d: add one, or leave the hedge out", len(s.Targets))
	case s.Retry != nil && s.Retry.MaxAttempts == 1:
		return fault.Field("hedge", "a hedge is a second attempt, and retry.max_attempts allows one: raise it, or leave the hedge out")
	case h.Percentile != 0 && (h.Percentile < minPercentile || h.Percentile > maxPercentile):
		return fault.Field("hedge.percentile", "want %d to %d, or 0 for 95; got %d", minPercentile, maxPercentile, h.Percentile)
	case h.MinMS < 0 || h.MinMS > maxHedgeMS:
		return fault.Field("hedge.min_delay", "want 1 ms to %d s", maxHedgeMS/1000)
	case h.MaxPercent < 0 || h.MaxPercent > maxHedgePercent:
		return fault.Field("hedge.max_percent", "want 1 to %d, or 0 for 10; got %d", maxHedgePercent, h.MaxPercent)
	}
	return nil
}

func (s *Share) check(field string) error {
	switch {
	case s == nil:
		return nil
	case s.Target.Weight != 0:
		return fault.Field(field+".target.weight", "its share is per_mille: leave the weight out")
	case s.PerMille < 1 || s.PerMille > maxPerMille:
		return fault.Field(field+".per_mille", "want 1 to %d thousandths, got %d", maxPerMille, s.PerMille)
	}
	return nil
}

// What follows is nil where nothing is said.

func (s *Sticky) toEvent() *eventv1.Sticky {
	if s == nil {
		return nil
	}
	return &eventv1.Sticky{By: s.By, Header: s.Header, MinTokens: s.MinTokens, BreakEvenPercent: s.BreakEvenPercent}
}

func stickyFromEvent(e *eventv1.Sticky) *Sticky {
	if e == nil {
		return nil
	}
	return &Sticky{By: e.GetBy(), Header: e.GetHeader(), MinTokens: e.GetMinTokens(), BreakEvenPercent: e.GetBreakEvenPercent()}
}

func (h *Hedge) toEvent() *eventv1.Hedge {
	if h == nil {
		return nil
	}
	return &eventv1.Hedge{Percentile: h.Percentile, MinMs: h.MinMS, MaxPercent: h.MaxPercent}
}

func hedgeFromEvent(e *eventv1.Hedge) *Hedge {
	if e == nil {
		return nil
	}
	return &Hedge{Percentile: e.GetPercentile(), MinMS: e.GetMinMs(), MaxPercent: e.GetMaxPercent()}
}

func (s *Share) toEvent() *eventv1.Share {
	if s == nil {
		return nil
	}
	return &eventv1.Share{Target: s.Target.toEvent(), PerMille: s.PerMille}
}

func shareFromEvent(e *eventv1.Share) (*Share, error) {
	if e == nil {
		return nil, nil
	}
	target, err := targetFromEvent(e.GetTarget())
	return &Share{Target: target, PerMille: e.GetPerMille()}, err
}
