package rpc

import (
	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	"github.com/weirhq/weir/controlplane/internal/limit"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func toBudgetStanding(b budget.Budget) accounted {
	return accounted{b.ID, b.Scope, &adminv1.Quota{
		Id: b.ID.String(), Name: b.Name, Kind: adminv1.QuotaKind_QUOTA_KIND_BUDGET, Unit: adminv1.QuotaUnit_QUOTA_UNIT_NANO_USD,
		Scope: toProtoScope(b.Scope), Mode: adminv1.QuotaMode(b.Mode),
	}}
}

var quotaUnits = map[eventv1.LimitMetric]adminv1.QuotaUnit{
	eventv1.LimitMetric_LIMIT_METRIC_REQUESTS:            adminv1.QuotaUnit_QUOTA_UNIT_REQUESTS,
	eventv1.LimitMetric_LIMIT_METRIC_TOKENS:              adminv1.QuotaUnit_QUOTA_UNIT_TOKENS,
	eventv1.LimitMetric_LIMIT_METRIC_CONCURRENT_REQUESTS: adminv1.QuotaUnit_QUOTA_UNIT_CONCURRENT_REQUESTS,
}

func toLimitStanding(l limit.Limit) accounted {
	return accounted{l.ID, l.Scope, &adminv1.Quota{
		Id: l.ID.String(), Name: l.Name, Kind: adminv1.QuotaKind_QUOTA_KIND_LIMIT, Unit: quotaUnits[l.Metric],
		Scope: toProtoScope(l.Scope), Mode: adminv1.QuotaMode(l.Mode),
	}}
}

func toProtoStanding(f ledger.Status) *adminv1.QuotaStanding {
	return &adminv1.QuotaStanding{
		Subject: f.Subject, Window: toProtoSpan(f.Span), Limit: f.Limit, Raised: f.Raised, CarriedOver: f.CarriedOver,
		Spent: f.Spent, Held: f.Held, Stranded: f.Stranded, Free: f.Free, Overrun: f.Overrun, WrittenOff: f.WrittenOff, Beyond: f.Beyond,
		Forecast: toProtoForecast(f.Forecast), WaitingAgentIds: toTexts(f.Waiting),
	}
}

// toProtoForecast keeps the confidence's number: both count up from low.
func toProtoForecast(f *ledger.Forecast) *adminv1.QuotaForecast {
	if f == nil {
		return nil
	}
	return &adminv1.QuotaForecast{
		ExhaustedAt: toTimestamp(f.ExhaustedAt), SpentAtEnd: f.SpentAtEnd, Confidence: adminv1.ForecastConfidence(f.Confidence),
	}
}

func toProtoQuotaLease(l ledger.Lease) *adminv1.QuotaLease {
	return &adminv1.QuotaLease{
		Subject: l.Subject, Window: l.Window, AgentId: l.AgentID.String(), Boot: l.Boot, Granted: l.Granted, Spent: l.Spent,
		Returned: l.Returned, Held: l.Held, HeardAt: toTimestamp(l.HeardAt), Stranded: l.Stranded,
	}
}

func toProtoPastWindow(p ledger.Past) *adminv1.PastQuotaWindow {
	return &adminv1.PastQuotaWindow{
		Window: toProtoSpan(p.Span), Limit: p.Limit, CarriedOver: p.CarriedOver, Spent: p.Spent, Overrun: p.Overrun,
		WrittenOff: p.WrittenOff, Unsettled: p.Unsettled,
	}
}
