package price

import (
	"errors"
	"fmt"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// maxFlat bounds a price of one request or image, pico-dollars: 1,000 dollars.
const maxFlat = 1_000_000_000_000_000

// Entry prices one model for some time. It is immutable.
type Entry struct {
	model string
	place int // in the book that it is of
	// standard is of the standard tier, tiers of those that have prices of their own.
	standard    rateSet
	tiers       []tier
	threshold   int64 // of a long context, in input tokens; 0: none
	marginal    bool
	region      ratio
	regions     []place
	geos        []place
	perRequest  int64
	perImage    int64 // or unknown
	from, until int64 // microseconds since the Unix epoch; 0: ever
	maxInput    int64
	maxOutput   int64
}

// rateSet is what all of a request is priced by: long ones beyond the threshold.
type rateSet struct {
	rates, long bucketRates
	factor      ratio
}

type tier struct {
	name string
	rateSet
}

type place struct {
	name   string
	factor ratio
}

func newEntry(e *policyv1.PriceEntry) (*Entry, error) {
	entry := &Entry{
		model: e.GetModel(), threshold: e.GetLongContextThreshold(),
		marginal: e.GetLongContext() == policyv1.LongContext_LONG_CONTEXT_MARGINAL,
		region:   one, perRequest: e.GetPerRequest(), perImage: unknown,
		from: e.GetEffectiveFromUs(), until: e.GetEffectiveUntilUs(),
		maxInput: e.GetMaxInputTokens(), maxOutput: e.GetMaxOutputTokens(),
	}
	if e.PerImage != nil {
		entry.perImage = *e.PerImage
	}
	switch {
	case entry.perRequest < 0 || entry.perRequest > maxFlat:
		return nil, fmt.Errorf("price %d pico-dollars per request is not within 0 and %d", entry.perRequest, int64(maxFlat))
	case entry.perImage < unknown || entry.perImage > maxFlat || e.GetPerImage() < 0:
		return nil, fmt.Errorf("price %d pico-dollars per image is not within 0 and %d", entry.perImage, int64(maxFlat))
	case entry.from < 0 || entry.until < 0 || entry.until > 0 && entry.until <= entry.from:
		return nil, fmt.Errorf("in effect from %d until %d", entry.from, entry.until)
	case e.GetLongContext() < 0 || e.GetLongContext() > policyv1.LongContext_LONG_CONTEXT_MARGINAL:
		return nil, fmt.Errorf("unknown way %d to price a long context", e.GetLongContext())
	}
	var err error
	if entry.standard, err = newRateSet(e.GetRates(), e.GetLongRates()); err != nil {
		return nil, err
	}
	if entry.regions, err = places(e.GetRegionFactors()); err != nil {
		return nil, err
	}
	if entry.geos, err = places(e.GetGeoFactors()); err != nil {
		return nil, err
	}
	return entry, entry.addTiers(e.GetServiceTiers())
}

func (e *Entry) addTiers(stated []*policyv1.ServiceTierRates) error {
	for _, s := range stated {
		name := s.GetName()
		if Tier(name) != name || name == Standard || name == "" {
			return fmt.Errorf("a service tier is called %q", name)
		}
		if _, twice := e.tier(name); twice {
			return fmt.Errorf("the service tier %s is there twice", name)
		}
		set, err := e.newTier(s)
		if err != nil {
			return fmt.Errorf("service tier %s: %w", name, err)
		}
		e.tiers = append(e.tiers, tier{name, set})
	}
	return nil
}

func (e *Entry) newTier(s *policyv1.ServiceTierRates) (rateSet, error) {
	if s.GetFactor() == nil {
		return newRateSet(s.GetRates(), s.GetLongRates())
	}
	if s.GetRates() != nil || s.GetLongRates() != nil {
		return rateSet{}, errors.New("it has a factor and rates")
	}
	set := e.standard
	var err error
	set.factor, err = newRatio(s.GetFactor())
	return set, err
}

func newRateSet(rates, long *policyv1.Rates) (set rateSet, err error) {
	set.factor = one
	if set.rates, err = newBucketRates(rates); err != nil {
		return set, err
	}
	if set.long, err = newBucketRates(long); err != nil {
		return set, fmt.Errorf("long context: %w", err)
	}
	return set, nil
}

func places(stated []*policyv1.RegionFactor) (all []place, err error) {
	for _, s := range stated {
		factor, err := newRatio(s.GetFactor())
		if err != nil {
			return nil, fmt.Errorf("region %s: %w", s.GetRegion(), err)
		}
		if _, twice := factorOf(all, s.GetRegion()); twice || s.GetRegion() == "" {
			return nil, fmt.Errorf("the region %q is there twice, or has no name", s.GetRegion())
		}
		all = append(all, place{s.GetRegion(), factor})
	}
	return all, nil
}

func factorOf(places []place, name string) (ratio, bool) {
	for _, p := range places {
		if p.name == name {
			return p.factor, true
		}
	}
	return one, false
}

func (e *Entry) tier(name string) (*rateSet, bool) {
	for i := range e.tiers {
		if e.tiers[i].name == name {
			return &e.tiers[i].rateSet, true
		}
	}
	return nil, false
}

// within is the entry as it prices a provider in a region.
func (e *Entry) within(region string) *Entry {
	factor, other := factorOf(e.regions, region)
	if !other || region == "" {
		return e
	}
	inside := *e
	inside.region = factor
	return &inside
}

// MaxInputTokens is the model's own bound; 0 where it is unknown.
func (e *Entry) MaxInputTokens() int64 { return e.maxInput }

// MaxOutputTokens is the model's own bound; 0 where it is unknown.
func (e *Entry) MaxOutputTokens() int64 { return e.maxOutput }

// Served is how a request was served, as far as its price goes by that.
type Served struct {
	// Tier as Tier names it; empty: the standard one.
	Tier string
	// Geo is where, in the provider's word; empty: it does not say, which costs no more.
	Geo string
}

// Price is what an entry prices requests by that were served in one way.
type Price struct {
	entry  *Entry
	set    *rateSet
	factor ratio
}

// In is the price of what was served so; false: it has none, as everything by no entry.
func (e *Entry) In(s Served) (Price, bool) {
	if e == nil {
		return Price{}, false
	}
	set := &e.standard
	if s.Tier != "" && s.Tier != Standard {
		var ok bool
		if set, ok = e.tier(s.Tier); !ok {
			return Price{}, false
		}
	}
	geo := one
	if s.Geo != "" && s.Geo != Global {
		var ok bool
		if geo, ok = factorOf(e.geos, s.Geo); !ok {
			return Price{}, false
		}
	}
	return Price{e, set, set.factor.times(e.region).times(geo)}, true
}

// Cost is that of a Price in the standard tier.
func (e *Entry) Cost(usage *usagev1.TokenUsage) (nanoUSD int64, priced bool) {
	p, _ := e.In(Served{})
	return p.Cost(usage)
}

// CacheSaved is that of a Price in the standard tier.
func (e *Entry) CacheSaved(usage *usagev1.TokenUsage) (nanoUSD int64, ok bool) {
	p, _ := e.In(Served{})
	return p.CacheSaved(usage)
}

// Expected returns nano-dollars for so many tokens of a plain prompt and answer, as Cost
// does.
func (e *Entry) Expected(inputTokens, outputTokens int64) (nanoUSD int64, priced bool) {
	p, _ := e.In(Served{})
	return p.cost(bucketCounts{input: inputTokens, output: outputTokens}, 0)
}

// Cost returns nano-dollars for what one attempt used. It is false where a used bucket has no
// known price, a count is negative or beyond 2^50, or the sum does not fit: such an attempt
// is unpriced, which is not the same as free.
func (p Price) Cost(usage *usagev1.TokenUsage) (nanoUSD int64, priced bool) {
	return p.cost(counts(usage), usage.GetImages())
}

func (p Price) cost(tokens bucketCounts, images int64) (nanoUSD int64, priced bool) {
	e := p.entry
	var total sum
	var ok bool
	switch long := e.threshold > 0 && tokens.allInput() > e.threshold; {
	case long && e.marginal:
		below, beyond := tokens.split(e.threshold)
		ok = total.all(&p.set.rates, &below) && total.all(&p.set.long, &beyond)
	case long:
		ok = total.all(&p.set.long, &tokens)
	default:
		ok = total.all(&p.set.rates, &tokens)
	}
	var flat sum
	flat.add(1, e.perRequest)
	switch {
	case images < 0 || images > maxCount:
		ok = false
	case e.perImage != unknown:
		flat.add(images, e.perImage)
	case images > 0 && tokens == (bucketCounts{}):
		ok = false // nothing else is known of what they cost
	}
	if !ok {
		return 0, false
	}
	return total.nano(p.factor, flat)
}

// CacheSaved returns by how many nano-dollars the provider's prompt cache made an attempt
// cheaper: what the same tokens cost, had those of the cache been plain input, less what they
// do cost. The two are rounded once each, so that Cost + CacheSaved is exactly the former.
// It is negative where writing cost more than reading saved, and false where no token was
// read or written, or one of the two is unpriced.
func (p Price) CacheSaved(usage *usagev1.TokenUsage) (nanoUSD int64, ok bool) {
	plain := counts(usage)
	cached := plain[cacheRead] + plain[cacheWrite5m] + plain[cacheWrite1h]
	if cached <= 0 {
		return 0, false
	}
	plain[input] += cached
	plain[cacheRead], plain[cacheWrite5m], plain[cacheWrite1h] = 0, 0, 0
	with, priced := p.Cost(usage)
	without, plainPriced := p.cost(plain, usage.GetImages())
	if !priced || !plainPriced {
		return 0, false
	}
	return without - with, true
}
