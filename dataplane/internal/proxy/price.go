package proxy

import (
	"cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Why an attempt has no price of its own.
const (
	noEntry   = "model"   // the book has nothing for the model
	noTier    = "tier"    // nor for the service tier or place
	noBucket  = "tokens"  // nor for a kind of token, or image, that was used
	notTokens = "feature" // what was asked for, or served, is billed by something else
	noUsage   = "usage"   // what was used, or may have been, is not known
)

// asked is how a request is to be served, as far as prices go by that: in which tier and
// where. Empty: the provider chooses. Google and AWS serve what says nothing in the standard
// tier; OpenAI's and Anthropic's default is a setting of the account.
func asked(target *snapshot.Target, r *dialect.Request) price.Served {
	served := price.Served{Tier: price.Tier(r.ServiceTier), Geo: r.Geo}
	switch target.Provider.Dialect {
	case policyv1.Dialect_DIALECT_GEMINI, policyv1.Dialect_DIALECT_VERTEX, policyv1.Dialect_DIALECT_BEDROCK:
		served.Tier = cmp.Or(served.Tier, price.Standard)
	}
	return served
}

// worst is the most that an attempt can cost; nil: that is not known.
func worst(entry *price.Entry, served price.Served, most price.Most, unpriced bool) *int64 {
	if entry == nil || unpriced {
		return nil
	}
	if _, sold := entry.In(served); !sold {
		return nil
	}
	most.Tier, most.Geo = served.Tier, served.Geo
	return known(entry.WorstCase(most))
}

// sells tells whether a request's price will be known where it is served as it is asked for
// and uses nothing but tokens of the usual kinds. What can't be bounded can have a price.
func sells(entry *price.Entry, target *snapshot.Target, r *dialect.Request, unpriced bool) bool {
	if r.Unmetered {
		return entry != nil && !unpriced
	}
	most := price.Most{Input: 1, InputAudio: r.SendsAudio, OutputAudio: r.AsksAudio, OutputImage: r.AsksImages}
	if !r.NoOutput {
		most.Output = 1
	}
	return worst(entry, asked(target, r), most, unpriced) != nil
}

// entry prices the attempt; nil: nothing does.
func (u *upstream) entry() *price.Entry { return u.target.Price.At(u.exchange.begun) }

// unpriced tells whether the request asks for what is not billed by tokens.
func (u *upstream) unpriced() bool { return u.exchange.request.Unpriced && u.leg.sent.Unpriced }

// reserve prices the attempt at the most that it can use, before it is made.
func (u *upstream) reserve(most price.Most, bounded bool) {
	a, served := u.attempt, asked(u.target, u.leg.sent)
	a.ServiceTier = serviceTier(served.Tier)
	if bounded {
		a.CostNanoUsd = worst(u.entry(), served, most, u.unpriced())
		u.estimate(func(entry *price.Entry) *int64 { return known(entry.WorstCase(most)) })
	}
}

// price prices what the provider says was used. Where it does not say in which tier, it was
// the one asked for.
func (u *upstream) price(answer dialect.Answer) {
	a := u.attempt
	a.CostNanoUsd, a.CacheSavedNanoUsd, a.PriceEstimated = nil, nil, false
	served := price.Served{Tier: cmp.Or(price.Tier(answer.ServiceTier), asked(u.target, u.leg.sent).Tier), Geo: answer.Geo}
	a.ServiceTier = serviceTier(served.Tier)
	entry := u.entry()
	switch p, sold := entry.In(served); {
	case entry == nil:
		u.without = noEntry
	case !sold:
		u.without = noTier
	case answer.Unpriced || u.unpriced():
		u.without = notTokens
	default:
		a.CostNanoUsd, a.CacheSavedNanoUsd = known(p.Cost(a.Usage)), known(p.CacheSaved(a.Usage))
		u.without = noBucket // where that is so
	}
	u.estimate(func(entry *price.Entry) *int64 { return known(entry.Cost(a.Usage)) })
}

// estimate takes what another model's price comes to where none is known, if the
// organization wants that.
func (u *upstream) estimate(by func(*price.Entry) *int64) {
	a := u.attempt
	if a.CostNanoUsd != nil {
		return
	}
	if entry := u.exchange.policy.StandIn().At(u.exchange.begun); entry != nil {
		a.CostNanoUsd = by(entry)
		a.PriceEstimated = a.CostNanoUsd != nil
	}
}

// countUnpriced counts an attempt that ended without a price of its own.
func (u *upstream) countUnpriced() {
	a := u.attempt
	if a.CostNanoUsd != nil && !a.PriceEstimated {
		return
	}
	why := u.without
	if why == "" { // nobody told what was used
		if why = noUsage; u.entry() == nil {
			why = noEntry
		}
	}
	handled := "unpriced"
	if a.PriceEstimated {
		handled = "estimated"
	}
	u.exchange.handler.metrics.unpriced.WithLabelValues(why, handled).Inc()
}

func serviceTier(name string) usagev1.ServiceTier {
	switch name {
	case "":
		return usagev1.ServiceTier_SERVICE_TIER_UNSPECIFIED
	case price.Standard:
		return usagev1.ServiceTier_SERVICE_TIER_STANDARD
	case price.Batch:
		return usagev1.ServiceTier_SERVICE_TIER_BATCH
	case price.Flex:
		return usagev1.ServiceTier_SERVICE_TIER_FLEX
	case price.Priority:
		return usagev1.ServiceTier_SERVICE_TIER_PRIORITY
	case price.Fast:
		return usagev1.ServiceTier_SERVICE_TIER_FAST
	}
	return usagev1.ServiceTier_SERVICE_TIER_OTHER
}
