package proxy

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/batch"
	"github.com/weirhq/weir/proto/contract/price"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// start opens the first attempt and has it kept: nothing goes upstream before that.
func (e *exchange) start() *dialect.Refusal {
	e.open()
	e.record.Outcome = usagev1.Outcome_OUTCOME_INTERRUPTED
	e.record.StartedAtUs = e.begun.UnixMicro()
	begun := time.Now()
	ticket, err := e.handler.config.Recorder.Start(&e.record)
	e.stages.since(stageSpool, begun)
	if err != nil {
		return e.unrecorded("start", err)
	}
	if e.handler.fault.Load() != nil {
		e.handler.fault.Store(nil)
	}
	e.ticket = ticket
	e.tellTarget()
	return nil
}

// open begins an attempt on the target, estimated at the most it can use.
func (e *exchange) open() {
	if e.route.Retry.Repeats() && !e.plan.Repeats() {
		e.targets.Of(e.target).Budget.Earn()
	}
	why := e.cause()
	e.plan.Begun()
	e.trial = e.plan.Try(e.request.Stream)
	provider := e.target.Provider
	e.attemptBegun = e.elapsed()
	most, bounded := bound(e.leg.sent, int64(len(e.leg.body.bytes)), e.target.Price)
	e.attempt = &usagev1.Attempt{
		ProviderId: provider.ID, Provider: provider.Name, Model: e.target.Model,
		StartedAfterUs:   e.attemptBegun.Microseconds(),
		Outcome:          usagev1.Outcome_OUTCOME_INTERRUPTED,
		Usage:            &usagev1.TokenUsage{Input: most.Input, Output: most.Output},
		UsageSource:      usagev1.UsageSource_USAGE_SOURCE_ESTIMATED,
		PriceBookVersion: e.policy.PriceBookVersion(),
		Cause:            why,
	}
	if entry := e.priceEntry(e.leg.sent.ServiceTier); bounded && entry != nil {
		e.attempt.CostNanoUsd = known(entry.WorstCase(most))
	}
	if e.leg.sent.Unmetered {
		e.attempt.Usage, e.attempt.CostNanoUsd = &usagev1.TokenUsage{}, nil
		e.attempt.UsageSource = usagev1.UsageSource_USAGE_SOURCE_UNSPECIFIED
	}
	if e.surface.count != nil {
		e.unused()
	}
	if e.isCopy {
		e.attempt.Cause = usagev1.Cause_CAUSE_SHADOW
	}
	batch.Bound(e.attempt)
	e.record.Attempts = append(e.record.Attempts, e.attempt)
	e.traceAttempt()
}

// bound is the most that a request can use. A token of text has at least one byte
// of the body; images, audio and files may cost more than their bytes. It is not
// bounded where neither the caller nor the price book caps a side.
func bound(r *dialect.Request, bodyBytes int64, entry *price.Entry) (most price.Most, bounded bool) {
	var maxInput, maxOutput int64
	if entry != nil {
		maxInput, maxOutput = entry.MaxInputTokens(), entry.MaxOutputTokens()
	}
	input := bodyBytes + r.Beside
	if all := maxInput * max(r.Prompts, 1); maxInput > 0 && (r.OpenEnded || input > all) {
		input = all
	}
	if r.NoOutput {
		return price.Most{Input: input}, maxInput > 0 || !r.OpenEnded
	}
	output := r.MaxOutput
	if output == 0 || output > maxOutput && maxOutput > 0 {
		output = maxOutput
	}
	choices := max(r.Choices, 1)
	total := batch.MaxTokens
	if output < total/choices {
		total = max(output, 0) * choices
	}
	bounded = output > 0 && r.Choices > 0 && (maxInput > 0 || !r.OpenEnded)
	return price.Most{
		Input: input, Output: total,
		InputAudio: r.SendsAudio, OutputAudio: r.AsksAudio,
	}, bounded
}

// priceEntry is nil where the price is unknown: the book has no entry, or none for
// the service tier or for what the caller asks for.
func (e *exchange) priceEntry(tier string) *price.Entry {
	switch tier {
	case "flex", "priority", "scale", "fast":
		return nil
	}
	if e.request.Unpriced && (e.leg.sent == nil || e.leg.sent.Unpriced) {
		return nil
	}
	return e.target.Price
}

// known is nil for a cost that is not known.
func known(nanoUSD int64, priced bool) *int64 {
	if !priced {
		return nil
	}
	return &nanoUSD
}

// end is how an attempt ended.
type end struct {
	outcome usagev1.Outcome
	// status and code are what the caller gets.
	status int
	code   string
	answer dialect.Answer
	// unused: provably nothing was used.
	unused bool
	// how an attempt failed, and how long the upstream asks to be left alone, where that is
	// known; else its outcome tells.
	how        snapshot.Failures
	retryAfter time.Duration
}

// settle ends the last attempt, and with it the request. It comes before the caller's
// last byte.
func (e *exchange) settle(end end) {
	end = e.ifCut(end)
	e.close(end)
	e.finish(end)
}

// close prices the attempt.
func (e *exchange) close(end end) {
	a := e.attempt
	switch {
	case end.answer.Usage != nil:
		a.Usage, a.RawUsageSha256 = end.answer.Usage, end.answer.UsageSHA256
		a.UsageSource = usagev1.UsageSource_USAGE_SOURCE_REPORTED
		a.CostNanoUsd = nil
		if entry := e.priceEntry(end.answer.ServiceTier); entry != nil && !end.answer.Unpriced {
			a.CostNanoUsd = known(entry.Cost(a.Usage))
		}
	case end.unused:
		e.unused()
	}
	batch.Bound(a)
	a.Outcome = end.outcome
	e.trial.End(e.handler.config.Now(), e.ending(end))
	a.DurationUs = (e.elapsed() - e.attemptBegun).Microseconds()
	e.handler.metrics.genAI.attempt(e)
	e.attemptTraced()
}

// unused notes of the attempt that nothing was used.
func (e *exchange) unused() {
	e.attempt.Usage = &usagev1.TokenUsage{}
	e.attempt.UsageSource = usagev1.UsageSource_USAGE_SOURCE_NONE
	e.attempt.CostNanoUsd = proto.Int64(0)
}

// finish has the end kept. When it can't be, what was kept of the attempts stands, so
// the answer goes on.
func (e *exchange) finish(end end) {
	e.record.Outcome = end.outcome
	e.record.Status, e.record.ErrorCode = int32(end.status), end.code
	e.tellCost()
	e.stamp()
	begun := time.Now()
	err := e.handler.config.Recorder.End(e.ticket, &e.record)
	if e.stages.since(stageSpool, begun); err != nil {
		e.notRecorded("end", err)
	}
}

func (e *exchange) stamp() {
	duration := e.elapsed()
	e.record.StartedAtUs = e.begun.UnixMicro()
	e.record.DurationUs = duration.Microseconds()
	e.record.OverheadUs = max(0, duration-e.waited).Microseconds()
}

// firstByte notes the time of the first content that goes to the caller.
func (e *exchange) firstByte() {
	if e.record.TimeToFirstTokenUs > 0 {
		return
	}
	now := e.elapsed()
	e.trial.Heard(e.begun.Add(now))
	e.record.TimeToFirstTokenUs = max(1, now.Microseconds())
	e.attempt.TimeToFirstTokenUs = max(1, (now - e.attemptBegun).Microseconds())
}
