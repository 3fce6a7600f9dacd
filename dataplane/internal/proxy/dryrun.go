package proxy

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// dryRun takes a request that nobody sent through the steps of an exchange, up to
// where bytes would go upstream.
func (h *Handler) dryRun(policy *snapshot.Policy, m *agentv1.DryRun) *agentv1.DryRunResult {
	drafted := m.GetDraft() != nil
	if policy == nil {
		return &agentv1.DryRunResult{Drafted: drafted, Refusal: toProtoRefusal(h.withoutPolicyBecause())}
	}
	result := &agentv1.DryRunResult{Drafted: drafted, MaxRequestBytes: policy.MaxRequestBytes(), PriceBookVersion: policy.PriceBookVersion()}
	e := &exchange{handler: h, policy: policy, begun: h.config.Now(), targets: h.targets}
	e.request = dialect.Request{Model: m.GetModel(), MaxOutput: m.GetMaxOutputTokens(), Choices: 1}
	refusal := e.pretend(m)
	switch {
	case refusal != nil:
	case drafted:
		refusal = e.propose(m.GetDraft())
	default:
		refusal = e.authorise()
	}
	if refusal == nil {
		refusal = e.weigh(m)
		var unfit *dialect.Refusal
		result.Route, unfit = e.rehearse(m)
		refusal = cmp.Or(refusal, unfit)
		result.MaxCostNanoUsd, result.Quotas = maxCost(result.Route), e.shown.list
	}
	result.Refusal = toProtoRefusal(refusal)
	return result
}

// pretend is authenticate for a caller who is named and has sent no secret.
func (e *exchange) pretend(m *agentv1.DryRun) *dialect.Refusal {
	if m.GetKeyId() == "" {
		e.key = &snapshot.Key{ProjectID: m.GetProjectId()}
		return nil
	}
	key, standing := e.policy.KeyByID(m.GetKeyId(), e.begun)
	if standing == snapshot.Unknown {
		return unauthenticated("key_unknown", "This key is not in the policy of this gateway.")
	}
	e.key = key
	return barred(standing)
}

// propose is authorise for a route that is not in the policy.
func (e *exchange) propose(m *policyv1.Route) *dialect.Refusal {
	draft, reasons := e.policy.Draft(m)
	if len(reasons) > 0 {
		return &dialect.Refusal{
			Status: http.StatusUnprocessableEntity, Code: "route_invalid", Message: "The agent can't serve this route with the policy it has: " +
				strings.Join(reasons, "; ") + ". What was made a moment ago reaches it with its next policy: try again then.",
		}
	}
	e.route = draft.Route
	e.record.RouteId, e.record.Route = e.route.ID, e.route.Name
	switch {
	case !e.key.Sees(e.route):
		return routeUnknown(e.route.Name)
	case !e.key.MayDraft(draft):
		return routeNotAllowed
	case e.route.Unserved != "":
		return routeNotServed(e.route)
	}
	return nil
}

// rehearse goes through the targets of the route as if every attempt failed, as a request
// does that is not drawn for the canary. Where none can be used, the refusal is about the
// last, as that of next is.
func (e *exchange) rehearse(m *agentv1.DryRun) (*agentv1.DryRunRoute, *dialect.Refusal) {
	shown, asked := toProtoRoute(e.route), rehearsalOf(e, m)
	shown.Canary, shown.Shadow = e.share(e.route.Canary, asked), e.share(e.route.Shadow, asked)
	var refusal *dialect.Refusal
	seen := map[*snapshot.Target]bool{}
	e.plan.Begin(balance.Request{Route: e.route, Draw: e.handler.config.Draw})
	for target := e.plan.Next(); target != nil && !e.plan.Repeats(); target = e.plan.Next() {
		seen[target] = true
		candidate, unfit := e.candidate(target, asked)
		shown.Targets = append(shown.Targets, candidate)
		if unfit != nil {
			refusal = asked.worse(refusal, unfit)
			e.plan.Drop()
			continue
		}
		e.plan.Begun()
	}
	for _, target := range e.route.Targets {
		if !seen[target] {
			candidate, unfit := e.candidate(target, asked)
			if unfit == nil {
				candidate.Fitness = agentv1.DryRunTarget_FITNESS_BEYOND_ATTEMPTS
				candidate.Reason = "The route has no attempt left for it."
			}
			shown.Targets = append(shown.Targets, candidate)
		}
	}
	if e.plan.Made() > 0 {
		refusal = nil
	}
	return shown, refusal
}

