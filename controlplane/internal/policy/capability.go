package policy

import (
	"slices"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/share"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// What an agent must be able to do, by the day it learned it.
const (
	// 2026-07-01: gateway, provider, route with one target, key, price_book.
	capabilityFirst = 1
	// 2026-11-22: the secret before a key's rotation, headers of a provider,
	// timeouts of providers and routes, projects that a route is for.
	capabilitySettings = 2
	// 2026-11-26: sealed credentials; routes with several targets, their strategies
	// and retries.
	capabilitySealedAndRouted = 3
	// 2026-11-26: how long a credential is kept whose source went away; routes that a
	// gateway does not serve; keys that may use no route.
	capabilityRestricted = 4
	// 2026-11-27: providers of the dialect anthropic.
	capabilityAnthropic = 5
	// 2026-11-27: providers of gemini, azure-openai, bedrock and vertex; strict routes;
	// translation. Targets of several dialects need none of it: agents before it pass over
	// those of another dialect than the path's.
	capabilityTranslating = 6
	// 2026-11-27: strategies by measure and sticky ones, conditions, hedges, canaries,
	// shadows, the timeouts connect and first_token, the failures CONTEXT_TOO_LONG and
	// CONTENT_FILTER.
	capabilityRouting = 7
	// 2026-11-27: what usage may hold of callers' words, where it is not what organizations
	// begin with: agents before it hold all of them. Serving on while the spool is full.
	capabilityUsage = 8
	// 2026-11-27: quotas.
	capabilityQuotas = 9
	// 2026-11-27: price books with entries for one provider, for some time, for the tokens
	// beyond a threshold, by regions, images and requests; what is done without a price.
	capabilityPrices = 9
	// 2026-11-28: projects, for their weights; weights and priorities of keys, queues of
	// providers. Agents before it share evenly and refuse.
	capabilityFair = 10
)

// dialectsSince are those that agents had to learn.
var dialectsSince = map[eventv1.Dialect]int32{
	eventv1.Dialect_DIALECT_ANTHROPIC:    capabilityAnthropic,
	eventv1.Dialect_DIALECT_GEMINI:       capabilityTranslating,
	eventv1.Dialect_DIALECT_AZURE_OPENAI: capabilityTranslating,
	eventv1.Dialect_DIALECT_BEDROCK:      capabilityTranslating,
	eventv1.Dialect_DIALECT_VERTEX:       capabilityTranslating,
}

func ofGateway(g gateway.Gateway, usage organization.Usage, pricing organization.Pricing) int32 {
	if pricing != (organization.Pricing{}) {
		return capabilityPrices
	}
	if !usage.Default() || g.WhenSpoolFull != eventv1.SpoolFull_SPOOL_FULL_UNSPECIFIED {
		return capabilityUsage
	}
	if g.CredentialMaxAge > 0 {
		return capabilityRestricted
	}
	return capabilityFirst
}

// ofPriceBook: agents before it pass over service tiers, factors of places, images and aliases,
// which leaves such requests unpriced as they were; anything else they would price wrongly.
func ofPriceBook(book *policyv1.PriceBook) int32 {
	for _, e := range book.GetEntries() {
		if e.GetLongContext() == policyv1.LongContext_LONG_CONTEXT_MARGINAL || len(e.GetRegionFactors()) > 0 || e.GetProviderId() != "" ||
			e.GetEffectiveFromUs() != 0 || e.GetEffectiveUntilUs() != 0 || e.GetPerRequest() != 0 {
			return capabilityPrices
		}
	}
	return capabilityFirst
}

// ofProvider is of one that is compiled for a gateway.
func ofProvider(p provider.Provider, gatewayID uuid.UUID) int32 {
	if p.Queue != (share.Queue{}) {
		return capabilityFair
	}
	if p.Timeouts.ConnectMS > 0 || p.Timeouts.FirstTokenMS > 0 {
		return capabilityRouting
	}
	if since, learned := dialectsSince[p.Dialect]; learned {
		return since
	}
	if _, sealed := p.SealedFor(gatewayID); sealed {
		return capabilitySealedAndRouted
	}
	if len(p.Headers) > 0 || p.Timeouts != (timeouts.Timeouts{}) {
		return capabilitySettings
	}
	return capabilityFirst
}

// ofRoute is of one that its gateway serves.
func ofRoute(r route.Route) int32 {
	switch {
	case routing(r):
		return capabilityRouting
	case r.Strict:
		return capabilityTranslating
	case r.Strategy != eventv1.Strategy_STRATEGY_SINGLE || r.Retry != nil:
		return capabilitySealedAndRouted
	case len(r.AllowedProjectIDs) > 0 || r.Timeouts != (timeouts.Timeouts{}):
		return capabilitySettings
	}
	return capabilityFirst
}

func routing(r route.Route) bool {
	for _, t := range r.EveryTarget() {
		if t.When != "" {
			return true
		}
	}
	return r.Strategy > eventv1.Strategy_STRATEGY_PRIORITY || r.Sticky != nil || r.Hedge != nil || r.Canary != nil || r.Shadow != nil ||
		r.Timeouts.ConnectMS > 0 || r.Timeouts.FirstTokenMS > 0 ||
		r.Retry != nil && slices.ContainsFunc(r.Retry.On, func(f eventv1.Failure) bool { return f > eventv1.Failure_FAILURE_CREDENTIAL })
}

// ofKey is of one that has a route.
func ofKey(k key.Key) int32 {
	if k.Weight != 0 || k.Priority != eventv1.Priority_PRIORITY_UNSPECIFIED {
		return capabilityFair
	}
	if k.Previous != nil {
		return capabilitySettings
	}
	return capabilityFirst
}
