package proxy

import (
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/condition"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// unmatched is what a target whose condition is not true is told by in a dry run.
var unmatched = noTargetMatches(nil)

// rehearsal is the request of a dry run, as conditions see it.
type rehearsal struct {
	exchange *exchange
	said     *agentv1.DryRun
	headers  map[string]string
	// fault is the last that a condition met.
	fault error
}

var _ condition.Request = (*rehearsal)(nil)

func rehearsalOf(e *exchange, m *agentv1.DryRun) *rehearsal {
	r := &rehearsal{exchange: e, said: m, headers: make(map[string]string, len(m.GetHeaders()))}
	for name, value := range m.GetHeaders() {
		if !notInConditions[http.CanonicalHeaderKey(name)] {
			r.headers[strings.ToLower(name)] = value
		}
	}
	return r
}

// Metadata implements condition.Request.
func (r *rehearsal) Metadata() map[string]string { return r.said.GetMetadata() }

// Headers implements condition.Request.
func (r *rehearsal) Headers() map[string]string { return r.headers }

// Tokens implements condition.Request.
func (r *rehearsal) Tokens() int64 { return r.said.GetInputTokens() }

// Stream implements condition.Request.
func (r *rehearsal) Stream() bool { return r.said.GetStream() }

// Surface implements condition.Request.
func (r *rehearsal) Surface() string { return "chat_completions" }

// User implements condition.Request.
func (r *rehearsal) User() string { return r.said.GetUser() }

// Run implements condition.Request.
func (r *rehearsal) Run() string { return r.said.GetRun() }

// Key implements condition.Request.
func (r *rehearsal) Key() string { return r.exchange.key.ID }

// Project implements condition.Request.
func (r *rehearsal) Project() string { return r.exchange.key.ProjectID }

// Now implements condition.Request.
func (r *rehearsal) Now() time.Time { return r.exchange.begun }

// judge shows what comes of a target's condition, and tells whether it is a candidate.
func (r *rehearsal) judge(shown *agentv1.DryRunTarget, when *condition.Condition) bool {
	if when == nil {
		return true
	}
	holds, err := when.Holds(r)
	shown.When, shown.Verdict = when.String(), agentv1.DryRunTarget_VERDICT_FALSE
	switch {
	case err != nil:
		r.fault = err
		shown.Verdict, shown.VerdictError = agentv1.DryRunTarget_VERDICT_ERROR, clip(err.Error())
	case holds:
		shown.Verdict = agentv1.DryRunTarget_VERDICT_TRUE
	}
	return holds
}

// worse is the refusal that a request gets after two targets could not be used: what a
// condition left out is no reason while there is another.
func (r *rehearsal) worse(before, now *dialect.Refusal) *dialect.Refusal {
	switch {
	case now != unmatched:
		return now
	case before != nil:
		return before
	}
	return noTargetMatches(r.fault)
}

// share is nil where the route has none.
func (e *exchange) share(s *snapshot.Share, asked *rehearsal) *agentv1.DryRunShare {
	if s == nil {
		return nil
	}
	target, _ := e.candidate(s.Target, asked)
	return &agentv1.DryRunShare{Target: target, PerMille: int32(s.PerMille)}
}

// addShares is the most that a request costs that the canary had before its attempts, and the
// shadow a copy of; nil: that is not known.
func addShares(attempts *int64, route *agentv1.DryRunRoute) *int64 {
	for _, share := range []*agentv1.DryRunShare{route.GetCanary(), route.GetShadow()} {
		target := share.GetTarget()
		if attempts == nil || target.GetFitness() != agentv1.DryRunTarget_FITNESS_USABLE {
			continue
		}
		if target.MaxCostNanoUsd == nil {
			return nil
		}
		sum := *attempts + target.GetMaxCostNanoUsd()
		if sum < 0 {
			return nil
		}
		attempts = &sum
	}
	return attempts
}

func toProtoSticky(s *snapshot.Sticky) *policyv1.Sticky {
	if s == nil {
		return nil
	}
	return &policyv1.Sticky{By: s.By, Header: s.Header, MinTokens: s.MinTokens, BreakEvenPercent: percent(s.BreakEven - 1)}
}

func toProtoHedge(h *snapshot.Hedge) *policyv1.Hedge {
	if h == nil {
		return nil
	}
	return &policyv1.Hedge{Percentile: percent(h.Percentile), MinMs: h.Min.Milliseconds(), MaxPercent: percent(h.Most)}
}

func percent(part float64) int32 { return int32(part*100 + 0.5) }