// candidate is a target as this agent can use it, and what it can cost.
func (e *exchange) candidate(target *snapshot.Target, asked *rehearsal) (*agentv1.DryRunTarget, *dialect.Refusal) {
	config := &e.handler.config
	shown := &agentv1.DryRunTarget{
		ProviderId: target.Provider.ID, Provider: target.Provider.Name, Model: target.Model, Weight: target.Weight,
		Fitness:     agentv1.DryRunTarget_FITNESS_USABLE,
		FirstByteMs: cmp.Or(target.Timeouts.FirstByte, config.FirstByteTimeout).Milliseconds(),
		IdleMs:      cmp.Or(target.Timeouts.Idle, config.IdleTimeout).Milliseconds(),
		TotalMs:     target.Timeouts.Total.Milliseconds(),
		ConnectMs:   target.Timeouts.Connect.Milliseconds(), FirstTokenMs: target.Timeouts.FirstToken.Milliseconds(),
	}
	_, refusal, why := e.handler.open(target.Provider)
	if e.policy.BlocksUnpriced() && !sells(target.Price.At(e.begun), target, &e.request, e.request.Unpriced) {
		refusal, why = modelUnpriced, "The price of this model is not known, and the organization blocks that."
	}
	if !asked.judge(shown, target.When) {
		refusal, why = unmatched, "Its condition is not true of this request."
	}
	switch refusal {
	case nil:
	case unmatched:
		shown.Fitness = agentv1.DryRunTarget_FITNESS_CONDITION
	case providerNotAllowed:
		shown.Fitness = agentv1.DryRunTarget_FITNESS_BLOCKED
	case modelUnpriced:
		shown.Fitness = agentv1.DryRunTarget_FITNESS_UNPRICED
	default:
		shown.Fitness = agentv1.DryRunTarget_FITNESS_CREDENTIAL_UNAVAILABLE
	}
	shown.Reason = clip(why)
	e.cost(shown, target, asked.Tokens())
	if refusal == nil {
		if refusal = e.weighAttempt(target, asked.Tokens()); refusal != nil {
			shown.Fitness, shown.Reason = agentv1.DryRunTarget_FITNESS_QUOTA, clip(refusal.Message)
		}
	}
	return shown, refusal
}

// cost prices one attempt on the target as open does, and its input alone.
func (e *exchange) cost(shown *agentv1.DryRunTarget, target *snapshot.Target, input int64) {
	entry := target.Price.At(e.begun)
	most, bounded := bound(&e.request, input+e.request.Beside, entry)
	shown.Unbounded = !bounded
	if entry == nil {
		shown.Unpriced = true
		return
	}
	shown.InputCostNanoUsd = known(entry.Cost(&usagev1.TokenUsage{Input: input}))
	dearest := worst(entry, asked(target, &e.request), most, e.request.Unpriced)
	if shown.Unpriced = dearest == nil || shown.InputCostNanoUsd == nil; bounded {
		shown.MaxCostNanoUsd = dearest
	}
}

// maxCost is what all attempts can cost at most, each target as often as the plan can
// come to it; nil: that is not known.
func maxCost(route *agentv1.DryRunRoute) *int64 {
	var each []int64
	for _, target := range route.GetTargets() {
		switch target.GetFitness() {
		case agentv1.DryRunTarget_FITNESS_USABLE:
		case agentv1.DryRunTarget_FITNESS_BEYOND_ATTEMPTS:
			if !reordered(route) { // else another request may come to it
				continue
			}
		default:
			continue
		}
		if target.MaxCostNanoUsd == nil {
			return nil
		}
		each = append(each, target.GetMaxCostNanoUsd())
	}
	if reordered(route) {
		slices.SortFunc(each, func(a, b int64) int { return cmp.Compare(b, a) })
	}
	return addShares(sumOfAttempts(each, int(route.GetMaxAttempts()), route.GetEachOnce()), route)
}

// reordered tells whether requests try the route's targets in different orders.
func reordered(route *agentv1.DryRunRoute) bool {
	return route.GetStrategy() != policyv1.Strategy_STRATEGY_SINGLE && route.GetStrategy() != policyv1.Strategy_STRATEGY_PRIORITY
}

// sumOfAttempts goes round and round; nil: there is nothing to try, or it does not fit.
func sumOfAttempts(each []int64, attempts int, once bool) *int64 {
	if len(each) == 0 {
		return nil
	}
	if once {
		attempts = min(attempts, len(each))
	}
	var sum int64
	for i := range attempts {
		if sum += each[i%len(each)]; sum < 0 {
			return nil
		}
	}
	return proto.Int64(sum)
}

func toProtoRefusal(refusal *dialect.Refusal) *agentv1.DryRunRefusal {
	if refusal == nil {
		return nil
	}
	return &agentv1.DryRunRefusal{Status: int32(refusal.Status), Code: string(refusal.Code), Message: clip(refusal.Message)}
}

func toProtoRoute(route *snapshot.Route) *agentv1.DryRunRoute {
	shown := &agentv1.DryRunRoute{
		Id: route.ID, Weighted: route.Strategy == policyv1.Strategy_STRATEGY_WEIGHTED, MaxAttempts: int32(route.Retry.Attempts), EachOnce: route.Retry.Once,
		BackoffMs: route.Retry.Backoff.Milliseconds(),
		Strategy:  route.Strategy, Strict: route.Strict, Sticky: toProtoSticky(route.Sticky), Hedge: toProtoHedge(route.Hedge),
	}
	for failure := policyv1.Failure_FAILURE_RATE_LIMITED; failure <= policyv1.Failure_FAILURE_CONTENT_FILTER; failure++ {
		if route.Retry.On.Has(1 << failure) {
			shown.RetryOn = append(shown.RetryOn, failure)
		}
	}
	return shown
}
