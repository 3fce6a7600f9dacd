package proxy

import (
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/reason"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// failureIn is failureOf, but for what the error itself says where the route goes on after
// that: it is looked for nowhere else. Status 0 is an event's.
func (u *upstream) failureIn(status int, body []byte) snapshot.Failures {
	if u.exchange.route.Retry.On.Has(snapshot.ContextTooLong | snapshot.ContentFilter) {
		if how := failureFor(reason.OfError(status, body)); u.mends(how) {
			return how
		}
	}
	return failureOf(status)
}

// filtered tells why an answer that is no error is none all the same, where the route goes on
// after that; else 0.
func (u *upstream) filtered(body []byte) snapshot.Failures {
	if !u.exchange.route.Retry.On.Has(snapshot.ContextTooLong | snapshot.ContentFilter) {
		return 0
	}
	if how := failureFor(reason.OfAnswer(body)); u.mends(how) {
		return how
	}
	return 0
}

func failureFor(why reason.Reason) snapshot.Failures {
	switch why {
	case reason.ContextTooLong:
		return snapshot.ContextTooLong
	case reason.ContentFilter:
		return snapshot.ContentFilter
	}
	return 0
}

// mends is the exchange's.
func (u *upstream) mends(how snapshot.Failures) bool {
	if !u.single() {
		u.race.mu.Lock()
		defer u.race.mu.Unlock()
	}
	return u.exchange.mends(how)
}

// fails has the plan know how the attempt failed.
func (u *upstream) fails(how snapshot.Failures) {
	e := u.exchange
	e.plan.Turn(u.target)
	e.plan.Failed(how, e.elapsed(), u.retryAfter())
}

// stopped is the end of an attempt whose answer a filter stopped: what it used is paid.
func stopped(answer dialect.Answer) end {
	return end{outcome: usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, code: codeUpstream, answer: answer}
}
