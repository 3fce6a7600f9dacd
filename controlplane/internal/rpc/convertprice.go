package rpc

import (
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
}

// fromProtoPrice names fields with the prefix where one does not fit.
func fromProtoPrice(prefix string, p priceSettings) (s priceoverride.Settings, err error) {
	s = priceoverride.Settings{PriceList: p.GetPriceList(), Model: p.GetModel(), LongContextThreshold: p.GetLongContextThreshold()}
	if s.Rates, err = fromProtoRates(prefix+"rates.", p.GetRates()); err != nil {
		return s, err
	}
	s.LongRates, err = fromProtoRates(prefix+"long_rates.", p.GetLongRates())
	return s, err
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
	} {
		if *bucket.rate, err = priceoverride.ParseRate(prefix+bucket.name, bucket.text); err != nil {
			return rates, err
		}
	}
	return rates, nil
}

func toProtoPriceOverride(p priceoverride.PriceOverride) *adminv1.PriceOverride {
	return &adminv1.PriceOverride{
		Id: p.ID.String(), PriceList: p.PriceList, Model: p.Model, Rates: toProtoRates(p.Rates),
		LongContextThreshold: p.LongContextThreshold, LongRates: toProtoRates(p.LongRates),
		CreatedAt: toTimestamp(p.CreatedAt), Etag: toETag(p.Version),
	}
}

func toProtoPrice(e *policyv1.PriceEntry) *adminv1.Price {
	return &adminv1.Price{
		PriceList: e.GetPriceList(), Model: e.GetModel(), Rates: toProtoRates(fromPolicyRates(e.GetRates())),
		LongContextThreshold: e.GetLongContextThreshold(), LongRates: toProtoRates(fromPolicyRates(e.GetLongRates())),
		MaxInputTokens: e.GetMaxInputTokens(), MaxOutputTokens: e.GetMaxOutputTokens(),
	}
}

func fromPolicyRates(r *policyv1.Rates) priceoverride.Rates {
	if r == nil {
		return priceoverride.Rates{}
	}
	return priceoverride.Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite5m: r.CacheWrite_5M, CacheWrite1h: r.CacheWrite_1H,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio,
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
	}
}
