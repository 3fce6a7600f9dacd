package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/share"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// toProtoGateway keeps the numbers of enums, as toProtoProvider does the dialect's.
func toProtoGateway(g gateway.Gateway, usage organization.Usage, pricing organization.Pricing) *policyv1.Gateway {
	usage = usage.Effective()
	return &policyv1.Gateway{
		Id:                      g.ID.String(),
		Name:                    g.Name,
		Region:                  g.Region,
		MaxRequestBytes:         DefaultMaxRequestBytes,
		CredentialMaxAgeSeconds: g.CredentialMaxAge,
		WhenSpoolFull:           policyv1.SpoolFull(g.WhenSpoolFull),
		EndUsers:                policyv1.EndUsers(usage.EndUsers),
		Labels:                  toProtoLabels(usage.Labels),
		Unpriced:                policyv1.Unpriced(pricing.Unpriced),
		EstimatePriceList:       pricing.EstimatePriceList,
		EstimateModel:           pricing.EstimateModel,
	}
}

func toProtoLabels(labels []organization.Label) []*policyv1.LabelRule {
	compiled := make([]*policyv1.LabelRule, len(labels))
	for i, l := range labels {
		compiled[i] = &policyv1.LabelRule{Name: l.Name, MaxBytes: l.MaxBytes, Pattern: l.Pattern}
	}
	return compiled
}

// toProtoProvider keeps the dialect's number: both enums agree, and a test holds
// them to it. Of sealed credentials a gateway gets its own only.
func toProtoProvider(p provider.Provider, gatewayID uuid.UUID) *policyv1.Provider {
	compiled := &policyv1.Provider{
		Id:            p.ID.String(),
		Name:          p.Name,
		Dialect:       policyv1.Dialect(p.Dialect),
		BaseUrl:       p.BaseURL,
		CredentialRef: p.CredentialRef,
		Region:        p.Region,
		PriceList:     p.PriceList,
		Headers:       toProtoHeaders(p.Headers),
		Timeouts:      toProtoTimeouts(p.Timeouts),
		ApiVersion:    p.APIVersion,
		Queue:         toProtoQueue(p.Queue),
	}
	if s, ok := p.SealedFor(gatewayID); ok {
		compiled.SealedCredential = &policyv1.SealedCredential{Version: s.Version, Sealed: s.Bytes}
	}
	return compiled
}

// toProtoQueue is nil where nothing waits.
func toProtoQueue(q share.Queue) *policyv1.Queue {
	if q == (share.Queue{}) {
		return nil
	}
	return &policyv1.Queue{MaxRequests: q.MaxRequests, MaxWaitMs: q.MaxWaitMS}
}

func toProtoProject(p project.Project) *policyv1.Project {
	return &policyv1.Project{Id: p.ID.String(), Weight: int32(p.Weight)}
}

// toProtoTimeouts is nil where nothing is said.
func toProtoTimeouts(t timeouts.Timeouts) *policyv1.Timeouts {
	if t == (timeouts.Timeouts{}) {
		return nil
	}
	return &policyv1.Timeouts{
		FirstByteMs: t.FirstByteMS, IdleMs: t.IdleMS, TotalMs: t.TotalMS, ConnectMs: t.ConnectMS, FirstTokenMs: t.FirstTokenMS,
	}
}

// toProtoHeaders orders them by name, so that the same ones make the same bytes.
func toProtoHeaders(headers map[string]string) []*policyv1.Header {
	compiled := make([]*policyv1.Header, 0, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		compiled = append(compiled, &policyv1.Header{Name: name, Value: headers[name]})
	}
	return compiled
}

// toProtoRoute keeps the strategy's number, as toProtoProvider does the dialect's.
// unserved is why the gateway does not serve it; empty: it does.
func toProtoRoute(r route.Route, unserved string) *policyv1.Route {
	targets := make([]*policyv1.Target, len(r.Targets))
	for i, t := range r.Targets {
		targets[i] = toProtoTarget(t)
	}
	return &policyv1.Route{
		Id:                r.ID.String(),
		Name:              r.Name,
		Strategy:          policyv1.Strategy(r.Strategy),
		Targets:           targets,
		Timeouts:          toProtoTimeouts(r.Timeouts),
		AllowedProjectIds: sorted(r.AllowedProjectIDs),
		Retry:             toProtoRetry(r.Retry),
		Unserved:          unserved,
		Strict:            r.Strict,
		Sticky:            toProtoSticky(r.Sticky),
		Hedge:             toProtoHedge(r.Hedge),
		Canary:            toProtoShare(r.Canary),
		Shadow:            toProtoShare(r.Shadow),
	}
}

func toProtoTarget(t route.Target) *policyv1.Target {
	return &policyv1.Target{ProviderId: t.ProviderID.String(), Model: t.Model, Weight: t.Weight, When: t.When}
}

func toProtoSticky(s *route.Sticky) *policyv1.Sticky {
	if s == nil {
		return nil
	}
	return &policyv1.Sticky{By: policyv1.Sticky_By(s.By), Header: s.Header, MinTokens: s.MinTokens, BreakEvenPercent: s.BreakEvenPercent}
}

func toProtoHedge(h *route.Hedge) *policyv1.Hedge {
	if h == nil {
		return nil
	}
	return &policyv1.Hedge{Percentile: h.Percentile, MinMs: h.MinMS, MaxPercent: h.MaxPercent}
}

func toProtoShare(s *route.Share) *policyv1.Share {
	if s == nil {
		return nil
	}
	return &policyv1.Share{Target: toProtoTarget(s.Target), PerMille: s.PerMille}
}

// toProtoRetry orders the failures; it is nil where nothing is said.
func toProtoRetry(r *route.Retry) *policyv1.Retry {
	if r == nil {
		return nil
	}
	compiled := &policyv1.Retry{MaxAttempts: r.MaxAttempts, BackoffMs: r.BackoffMS}
	for _, failure := range slices.Sorted(slices.Values(r.On)) {
		compiled.On = append(compiled.On, policyv1.Failure(failure))
	}
	return compiled
}

// toProtoKey keeps the priority's number, as toProtoProvider does the dialect's.
func toProtoKey(k key.Key) *policyv1.Key {
	compiled := &policyv1.Key{
		Id:        k.ID.String(),
		ProjectId: k.ProjectID.String(),
		Sha256:    k.SHA256,
		RouteIds:  sorted(k.RouteIDs),
		ExpiresAt: toProtoTime(k.ExpiresAt),
		RevokedAt: toProtoTime(k.RevokedAt),
		Labels:    k.Labels,
		Weight:    int32(k.Weight),
		Priority:  policyv1.Priority(k.Priority),
	}
	if k.Previous != nil {
		compiled.PreviousSha256 = k.Previous.SHA256
		compiled.PreviousExpiresAt = timestamppb.New(k.Previous.ExpiresAt)
	}
	return compiled
}

// sorted are ids as text, in one order.
func sorted(ids []uuid.UUID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	slices.Sort(texts)
	return texts
}

func toProtoTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
