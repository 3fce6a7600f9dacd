package rpc

import (
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/quota"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func fromProtoScope(s *adminv1.QuotaScope) (quota.Scope, error) {
	of := func(on eventv1.QuotaOn, field, text string) (quota.Scope, error) {
		id, err := parseID("scope."+field, text)
		return quota.Scope{On: on, ID: id}, err
	}
	switch named := s.GetOn().(type) {
	case *adminv1.QuotaScope_Organization:
		return quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, nil
	case *adminv1.QuotaScope_ProjectId:
		return of(eventv1.QuotaOn_QUOTA_ON_PROJECT, "project_id", named.ProjectId)
	case *adminv1.QuotaScope_KeyId:
		return of(eventv1.QuotaOn_QUOTA_ON_KEY, "key_id", named.KeyId)
	case *adminv1.QuotaScope_RouteId:
		return of(eventv1.QuotaOn_QUOTA_ON_ROUTE, "route_id", named.RouteId)
	case *adminv1.QuotaScope_ProviderId:
		return of(eventv1.QuotaOn_QUOTA_ON_PROVIDER, "provider_id", named.ProviderId)
	case *adminv1.QuotaScope_EndUser:
		return quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_END_USER}, nil
	case *adminv1.QuotaScope_Label:
		return quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_LABEL, Label: named.Label.GetName(), LabelValue: named.Label.Value}, nil
	}
	return quota.Scope{}, nil
}

func toProtoScope(s quota.Scope) *adminv1.QuotaScope {
	switch s.On {
	case eventv1.QuotaOn_QUOTA_ON_ORGANIZATION:
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_Organization{Organization: &adminv1.OrganizationScope{}}}
	case eventv1.QuotaOn_QUOTA_ON_PROJECT:
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_ProjectId{ProjectId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_KEY:
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_KeyId{KeyId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_ROUTE:
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_RouteId{RouteId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_PROVIDER:
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_ProviderId{ProviderId: s.ID.String()}}
	case eventv1.QuotaOn_QUOTA_ON_END_USER:
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_EndUser{EndUser: &adminv1.EndUserScope{}}}
	case eventv1.QuotaOn_QUOTA_ON_LABEL:
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_Label{Label: &adminv1.LabelScope{Name: s.Label, Value: s.LabelValue}}}
	}
	return nil
}

// toProtoSpan leaves a window without bounds out.
func toProtoSpan(s quota.Span) *adminv1.WindowSpan {
	if s == (quota.Span{}) {
		return nil
	}
	return &adminv1.WindowSpan{StartsAt: toTimestamp(s.Start), EndsAt: toTimestamp(s.End)}
}

// limitSettings is what Limit and CreateLimitRequest have in common.
type limitSettings interface {
	GetName() string
	GetScope() *adminv1.QuotaScope
	GetMetric() adminv1.LimitMetric
	GetAmount() int64
	GetWindow() adminv1.LimitWindow
	GetMode() adminv1.QuotaMode
	GetWhenUnreachable() adminv1.WhenUnreachable
}

func fromProtoLimit(l limitSettings) (limit.Settings, error) {
	scope, err := fromProtoScope(l.GetScope())
	return limit.Settings{
		Name: l.GetName(), Scope: scope, Metric: eventv1.LimitMetric(l.GetMetric()), Amount: l.GetAmount(), Window: eventv1.LimitWindow(l.GetWindow()),
		Mode: eventv1.QuotaMode(l.GetMode()), WhenUnreachable: eventv1.WhenUnreachable(l.GetWhenUnreachable()),
	}, err
}

func toProtoLimit(l limit.Limit) *adminv1.Limit {
	return &adminv1.Limit{
		Id: l.ID.String(), Name: l.Name, Scope: toProtoScope(l.Scope), Metric: adminv1.LimitMetric(l.Metric), Amount: l.Amount,
		Window: adminv1.LimitWindow(l.Window), Mode: adminv1.QuotaMode(l.Mode), WhenUnreachable: adminv1.WhenUnreachable(l.WhenUnreachable),
		CreatedAt: toTimestamp(l.CreatedAt), Etag: toETag(l.Version),
	}
}

