package policy

import (
	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// quotas encodes what agents are to hold to: those of the moment, whatever configuration is
// staged, since money is not tried out.
func (c *compiler) quotas(state State) {
	for _, b := range state.Budgets {
		if quota.Enforced(b.Mode) {
			c.add(KindQuota, b.ID.String(), toProtoBudget(b), capabilityQuotas)
		}
	}
	for _, l := range state.Limits {
		if quota.Enforced(l.Mode) {
			c.add(KindQuota, l.ID.String(), toProtoLimit(l), capabilityQuotas)
		}
	}
}

// toProtoBudget leaves out amount and window: the ledger tells them with each lease.
func toProtoBudget(b budget.Budget) *policyv1.Quota {
	return &policyv1.Quota{
		Id: b.ID.String(), Name: b.Name, Scope: toProtoScope(b.Scope), Mode: toProtoMode(b.Mode),
		Measure:               policyv1.QuotaMeasure_QUOTA_MEASURE_COST,
		RefuseWhenUnreachable: b.WhenUnreachable == eventv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE,
	}
}

func toProtoLimit(l limit.Limit) *policyv1.Quota {
	return &policyv1.Quota{
		Id: l.ID.String(), Name: l.Name, Scope: toProtoScope(l.Scope), Mode: toProtoMode(l.Mode),
		Measure: measures[l.Metric], Amount: l.Amount, WindowMs: l.Length().Milliseconds(),
		RefuseWhenUnreachable: l.WhenUnreachable == eventv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE,
	}
}

var measures = map[eventv1.LimitMetric]policyv1.QuotaMeasure{
	eventv1.LimitMetric_LIMIT_METRIC_REQUESTS:            policyv1.QuotaMeasure_QUOTA_MEASURE_REQUESTS,
	eventv1.LimitMetric_LIMIT_METRIC_TOKENS:              policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS,
	eventv1.LimitMetric_LIMIT_METRIC_CONCURRENT_REQUESTS: policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS,
}

// toProtoMode is of one that is enforced.
func toProtoMode(m eventv1.QuotaMode) policyv1.QuotaMode {
	switch m {
	case eventv1.QuotaMode_QUOTA_MODE_HARD:
		return policyv1.QuotaMode_QUOTA_MODE_HARD
	case eventv1.QuotaMode_QUOTA_MODE_SOFT:
		return policyv1.QuotaMode_QUOTA_MODE_SOFT
	}
	return policyv1.QuotaMode_QUOTA_MODE_SHADOW
}

func toProtoScope(s quota.Scope) *policyv1.QuotaScope {
	switch s.On {
	case eventv1.QuotaOn_QUOTA_ON_PROJECT:
		return &policyv1.QuotaScope{On: &policyv1.QuotaScope_ProjectId{ProjectId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_KEY:
		return &policyv1.QuotaScope{On: &policyv1.QuotaScope_KeyId{KeyId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_ROUTE:
		return &policyv1.QuotaScope{On: &policyv1.QuotaScope_RouteId{RouteId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_PROVIDER:
		return &policyv1.QuotaScope{On: &policyv1.QuotaScope_ProviderId{ProviderId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_END_USER:
		return &policyv1.QuotaScope{On: &policyv1.QuotaScope_EndUser{EndUser: true}}
	case eventv1.QuotaOn_QUOTA_ON_LABEL:
		return &policyv1.QuotaScope{On: &policyv1.QuotaScope_Label{Label: &policyv1.LabelScope{Name: s.Label, Value: s.LabelValue}}}
	}
	return &policyv1.QuotaScope{On: &policyv1.QuotaScope_Organization{Organization: true}}
}
