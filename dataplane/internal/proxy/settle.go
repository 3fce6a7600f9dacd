package proxy

import (
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/balance"
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
	ticket, err := e.keep()
	e.stages.since(stageSpool, begun)
	if err != nil {
		refusal := e.unrecorded("start", err)
		e.up = nil // nothing was asked of anybody
		return refusal
	}
	if e.handler.fault.Load() != nil {
		e.handler.fault.Store(nil)
	}
	e.ticket = ticket
	e.tellTarget()
	return nil
}

// keepAgain has the attempt that opened kept beside those before it: nothing of it goes
// upstream before that.
func (e *exchange) keepAgain() error {
	begun := time.Now()
	err := e.handler.config.Recorder.Again(e.ticket, &e.record)
	if e.mayForgo(err) {
		_, err = e.forgo(e.ticket, err)
	}
	e.stages.since(stageSpool, begun)
	return err
}

// open begins an attempt on the target, estimated at the most it can use.
func (e *exchange) open() {
	if e.route.Retry.Repeats() && !e.plan.Repeats() {
		e.targets.Of(e.target).Budget.Earn()
	}
	why := e.cause() // before the plan counts this attempt
	e.plan.Begun()
	u := &upstream{
		exchange: e, target: e.target, leg: e.leg, secret: e.secret, reserved: e.reserved, begun: e.elapsed(), trial: e.plan.Try(e.request.Stream),
	}
	e.up, e.leg, e.reserved = u, leg{}, nil
	u.count()
	provider := u.target.Provider
	most, bounded := bound(u.leg.sent, int64(len(u.leg.body.bytes))+u.leg.sent.Beside, u.entry())
	if u.reserved != nil {
		most = u.reserved.most
	}
	u.attempt = &usagev1.Attempt{
		ProviderId: provider.ID, Provider: provider.Name, Model: u.target.Model,
		StartedAfterUs:   u.begun.Microseconds(),
		Outcome:          usagev1.Outcome_OUTCOME_INTERRUPTED,
		Usage:            &usagev1.TokenUsage{Input: most.Input, Output: most.Output},
		UsageSource:      usagev1.UsageSource_USAGE_SOURCE_ESTIMATED,
		PriceBookVersion: e.policy.PriceBookVersion(),
		Cause:            why,
	}
	u.reserve(most, bounded && !u.leg.sent.Unmetered)
	if u.leg.sent.Unmetered {
		u.attempt.Usage = &usagev1.TokenUsage{}
		u.attempt.UsageSource = usagev1.UsageSource_USAGE_SOURCE_UNSPECIFIED
	}
	if e.surface.count != nil {
		u.unused()
	}
	batch.Bound(u.attempt)
	e.record.Attempts = append(e.record.Attempts, u.attempt)
	if u.reserved != nil {
		e.reservations = append(e.reservations, u.reserved)
	}
	e.charge()
	u.traceAttempt()
}

// forget ends an attempt that was never made.
func (u *upstream) forget() {
	u.leg.release()
	u.answered(nil)
	u.reserved.release()
	u.trial.End(u.exchange.handler.config.Now(), balance.Ending{})
	if u.span != nil {
		u.span.End()
	}
}

// bound is the most that a request can use whose text has so many tokens at most; images,
// audio and files may have more. It is not bounded where neither the caller nor the price
// book caps a side.
func bound(r *dialect.Request, input int64, entry *price.Entry) (most price.Most, bounded bool) {
	var maxInput, maxOutput int64
	if entry != nil {
		maxInput, maxOutput = entry.MaxInputTokens(), entry.MaxOutputTokens()
	}
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
		InputAudio: r.SendsAudio, OutputAudio: r.AsksAudio, OutputImage: r.AsksImages,
	}, bounded
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
	code   dialect.Code
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
func (u *upstream) settle(end end) {
	end = u.exchange.ifCut(end)
	u.close(end)
	u.exchange.finish(end)
}

// close prices the attempt.
func (u *upstream) close(end end) {
	a := u.attempt
	a.Status = u.status.Load()
	switch {
	case end.answer.Usage != nil:
		a.Usage, a.RawUsageSha256 = end.answer.Usage, end.answer.UsageSHA256
		a.UsageSource = usagev1.UsageSource_USAGE_SOURCE_REPORTED
		u.price(end.answer)
	case end.unused:
		u.unused()
	}
	batch.Bound(a)
	u.settleQuotas()
	u.countUnpriced()
	a.Outcome = end.outcome
	u.trial.End(u.exchange.handler.config.Now(), u.ending(end))
	a.DurationUs = (u.exchange.elapsed() - u.begun).Microseconds()
	u.exchange.handler.metrics.genAI.attempt(u)
	u.attemptTraced()
}

// unused notes of the attempt that nothing was used.
func (u *upstream) unused() {
	u.attempt.Usage = &usagev1.TokenUsage{}
	u.attempt.UsageSource = usagev1.UsageSource_USAGE_SOURCE_NONE
	u.attempt.CostNanoUsd, u.attempt.PriceEstimated = proto.Int64(0), false
}

// finish has the end kept. When it can't be, what was kept of the attempts stands, so
// the answer goes on.
func (e *exchange) finish(end end) {
	e.record.Outcome = end.outcome
	e.record.Status, e.record.ErrorCode = int32(end.status), string(end.code)
	if e.opened.Load() {
		e.record.Status = http.StatusOK
	}
	e.tellCost()
	e.whole.settle(nil)
	e.charge()
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
func (u *upstream) firstByte() {
	e := u.exchange
	if e.record.TimeToFirstTokenUs > 0 {
		return
	}
	now := e.elapsed()
	u.trial.Heard(e.begun.Add(now))
	e.record.TimeToFirstTokenUs = max(1, now.Microseconds())
	u.heard(now)
	u.attempt.TimeToFirstTokenUs = max(1, (now - u.begun).Microseconds())
}