// budgetSettings is what Budget and CreateBudgetRequest have in common.
type budgetSettings interface {
	GetName() string
	GetScope() *adminv1.QuotaScope
	GetAmountNanoUsd() int64
	GetWindow() *adminv1.BudgetWindow
	GetCarryOver() bool
	GetAlertPercents() []int32
	GetAlertChannelIds() []string
	GetMode() adminv1.QuotaMode
	GetWhenUnreachable() adminv1.WhenUnreachable
}

func fromProtoBudget(b budgetSettings) (s budget.Settings, err error) {
	s = budget.Settings{
		Name: b.GetName(), AmountNanoUSD: b.GetAmountNanoUsd(), Window: fromProtoWindow(b.GetWindow()), CarryOver: b.GetCarryOver(),
		AlertPercents: b.GetAlertPercents(), Mode: eventv1.QuotaMode(b.GetMode()), WhenUnreachable: eventv1.WhenUnreachable(b.GetWhenUnreachable()),
	}
	if s.Scope, err = fromProtoScope(b.GetScope()); err != nil {
		return s, err
	}
	s.AlertChannelIDs, err = parseIDs("alert_channel_ids", b.GetAlertChannelIds())
	return s, err
}

func toProtoBudget(b budget.Budget) *adminv1.Budget {
	return &adminv1.Budget{
		Id: b.ID.String(), Name: b.Name, Scope: toProtoScope(b.Scope), AmountNanoUsd: b.AmountNanoUSD, Window: toProtoWindow(b.Window),
		CarryOver: b.CarryOver, AlertPercents: b.AlertPercents, AlertChannelIds: toTexts(b.AlertChannelIDs), Mode: adminv1.QuotaMode(b.Mode),
		WhenUnreachable: adminv1.WhenUnreachable(b.WhenUnreachable), LastRaise: toProtoRaise(b.Raised),
		CreatedAt: toTimestamp(b.CreatedAt), Etag: toETag(b.Version),
	}
}

func fromProtoWindow(w *adminv1.BudgetWindow) quota.Window {
	switch said := w.GetWindow().(type) {
	case *adminv1.BudgetWindow_Calendar:
		return quota.Window{Calendar: &quota.Calendar{Period: eventv1.CalendarPeriod(said.Calendar.GetPeriod()), TimeZone: said.Calendar.GetTimeZone()}}
	case *adminv1.BudgetWindow_Rolling:
		return quota.Window{Rolling: &quota.Rolling{Duration: said.Rolling.GetDuration().AsDuration()}}
	case *adminv1.BudgetWindow_Lifetime:
		return quota.Window{Lifetime: true}
	}
	return quota.Window{}
}

func toProtoWindow(w quota.Window) *adminv1.BudgetWindow {
	switch {
	case w.Calendar != nil:
		return &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Calendar{Calendar: &adminv1.CalendarWindow{
			Period: adminv1.CalendarPeriod(w.Calendar.Period), TimeZone: w.Calendar.TimeZone,
		}}}
	case w.Rolling != nil:
		return &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Rolling{Rolling: &adminv1.RollingWindow{Duration: durationpb.New(w.Rolling.Duration)}}}
	case w.Lifetime:
		return &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Lifetime{Lifetime: &adminv1.LifetimeWindow{}}}
	}
	return nil
}

func toProtoRaise(r *budget.Raise) *adminv1.BudgetRaise {
	if r == nil {
		return nil
	}
	return &adminv1.BudgetRaise{AmountNanoUsd: r.AmountNanoUSD, ExpiresAt: toTimestamp(r.ExpiresAt), Reason: r.Reason}
}
