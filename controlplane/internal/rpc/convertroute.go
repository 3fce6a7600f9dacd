package rpc

import (
	"github.com/weirhq/weir/controlplane/internal/route"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func toProtoRoute(r route.Route) *adminv1.Route {
	converted := &adminv1.Route{
		Id: r.ID.String(), Name: r.Name, Strategy: adminv1.Strategy(r.Strategy), CreatedAt: toTimestamp(r.CreatedAt), Etag: toETag(r.Version),
		Timeouts: toProtoTimeouts(r.Timeouts), AllowedProjectIds: toTexts(r.AllowedProjectIDs), Retry: toProtoRetry(r.Retry),
		Strict: r.Strict,
	}
	for _, t := range r.Targets {
		converted.Targets = append(converted.Targets, &adminv1.Target{ProviderId: t.ProviderID.String(), Model: t.Model, Weight: t.Weight})
	}
	return converted
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
