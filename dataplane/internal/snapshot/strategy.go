package snapshot

import (
	"cmp"
	"time"

	"github.com/weirhq/weir/proto/contract/condition"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Sticky is what requests of a route are alike in, so that one target serves them.
type Sticky struct {
	By policyv1.Sticky_By
	// Header in canonical form.
	Header string
	// MinTokens that a request is estimated to have.
	MinTokens int64
	// BreakEven is how many times the best other target's expected time to first token its
	// own may be: 2 is twice.
	BreakEven float64
}

// Hedge is when a second target is asked beside the first.
type Hedge struct {
	// Percentile of the target's own times to first content, in 0 to 1.
	Percentile float64
	Min        time.Duration
	// Most is the share of the requests to a target, in 0 to 1.
	Most float64
}

// Share of a route's requests.
type Share struct {
	Target *Target
	// PerMille is 1 to 1000.
	PerMille int64
}

const (
	defaultStickyTokens    = 1024 // the shortest prompt that OpenAI and Anthropic keep
	defaultBreakEven       = 100
	mostBreakEven          = 10_000
	defaultHedgePercentile = 95
	defaultHedgeMin        = 50
	mostHedgeMin           = 600_000
	defaultHedgePercent    = 10
)

// checkTargets holds them to what the strategy takes.
func (c *compiler) checkTargets(routeID string, r *policyv1.Route) {
	most := MaxTargets
	switch strategy := r.GetStrategy(); {
	case strategy == policyv1.Strategy_STRATEGY_SINGLE:
		most = 1
	case strategy < policyv1.Strategy_STRATEGY_SINGLE || strategy > policyv1.Strategy_STRATEGY_STICKY:
		c.refuse("route %s: unknown strategy %d", routeID, strategy)
		return
	}
	count := len(r.GetTargets())
	switch served := r.GetUnserved() == ""; {
	case served && (count < 1 || count > most):
		c.refuse("route %s: %d targets, its strategy takes 1 to %d", routeID, count, most)
	case !served && count > 0:
		c.refuse("route %s: it is not served, and has %d targets", routeID, count)
	}
	seen := map[string]bool{}
	unlike := func(t *policyv1.Target) {
		upstream := t.GetProviderId() + "/" + t.GetModel()
		if seen[upstream] {
			c.refuse("route %s: it has the target %s twice", routeID, upstream)
		}
		seen[upstream] = true
	}
	for _, t := range r.GetTargets() {
		c.checkWeight(routeID, r.GetStrategy(), t.GetWeight())
		unlike(t)
	}
	if canary := r.GetCanary(); canary != nil {
		unlike(canary.GetTarget())
	}
}

func (c *compiler) checkWeight(routeID string, strategy policyv1.Strategy, weight int32) {
	least, most := int32(0), int32(0)
	if strategy == policyv1.Strategy_STRATEGY_WEIGHTED {
		least, most = 1, maxWeight
	}
	if weight < least || weight > most {
		c.refuse("route %s: a target has the weight %d, its strategy takes %d to %d", routeID, weight, least, most)
	}
}

// sticky is nil where the strategy is another.
func (c *compiler) sticky(routeID string, r *policyv1.Route) *Sticky {
	s := r.GetSticky()
	if sticks := r.GetStrategy() == policyv1.Strategy_STRATEGY_STICKY; s == nil || !sticks {
		if sticks != (s != nil) {
			c.refuse("route %s: STICKY and what requests are alike in go together", routeID)
		}
		return nil
	}
	byHeader := s.GetBy() == policyv1.Sticky_BY_HEADER
	switch percent := s.GetBreakEvenPercent(); {
	case s.GetBy() < policyv1.Sticky_BY_HEADER || s.GetBy() > policyv1.Sticky_BY_KEY:
		c.refuse("route %s: unknown likeness %d", routeID, s.GetBy())
	case byHeader != (s.GetHeader() != ""):
		c.refuse("route %s: a header is named for BY_HEADER, and for it alone", routeID)
	case s.GetMinTokens() < 0 || percent < 0 || percent > mostBreakEven:
		c.refuse("route %s: sticky from %d tokens, break-even at %d percent: not below 0, at most %d percent", routeID, s.GetMinTokens(), percent, mostBreakEven)
	}
	least := s.GetMinTokens()
	if s.GetBy() == policyv1.Sticky_BY_PROMPT_PREFIX {
		least = cmp.Or(least, defaultStickyTokens)
	}
	return &Sticky{By: s.GetBy(), Header: s.GetHeader(), MinTokens: least, BreakEven: 1 + float64(cmp.Or(s.GetBreakEvenPercent(), defaultBreakEven))/100}
}

// hedge is nil where the route has none.
func (c *compiler) hedge(routeID string, h *policyv1.Hedge) *Hedge {
	if h == nil {
		return nil
	}
	percentile, least, most := cmp.Or(h.GetPercentile(), defaultHedgePercentile), cmp.Or(h.GetMinMs(), defaultHedgeMin), cmp.Or(h.GetMaxPercent(), defaultHedgePercent)
	if percentile < 50 || percentile > 99 || least < 1 || least > mostHedgeMin || most < 1 || most > 50 {
		c.refuse("route %s: hedged after percentile %d and %d ms, at most %d percent: 50 to 99, 1 to %d and 1 to 50 are accepted", routeID, percentile, least, most, mostHedgeMin)
	}
	return &Hedge{Percentile: float64(percentile) / 100, Min: time.Duration(least) * time.Millisecond, Most: float64(most) / 100}
}

// share is nil where the route has none.
func (c *compiler) share(routeID string, s *policyv1.Share, timeouts Timeouts) *Share {
	if s == nil {
		return nil
	}
	if s.GetPerMille() < 1 || s.GetPerMille() > 1000 {
		c.refuse("route %s: a share of %d thousandths, 1 to 1000 are accepted", routeID, s.GetPerMille())
	}
	target := c.target(routeID, s.GetTarget())
	if target == nil {
		return nil
	}
	target.Timeouts = timeouts.or(target.Provider.Timeouts)
	return &Share{Target: target, PerMille: int64(s.GetPerMille())}
}

// when is nil where a target is a candidate always.
func (c *compiler) when(routeID, text string) *condition.Condition {
	if text == "" {
		return nil
	}
	compiled, err := condition.Compile(text)
	if err != nil {
		c.refuse("route %s: %v", routeID, err)
	}
	return compiled
}
