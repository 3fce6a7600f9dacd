package rpc

import (
	"errors"
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/route"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func toProtoRoute(r route.Route) *adminv1.Route {
	converted := &adminv1.Route{
		Id: r.ID.String(), Name: r.Name, Strategy: adminv1.Strategy(r.Strategy), CreatedAt: toTimestamp(r.CreatedAt), Etag: toETag(r.Version),
		Timeouts: toProtoTimeouts(r.Timeouts), AllowedProjectIds: toTexts(r.AllowedProjectIDs), Retry: toProtoRetry(r.Retry),
		Strict: r.Strict, Targets: convertAll(r.Targets, toProtoTarget),
		Canary: toProtoShare(r.Canary), Shadow: toProtoShare(r.Shadow),
	}
	if s := r.Sticky; s != nil {
		converted.Sticky = &adminv1.Sticky{By: adminv1.StickyBy(s.By), Header: s.Header, MinTokens: s.MinTokens, BreakEvenPercent: s.BreakEvenPercent}
	}
	if h := r.Hedge; h != nil {
		converted.Hedge = &adminv1.Hedge{Percentile: h.Percentile, MinDelay: toDuration(h.MinMS), MaxPercent: h.MaxPercent}
	}
	return converted
}

func toProtoTarget(t route.Target) *adminv1.Target {
	return &adminv1.Target{ProviderId: t.ProviderID.String(), Model: t.Model, Weight: t.Weight, When: t.When}
}

func toProtoShare(s *route.Share) *adminv1.Share {
	if s == nil {
		return nil
	}
	return &adminv1.Share{Target: toProtoTarget(s.Target), PerMille: s.PerMille}
}

// routeSettings is what Route and CreateRouteRequest have in common.
type routeSettings interface {
	GetName() string
	GetStrategy() adminv1.Strategy
	GetTargets() []*adminv1.Target
	GetTimeouts() *adminv1.Timeouts
	GetAllowedProjectIds() []string
	GetRetry() *adminv1.Retry
	GetStrict() bool
	GetSticky() *adminv1.Sticky
	GetHedge() *adminv1.Hedge
	GetCanary() *adminv1.Share
	GetShadow() *adminv1.Share
}

func fromProtoRoute(r routeSettings) (route.Settings, error) {
	settings := route.Settings{
		Name: r.GetName(), Strategy: eventv1.Strategy(r.GetStrategy()), Timeouts: fromProtoTimeouts(r.GetTimeouts()),
		Retry: fromProtoRetry(r.GetRetry()), Strict: r.GetStrict(),
	}
	for i, t := range r.GetTargets() {
		target, err := fromProtoTarget(fmt.Sprintf("targets[%d]", i), t)
		if err != nil {
			return settings, err
		}
		settings.Targets = append(settings.Targets, target)
	}
	if s := r.GetSticky(); s != nil {
		settings.Sticky = &route.Sticky{By: eventv1.StickyBy(s.GetBy()), Header: s.GetHeader(), MinTokens: s.GetMinTokens(), BreakEvenPercent: s.GetBreakEvenPercent()}
	}
	if h := r.GetHedge(); h != nil {
		settings.Hedge = &route.Hedge{Percentile: h.GetPercentile(), MinMS: h.GetMinDelay().AsDuration().Milliseconds(), MaxPercent: h.GetMaxPercent()}
	}
	var canaryErr, shadowErr, projectsErr error
	settings.Canary, canaryErr = fromProtoShare("canary", r.GetCanary())
	settings.Shadow, shadowErr = fromProtoShare("shadow", r.GetShadow())
	settings.AllowedProjectIDs, projectsErr = parseIDs("allowed_project_ids", r.GetAllowedProjectIds())
	return settings, errors.Join(canaryErr, shadowErr, projectsErr)
}

func fromProtoTarget(field string, t *adminv1.Target) (route.Target, error) {
	id, err := parseID(field+".provider_id", t.GetProviderId())
	return route.Target{ProviderID: id, Model: t.GetModel(), Weight: t.GetWeight(), When: t.GetWhen()}, err
}

func fromProtoShare(field string, s *adminv1.Share) (*route.Share, error) {
	if s == nil {
		return nil, nil
	}
	target, err := fromProtoTarget(field+".target", s.GetTarget())
	return &route.Share{Target: target, PerMille: s.GetPerMille()}, err
}

func toProtoRetry(r *route.Retry) *adminv1.Retry {
	if r == nil {
		return nil
	}
	converted := &adminv1.Retry{MaxAttempts: r.MaxAttempts, Backoff: toDuration(r.BackoffMS)}
	for _, failure := range r.On {
		converted.On = append(converted.On, adminv1.Failure(failure))
	}
	return converted
}

func fromProtoRetry(r *adminv1.Retry) *route.Retry {
	if r == nil {
		return nil
	}
	retry := &route.Retry{MaxAttempts: r.GetMaxAttempts(), BackoffMS: r.GetBackoff().AsDuration().Milliseconds()}
	for _, failure := range r.GetOn() {
		retry.On = append(retry.On, eventv1.Failure(failure))
	}
	return retry
}
