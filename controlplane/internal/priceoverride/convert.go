package priceoverride

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func (s Settings) toEvent() *eventv1.PriceOverrideSettings {
	e := &eventv1.PriceOverrideSettings{
		PriceList: s.PriceList, Model: s.Model, Rates: s.Rates.toEvent(),
		LongContextThreshold: s.LongContextThreshold, LongRates: s.LongRates.toEvent(),
		RegionFactors: regionsToEvent(s.Regions), GeoFactors: regionsToEvent(s.Geos),
		PerRequest: s.PerRequest, PerImage: s.PerImage,
		EffectiveFrom: timeToEvent(s.From), EffectiveUntil: timeToEvent(s.Until),
	}
	if s.Marginal {
		e.LongContext = eventv1.LongContext_LONG_CONTEXT_MARGINAL
	}
	if s.ProviderID != uuid.Nil {
		e.ProviderId = s.ProviderID.String()
	}
	for _, t := range s.Tiers {
		e.ServiceTiers = append(e.ServiceTiers, &eventv1.ServiceTierRates{
			Name: t.Name, Rates: t.Rates.toEvent(), LongRates: t.LongRates.toEvent(), Factor: t.Factor.toEvent(),
		})
	}
	return e
}

func fromEvent(e *eventv1.PriceOverrideSettings) Settings {
	s := Settings{
		PriceList: e.GetPriceList(), Model: e.GetModel(), Rates: ratesFromEvent(e.GetRates()),
		LongContextThreshold: e.GetLongContextThreshold(), LongRates: ratesFromEvent(e.GetLongRates()),
		Marginal: e.GetLongContext() == eventv1.LongContext_LONG_CONTEXT_MARGINAL,
		Regions:  regionsFromEvent(e.GetRegionFactors()), Geos: regionsFromEvent(e.GetGeoFactors()),
		PerRequest: e.GetPerRequest(), PerImage: e.PerImage,
		From: timeFromEvent(e.GetEffectiveFrom()), Until: timeFromEvent(e.GetEffectiveUntil()),
	}
	s.ProviderID, _ = uuid.Parse(e.GetProviderId()) // uuid.Nil where there is none
	for _, t := range e.GetServiceTiers() {
		s.Tiers = append(s.Tiers, Tier{
			Name: t.GetName(), Rates: ratesFromEvent(t.GetRates()), LongRates: ratesFromEvent(t.GetLongRates()), Factor: factorFromEvent(t.GetFactor()),
		})
	}
	return s
}

func timeToEvent(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeFromEvent(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func (f Factor) toEvent() *eventv1.Factor {
	if f == (Factor{}) {
		return nil
	}
	return &eventv1.Factor{Numerator: f.Numerator, Denominator: f.Denominator}
}

func factorFromEvent(f *eventv1.Factor) Factor {
	return Factor{Numerator: f.GetNumerator(), Denominator: f.GetDenominator()}
}

func regionsToEvent(regions []Region) (all []*eventv1.RegionFactor) {
	for _, r := range regions {
		all = append(all, &eventv1.RegionFactor{Region: r.Name, Factor: r.Factor.toEvent()})
	}
	return all
}

func regionsFromEvent(regions []*eventv1.RegionFactor) (all []Region) {
	for _, r := range regions {
		all = append(all, Region{Name: r.GetRegion(), Factor: factorFromEvent(r.GetFactor())})
	}
	return all
}

func (r Rates) toEvent() *eventv1.Rates {
	if (r == Rates{}) {
		return nil
	}
	return &eventv1.Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite_5M: r.CacheWrite5m, CacheWrite_1H: r.CacheWrite1h,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio, InputImage: r.InputImage, OutputImage: r.OutputImage,
	}
}

func ratesFromEvent(r *eventv1.Rates) Rates {
	if r == nil {
		return Rates{}
	}
	return Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite5m: r.CacheWrite_5M, CacheWrite1h: r.CacheWrite_1H,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio, InputImage: r.InputImage, OutputImage: r.OutputImage,
	}
}
