package proxy

import (
	"context"
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// hedged prepares for an attempt beside u, where the route hedges and enough is known of the
// target's times; nil: there will be none.
func (e *exchange) hedged(u *upstream) *race {
	hedge := e.route.Hedge
	if hedge == nil {
		return nil
	}
	u.pace = e.targets.Of(u.target).Pace()
	after, known := u.pace.Begin(e.request.Stream, hedge.Percentile, hedge.Most, e.handler.config.Now())
	if !known || !e.plan.Left() || !e.plan.Fresh() {
		return nil
	}
	r := &race{exchange: e, first: u}
	u.race = r
	r.mu.Lock() // the timer's goroutine finds the timer there
	defer r.mu.Unlock()
	r.timer = time.AfterFunc(max(after, hedge.Min), r.hedge)
	return r
}

// hedge makes the attempt beside the first, in the timer's goroutine.
func (r *race) hedge() {
	u := r.begin()
	if u == nil {
		return
	}
	defer close(r.done)
	defer func() { u.survive(recover()) }()
	u.run()
}

// begin is open while nobody else uses the exchange.
func (r *race) begin() (u *upstream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		if r.exchange.panicked(recover()) {
			u = nil
		}
	}()
	return r.open()
}

// open chooses the target and has the attempt kept, before anything goes upstream; nil: there
// is none to make.
func (r *race) open() *upstream {
	e := r.exchange
	if r.owner != nil || r.first.out || e.r.Context().Err() != nil {
		return nil
	}
	if !r.first.pace.Take() {
		e.handler.metrics.hedgesOverBudget.Inc()
		return nil
	}
	defer func() { e.up = r.first }() // until one of them decides
	if e.target = e.beside(); e.target == nil {
		e.leg.release()
		r.first.pace.Return()
		return nil
	}
	e.open()
	u := e.up
	u.attempt.Cause = usagev1.Cause_CAUSE_HEDGE
	if err := e.keepAgain(); err != nil {
		e.record.Attempts = e.record.Attempts[:len(e.record.Attempts)-1] // it is never made
		r.first.pace.Return()
		u.forget()
		e.notRecorded("hedge", err)
		return nil
	}
	e.handler.metrics.hedges.Inc()
	u.ctx, u.cancel = context.WithCancelCause(e.r.Context())
	u.race, u.pace = r, e.targets.Of(u.target).Pace()
	u.waited = u.begun - r.first.begun
	r.beside, r.done = u, make(chan struct{})
	return u
}

// beside is the plan's next target, where the request did not ask it yet, may now, and need not
// for want of a better one. What a repeat costs is not asked for: there will be none.
func (e *exchange) beside() *snapshot.Target {
	e.hurried = true
	defer func() { e.hurried = false }()
	for e.plan.Left() {
		target := e.plan.Next()
		switch {
		case target == nil:
			return nil
		case e.plan.Repeats(), e.plan.Resort():
			e.plan.Yield()
			return nil
		case !e.inTime(target):
			e.plan.Drop()
		case e.take(target) == nil:
			return target
		}
	}
	return nil
}
