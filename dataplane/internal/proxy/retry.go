package proxy

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// attemptsHeader are the values of X-Weir-Attempts.
var attemptsHeader = [snapshot.MaxAttempts + 1][]string{1: {"1"}, 2: {"2"}, 3: {"3"}, 4: {"4"}, 5: {"5"}}

// failureOf is what an answer's status says of the attempt; 0: nothing that another
// one could mend.
func failureOf(status int) snapshot.Failures {
	switch status {
	case http.StatusTooManyRequests:
		return snapshot.RateLimited
	case http.StatusServiceUnavailable, 529: // 529: Anthropic's "overloaded"
		return snapshot.Overloaded
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return snapshot.UpstreamError
	case 520, 521, 522, 523, 524, 525, 526: // Cloudflare's, for a server behind it that failed it
		return snapshot.UpstreamError
	case http.StatusUnauthorized, http.StatusForbidden:
		return snapshot.Credential
	}
	if status < http.StatusBadRequest {
		return snapshot.UpstreamError // an answer that is an error all the same
	}
	return 0
}

// retry ends the attempt, without an answer, where another one is to follow, or runs beside
// it.
func (u *upstream) retry(how snapshot.Failures, end end) bool {
	if end.how == 0 {
		end.how, end.retryAfter = how, u.retryAfter()
	}
	if u.aside(how, end) {
		return true
	}
	e := u.exchange
	if !e.mends(how) {
		return false
	}
	u.fails(how)
	u.leg.release()
	if end.unused && end.answer.Usage == nil {
		u.reserved.release() // the next attempt may need it
	}
	target := e.follow()
	if target == nil {
		return false
	}
	e.handler.metrics.retries.WithLabelValues(failureName(how)).Inc()
	u.close(end)
	e.target = target
	u.again = true
	return true
}

// mends tells whether another attempt may follow one that failed so.
func (e *exchange) mends(how snapshot.Failures) bool {
	return e.route.Retry.On.Has(how) && e.plan.Left()
}

// follow is the next target that there is time and budget for, and how it is asked.
func (e *exchange) follow() *snapshot.Target {
	target, _ := e.next()
	if target == nil {
		e.leg.release()
	}
	return target
}

// inTime tells whether a target may be tried before the whole time is over.
func (e *exchange) inTime(target *snapshot.Target) bool {
	total := target.Timeouts.Total
	return total == 0 || max(e.plan.Again(), e.elapsed()) < e.called+total
}

// affords takes a repeat from the target's budget.
func (e *exchange) affords(target *snapshot.Target) bool {
	if !e.plan.Repeats() || e.targets.Of(target).Budget.Take(e.handler.config.Now()) {
		return true
	}
	e.handler.metrics.overBudget.Inc()
	return false
}

// again opens the next attempt when its time has come, and has it kept. False: the
// request is over.
func (e *exchange) again() bool {
	if !e.pause() {
		e.plan.Drop()
		e.giveUp()
		return false
	}
	failed := e.up
	e.open()
	if err := e.keepAgain(); err != nil {
		refusal := e.unrecorded("attempt", err)
		e.up, e.record.Attempts = failed, e.record.Attempts[:len(e.record.Attempts)-1]
		e.finish(end{outcome: usagev1.Outcome_OUTCOME_REFUSED, status: refusal.Status, code: refusal.Code})
		e.writeError(refusal)
		return false
	}
	e.tellTarget()
	return true
}

// pause waits until the target may be tried; false: the caller left.
func (e *exchange) pause() bool {
	begun := e.elapsed()
	timer := time.NewTimer(e.plan.Again() - begun)
	defer timer.Stop()
	select {
	case <-timer.C:
		e.waited += e.elapsed() - begun
		return e.r.Context().Err() == nil
	case <-e.r.Context().Done():
		return false
	}
}

// tellTarget names the attempt under way in the answer's header.
func (e *exchange) tellTarget() {
	header := e.w.Header()
	header["X-Weir-Attempts"] = attemptsHeader[len(e.record.Attempts)]
	header["X-Weir-Target"] = e.up.target.Header
}

// retryAfter is how long the upstream asks to be left alone, in seconds or until a
// date (RFC 9110 section 10.2.3), or says in its body; 0: it does not.
func (u *upstream) retryAfter() time.Duration {
	if u.response == nil || u.asked > 0 {
		return u.asked
	}
	text := u.response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(u.exchange.handler.config.Now()))
	}
	return 0
}
