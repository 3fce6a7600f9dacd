package priceoverride

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/proto/contract/price"
)

// What agents take.
const (
	maxFactor  = 1000
	maxFlat    = 1_000_000_000_000_000 // 1,000 dollars
	maxRegion  = 63
	maxTiers   = 10
	maxRegions = 50
)

// Tier is how a service tier is priced: by its own rates, or by the override's times Factor.
type Tier struct {
	Name      string `json:"name"`
	Rates     Rates  `json:"rates,omitzero"`
	LongRates Rates  `json:"long_rates,omitzero"`
	Factor    Factor `json:"factor,omitzero"`
}

// Factor is exact; the zero value is none.
type Factor struct {
	Numerator   int64 `json:"numerator"`
	Denominator int64 `json:"denominator"`
}

// Region multiplies what tokens cost there.
type Region struct {
	Name   string `json:"name"`
	Factor Factor `json:"factor"`
}

// checkMore holds what is beside the rates of the standard tier; it is in order.
func (s Settings) checkMore() error {
	switch {
	case s.PerRequest < 0 || s.PerRequest > maxFlat:
		return fault.Field("per_request", "%d pico-dollars are not within 0..%d", s.PerRequest, int64(maxFlat))
	case s.PerImage != nil && (*s.PerImage < 0 || *s.PerImage > maxFlat):
		return fault.Field("per_image", "%d pico-dollars are not within 0..%d", *s.PerImage, int64(maxFlat))
	case s.From.UnixMicro() <= 0 && !s.From.IsZero():
		return fault.Field("effective_from", "want a time after 1970")
	case !s.Until.IsZero() && (s.Until.UnixMicro() <= 0 || !s.Until.After(s.From)):
		return fault.Field("effective_until", "want a time after effective_from")
	case len(s.Tiers) > maxTiers:
		return fault.Field("service_tiers", "want at most %d", maxTiers)
	}
	for i, t := range s.Tiers {
		if err := t.check(fmt.Sprintf("service_tiers[%q].", t.Name), s.LongContextThreshold > 0); err != nil {
			return err
		}
		if i > 0 && s.Tiers[i-1].Name == t.Name {
			return fault.Field("service_tiers", "%q is there twice", t.Name)
		}
	}
	if err := checkRegions("region_factors", s.Regions); err != nil {
		return err
	}
	return checkRegions("geo_factors", s.Geos)
}

func (t Tier) check(field string, long bool) error {
	switch {
	case t.Name == "" || price.Tier(t.Name) != t.Name || t.Name == price.Standard:
		return fault.Field(field+"name", "want a name such as flex or priority; the standard tier is priced by rates")
	case t.Factor == Factor{} && t.Rates == Rates{}:
		return fault.Field(field+"rates", "want at least one price, or a factor")
	case t.Factor != Factor{} && (t.Rates != Rates{} || t.LongRates != Rates{}):
		return fault.Field(field+"factor", "want either rates or a factor")
	case t.LongRates != Rates{} && !long:
		return fault.Field("long_context_threshold", "want the tokens above which long_rates count")
	}
	if t.Factor != (Factor{}) {
		return t.Factor.check(field + "factor")
	}
	if err := t.Rates.check(field + "rates"); err != nil {
		return err
	}
	return t.LongRates.check(field + "long_rates")
}

func (f Factor) check(field string) error {
	if f.Numerator < 1 || f.Numerator > maxFactor || f.Denominator < 1 || f.Denominator > maxFactor {
		return fault.Field(field, "want a numerator and a denominator within 1..%d", maxFactor)
	}
	return nil
}

func checkRegions(field string, regions []Region) error {
	if len(regions) > maxRegions {
		return fault.Field(field, "want at most %d", maxRegions)
	}
	for i, r := range regions {
		if r.Name == "" || len(r.Name) > maxRegion {
			return fault.Field(field, "want 1 to %d bytes each", maxRegion)
		}
		if i > 0 && regions[i-1].Name == r.Name {
			return fault.Field(field, "%q is there twice", r.Name)
		}
		if err := r.Factor.check(fmt.Sprintf("%s[%q].factor", field, r.Name)); err != nil {
			return err
		}
	}
	return nil
}
