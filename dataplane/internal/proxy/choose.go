package proxy

import (
	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// bytesPerToken estimates the tokens of a prompt by the body that has it, before anybody
// counts them: English text has four bytes in one.
const bytesPerToken = 4

// tokens is an estimate of the request's input.
func (e *exchange) tokens() int64 {
	if e.body == nil { // of a dry run
		return e.input
	}
	return int64(len(e.body.bytes)) / bytesPerToken
}

// mediaTokens is what a request with an image or a file in it is taken to have at most until
// usage tells: its bytes say nothing. One image has up to some 1,600 tokens.
// Source: https://docs.claude.com/en/docs/build-with-claude/vision
const mediaTokens = 2000

// likelyInput is tokens of what counts them by the minute: who guesses too much there refuses
// for ever what has few.
func (e *exchange) likelyInput() int64 {
	if e.request.OpenEnded {
		return min(e.tokens(), mediaTokens)
	}
	return e.tokens()
}

// choose finds the target of the first attempt, and notes how the others stood then.
func (e *exchange) choose() *dialect.Refusal {
	alike, sticks := e.alike()
	e.plan.Begin(balance.Request{
		Route: e.route, Targets: e.targets, Draw: e.handler.config.Draw, Now: e.handler.config.Now, Began: e.begun,
		Input: e.tokens(), MaxOutput: e.request.MaxOutput, NoOutput: e.request.NoOutput, Alike: alike, Sticks: sticks,
	})
	fault := e.screen()
	target, refusal := e.next()
	if !e.isCopy { // which had nothing to choose from
		e.candidates(target != nil)
	}
	switch {
	case target == nil && refusal == nil:
		return noTargetMatches(fault)
	case target == nil:
		return refusal
	}
	e.target = target
	return nil
}

// screen takes out the targets whose condition is not true of the request. fault is why one
// could not be told; nil: all could.
func (e *exchange) screen() (fault error) {
	var facts *facts
	for i := range e.plan.Count() {
		when := e.plan.At(i).When
		if when == nil {
			continue
		}
		if facts == nil {
			facts = factsOf(e)
		}
		holds, err := when.Holds(facts)
		if err != nil {
			fault = err
		}
		if !holds {
			e.plan.Leave(i)
			e.passed[i] = usagev1.Verdict_VERDICT_CONDITION
		}
	}
	return fault
}

// candidates notes how the targets stand.
func (e *exchange) candidates(chosen bool) {
	all := make([]usagev1.Candidate, e.plan.Count())
	e.record.Candidates = make([]*usagev1.Candidate, len(all))
	for i := range all {
		target := e.plan.At(i)
		all[i].Provider, all[i].Model = target.Provider.Name, target.Model
		if all[i].Verdict = e.verdict(i, target); chosen && i == e.plan.Current() {
			all[i].Verdict = usagev1.Verdict_VERDICT_CHOSEN
		}
		e.record.Candidates[i] = &all[i]
	}
}

// verdict is about a target that was not chosen. Whether its credential can be had, and its
// dialect carries the request, is seen when its turn comes.
func (e *exchange) verdict(i int, target *snapshot.Target) usagev1.Verdict {
	switch provider := target.Provider; {
	case e.passed[i] != 0:
		return e.passed[i]
	case !e.surface.reaches(target):
		return usagev1.Verdict_VERDICT_SURFACE
	case provider.Blocked != "" || provider.Sealed == nil && provider.CredentialRef == "":
		return usagev1.Verdict_VERDICT_CREDENTIAL
	}
	switch e.plan.Standing(i) {
	case balance.Open:
		return usagev1.Verdict_VERDICT_BREAKER_OPEN
	case balance.Probed:
		return usagev1.Verdict_VERDICT_BREAKER_PROBED
	}
	return usagev1.Verdict_VERDICT_STANDBY
}

// verdictOf a target that could not be used.
func verdictOf(refusal *dialect.Refusal) usagev1.Verdict {
	switch refusal {
	case providerNotAllowed, credentialUnavailable:
		return usagev1.Verdict_VERDICT_CREDENTIAL
	}
	switch refusal.Code {
	case codeMismatch:
		return usagev1.Verdict_VERDICT_SURFACE
	case codeBudgetExceeded, codeRateLimited, codeUpstreamRateLimited, codeQuotaUnavailable, codeBudgetUnbounded, codeBudgetUnpriced:
		return usagev1.Verdict_VERDICT_QUOTA
	case modelUnpriced.Code:
		return usagev1.Verdict_VERDICT_UNPRICED
	}
	return usagev1.Verdict_VERDICT_LOSSY
}

// cause is why the next attempt is made.
func (e *exchange) cause() usagev1.Cause {
	switch {
	case e.isCopy:
		return usagev1.Cause_CAUSE_SHADOW
	case e.plan.Made() == 0 && e.plan.Canary():
		return usagev1.Cause_CAUSE_CANARY
	case e.plan.Made() == 0:
		return usagev1.Cause_CAUSE_FIRST
	case e.plan.Repeats():
		return usagev1.Cause_CAUSE_RETRY
	}
	return usagev1.Cause_CAUSE_FALLBACK
}

// ending is what the target learns from how the attempt ended.
func (u *upstream) ending(end end) balance.Ending {
	a := u.attempt
	learned := balance.Ending{Status: int(a.Status), RetryAfter: end.retryAfter, Failed: end.how}
	switch {
	case end.outcome == usagev1.Outcome_OUTCOME_OK:
		learned.OK = true
		if a.UsageSource == usagev1.UsageSource_USAGE_SOURCE_REPORTED {
			learned.Output = a.Usage.GetOutput() + a.Usage.GetReasoning()
		}
	case end.how != 0, end.code == upstreamTooLarge.Code: // how large an answer may be is not the upstream's choice
	case end.outcome == usagev1.Outcome_OUTCOME_UPSTREAM_ERROR:
		learned.Failed = failureOf(int(a.Status))
	case end.outcome == usagev1.Outcome_OUTCOME_UPSTREAM_BROKE && a.Status < 400:
		learned.Failed = snapshot.UpstreamError
	}
	return learned
}
