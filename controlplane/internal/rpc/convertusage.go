package rpc

import (
	"cmp"

	"github.com/weirhq/weir/controlplane/internal/organization"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func toProtoUsage(u organization.Usage) *adminv1.UsageSettings {
	return &adminv1.UsageSettings{
		EndUsers: adminv1.EndUsers(u.EndUsers),
		Labels: convertAll(u.Labels, func(l organization.Label) *adminv1.LabelRule {
			return &adminv1.LabelRule{Name: l.Name, MaxBytes: l.MaxBytes, Pattern: l.Pattern}
		}),
	}
}

func toProtoPricing(p organization.Pricing) *adminv1.PricingSettings {
	return &adminv1.PricingSettings{
		Unpriced:          cmp.Or(adminv1.Unpriced(p.Unpriced), adminv1.Unpriced_UNPRICED_ALLOW),
		EstimatePriceList: p.EstimatePriceList, EstimateModel: p.EstimateModel,
	}
}

func fromProtoPricing(p *adminv1.PricingSettings) organization.Pricing {
	return organization.Pricing{
		Unpriced: eventv1.Unpriced(p.GetUnpriced()), EstimatePriceList: p.GetEstimatePriceList(), EstimateModel: p.GetEstimateModel(),
	}
}

// fromProtoUsage takes none as the default, and an empty one as one without labels.
func fromProtoUsage(u *adminv1.UsageSettings) organization.Usage {
	if u == nil {
		return organization.Usage{}
	}
	return organization.Usage{
		EndUsers: eventv1.EndUsers(cmp.Or(u.GetEndUsers(), adminv1.EndUsers_END_USERS_HASHED)),
		Labels: convertAll(u.GetLabels(), func(l *adminv1.LabelRule) organization.Label {
			return organization.Label{Name: l.GetName(), MaxBytes: l.GetMaxBytes(), Pattern: l.GetPattern()}
		}),
	}
}
