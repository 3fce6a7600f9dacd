package rpc

import (
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// priceSettings is what PriceOverride and CreatePriceOverrideRequest have in common.
type priceSettings interface {
	GetPriceList() string
	GetModel() string
	GetRates() *adminv1.Rates
	GetLongContextThreshold() int64
	GetLongRates() *adminv1.Rates
	GetLongContext() adminv1.LongContext
	GetServiceTiers() []*adminv1.ServiceTierRates
	GetRegionFactors() []*adminv1.RegionFactor
	GetGeoFactors() []*adminv1.RegionFactor
	GetPerRequest() string
	GetPerImage() string
	GetProviderId() string
	GetEffectiveFrom() *timestamppb.Timestamp
	GetEffectiveUntil() *timestamppb.Timestamp
}

// fromProtoPrice names fields with the prefix where one does not fit.
func fromProtoPrice(prefix string, p priceSettings) (s priceoverride.Settings, err error) {
	s = priceoverride.Settings{
		PriceList: p.GetPriceList(), Model: p.GetModel(), LongContextThreshold: p.GetLongContextThreshold(),
		Marginal: p.GetLongContext() == adminv1.LongContext_LONG_CONTEXT_MARGINAL,
		Regions:  fromProtoRegions(p.GetRegionFactors()), Geos: fromProtoRegions(p.GetGeoFactors()),
		From: fromTimestamp(p.GetEffectiveFrom()), Until: fromTimestamp(p.GetEffectiveUntil()),
	}
	if id := p.GetProviderId(); id != "" {
		if s.ProviderID, err = uuid.Parse(id); err != nil {
			return s, fault.Field(prefix+"provider_id", "want a UUID")
		}
	}
	if s.Rates, err = fromProtoRates(prefix+"rates.", p.GetRates()); err != nil {
		return s, err
	}
	if s.LongRates, err = fromProtoRates(prefix+"long_rates.", p.GetLongRates()); err != nil {
		return s, err
	}
	for i, t := range p.GetServiceTiers() {
		at := prefix + "service_tiers[" + strconv.Itoa(i) + "]."
		tier := priceoverride.Tier{Name: t.GetName(), Factor: fromProtoFactor(t.GetFactor())}
		if tier.Rates, err = fromProtoRates(at+"rates.", t.GetRates()); err != nil {
			return s, err
		}
		if tier.LongRates, err = fromProtoRates(at+"long_rates.", t.GetLongRates()); err != nil {
			return s, err
		}
		s.Tiers = append(s.Tiers, tier)
	}
	flat, err := priceoverride.ParseFlat(prefix+"per_request", p.GetPerRequest())
	if err != nil {
		return s, err
	}
	if flat != nil {
		s.PerRequest = *flat
	}
	s.PerImage, err = priceoverride.ParseFlat(prefix+"per_image", p.GetPerImage())
	return s, err
}

func fromProtoFactor(f *adminv1.Factor) priceoverride.Factor {
	return priceoverride.Factor{Numerator: f.GetNumerator(), Denominator: f.GetDenominator()}
}

func fromProtoRegions(regions []*adminv1.RegionFactor) (all []priceoverride.Region) {
	for _, r := range regions {
		all = append(all, priceoverride.Region{Name: r.GetRegion(), Factor: fromProtoFactor(r.GetFactor())})
	}
	return all
}

func fromProtoRates(prefix string, r *adminv1.Rates) (rates priceoverride.Rates, err error) {
	for _, bucket := range []struct {
		name, text string
		rate       **int64
	}{
		{"input", r.GetInput(), &rates.Input},
		{"cache_read", r.GetCacheRead(), &rates.CacheRead},
		{"cache_write_5m", r.GetCacheWrite_5M(), &rates.CacheWrite5m},
		{"cache_write_1h", r.GetCacheWrite_1H(), &rates.CacheWrite1h},
		{"output", r.GetOutput(), &rates.Output},
		{"input_audio", r.GetInputAudio(), &rates.InputAudio},
		{"output_audio", r.GetOutputAudio(), &rates.OutputAudio},
		{"input_image", r.GetInputImage(), &rates.InputImage},
		{"output_image", r.GetOutputImage(), &rates.OutputImage},
	} {
		if *bucket.rate, err = priceoverride.ParseRate(prefix+bucket.name, bucket.text); err != nil {
			return rates, err
		}
	}
	return rates, nil
}

func toProtoPriceOverride(p priceoverride.PriceOverride) *adminv1.PriceOverride {
	made := &adminv1.PriceOverride{
		Id: p.ID.String(), PriceList: p.PriceList, Model: p.Model, Rates: toProtoRates(p.Rates),
		LongContextThreshold: p.LongContextThreshold, LongRates: toProtoRates(p.LongRates),
		RegionFactors: toProtoRegions(p.Regions), GeoFactors: toProtoRegions(p.Geos),
		PerRequest: perRequest(p.PerRequest), PerImage: priceoverride.FormatFlat(p.PerImage),
		EffectiveFrom: toTimestamp(p.From), EffectiveUntil: toTimestamp(p.Until),
		CreatedAt: toTimestamp(p.CreatedAt), Etag: toETag(p.Version),
	}
	if p.Marginal {
		made.LongContext = adminv1.LongContext_LONG_CONTEXT_MARGINAL
	}
	if p.ProviderID != uuid.Nil {
		made.ProviderId = p.ProviderID.String()
	}
	for _, t := range p.Tiers {
		made.ServiceTiers = append(made.ServiceTiers, &adminv1.ServiceTierRates{
			Name: t.Name, Rates: toProtoRates(t.Rates), LongRates: toProtoRates(t.LongRates), Factor: toProtoFactor(t.Factor),
		})
	}
	return made
}

// perRequest is empty where there is none.
func perRequest(pico int64) string {
	if pico == 0 {
		return ""
	}
	return priceoverride.FormatFlat(&pico)
}

func toProtoFactor(f priceoverride.Factor) *adminv1.Factor {
	if f == (priceoverride.Factor{}) {
		return nil
	}
	return &adminv1.Factor{Numerator: f.Numerator, Denominator: f.Denominator}
}

func toProtoRegions(regions []priceoverride.Region) []*adminv1.RegionFactor {
	return convertAll(regions, func(r priceoverride.Region) *adminv1.RegionFactor {
		return &adminv1.RegionFactor{Region: r.Name, Factor: toProtoFactor(r.Factor)}
	})
}

func toProtoPrice(e *policyv1.PriceEntry) *adminv1.Price {
	shown := toProtoPriceOverride(priceoverride.PriceOverride{Settings: fromPolicy(e)})
	return &adminv1.Price{
		PriceList: shown.PriceList, Model: shown.Model, Rates: shown.Rates,
		LongContextThreshold: shown.LongContextThreshold, LongRates: shown.LongRates, LongContext: shown.LongContext,
		ServiceTiers: shown.ServiceTiers, RegionFactors: shown.RegionFactors, GeoFactors: shown.GeoFactors,
		PerRequest: shown.PerRequest, PerImage: shown.PerImage, ProviderId: shown.ProviderId,
		EffectiveFrom: shown.EffectiveFrom, EffectiveUntil: shown.EffectiveUntil,
		MaxInputTokens: e.GetMaxInputTokens(), MaxOutputTokens: e.GetMaxOutputTokens(), Aliases: e.GetAliases(),
	}
}

// fromPolicy is the override that says what an entry does.
func fromPolicy(e *policyv1.PriceEntry) priceoverride.Settings {
	s := priceoverride.Settings{
		PriceList: e.GetPriceList(), Model: e.GetModel(), Rates: fromPolicyRates(e.GetRates()),
		LongContextThreshold: e.GetLongContextThreshold(), LongRates: fromPolicyRates(e.GetLongRates()),
		Marginal: e.GetLongContext() == policyv1.LongContext_LONG_CONTEXT_MARGINAL,
		Regions:  fromPolicyRegions(e.GetRegionFactors()), Geos: fromPolicyRegions(e.GetGeoFactors()),
		PerRequest: e.GetPerRequest(), PerImage: e.PerImage,
	}
	s.ProviderID, _ = uuid.Parse(e.GetProviderId()) // uuid.Nil where there is none
	if from := e.GetEffectiveFromUs(); from > policy.AlwaysUS {
		s.From = time.UnixMicro(from).UTC()
	}
	if until := e.GetEffectiveUntilUs(); until != 0 {
		s.Until = time.UnixMicro(until).UTC()
	}
	for _, t := range e.GetServiceTiers() {
		s.Tiers = append(s.Tiers, priceoverride.Tier{
			Name: t.GetName(), Rates: fromPolicyRates(t.GetRates()), LongRates: fromPolicyRates(t.GetLongRates()),
			Factor: priceoverride.Factor{Numerator: t.GetFactor().GetNumerator(), Denominator: t.GetFactor().GetDenominator()},
		})
	}
	return s
}

func fromPolicyRegions(regions []*policyv1.RegionFactor) (all []priceoverride.Region) {
	for _, r := range regions {
		all = append(all, priceoverride.Region{
			Name: r.GetRegion(), Factor: priceoverride.Factor{Numerator: r.GetFactor().GetNumerator(), Denominator: r.GetFactor().GetDenominator()},
		})
	}
	return all
}

func fromPolicyRates(r *policyv1.Rates) priceoverride.Rates {
	if r == nil {
		return priceoverride.Rates{}
	}
	return priceoverride.Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite5m: r.CacheWrite_5M, CacheWrite1h: r.CacheWrite_1H,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio, InputImage: r.InputImage, OutputImage: r.OutputImage,
	}
}

// toProtoRates returns nil for no rates at all.
func toProtoRates(r priceoverride.Rates) *adminv1.Rates {
	if (r == priceoverride.Rates{}) {
		return nil
	}
	text := priceoverride.FormatRate
	return &adminv1.Rates{
		Input: text(r.Input), CacheRead: text(r.CacheRead), CacheWrite_5M: text(r.CacheWrite5m), CacheWrite_1H: text(r.CacheWrite1h),
		Output: text(r.Output), InputAudio: text(r.InputAudio), OutputAudio: text(r.OutputAudio),
		InputImage: text(r.InputImage), OutputImage: text(r.OutputImage),
	}
}
