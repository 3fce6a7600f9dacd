package rpc

import (
	"math"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func toProtoAnsweredBy(answered fleet.Answered, name string, now time.Time) *adminv1.AnsweredBy {
	at := answered.Answer.GetPosition()
	by := &adminv1.AnsweredBy{
		AgentId: answered.AgentID.String(), AgentName: name,
		PolicyEpoch: at.GetEpoch(), PolicyVersion: at.GetVersion(), RevocationVersion: at.GetRevocationVersion(),
	}
	if answered.Answer.ConfirmedMsAgo != nil {
		by.PolicyConfirmedAt = timestamppb.New(now.Add(-span(answered.Answer.GetConfirmedMsAgo(), time.Millisecond)))
	}
	return by
}

// span is a duration that an agent said, without wrapping around.
func span(count int64, unit time.Duration) time.Duration {
	return time.Duration(min(max(count, 0), math.MaxInt64/int64(unit))) * unit
}

// microseconds leaves out what did not happen.
func microseconds(us *int64) *durationpb.Duration {
	if us == nil {
		return nil
	}
	return durationpb.New(span(*us, time.Microsecond))
}

func toProtoProviderTest(by *adminv1.AnsweredBy, r *agentv1.ProviderTestResult) *adminv1.TestProviderResponse {
	return &adminv1.TestProviderResponse{
		AnsweredBy: by, Outcome: adminv1.ProviderTestOutcome(r.GetOutcome()), Reason: r.GetReason(), Status: r.GetStatus(),
		Connect: microseconds(r.ConnectUs), Tls: microseconds(r.TlsUs), FirstByte: microseconds(r.FirstByteUs),
		ModelListed: r.ModelListed,
	}
}

func fromProtoDryRun(m *adminv1.DryRunRequest) *agentv1.DryRun {
	converted := &agentv1.DryRun{
		Model: m.GetModel(), InputTokens: m.GetInputTokens(), MaxOutputTokens: m.GetMaxOutputTokens(),
		Metadata: m.GetMetadata(), Headers: m.GetHeaders(), Stream: m.GetStream(), User: m.GetUser(), Run: m.GetRun(),
	}
	if id := m.GetProjectId(); id != "" {
		converted.Caller = &agentv1.DryRun_ProjectId{ProjectId: id}
	} else {
		converted.Caller = &agentv1.DryRun_KeyId{KeyId: m.GetKeyId()}
	}
	return converted
}

func toProtoDryRun(by *adminv1.AnsweredBy, r *agentv1.DryRunResult) *adminv1.DryRunResponse {
	converted := &adminv1.DryRunResponse{
		AnsweredBy: by, Route: toProtoDryRunRoute(r.GetRoute()), MaxRequestBytes: r.GetMaxRequestBytes(),
		PriceBookVersion: r.GetPriceBookVersion(), MaxCostNanoUsd: r.MaxCostNanoUsd,
	}
	for _, q := range r.GetQuotas() {
		converted.QuotaIds = append(converted.QuotaIds, q.GetId())
		converted.Quotas = append(converted.Quotas, &adminv1.DryRunQuota{
			Id: q.GetId(), Name: q.GetName(), Provider: q.GetProvider(), Reserved: q.GetReserved(), Left: q.Left, Limit: q.Limit,
			Lacking: q.GetLacking(), Hard: q.GetMode() == policyv1.QuotaMode_QUOTA_MODE_HARD,
		})
	}
	if refusal := r.GetRefusal(); refusal != nil {
		converted.Refusal = &adminv1.DryRunRefusal{Status: refusal.GetStatus(), Code: refusal.GetCode(), Message: refusal.GetMessage()}
	}
	return converted
}

func toProtoDryRunRoute(r *agentv1.DryRunRoute) *adminv1.DryRunRoute {
	if r == nil {
		return nil
	}
	converted := &adminv1.DryRunRoute{
		Id: r.GetId(), Targets: convertAll(r.GetTargets(), toProtoDryRunTarget), Weighted: r.GetWeighted(),
		MaxAttempts: r.GetMaxAttempts(), EachOnce: r.GetEachOnce(), Backoff: durationpb.New(span(r.GetBackoffMs(), time.Millisecond)),
	}
	for _, failure := range r.GetRetryOn() {
		converted.RetryOn = append(converted.RetryOn, adminv1.Failure(failure))
	}
	converted.Strategy, converted.Strict = adminv1.Strategy(r.GetStrategy()), r.GetStrict()
	if s := r.GetSticky(); s != nil {
		converted.Sticky = &adminv1.Sticky{
			By: adminv1.StickyBy(s.GetBy()), Header: s.GetHeader(), MinTokens: s.GetMinTokens(), BreakEvenPercent: s.GetBreakEvenPercent(),
		}
	}
	if h := r.GetHedge(); h != nil {
		converted.Hedge = &adminv1.Hedge{
			Percentile: h.GetPercentile(), MinDelay: durationpb.New(span(h.GetMinMs(), time.Millisecond)), MaxPercent: h.GetMaxPercent(),
		}
	}
	converted.Canary, converted.Shadow = toProtoDryRunShare(r.GetCanary()), toProtoDryRunShare(r.GetShadow())
	return converted
}

func toProtoDryRunShare(s *agentv1.DryRunShare) *adminv1.DryRunShare {
	if s == nil {
		return nil
	}
	return &adminv1.DryRunShare{Target: toProtoDryRunTarget(s.GetTarget()), PerMille: s.GetPerMille()}
}

func toProtoDryRunTarget(t *agentv1.DryRunTarget) *adminv1.DryRunTarget {
	converted := &adminv1.DryRunTarget{
		ProviderId: t.GetProviderId(), Provider: t.GetProvider(), Model: t.GetModel(), Weight: t.GetWeight(),
		Fitness: adminv1.TargetFitness(t.GetFitness()), Reason: t.GetReason(),
		Timeouts: &adminv1.Timeouts{
			FirstByte: durationpb.New(span(t.GetFirstByteMs(), time.Millisecond)),
			Idle:      durationpb.New(span(t.GetIdleMs(), time.Millisecond)),
			Total:     bound(t.GetTotalMs()), Connect: bound(t.GetConnectMs()), FirstToken: bound(t.GetFirstTokenMs()),
		},
		InputCostNanoUsd: t.InputCostNanoUsd, MaxCostNanoUsd: t.MaxCostNanoUsd, Unpriced: t.GetUnpriced(), Unbounded: t.GetUnbounded(),
		When: t.GetWhen(), Verdict: adminv1.ConditionVerdict(t.GetVerdict()), VerdictError: t.GetVerdictError(),
	}
	return converted
}

// bound leaves 0 out: not bounded.
func bound(ms int64) *durationpb.Duration {
	if ms <= 0 {
		return nil
	}
	return durationpb.New(span(ms, time.Millisecond))
}
