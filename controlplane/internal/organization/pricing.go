package organization

import (
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const maxEstimateModel = 200

// Pricing says what agents do with requests that have no known price. The zero value: they
// serve them.
type Pricing struct {
	// Unpriced is never ALLOW, which is unspecified.
	Unpriced eventv1.Unpriced `json:"unpriced,omitempty"`
	// EstimatePriceList and EstimateModel name the entry of the price book that stands in,
	// with ESTIMATE only.
	EstimatePriceList string `json:"estimate_price_list,omitempty"`
	EstimateModel     string `json:"estimate_model,omitempty"`
}

// complete makes what is said in two ways the same.
func (p Pricing) complete() (Pricing, error) {
	if p.Unpriced == eventv1.Unpriced_UNPRICED_ALLOW {
		p.Unpriced = eventv1.Unpriced_UNPRICED_UNSPECIFIED
	}
	if p.Unpriced < 0 || p.Unpriced > eventv1.Unpriced_UNPRICED_BLOCK {
		return p, fault.Field("organization.pricing.unpriced", "unknown: %d", p.Unpriced)
	}
	estimates := p.Unpriced == eventv1.Unpriced_UNPRICED_ESTIMATE
	switch {
	case estimates && p.EstimatePriceList == "":
		return p, fault.Field("organization.pricing.estimate_price_list", "want the price list of the model whose price stands in")
	case estimates && (p.EstimateModel == "" || len(p.EstimateModel) > maxEstimateModel):
		return p, fault.Field("organization.pricing.estimate_model", "want the model whose price stands in, of at most %d bytes", maxEstimateModel)
	case !estimates && p.EstimatePriceList+p.EstimateModel != "":
		return p, fault.Field("organization.pricing.unpriced", "want UNPRICED_ESTIMATE, where a model is named whose price stands in")
	}
	return p, nil
}

func (p Pricing) toProto() *eventv1.PricingSettings {
	if p == (Pricing{}) {
		return nil
	}
	return &eventv1.PricingSettings{Unpriced: p.Unpriced, EstimatePriceList: p.EstimatePriceList, EstimateModel: p.EstimateModel}
}

func pricingFromProto(p *eventv1.PricingSettings) Pricing {
	return Pricing{Unpriced: p.GetUnpriced(), EstimatePriceList: p.GetEstimatePriceList(), EstimateModel: p.GetEstimateModel()}
}
